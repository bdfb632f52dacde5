"""Sets of isodose levels to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.constraints import ConstraintResult
from .content import IsodoseLevel

# Low dose to beyond the prescription; 95 and 107 % bound the target's dose (ICRU 50).
PERCENT_LEVELS = (20.0, 50.0, 80.0, 95.0, 100.0, 107.0)
# Red is left to the target.
_RISING_COLOURS = (
    (0, 90, 255), (0, 190, 255), (0, 220, 160), (0, 200, 0), (255, 235, 0), (255, 140, 0), (255, 105, 180),
    (170, 80, 255), (255, 255, 255),
)  # fmt: skip


def percent_levels(prescription_gy: float) -> tuple[IsodoseLevel, ...]:
    """Return levels in percent of an EQD2."""
    return _coloured([percent / 100 * prescription_gy for percent in PERCENT_LEVELS])


def constraint_levels(results: Sequence[ConstraintResult]) -> tuple[IsodoseLevel, ...]:
    """Return the doses that the EQD2 limits of contoured organs are set at, at most nine: those of near maxima first.

    A line at a limit shows where that organ's limit is reached; which organ it is for, the constraint table says.
    """
    limits = [
        result
        for result in results
        if result.structure is not None and result.unit == "Gy" and result.quantity == "EQD2"
    ]
    near_maxima = [result for result in limits if result.metric.startswith("D") and result.metric.endswith("cc")]
    chosen: list[float] = []
    for result in [*near_maxima, *limits]:
        if result.limit not in chosen and len(chosen) < len(_RISING_COLOURS):
            chosen.append(result.limit)
    return _coloured(sorted(chosen))


def _coloured(doses_gy: Sequence[float]) -> tuple[IsodoseLevel, ...]:
    return tuple(
        IsodoseLevel(round(dose_gy, 2), colour) for dose_gy, colour in zip(doses_gy, _RISING_COLOURS, strict=False)
    )
