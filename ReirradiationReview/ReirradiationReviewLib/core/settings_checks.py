"""Whether settings fit the courses: asked before the long work of registering and mapping."""

from __future__ import annotations

from collections.abc import Sequence

from .biology.recovery import load_recovery_table
from .biology.repopulation import refuse_for_organ
from .biology.schedule import parse_growth
from .courses import Course
from .errors import ReirradiationError
from .intervals import course_intervals
from .organ_dose import OrganDose
from .plan_given import plans_given
from .protocols import load_protocol
from .review_checks import check_courses
from .settings import Settings


def check_settings(courses: Sequence[Course], reference_index: int, settings: Settings) -> None:
    """Refuse what a review of these courses would refuse of its settings; structures are not looked at.

    Raises
    ------
    ReirradiationError
        With the option and the remedy.
    """
    check_tables(settings)
    check_courses(courses, reference_index)
    plans_given(courses, reference_index, settings)
    course_intervals(courses, reference_index, settings)


def check_tables(settings: Settings) -> None:
    """Refuse constraint sets and recovery tables that are not there or are at fault; needs no course."""
    for protocol in settings.protocols:
        load_protocol(protocol)
    if settings.recovery_table:
        load_recovery_table(settings.recovery_table)


def check_structure_names(settings: Settings, organs: Sequence[OrganDose]) -> None:
    """Refuse settings for structures that the reference course does not have, and repopulation of what is no target.

    Raises
    ------
    ReirradiationError
        With the option and the names that there are.
    """
    known = {name for organ in organs for name in (organ.name, organ.match.tg263, organ.match.base)}
    by_structure = {
        "alpha-beta": settings.alpha_beta_gy,
        "repair-half-time": settings.repair_half_time_hours,
        "recovery": settings.recovery,
        "repopulation": settings.repopulation,
    }
    for option, values in by_structure.items():
        for name in set(values) - known:
            raise ReirradiationError(
                f"--{option} names {name!r}, but the reference course has no such structure; it has: "
                + ", ".join(sorted(organ.name for organ in organs))
            )
    for name, text in settings.repopulation.items():
        refuse_for_organ(any(organ.match.is_target for organ in organs if organ.name == name), name)
        parse_growth(text)
