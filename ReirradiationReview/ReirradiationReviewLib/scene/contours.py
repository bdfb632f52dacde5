"""Planar contours as coverage and as signed distance on a grid of their own planes, for drawing.

The numbers of a review come from `core.organs`; what is made here is only looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.volume import Volume

# Contours tilted by less than this against the image's slices are taken as lying in them (cosine of 0.5 degrees).
_SAME_PLANE_COSINE = np.cos(np.radians(0.5))
_SAME_PLANE_MM = 0.05
# Each row of voxels is cut by this many scan lines: coverage to an eighth of a voxel across, exact along.
_SCAN_LINES = 4
# A plane without a contour takes the nearest one's, unless the gap is wider than this many usual gaps.
_WIDEST_BRIDGED_GAP = 2.5
# Distances are only needed next to the surface.
_FAR_MM = 10.0


@dataclass(frozen=True)
class _Stack:
    """Contours in the frame of their planes.

    Parameters
    ----------
    axes_lps
        Unit vectors along i, j and the normal as columns, shape ``(3, 3)``.
    points
        Per contour ``(N, 2)``, mm along i and j from ``origin_lps``.
    heights_mm
        Position of each plane along the normal, rising.
    plane_of
        Index into ``heights_mm`` per contour.
    """

    axes_lps: NDArray[np.float64]
    origin_lps: NDArray[np.float64]
    points: tuple[NDArray[np.float64], ...]
    heights_mm: NDArray[np.float64]
    plane_of: NDArray[np.intp]

    def extent_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        everything = np.concatenate(self.points)
        return everything.min(axis=0), everything.max(axis=0)


def rasterise(contours_lps: Sequence[NDArray[np.float64]], image: Volume, in_plane_mm: float) -> Volume:
    """Return how much of each voxel lies inside the contours, 0 to 1.

    Contours in one plane combine by exclusive or, so that one within another is a hole.

    Parameters
    ----------
    contours_lps
        Closed planar contours, each of shape ``(N, 3)``, LPS mm; at least one with three points.
    image
        The image they were drawn on; its voxels are divided in-plane as often as ``in_plane_mm`` asks.
    in_plane_mm
        Largest allowed voxel size in the contours' planes.

    Returns
    -------
    Volume
        float32, on a grid just around the contours; its k axis is the planes' normal.
    """
    stack = _stack(contours_lps, image)
    spacing = _in_plane_spacing(image, in_plane_mm)
    gap = float(np.median(np.diff(stack.heights_mm))) if len(stack.heights_mm) > 1 else float(image.spacing_mm[2])
    # Fine voxels divide the image's voxels evenly: their first centre lies this far from the voxel's centre.
    shift = (spacing - image.spacing_mm[:2]) / 2
    low, high = stack.extent_mm()
    first = np.floor((low - shift) / spacing).astype(int) - 1
    size = np.ceil((high - shift) / spacing).astype(int) + 2 - first
    planes = _nearest_planes(stack.heights_mm, gap)
    drawn = [_coverage(_of_plane(stack, plane, spacing, shift, first), size) for plane in range(len(stack.heights_mm))]
    empty = np.zeros(size[::-1], dtype=np.float32)
    array = np.stack([drawn[plane] if plane >= 0 else empty for plane in planes])
    corner = np.array([*(first * spacing + shift), stack.heights_mm[0]])
    matrix = np.eye(4)
    matrix[:3, :3] = stack.axes_lps * np.array([*spacing, gap])
    matrix[:3, 3] = stack.origin_lps + stack.axes_lps @ corner
    return Volume(array, matrix, image.frame_of_reference_uid)


def thinned_in_plane(coverage: Volume, most_voxels: int) -> Volume:
    """Return the coverage averaged over square blocks in the plane, just large enough to leave so many voxels."""
    step = int(np.ceil(np.sqrt(coverage.array.size / most_voxels)))
    if step <= 1:
        return coverage
    planes, rows, columns = coverage.array.shape
    padded = np.pad(coverage.array, ((0, 0), (0, -rows % step), (0, -columns % step)))
    blocks = padded.reshape(planes, padded.shape[1] // step, step, padded.shape[2] // step, step)
    matrix = coverage.index_to_lps.copy()
    matrix[:3, 3] += (matrix[:3, 0] + matrix[:3, 1]) * (step - 1) / 2
    matrix[:3, :2] *= step
    return Volume(blocks.mean(axis=(2, 4)), matrix, coverage.frame_of_reference_uid)


def signed_distance(coverage: Volume) -> Volume:
    """Return the distance to the contour within each plane in mm, negative inside, cut off at 10 mm.

    The zero level of its linear interpolation follows the contours to a fraction of a voxel, and changes smoothly
    from plane to plane. One plane is added at either end so that the surface closes half a plane beyond the last.
    """
    from scipy.ndimage import distance_transform_edt

    inside = coverage.array >= 0.5
    spacing = coverage.spacing_mm
    # Planes a kilometre apart do not see each other.
    sampling = (1e6, spacing[1], spacing[0])
    distance = distance_transform_edt(~inside, sampling) - distance_transform_edt(inside, sampling)
    # A mask's distance counts from voxel centre to voxel centre; the edge lies half a voxel before.
    pixel = float(spacing[:2].mean())
    distance -= np.sign(distance) * pixel / 2
    partly = (coverage.array > 0.0) & (coverage.array < 1.0)
    distance[partly] = (0.5 - coverage.array[partly]) * pixel
    distance = np.clip(distance, -_FAR_MM, _FAR_MM).astype(np.float32)
    capped = np.concatenate([np.abs(distance[:1]), distance, np.abs(distance[-1:])])
    matrix = coverage.index_to_lps.copy()
    matrix[:3, 3] -= matrix[:3, 2]
    return Volume(capped, matrix, coverage.frame_of_reference_uid)


def _stack(contours_lps: Sequence[NDArray[np.float64]], image: Volume) -> _Stack:
    axes = _axes(contours_lps, image)
    origin = image.index_to_lps[:3, 3]
    placed = [(contour - origin) @ axes for contour in contours_lps if len(contour) >= 3]
    heights = np.array([float(points[:, 2].mean()) for points in placed])
    order = np.argsort(heights, kind="stable")
    new_plane = np.diff(heights[order], prepend=-np.inf) > _SAME_PLANE_MM
    plane_of = np.empty(len(placed), dtype=np.intp)
    plane_of[order] = np.cumsum(new_plane) - 1
    return _Stack(axes, origin, tuple(points[:, :2] for points in placed), heights[order][new_plane], plane_of)


def _axes(contours_lps: Sequence[NDArray[np.float64]], image: Volume) -> NDArray[np.float64]:
    """Return the image's axes where the contours lie in its slices, else axes in the contours' own planes."""
    image_axes = image.index_to_lps[:3, :3] / image.spacing_mm
    normal = _normal(max(contours_lps, key=lambda contour: float(np.linalg.norm(_area_vector(contour)))))
    if abs(normal @ image_axes[:, 2]) >= _SAME_PLANE_COSINE:
        return np.asarray(image_axes, dtype=np.float64)
    normal = normal * np.sign(normal @ image_axes[:, np.argmax(np.abs(normal @ image_axes))])
    along = image_axes[:, np.argmin(np.abs(normal @ image_axes))]
    i_axis = along - (along @ normal) * normal
    i_axis = i_axis / np.linalg.norm(i_axis)
    return np.stack([i_axis, np.cross(normal, i_axis), normal], axis=1)


def _area_vector(contour: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = contour - contour.mean(axis=0)
    return np.asarray(np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0) / 2)


def _normal(contour: NDArray[np.float64]) -> NDArray[np.float64]:
    area = _area_vector(contour)
    return np.asarray(area / np.linalg.norm(area))


def _in_plane_spacing(image: Volume, in_plane_mm: float) -> NDArray[np.float64]:
    spacing = image.spacing_mm[:2]
    # A hair's breadth of tolerance, so that 1.0000001 mm is not halved.
    return np.asarray(spacing / np.maximum(np.ceil(spacing / in_plane_mm - 1e-3), 1.0))


def _nearest_planes(heights_mm: NDArray[np.float64], gap_mm: float) -> NDArray[np.intp]:
    """Return which contour plane each plane of a regular grid shows, -1 for none."""
    count = int(np.round((heights_mm[-1] - heights_mm[0]) / gap_mm)) + 1
    grid = heights_mm[0] + gap_mm * np.arange(count)
    nearest = np.abs(grid[:, None] - heights_mm).argmin(axis=1)
    after = np.clip(np.searchsorted(heights_mm, grid), 1, max(len(heights_mm) - 1, 1))
    local_gap = heights_mm[np.minimum(after, len(heights_mm) - 1)] - heights_mm[after - 1]
    own = np.abs(grid - heights_mm[nearest]) <= gap_mm / 2
    return np.where(own | (local_gap <= _WIDEST_BRIDGED_GAP * gap_mm), nearest, -1)


def _of_plane(
    stack: _Stack,
    plane: int,
    spacing: NDArray[np.float64],
    shift: NDArray[np.float64],
    first: NDArray[np.int_],
) -> list[NDArray[np.float64]]:
    """Return one plane's contours in voxel indices ``(i, j)``."""
    members = np.flatnonzero(stack.plane_of == plane)
    return [(stack.points[member] - shift) / spacing - first for member in members]


