"""How well two CTs agree under a rigid transform, and whether that is well enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .subject import Subject, mask_on
from .transform import SpatialTransform

if TYPE_CHECKING:
    import SimpleITK

_BONE_HU = 200.0
_OUTSIDE = -5000.0


@dataclass(frozen=True)
class Agreement:
    """Figures of one alignment; all lie between 0 and 1 but for the correlation, which may fall to -1.

    Parameters
    ----------
    correlation
        Pearson correlation of the clamped HU inside the reference's body and its ring of air, where the moving CT has
        voxels.
    bone_dice
        Dice overlap of bone (above 200 HU at the sampled voxel size), same region.
    overlap_fraction
        Volume of the reference's body that the moving CT covers, over the volume of the smaller body.
    """

    correlation: float
    bone_dice: float
    overlap_fraction: float

    @property
    def score(self) -> float:
        """Rank of an alignment among others of the same pair: Fisher's z times the square root of the overlap."""
        return float(np.arctanh(min(max(self.correlation, 0.0), 0.999)) * np.sqrt(self.overlap_fraction))


def agreement(reference: Subject, moving: Subject, matrix_lps: NDArray[np.float64], spacing_mm: float) -> Agreement:
    """Return how two CTs agree where ``matrix_lps`` maps reference points to moving points, at this voxel size."""
    import SimpleITK as sitk

    grid = reference.pyramid[spacing_mm]
    to_moving = SpatialTransform(matrix_lps).to_sitk()
    values = sitk.Resample(moving.pyramid[spacing_mm], grid, to_moving, sitk.sitkLinear, _OUTSIDE)
    there = sitk.GetArrayFromImage(values)
    here = sitk.GetArrayViewFromImage(grid)
    seen = there > _OUTSIDE / 2
    region = seen & _array(mask_on(grid, reference.ring))
    voxel_cc = float(np.prod(grid.GetSpacing())) / 1000.0
    covered = np.count_nonzero(seen & _array(mask_on(grid, reference.body))) * voxel_cc
    return Agreement(
        _correlation(here[region], there[region]),
        _dice(here[region] > _BONE_HU, there[region] > _BONE_HU),
        min(1.0, covered / min(reference.body_cc, moving.body_cc)),
    )


def _array(mask: SimpleITK.Image) -> NDArray[np.bool_]:
    import SimpleITK as sitk

    return np.asarray(sitk.GetArrayFromImage(mask) > 0)


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    if a.size < 2 or not a.std() or not b.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2.0 * np.count_nonzero(a & b) / total if total else 0.0
