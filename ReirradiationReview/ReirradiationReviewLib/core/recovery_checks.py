"""Whether an interval is known well enough for the steps of a recovery table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .biology.recovery import RecoveryTable, organ_recovery
from .errors import Notice
from .review_checks import DAYS_PER_MONTH

if TYPE_CHECKING:
    from .review import Review

_FRACTIONS_PER_WEEK = 5


def recovery_notices(review: Review) -> list[Notice]:
    """Return a notice for each course whose end, if it took as long as its fractions need, lies before a step.

    The interval is counted from the date a course is placed at where no record tells its last treatment; a table would
    then forgive what a count from the end does not.
    """
    table = review.recovery_table
    if table is None:
        return []
    return [notice for index in range(len(review.courses)) for notice in _of_course(review, table, index)]


def _of_course(review: Review, table: RecoveryTable, index: int) -> list[Notice]:
    interval, course = review.intervals[index], review.courses[index]
    if index == review.reference_index or interval.source != "dates" or interval.months is None:
        return []
    fractions = sum(given.fractions for (of, _), given in zip(review.plans, review.given, strict=True) if of == index)
    from_end = interval.months - fractions / _FRACTIONS_PER_WEEK * 7 / DAYS_PER_MONTH
    touched = []
    for organ in review.organs:
        later = organ_recovery(organ.match, organ.name, [from_end], table, review.settings.recovery)[0]
        if later.fraction < organ.recovery[index]:
            touched.append(f"{organ.name} {organ.recovery[index]:.0%} instead of {later.fraction:.0%}")
    if not touched:
        return []
    text = (
        f"{course.label}: its last treatment is not known, so the interval of {interval.months:.1f} months is counted "
        f"from its date. With {fractions} fractions at {_FRACTIONS_PER_WEEK} a week it may be {from_end:.1f} months, "
        f"and the recovery table then forgives less: {', '.join(touched)}. Enter the interval with --interval-months "
        f"{course.label!r}=N"
    )
    return [Notice("recovery-near-step", text, course.label)]
