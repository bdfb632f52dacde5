"""How alike the reference CT and the course's CT are where the registration lays them on one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...volume import Volume, sample_linear
from ..transform import SpatialTransform

# The comparison's voxels: half a typical slice spacing finer would only count noise.
_PITCH_MM = 3.0
# Local correlation looks at cubes of about this side: wide enough to hold edges, narrow enough to be local.
_WINDOW_MM = 15.0
# In a cube with less contrast than this (HU, standard deviation) there is nothing to compare but noise.
_LEAST_CONTRAST_HU = 20.0
_LOWEST_HU, _HIGHEST_HU = -1000.0, 1000.0
_BODY_HU = -300.0
_BINS = 50


@dataclass(frozen=True)
class ImageAgreement:
    """Similarity of two CTs under a registration.

    Parameters
    ----------
    mutual_information_bits
        Shannon mutual information of the HU (50 bins) in the reference's body, where the course's CT has voxels.
    correlation
        Pearson correlation of the HU there.
    covered_percent
        Share of the reference's body that the course's CT covers.
    local_correlation
        Pearson correlation in a cube of 15 mm around each voxel, float32, reference space; NaN outside the body, where
        the course's CT ends, and where the cube shows no contrast.
    """

    mutual_information_bits: float
    correlation: float
    covered_percent: float
    local_correlation: Volume


def compare_images(reference: Volume, course: Volume, transform: SpatialTransform) -> ImageAgreement:
    """Compare two CTs in HU on a grid of about 3 mm over the reference.

    Parameters
    ----------
    transform
        Reference point to course point, LPS mm.
    """
    here = coarse(reference, _PITCH_MM)
    there, seen = resampled(coarse(course, _PITCH_MM), transform, here)
    first, second = (np.clip(v.astype(np.float64), _LOWEST_HU, _HIGHEST_HU) for v in (here.array, there))
    body = here.array > _BODY_HU
    common = body & seen
    local = _local_correlation(first, second, common, here.spacing_mm)
    return ImageAgreement(
        mutual_information_bits=_mutual_information(first[common], second[common]),
        correlation=_correlation(first[common], second[common]),
        covered_percent=100.0 * float(np.count_nonzero(common)) / max(int(np.count_nonzero(body)), 1),
        local_correlation=here.like(local.astype(np.float32)),
    )


def coarse(volume: Volume, pitch_mm: float) -> Volume:
    """Return averages over whole voxels up to about a pitch, float32: without aliasing."""
    steps = [
        max(1, min(round(pitch_mm / size), count))
        for size, count in zip(volume.spacing_mm.tolist(), volume.shape_ijk, strict=True)
    ]
    i, j, k = (count // step for count, step in zip(volume.shape_ijk, steps, strict=True))
    kept = volume.array[: k * steps[2], : j * steps[1], : i * steps[0]]
    blocks = kept.reshape(k, steps[2], j, steps[1], i, steps[0]).mean(axis=(1, 3, 5), dtype=np.float32)
    matrix = volume.index_to_lps.copy()
    matrix[:3, 3] = volume.to_lps((np.array([steps]) - 1) / 2.0)[0]
    matrix[:3, :3] = volume.index_to_lps[:3, :3] * steps
    return Volume(blocks, matrix, volume.frame_of_reference_uid)


def resampled(
    course: Volume, transform: SpatialTransform, grid: Volume
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a course's values at a reference grid's voxels, and where the course has any; shapes ``(K, J, I)``."""
    values, inside = sample_linear(course, transform.apply(grid.centres_lps()))
    shape = grid.array.shape[:3]
    return values.reshape(shape), inside.reshape(shape)


def _local_correlation(
    first: NDArray[np.float64], second: NDArray[np.float64], common: NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter

    size = [max(3, 2 * round(_WINDOW_MM / 2 / spacing) + 1) for spacing in spacing_mm[::-1]]

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(uniform_filter(values.astype(np.float64), size, mode="constant"))

    weight = mean(common)
    # At least half of the cube has to be seen.
    with np.errstate(divide="ignore", invalid="ignore"):
        ma, mb = mean(first * common) / weight, mean(second * common) / weight
        va, vb = mean(first**2 * common) / weight - ma**2, mean(second**2 * common) / weight - mb**2
        covariance = mean(first * second * common) / weight - ma * mb
        contrast = np.minimum(va, vb) > _LEAST_CONTRAST_HU**2
        result = np.where(contrast, covariance / np.sqrt(va * vb), np.nan)
    return np.where(common & (weight > 0.5), result, np.nan)


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if first.size < 2 or not first.std() or not second.std():
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _mutual_information(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if first.size < 2:
        return float("nan")
    edges = np.linspace(_LOWEST_HU, _HIGHEST_HU, _BINS + 1)
    joint, _, _ = np.histogram2d(first, second, bins=(edges, edges))
    joint /= joint.sum()
    outer = joint.sum(axis=1)[:, None] * joint.sum(axis=0)[None]
    filled = joint > 0
    return float(np.sum(joint[filled] * np.log2(joint[filled] / outer[filled])))
