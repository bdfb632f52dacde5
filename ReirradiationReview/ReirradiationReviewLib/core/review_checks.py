"""Whether courses may be reviewed together, and what the user must know before believing the sum."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from .courses import Course
from .errors import Notice, ReirradiationError

TOO_FEW_COURSES = "a re-irradiation review needs at least two courses: give --course twice or more"
DAYS_PER_MONTH = 365.25 / 12


def check_courses(courses: Sequence[Course], reference_index: int) -> None:
    """Refuse what cannot be summed.

    Raises
    ------
    ReirradiationError
        With the course, the tag and the remedy.
    """
    if len(courses) < 2:
        raise ReirradiationError(TOO_FEW_COURSES)
    reference = courses[reference_index]
    if reference.ct is None:
        raise ReirradiationError(f"{reference.label} is the reference but has no CT series: add its planning CT")
    seen: dict[str, str] = {}
    for course in courses:
        if not course.plans:
            raise ReirradiationError(f"{course.label} has no RTDOSE that can be used: add the dose of its plan")
        for plan in course.plans:
            _check_plan(course, plan.label, plan.fractions)
            for uid in plan.dose_uids:
                if uid in seen:
                    raise ReirradiationError(
                        f"the same RTDOSE (SOPInstanceUID (0008,0018) {uid}) is in {seen[uid]} and in {course.label}: "
                        "its dose would be counted twice; remove one"
                    )
                seen[uid] = course.label


def _check_plan(course: Course, label: str, fractions: int | None) -> None:
    if fractions is None or fractions < 1:
        raise ReirradiationError(
            f"{course.label}, plan {label!r}: the number of fractions is not known (NumberOfFractionsPlanned "
            f"(300A,0078)), and EQD2 depends on it; give it with --fractions {label!r}=N"
        )


def cross_course_notices(courses: Sequence[Course], reference_index: int) -> list[Notice]:
    """Return what the courses say of each other: identity, order in time, structures."""
    notices = [notice for course in courses for notice in course.notices]
    reference = courses[reference_index]
    for course in courses:
        if course is not reference:
            notices += _identity_notices(reference, course)
    dated = [course for course in courses if course.date]
    if [course.date for course in dated] != sorted(course.date for course in dated):
        notices.append(
            Notice(
                "courses-not-in-order",
                "the courses are not given oldest first: "
                + ", ".join(f"{course.label} {course.date}" for course in dated)
                + "; the last one given is taken as the new plan unless --reference says otherwise",
            )
        )
    if not reference.structures:
        notices.append(
            Notice(
                "no-structures",
                f"{reference.label} has no RTSTRUCT: no organ can be evaluated, only the composite dose is made",
                reference.label,
            )
        )
    return notices


def _identity_notices(reference: Course, other: Course) -> list[Notice]:
    facts = (
        ("PatientID (0010,0020)", reference.patient.id, other.patient.id),
        ("PatientName (0010,0010)", reference.patient.name, other.patient.name),
        ("PatientBirthDate (0010,0030)", reference.patient.birth_date, other.patient.birth_date),
        ("PatientSex (0010,0040)", reference.patient.sex, other.patient.sex),
    )
    return [
        Notice(
            "patient-mismatch",
            f"{tag} differs between {reference.label} and {other.label}: are these courses of the same patient? "
            "Check before using any number of this review",
            other.label,
        )
        for tag, mine, theirs in facts
        if mine != theirs
    ]


def interval_months(earlier: str, later: str) -> float | None:
    """Return the months between two ISO dates; None where one is unknown."""
    if not earlier or not later:
        return None
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days / DAYS_PER_MONTH