def _coverage(polygons: Sequence[NDArray[np.float64]], size: NDArray[np.int_]) -> NDArray[np.float32]:
    """Return the part of each pixel inside the polygons (exclusive or), shape ``size[::-1]``."""
    columns, rows = int(size[0]), int(size[1])
    line, x = _crossings(polygons)
    order = np.lexsort((x, line))
    line, x = line[order], x[order]
    # Along a scan line the inside begins at every even crossing and ends at every odd one. A polygon crosses a line
    # an even number of times, so the count from the start of all lines serves each of them.
    sign = np.where(np.arange(len(x)) % 2, 1.0, -1.0)
    column = np.floor(x + 0.5).astype(int)
    part = x + 0.5 - column
    row = line // _SCAN_LINES
    flat = row * (columns + 1) + column
    size_flat = rows * (columns + 1)
    steps = np.bincount(flat, sign * (part - 1.0), size_flat) - np.bincount(flat + 1, sign * part, size_flat)
    covered = np.cumsum(steps.reshape(rows, columns + 1), axis=1)[:, :columns] / _SCAN_LINES
    return np.clip(covered, 0.0, 1.0).astype(np.float32)


def _crossings(polygons: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Return scan line numbers and positions along them where the polygons' edges cross."""
    start = np.concatenate(polygons)
    end = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons])
    # Scan line n lies at j = (n + 0.5) / lines - 0.5.
    low = (np.minimum(start[:, 1], end[:, 1]) + 0.5) * _SCAN_LINES - 0.5
    high = (np.maximum(start[:, 1], end[:, 1]) + 0.5) * _SCAN_LINES - 0.5
    first = np.ceil(low).astype(int)
    count = np.ceil(high).astype(int) - first
    edge = np.repeat(np.arange(len(start)), count)
    line = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    j = (line + 0.5) / _SCAN_LINES - 0.5
    slope = (end[edge, 0] - start[edge, 0]) / (end[edge, 1] - start[edge, 1])
    return line, start[edge, 0] + slope * (j - start[edge, 1])
