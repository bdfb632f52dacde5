"""Orientation and position of image planes (PS3.3 C.7.6.2.1.1), checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .objects import Item

# Direction cosines are written with about six digits; more than this off unit length or a right angle is no rounding.
_COSINE_TOLERANCE = 1e-3


def plane_axes(item: Item) -> NDArray[np.float64]:
    """Return the directions of a plane, LPS, shape ``(3, 3)``: rows are the i, j and k (normal) unit vectors.

    Image Orientation (Patient) (0020,0037) gives the direction of a row (i grows along it) and of a column; the
    normal is their cross product.

    Raises
    ------
    ReirradiationError
        If the orientation is missing or its vectors are not of unit length and at right angles.
    """
    cosines = item.numbers("ImageOrientationPatient", 6)
    if cosines is None:
        raise item.bad("ImageOrientationPatient", "is missing")
    row, column = cosines[:3], cosines[3:]
    lengths = np.linalg.norm([row, column], axis=1)
    if np.abs(lengths - 1).max() > _COSINE_TOLERANCE or abs(row @ column) > _COSINE_TOLERANCE:
        raise item.bad("ImageOrientationPatient", "is not a pair of perpendicular unit vectors")
    row = row / lengths[0]
    column = column - (column @ row) * row
    column /= np.linalg.norm(column)
    return np.array([row, column, np.cross(row, column)])


def plane_position(item: Item) -> NDArray[np.float64]:
    """Return the centre of the first voxel, LPS mm, shape ``(3,)``: Image Position (Patient) (0020,0032)."""
    position = item.numbers("ImagePositionPatient", 3)
    if position is None:
        raise item.bad("ImagePositionPatient", "is missing")
    return position


def pixel_size_ij_mm(item: Item) -> NDArray[np.float64]:
    """Return the voxel size along i and j in mm, shape ``(2,)``.

    Pixel Spacing (0028,0030) is the spacing of rows (along j) first, then of columns (along i).
    """
    spacing = item.numbers("PixelSpacing", 2)
    if spacing is None:
        raise item.bad("PixelSpacing", "is missing")
    if spacing.min() <= 0:
        raise item.bad("PixelSpacing", "is not positive")
    return spacing[::-1]


def grid_matrix(item: Item, origin_lps: NDArray[np.float64], step_mm: float) -> NDArray[np.float64]:
    """Return index_to_lps, shape ``(4, 4)``, of planes that follow each other along their normal."""
    axes = plane_axes(item)
    size_i, size_j = pixel_size_ij_mm(item)
    matrix = np.eye(4)
    matrix[:3, :3] = axes.T * [size_i, size_j, step_mm]
    matrix[:3, 3] = origin_lps
    return matrix
