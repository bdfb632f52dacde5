"""The border of a target where the image changes most: watershed of the gradient's magnitude between two markers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume


def steepest_border(
    values: Volume, inside: NDArray[np.bool_], outside: NDArray[np.bool_], scale_mm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the voxels that flooding from the inside reaches before flooding from the outside does.

    Parameters
    ----------
    inside, outside
        What surely belongs to the target and what surely does not, shape ``(K, J, I)``; neither may be empty.
    scale_mm
        Standard deviation along k, j, i of the blur that the gradient is taken at.
    """
    import SimpleITK as sitk
    from scipy.ndimage import gaussian_gradient_magnitude

    undecided = np.argwhere(~(inside | outside))
    if not len(undecided):
        return inside
    box = tuple(slice(max(int(a) - 1, 0), int(b) + 2) for a, b in zip(undecided.min(0), undecided.max(0), strict=True))
    slope = gaussian_gradient_magnitude(values.array[box].astype(np.float32), scale_mm / values.spacing_mm[::-1])
    markers = np.where(outside[box], 2, np.where(inside[box], 1, 0)).astype(np.uint8)
    flooded = sitk.MorphologicalWatershedFromMarkers(
        sitk.GetImageFromArray(slope), sitk.GetImageFromArray(markers), False
    )
    result = inside.copy()
    result[box] = sitk.GetArrayFromImage(flooded) == 1
    return result
