"""What a tumour regains by growing during treatment. Never applied to organs at risk.

``BED loss = ln 2 (T - Tk) / (alpha Tpot)`` [Dale 1989, Radiother. Oncol. 15, 371-381] or, in EQD2, ``Dprolif (T -
Tk)``, for an overall time ``T`` beyond the kick-off time ``Tk``. Valid for fast-growing tumours and mucosa;
late-reacting tissue does not repopulate within a course, so subtracting from its dose would forgive what was given.
"""

from __future__ import annotations

import math

from ..errors import ReirradiationError
from .checks import check_positive


def bed_loss_gy(
    overall_days: float, kick_off_days: float, alpha_per_gy: float, potential_doubling_days: float
) -> float:
    """Return the BED in Gy that repopulation takes away by Dale's formula; 0 before the kick-off time."""
    check_positive(alpha_per_gy, "alpha", "per Gy")
    check_positive(potential_doubling_days, "the potential doubling time", "days")
    growing_days = _growing_days(overall_days, kick_off_days)
    return math.log(2) * growing_days / (alpha_per_gy * potential_doubling_days)


def eqd2_loss_gy(overall_days: float, kick_off_days: float, proliferation_gy_per_day: float) -> float:
    """Return the EQD2 in Gy that repopulation takes away at ``Dprolif``; 0 before the kick-off time."""
    check_positive(proliferation_gy_per_day, "Dprolif", "Gy per day")
    return proliferation_gy_per_day * _growing_days(overall_days, kick_off_days)


def refuse_for_organ(is_target: bool, name: str) -> None:
    """Refuse repopulation of what is no target.

    Raises
    ------
    ReirradiationError
        If ``is_target`` is False.
    """
    if not is_target:
        raise ReirradiationError(f"repopulation is counted for tumour only, and {name} is not said to be one")


def _growing_days(overall_days: float, kick_off_days: float) -> float:
    check_positive(overall_days, "the overall time", "days")
    if not math.isfinite(kick_off_days) or kick_off_days < 0:
        raise ReirradiationError(f"the kick-off time is {kick_off_days:g} days: it has to be a number of 0 or more")
    return max(overall_days - kick_off_days, 0.0)
