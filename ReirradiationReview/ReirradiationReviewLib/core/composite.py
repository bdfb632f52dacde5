"""The composite dose as a volume: on which grid, and what its voxels say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .biology.tissue import LATE_REPAIR_HALF_TIME_HOURS
from .courses import Course
from .dose_mapping import DoseMoments, PlanField, PlanWeight, sum_eqd2
from .errors import Progress, no_progress
from .linear_dose import LinearDose, eqd2_terms, features, physical_terms
from .volume import Volume, affine

# A composite of this size is computed and drawn in about a second; a finer grid is thinned to stay below it.
MAX_VOXELS = 8_000_000


@dataclass(frozen=True)
class CompositeGrid:
    """All plans' dose moments at the voxel centres of one grid in reference space.

    Parameters
    ----------
    grid
        Geometry only (its array is empty of meaning): shape ``(K, J, I)``.
    moments
        One per plan, in the order of the courses and their plans.
    """

    grid: Volume
    moments: tuple[DoseMoments, ...]

    def eqd2(self, weights: Sequence[PlanWeight], alpha_beta_gy: float) -> Volume:
        """Return the sum of known contributions as a float32 volume in Gy; NaN where no dose is known.

        It is summed in float32, which is exact to a few parts in ten million and quick enough to follow a slider.
        """
        return self._sum(eqd2_terms(self.moments, weights, alpha_beta_gy, LATE_REPAIR_HALF_TIME_HOURS))

    def eqd2_at(self, voxel: int, weights: Sequence[PlanWeight], alpha_beta_gy: float) -> float:
        """Return the same at one voxel, by its number in C order."""
        moments = [of_plan.where(np.array([voxel])) for of_plan in self.moments]
        total = sum_eqd2(moments, weights, alpha_beta_gy)
        return float(total.low_gy[0]) if total.known[0] else np.nan

    def physical(self, weights: Sequence[PlanWeight]) -> Volume:
        """Return the same of delivered dose: Gy, or Gy(RBE)."""
        return self._sum(physical_terms(self.moments, weights))

    def _sum(self, terms: LinearDose) -> Volume:
        # One product of a few numbers and a tall matrix: quicker than copying the matrix.
        total = terms.coefficients.astype(np.float32) @ self._known_features
        total[self._unknown(tuple(terms.active.tolist()))] = np.nan
        return self.grid.like(total.reshape(self.grid.array.shape))

    @cached_property
    def _known_features(self) -> NDArray[np.float32]:
        """All plans' moments in the order of a sum's coefficients, shape ``(F, N)``; 0 beyond the plan's grid."""
        columns = [(moments.inside, feature) for moments in self.moments for feature in features(moments)]
        known = np.zeros((len(columns), self.grid.array.size), dtype=np.float32)
        for row, (inside, feature) in zip(known, columns, strict=True):
            np.copyto(row, feature, where=inside, casting="same_kind")
        return known

    @cached_property
    def _unknown_of(self) -> dict[tuple[bool, ...], NDArray[np.int64]]:
        return {}

    def _unknown(self, active: tuple[bool, ...]) -> NDArray[np.int64]:
        """Return the voxels beyond the grids of all plans that enter a sum."""
        if active not in self._unknown_of:
            inside = [moments.inside for moments, enters in zip(self.moments, active, strict=True) if enters]
            self._unknown_of[active] = np.flatnonzero(~np.logical_or.reduce(inside, axis=0))
        return self._unknown_of[active]


def composite_grid(
    courses: Sequence[Course],
    fields: Sequence[PlanField],
    reference_index: int,
    progress: Progress = no_progress,
) -> CompositeGrid:
    """Map every plan of every course onto one grid in reference space.

    The grid continues the lattice of the reference course's first dose grid over all dose grids, as far as the
    reference CT reaches, so that the new plan's own dose is not interpolated at all.

    Parameters
    ----------
    fields
        One per plan, in the order of the courses and their plans.
    """
    grid = _lattice(courses[reference_index], fields)
    points = grid.centres_lps()
    moments = []
    for number, field in enumerate(fields):
        progress(number / len(fields), f"mapping dose {number + 1} of {len(fields)}")
        moments.append(field.moments(points))
    return CompositeGrid(grid, tuple(moments))


def _lattice(reference: Course, fields: Sequence[PlanField]) -> Volume:
    base = reference.plans[0].dose
    reached = np.concatenate([base.to_index(_to_reference(field)) for field in fields])
    low, high = reached.min(axis=0), reached.max(axis=0)
    ct = reference.ct
    if ct is not None:
        ct_corners = base.to_index(ct.volume.corners_lps())
        low, high = np.maximum(low, ct_corners.min(axis=0)), np.minimum(high, ct_corners.max(axis=0))
    # Never smaller than the new plan's own grid, whatever the CT covers.
    low = np.minimum(np.floor(low), 0.0)
    high = np.maximum(np.ceil(high), np.array(base.shape_ijk) - 1.0)
    step = _thinning(high - low + 1)
    shape_ijk = (np.floor((high - low) / step) + 1).astype(int)
    matrix = base.index_to_lps.copy()
    matrix[:3, 3] = base.to_lps(low[None])[0]
    matrix[:3, :3] *= step
    return Volume(np.zeros(shape_ijk[::-1], dtype=np.float32), matrix, base.frame_of_reference_uid)


def _thinning(shape_ijk: NDArray[np.float64]) -> int:
    step = 1
    while np.prod(shape_ijk / step) > MAX_VOXELS:
        step += 1
    return step


def _to_reference(field: PlanField) -> NDArray[np.float64]:
    """Return the dose grid's corners in reference space; a displacement moves a whole grid little, so A^-1 does."""
    return affine(np.linalg.inv(field.transform.matrix_lps), field.dose.corners_lps())
