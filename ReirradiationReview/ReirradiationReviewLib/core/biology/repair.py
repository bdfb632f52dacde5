"""Incomplete repair between two or three fractions a day.

``BED = n d [1 + (1 + H_m) d / ab]`` with ``H_m = (2 phi / (m (1 - phi))) [m - (1 - phi^m) / (1 - phi)]``, ``phi =
exp(-mu dt)``, ``mu = ln 2 / T_half`` for ``m`` fractions a day, ``dt`` apart [Thames 1985, Int. J. Radiat. Biol. 47,
319-339, as carried by Voyant's LQ-Equiv, eq. 5]. For two fractions ``H_m = phi``. It enters the moments as the
quadratic factor ``q = 1 + H_m``.

Valid for equal fractions at equal intervals with complete repair overnight: the gap to the next day has to be at least
as long as the interval. Repair that takes two half-times is not modelled.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import ReirradiationError
from .checks import check_positive

# Royal College of Radiologists: at least 6 hours between two fractions of a day.
SHORTEST_USUAL_INTERVAL_HOURS = 6.0
MOST_FRACTIONS_PER_DAY = 3


def check_day(per_day: int, interval_hours: float | None) -> None:
    """Refuse a pattern of fractions within a day that the model does not hold for.

    Raises
    ------
    ReirradiationError
        If there are not one to three fractions a day, an interval is missing, or the night is shorter than it.
    """
    if per_day != int(per_day) or not 1 <= per_day <= MOST_FRACTIONS_PER_DAY:
        raise ReirradiationError(
            f"{per_day:g} fractions a day: incomplete repair is modelled for one, two or three fractions a day"
        )
    if per_day == 1:
        return
    if interval_hours is None:
        raise ReirradiationError(f"{per_day} fractions a day need the interval between them in hours")
    check_positive(interval_hours, "the interval between fractions", "h")
    if 24 - (per_day - 1) * interval_hours < interval_hours:
        raise ReirradiationError(
            f"{per_day} fractions a day, {interval_hours:g} h apart, leave a night shorter than that: the model takes "
            "repair overnight as complete and does not hold; give a shorter interval"
        )


def incomplete_repair_factor(per_day: int, interval_hours: float | None, repair_half_time_hours: float) -> float:
    """Return the quadratic factor ``1 + H_m`` of fractions given ``per_day`` times a day.

    Parameters
    ----------
    interval_hours
        Between the starts of two fractions of a day; not used with one fraction a day.

    Raises
    ------
    ReirradiationError
        Where the model does not hold; see `check_day`.
    """
    check_day(per_day, interval_hours)
    check_positive(repair_half_time_hours, "the repair half-time", "h")
    if per_day == 1 or interval_hours is None:
        return 1.0
    phi = math.exp(-math.log(2) * interval_hours / repair_half_time_hours)
    # The closed form of H_m divides by (1 - phi)^2; this sum of its terms does not.
    steps = np.arange(1, per_day)
    return 1.0 + 2.0 / per_day * float(np.sum((per_day - steps) * phi**steps))
