"""What an image shows in a region: SUVmax, SUVmean and SUVpeak of a PET, values of others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images import PlacedImage
from .region import Region

# Radius of a ball of 1 mL.
_PEAK_RADIUS_MM = (3000.0 / (4 * np.pi)) ** (1 / 3)


def image_values(image: PlacedImage, region: Region) -> dict[str, Any]:
    """Return what an image shows in a region: SUV of a PET, values of others, in the keys of review.json.

    The maximum is that of the image's voxels whose centres lie in it (as SUVmax is defined), the mean that of the
    region; the peak is the highest mean of a ball of 1 mL around a voxel of the region. None where the image has no
    voxel there.
    """
    inside = region.on_grid(image.volume).mask.array
    values = image.volume.array[inside]
    values = values[np.isfinite(values)]
    if not len(values):
        return {"suv_max": None, "suv_mean": None, "suv_peak": None} if image.suv else {}
    if not image.suv:
        return {"image_value_mean": float(values.mean()), "image_value_max": float(values.max())}
    return {
        "suv_max": float(values.max()),
        "suv_mean": float(values.mean()),
        "suv_peak": _peak(image, inside),
        "suv_type": image.unit,
    }


def _peak(image: PlacedImage, inside: NDArray[np.bool_]) -> float:
    from scipy.ndimage import convolve

    grid = image.volume
    box = _around(inside, np.ceil(_PEAK_RADIUS_MM / grid.spacing_mm[::-1]).astype(int))
    part = grid.part(box)
    steps = np.floor(_PEAK_RADIUS_MM / grid.spacing_mm[::-1]).astype(int)
    offsets = np.moveaxis(np.indices(tuple((2 * steps + 1).tolist())), 0, -1) - steps
    kernel = (np.linalg.norm(offsets * grid.spacing_mm[::-1], axis=-1) <= _PEAK_RADIUS_MM).astype(np.float64)
    means = convolve(np.nan_to_num(part.array).astype(np.float64), kernel / kernel.sum(), mode="nearest")
    return float(means[inside[box]].max())


def _around(inside: NDArray[np.bool_], margin: NDArray[np.int64]) -> tuple[slice, slice, slice]:
    where = np.argwhere(inside)
    low = np.maximum(where.min(axis=0) - margin, 0)
    high = np.minimum(where.max(axis=0) + margin + 1, inside.shape)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return k, j, i
