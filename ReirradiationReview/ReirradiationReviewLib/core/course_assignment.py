"""Which plan belongs to which course: order in time, and the user's corrections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .courses import Course, Plan
from .errors import Notice, ReirradiationError

# A plan, as (index of its course, index within the course).
PlanKey = tuple[int, int]


def in_order_of_time(courses: Sequence[Course]) -> tuple[Course, ...]:
    """Return the courses oldest first, those without a date last, labelled ``"course 1"`` onwards in that order."""
    ordered = sorted(courses, key=lambda course: course.date or "9999")
    return tuple(_labelled(course, f"course {number}") for number, course in enumerate(ordered, start=1))


def reassigned(courses: Sequence[Course], targets: Mapping[PlanKey, int | None]) -> tuple[Course, ...]:
    """Return the courses with plans moved from one to another; a course that loses its last plan is gone.

    Parameters
    ----------
    targets
        Index of the course that each named plan is moved to; ``len(courses)`` for a new one of its own; None to leave
        the plan out. Plans that are not named stay.

    Raises
    ------
    ReirradiationError
        If a plan is moved to a course whose dose lives in another Frame of Reference: where it lies there is not known.
    """
    members: list[list[Plan]] = [[] for _ in courses]
    split: list[Course] = []
    for course_index, course in enumerate(courses):
        for plan_index, plan in enumerate(course.plans):
            target = targets.get((course_index, plan_index), course_index)
            if target is None:
                continue
            if target == len(courses):
                split.append(replace(course, plans=(plan,), date=plan.date or course.date, notices=(_moved(plan),)))
                continue
            if target != course_index:
                _require_same_frame(plan, courses[target])
            members[target].append(plan)
    kept = [_with_plans(course, tuple(plans)) for course, plans in zip(courses, members, strict=True) if plans]
    return in_order_of_time([*kept, *split])


def with_fractions(course: Course, plan_index: int, fractions: int) -> Course:
    """Return the course with a user-entered number of fractions for one plan.

    Raises
    ------
    ReirradiationError
        If it is not at least 1.
    """
    if fractions < 1:
        raise ReirradiationError(f"{fractions} fractions: give a whole number of at least 1")
    plans = list(course.plans)
    plans[plan_index] = replace(plans[plan_index], fractions=fractions, fractions_source="user")
    return replace(course, plans=tuple(plans))


def _require_same_frame(plan: Plan, course: Course) -> None:
    here, there = plan.dose.frame_of_reference_uid, course.frame_of_reference_uid
    if not here or here != there:
        raise ReirradiationError(
            f"plan {plan.label!r} cannot be moved to {course.label}: its dose has another Frame of Reference UID "
            "(0020,0052), so where it lies on that course's CT is not known; keep it as a course of its own"
        )


def _with_plans(course: Course, plans: tuple[Plan, ...]) -> Course:
    before, after = {id(plan) for plan in course.plans}, {id(plan) for plan in plans}
    changed = [plan for plan in (*course.plans, *plans) if (id(plan) in before) != (id(plan) in after)]
    notices = tuple(_moved(plan) for plan in changed)
    return replace(course, plans=plans, notices=(*course.notices, *notices)) if notices else course


def _moved(plan: Plan) -> Notice:
    return Notice("plan-reassigned", f"plan {plan.label!r} was assigned to another course by the user", plan.label)


def _labelled(course: Course, label: str) -> Course:
    """Return the course under a new label, which its notices name too."""
    if course.label == label:
        return course
    notices = tuple(
        replace(notice, where=label + notice.where[len(course.label) :])
        if notice.where.startswith(course.label)
        else notice
        for notice in course.notices
    )
    return replace(course, label=label, notices=notices)
