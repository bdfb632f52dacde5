"""How well two images agree under a rigid transform, and whether that is well enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .subject import AIR_HU, BONE_HU, Subject, mask_on
from .transform import SpatialTransform

if TYPE_CHECKING:
    import SimpleITK

_OUTSIDE = -5000.0
_BINS = 24


@dataclass(frozen=True)
class Agreement:
    """Figures of one alignment; all lie between 0 and 1 but for a correlation, which may fall to -1.

    Parameters
    ----------
    correlation
        Of the two images inside the reference's body and its ring of air, where the moving image has voxels: Pearson's
        of the clamped HU between CTs, the informational coefficient between modalities.
    overlap_fraction
        Volume of the reference's body that the moving image covers, over the volume of the smaller body.
    bone_dice
        Dice overlap of bone (above 200 HU at the sampled voxel size), same region; NaN where one image is no CT.
    """

    correlation: float
    overlap_fraction: float
    bone_dice: float = float("nan")

    @property
    def score(self) -> float:
        """Rank of an alignment among others of the same pair: Fisher's z times the square root of the overlap."""
        return float(np.arctanh(min(max(self.correlation, 0.0), 0.999)) * np.sqrt(self.overlap_fraction))


NO_AGREEMENT = Agreement(0.0, 0.0, 0.0)


def agreement(
    reference: Subject,
    moving: Subject,
    matrix_lps: NDArray[np.float64],
    spacing_mm: float,
    region: SimpleITK.Image | None = None,
) -> Agreement:
    """Return how two CTs agree where ``matrix_lps`` maps reference points to moving points, at this voxel size.

    Parameters
    ----------
    region
        Mask in the reference's space to look at instead of the body and its ring of air.
    """
    return deformed_agreement(reference, moving, SpatialTransform(matrix_lps), spacing_mm, region)


def deformed_agreement(
    reference: Subject,
    moving: Subject,
    transform: SpatialTransform,
    spacing_mm: float,
    region: SimpleITK.Image | None = None,
) -> Agreement:
    """Return what `agreement` returns, for a transform that may deform."""
    here, there, overlap = _overlap(reference, moving, transform, spacing_mm, region)
    return Agreement(_correlation(here, there), overlap, _dice(here > BONE_HU, there > BONE_HU))


def shared_information(
    reference: Subject, moving: Subject, matrix_lps: NDArray[np.float64], spacing_mm: float
) -> Agreement:
    """Return how two images of different modalities agree: like `agreement`, by mutual information.

    The informational coefficient of correlation is ``sqrt(1 - exp(-2 I))`` of the mutual information ``I`` in nats
    (E. H. Linfoot, Information and Control 1:85, 1957); for two Gaussian variables it is Pearson's.
    """
    here, there, overlap = _overlap(reference, moving, SpatialTransform(matrix_lps), spacing_mm, None)
    if here.size < _BINS**2 or not np.ptp(here) or not np.ptp(there):
        return Agreement(0.0, overlap)
    counts, _, _ = np.histogram2d(here, there, _BINS)
    joint = counts / counts.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = joint > 0
    information = float(np.sum(joint[filled] * np.log(joint[filled] / apart[filled])))
    return Agreement(float(np.sqrt(1.0 - np.exp(-2.0 * max(information, 0.0)))), overlap)


def _overlap(
    reference: Subject,
    moving: Subject,
    transform: SpatialTransform,
    spacing_mm: float,
    region: SimpleITK.Image | None,
) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Return both images' values at the voxels they share, and the overlap fraction."""
    import SimpleITK as sitk

    grid = reference.pyramid[spacing_mm]
    values = sitk.Resample(moving.pyramid[spacing_mm], grid, transform.to_sitk(), sitk.sitkLinear, _OUTSIDE)
    there = sitk.GetArrayFromImage(values)
    here = sitk.GetArrayViewFromImage(grid)
    seen = there > _OUTSIDE / 2
    shared = seen & _array(mask_on(grid, reference.ring if region is None else region))
    voxel_cc = float(np.prod(grid.GetSpacing())) / 1000.0
    covered_cc = np.count_nonzero(seen & _array(mask_on(grid, reference.body))) * voxel_cc
    return (
        np.maximum(here[shared], AIR_HU),
        np.maximum(there[shared], AIR_HU),
        min(1.0, covered_cc / min(reference.body_cc, moving.body_cc)),
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
    return float(2.0 * np.count_nonzero(a & b) / total) if total else 0.0
