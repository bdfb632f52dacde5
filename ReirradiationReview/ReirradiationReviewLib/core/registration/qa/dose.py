"""What an error of the registration would change in the dose: the dose's slope at an organ's points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dose_mapping import DoseMoments, PlanField, PlanWeight, sum_eqd2

_STEP_MM = 1.0


@dataclass(frozen=True)
class DoseSlopes:
    """Doses of all plans one step to either side of some points, along the patient's axes.

    Parameters
    ----------
    points_lps
        Shape ``(N, 3)``, LPS mm.
    hot
        The points with the highest dose, for what happens at an organ's maximum, shape ``(N,)``.
    moments
        One per plan at the ``6 N`` points ``(axis, side, point)``, in the order of the courses and their plans.
    """

    points_lps: NDArray[np.float64]
    hot: NDArray[np.bool_]
    moments: tuple[DoseMoments, ...]

    def eqd2_gy_per_mm(
        self, weights: Sequence[PlanWeight], alpha_beta_gy: float, repair_half_time_hours: float
    ) -> NDArray[np.float64]:
        """Return how steep the weighted EQD2 is at each point, Gy per mm, shape ``(N,)``; NaN where not known.

        The reference's points are shifted, so that the slope is that of the dose as the registration brings it there.
        """
        total = sum_eqd2(self.moments, weights, alpha_beta_gy, repair_half_time_hours)
        dose = np.where(total.known, total.low_gy, np.nan).reshape(3, 2, -1)
        slope = (dose[:, 1] - dose[:, 0]) / (2 * _STEP_MM)
        return np.asarray(np.linalg.norm(slope, axis=0))


def dose_slopes(points_lps: NDArray[np.float64], hot: NDArray[np.bool_], fields: Sequence[PlanField]) -> DoseSlopes:
    """Read all plans around points, shape ``(N, 3)`` LPS mm."""
    around = np.concatenate(
        [points_lps + side * _STEP_MM * np.eye(3)[axis] for axis in range(3) for side in (-1.0, 1.0)]
    )
    return DoseSlopes(points_lps, hot, tuple(field.moments(around) for field in fields))
