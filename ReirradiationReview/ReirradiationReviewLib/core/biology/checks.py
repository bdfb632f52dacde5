"""What no model of effect has a meaning for: refused in one place, in the same words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError


def check_schedule(fractions: float, alpha_beta_gy: float) -> None:
    """Refuse a number of fractions or an alpha/beta that the LQ model has no meaning for.

    Raises
    ------
    ReirradiationError
        If ``fractions`` is no whole number of at least 1, or ``alpha_beta_gy`` not finite and above 0.
    """
    if not np.isfinite(fractions) or fractions < 1 or fractions != int(fractions):
        raise ReirradiationError(f"the number of fractions is {fractions:g}: it has to be a whole number of 1 or more")
    if not np.isfinite(alpha_beta_gy) or alpha_beta_gy <= 0:
        raise ReirradiationError(f"alpha/beta is {alpha_beta_gy:g} Gy: it has to be a number above 0")


def checked_dose_gy(dose_gy: float | NDArray[Any]) -> NDArray[np.float64]:
    """Return a dose as an array; ReirradiationError if a value is negative or not finite."""
    dose = np.asarray(dose_gy, dtype=np.float64)
    if not np.all(np.isfinite(dose)) or np.any(dose < 0):
        raise ReirradiationError("the dose holds negative or undefined values, which have no BED: check the dose")
    return dose


def check_positive(value: float, what: str, unit: str) -> None:
    """Refuse a value that is not a finite number above 0; ``what`` and ``unit`` say which."""
    if not np.isfinite(value) or value <= 0:
        raise ReirradiationError(f"{what} is {value:g} {unit}: it has to be a number above 0")
