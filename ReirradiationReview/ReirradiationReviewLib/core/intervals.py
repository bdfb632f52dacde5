"""How long ago each course was: from the dates, or from the user."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from .courses import Course
from .errors import ReirradiationError
from .review_checks import interval_months
from .settings import Settings


@dataclass(frozen=True)
class Interval:
    """The time from one course to the reference course.

    Parameters
    ----------
    months
        From the last treatment of the course, where records tell, else from its date, to the date of the reference;
        negative for a later course, None where not known.
    source
        ``"records"``: counted from the last treatment. ``"dates"``: from the date the course is placed at, so the time
        since its end is shorter by the length of the course.
    """

    months: float | None
    source: Literal["records", "dates", "user", "unknown"]


def course_intervals(courses: Sequence[Course], reference_index: int, settings: Settings) -> tuple[Interval, ...]:
    """Return the interval from each course to the reference; zero for the reference itself.

    Raises
    ------
    ReirradiationError
        If the user's interval names a course that is not there, or the reference, or is negative.
    """
    earlier = [course.label for index, course in enumerate(courses) if index != reference_index]
    for label, months in settings.interval_months.items():
        if label not in earlier:
            raise ReirradiationError(
                f"--interval-months names {label!r}, but the courses before the new one are {', '.join(earlier)}"
            )
        if not 0 <= months < float("inf"):
            raise ReirradiationError(f"--interval-months {label!r}={months:g}: give a number of 0 or more")
    reference = courses[reference_index]
    return tuple(
        Interval(0.0, "dates") if course is reference else _interval(course, reference, settings) for course in courses
    )


def _interval(course: Course, reference: Course, settings: Settings) -> Interval:
    if course.label in settings.interval_months:
        return Interval(float(settings.interval_months[course.label]), "user")
    months = interval_months(course.end_date or course.date, reference.date)
    if months is None:
        return Interval(None, "unknown")
    return Interval(months, "records" if course.end_date else "dates")


def shortest_interval_months(
    intervals: Sequence[Interval], reference_index: int, left_out: Collection[int] = ()
) -> float | None:
    """Return the shortest interval between the reference and a course that counts; None where one is not known."""
    others = [interval.months for index, interval in enumerate(intervals) if index not in {reference_index, *left_out}]
    known = [abs(months) for months in others if months is not None]
    return min(known) if known and len(known) == len(others) else None
