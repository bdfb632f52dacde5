"""A course's image brought to the reference's grid, and pictures of how well the two agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume
from .transform import SpatialTransform

_CHECK_MM = 25.0


def resample_image(image: Volume, transform: SpatialTransform, grid: Volume) -> Volume:
    """Return a course's image on a reference grid, linearly interpolated, float32; NaN where the course has no voxel.

    Parameters
    ----------
    transform
        Reference point to course point, LPS mm.
    """
    import SimpleITK as sitk

    frame = sitk.Image(list(grid.shape_ijk), sitk.sitkUInt8)
    spacing = grid.spacing_mm
    frame.SetSpacing(spacing.tolist())
    frame.SetOrigin(grid.index_to_lps[:3, 3].tolist())
    frame.SetDirection((grid.index_to_lps[:3, :3] / spacing).ravel().tolist())
    source = sitk.Cast(image.to_sitk(), sitk.sitkFloat32)
    result = sitk.Resample(source, frame, transform.to_sitk(), sitk.sitkLinear, float("nan"), sitk.sitkFloat32)
    return grid.like(sitk.GetArrayFromImage(result))


def checkerboard(reference: Volume, resampled: Volume) -> Volume:
    """Return cubes of 25 mm by turns from the reference and from a course's image on the same grid, float32."""
    parts = [
        (np.arange(count) * spacing // _CHECK_MM).astype(int)
        for count, spacing in zip(reference.shape_ijk, reference.spacing_mm, strict=True)
    ]
    odd = (parts[2][:, None, None] + parts[1][None, :, None] + parts[0][None, None, :]) % 2 == 1
    chosen = np.where(odd & np.isfinite(resampled.array), resampled.array, reference.array)
    return reference.like(chosen.astype(np.float32))


def difference(reference: Volume, resampled: Volume) -> Volume:
    """Return a course's image less the reference, float32; NaN where the course has no voxel."""
    return reference.like(np.asarray(resampled.array - reference.array, dtype=np.float32))


def viewing_grid(reference: Volume, most_voxels: int) -> Volume:
    """Return the reference's grid, geometry only, every second (third, ...) voxel where it is larger than wanted."""
    step = 1
    while np.prod(np.ceil(np.array(reference.shape_ijk) / step)) > most_voxels:
        step += 1
    matrix = reference.index_to_lps.copy()
    matrix[:3, :3] *= step
    values: NDArray[np.generic] = reference.array[::step, ::step, ::step]
    return Volume(values, matrix, reference.frame_of_reference_uid)
