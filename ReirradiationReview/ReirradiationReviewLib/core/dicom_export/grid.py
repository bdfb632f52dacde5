"""A dose array and its place in the patient as DICOM attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..volume import Volume
from .objects import decimals

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LARGEST_CODE = 2**32 - 1
# Cosines between grid axes above this are no rounding: RTDOSE can only hold right-angled grids (PS3.3 C.8.8.3.2).
_RIGHT_ANGLE_TOLERANCE = 1e-4


def dose_grid(dose: Volume) -> Dataset:
    """Return Image Plane, Image Pixel, Multi-frame and grid attributes of an RTDOSE (PS3.3 C.7.6.2, C.8.8.3).

    Parameters
    ----------
    dose
        Gy, shape ``(K, J, I)``, not negative, LPS mm. Planes are turned over where k runs against row x column, so
        that GridFrameOffsetVector (3004,000C) always increases from 0.

    Raises
    ------
    ReirradiationError
        If the grid's axes are not at right angles.
    """
    from pydicom.dataset import Dataset

    dose = planes_along_normal(dose, "composite EQD2")
    spacing_mm = dose.spacing_mm
    axes = dose.index_to_lps[:3, :3] / spacing_mm
    planes, rows, columns = dose.array.shape
    dataset = Dataset()
    dataset.ImagePositionPatient = decimals(dose.index_to_lps[:3, 3])
    dataset.ImageOrientationPatient = decimals(np.concatenate([axes[:, 0], axes[:, 1]]))
    dataset.PixelSpacing = decimals(spacing_mm[[1, 0]])  # between rows first, then between columns
    dataset.SliceThickness = decimals(spacing_mm[2:])[0]
    dataset.GridFrameOffsetVector = decimals(np.arange(planes) * spacing_mm[2])
    dataset.NumberOfFrames = planes
    dataset.FrameIncrementPointer = 0x3004000C
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 32
    dataset.HighBit = 31
    dataset.PixelRepresentation = 0
    _set_pixels(dataset, dose.array)
    return dataset


def planes_along_normal(grid: Volume, name: str) -> Volume:
    """Return the same values with k along row x column, the third axis that DICOM implies.

    Raises
    ------
    ReirradiationError
        If the grid's axes are not at right angles; ``name`` says which grid it is.
    """
    matrix = grid.index_to_lps
    axes = matrix[:3, :3] / grid.spacing_mm
    if np.abs(axes.T @ axes - np.eye(3)).max() > _RIGHT_ANGLE_TOLERANCE:
        raise ReirradiationError(
            f"{name}: the grid's axes are not at right angles, which ImageOrientationPatient (0020,0037) cannot say; "
            "compute it on the reference course's own grid"
        )
    if np.linalg.det(axes) > 0:
        return grid
    turned = matrix.copy()
    turned[:3, 3] += matrix[:3, 2] * (grid.array.shape[0] - 1)
    turned[:3, 2] *= -1
    return Volume(grid.array[::-1], turned, grid.frame_of_reference_uid)


def _set_pixels(dataset: Dataset, dose_gy: NDArray[np.floating[Any]]) -> None:
    """Quantise with DoseGridScaling (3004,000E) as it stands in the file: DS keeps 16 characters only.

    Rounding the scaling to its 11 or more digits moves the largest code by less than half a step, so it still fits.
    """
    dataset.DoseGridScaling = decimals(np.array([float(dose_gy.max()) / _LARGEST_CODE]))[0]
    codes = np.rint(dose_gy.astype(np.float64) / float(dataset.DoseGridScaling))
    dataset.add_new(0x7FE00010, "OW", codes.astype("<u4").tobytes())
