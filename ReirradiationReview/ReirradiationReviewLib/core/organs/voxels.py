"""An organ as voxels of a grid, from its contours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..volume import Volume, interpolate
from .contours import SAME_PLANE_MM, PlaneStack, coverage, plane_stack
from .sampling import fitted, usual_gap
from .sections import layers, signed_distances

# Pixels per voxel in the contours' planes, and about how many in all planes together at most.
_PIXELS_PER_VOXEL = 3
_MOST_PIXELS = 4_000_000
_MARGIN_PIXELS = 2
# A voxel's centre on the border of two slabs belongs to both, instead of to neither by rounding.
_ROUNDING_MM = 1e-6


def voxels_inside(structure: Structure, grid: Volume) -> NDArray[np.bool_]:
    """Return which voxel centres of a grid lie in an organ, shape ``(K, J, I)``.

    In the planes of its contours that is what was drawn. Between them, and beyond the last ones, the organ is shaped as
    it is for dose-volume figures (`sections`).

    Raises
    ------
    ReirradiationError
        If the contours enclose nothing, or do not lie in parallel planes.
    """
    stack = plane_stack(structure)
    along_k = grid.index_to_lps[:3, 2]
    gap_mm, _ = usual_gap(structure, stack, float(abs(stack.axes_lps[2] @ along_k)) or float(grid.spacing_mm.max()))
    box = _box(stack, gap_mm, grid)
    inside = np.zeros(grid.array.shape[:3], dtype=np.bool_)
    part = grid.part(box)
    if part.array.size:
        inside[box] = _inside(stack, gap_mm, part).reshape(part.array.shape)
    return inside


def _inside(stack: PlaneStack, gap_mm: float, grid: Volume) -> NDArray[np.bool_]:
    origin, pitch, shape = _pixels(stack, float(grid.spacing_mm.min()))
    covered = coverage(stack, origin, pitch, shape)
    uvw = grid.centres_lps() @ stack.axes_lps.T
    column, row = ((uvw[:, :2] - origin) / pitch).T
    heights = uvw[:, 2]
    result = np.zeros(len(uvw), dtype=np.bool_)
    nearest = np.abs(heights[:, None] - stack.positions_mm).argmin(axis=1)
    drawn = np.abs(heights - stack.positions_mm[nearest]) <= SAME_PLANE_MM
    index = np.stack([column, row, nearest], axis=1)
    result[drawn] = interpolate(signed_distances(covered), index[drawn]) > 0
    if drawn.all():
        return result
    # By rising height, so that each slab finds its own points without looking at all of them.
    between = np.flatnonzero(~drawn)
    between = between[np.argsort(heights[between], kind="stable")]
    rising = heights[between]
    for layer in layers(covered, stack.positions_mm, gap_mm, pitch):
        reach = layer.thickness_mm / 2 + _ROUNDING_MM
        first, end = np.searchsorted(rising, (layer.centre_mm - reach, layer.centre_mm + reach))
        here = between[first:end]
        if not len(here):
            continue
        depth, _ = fitted(layer.depth_mm / pitch, layer.area_mm2 / pitch**2)
        first_row, first_column = layer.first_pixel
        local = np.stack([column[here] - first_column, row[here] - first_row, np.zeros(len(here))], axis=1)
        result[here] |= interpolate(depth[None], local) > 0
    return result


def _pixels(stack: PlaneStack, voxel_mm: float) -> tuple[NDArray[np.float64], float, tuple[int, int]]:
    """Return the centre of the first pixel, the pitch, and the number of rows and columns that hold all contours."""
    points = np.concatenate([uv for plane in stack.contours_uv_mm for uv in plane])
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    coarsest = float(np.sqrt(size.prod() * len(stack.positions_mm) / _MOST_PIXELS))
    pitch = max(voxel_mm / _PIXELS_PER_VOXEL, coarsest)
    columns, rows = np.ceil(size / pitch).astype(int) + 2 * _MARGIN_PIXELS
    return low + (0.5 - _MARGIN_PIXELS) * pitch, pitch, (int(rows), int(columns))


def _box(stack: PlaneStack, gap_mm: float, grid: Volume) -> tuple[slice, slice, slice]:
    """Return the part of a grid, as slices of k, j, i, that can hold the organ."""
    points = np.concatenate([uv for plane in stack.contours_uv_mm for uv in plane])
    low = np.array([*points.min(axis=0), stack.positions_mm[0] - gap_mm])
    high = np.array([*points.max(axis=0), stack.positions_mm[-1] + gap_mm])
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * (high - low) + low
    return grid.box(corners @ stack.axes_lps)
