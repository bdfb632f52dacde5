"""How a registration stretches space: the Jacobian determinant of the very map that carries the dose.

The map is ``A (x + u(x))`` with ``u`` linear between the nodes of its grid, so that its derivative is known exactly at
every point. A determinant of 1 keeps volume; at 0 and below, space is folded over and two places share one dose.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...volume import Volume
from ..transform import SpatialTransform


@dataclass(frozen=True)
class JacobianStatistics:
    """The determinant over a set of points.

    Parameters
    ----------
    folded_percent
        Share of the points where it is 0 or negative.
    extreme_percent
        Share where it lies outside ``low`` to ``high`` of `EXTREME`.
    """

    minimum: float
    percentile_1: float
    median: float
    percentile_99: float
    maximum: float
    folded_percent: float
    extreme_percent: float


# Below 0.2 extreme shrinkage, above 2 implausible growth: EQD2Viewer's DirQualityReport, after Bosma 2024 / ESTRO 2021.
EXTREME = (0.2, 2.0)
# Planes of cells that are looked at together: a field of a CT's resolution would fill the memory at once.
_SLAB = 16


def jacobian_at(transform: SpatialTransform, points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the Jacobian determinant at reference points, shape ``(N, 3)`` LPS mm; shape ``(N,)``."""
    linear = float(np.linalg.det(transform.matrix_lps[:3, :3]))
    if transform.displacement is None:
        return np.full(len(points_lps), linear)
    grid = transform.displacement
    result = np.ones(len(points_lps))
    index = grid.to_index(points_lps)
    within = grid.index_inside(index)
    result[within] = _determinant_in_cells(grid, index[within])
    return linear * result


def jacobian_map(transform: SpatialTransform, grid: Volume) -> Volume:
    """Return the Jacobian determinant at the voxel centres of a grid in reference space, float32."""
    return grid.like(jacobian_at(transform, grid.centres_lps()).astype(np.float32).reshape(grid.array.shape[:3]))


def jacobian_statistics(determinants: NDArray[np.float64]) -> JacobianStatistics:
    """Summarise determinants, shape ``(N,)``, ``N`` at least 1."""
    low, median, high = np.percentile(determinants, (1, 50, 99))
    extreme = (determinants < EXTREME[0]) | (determinants > EXTREME[1])
    return JacobianStatistics(
        float(determinants.min()),
        float(low),
        float(median),
        float(high),
        float(determinants.max()),
        100.0 * float(np.mean(determinants <= 0)),
        100.0 * float(np.mean(extreme)),
    )


def field_determinants(transform: SpatialTransform) -> NDArray[np.float64]:
    """Return the determinants at the corners of all cells of the displacement's grid, shape ``(N,)``.

    In a cell the map is trilinear, and at each of its eight corners the determinant is that of the three edges which
    meet there. So a fold between nodes is not missed as it is by central differences over two cells. One value, that
    of the matrix, for a linear transform.
    """
    linear = float(np.linalg.det(transform.matrix_lps[:3, :3]))
    grid = transform.displacement
    if grid is None:
        return np.array([linear])
    to_mm = np.asarray(np.linalg.inv(grid.index_to_lps[:3, :3]), dtype=np.float64)
    planes = range(0, max(len(grid.array) - 1, 1), _SLAB)
    slabs = [_corner_determinants(grid.array[first : first + _SLAB + 1].astype(np.float64), to_mm) for first in planes]
    return linear * np.concatenate(slabs)


def _corner_determinants(moved: NDArray[np.float64], to_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``det(1 + du/dx)`` at the corners of all cells of a block of nodes, shape ``(N,)``."""
    edges = [np.asarray(np.diff(moved, axis=axis), dtype=np.float64) for axis in (2, 1, 0)]  # along i, j, k
    corners = []
    for i, j, k in product((0, 1), repeat=3):
        # The edge along one axis starts at the corner's place on the other two.
        parts = (
            _cells(edges[0], (k, j, None)),
            _cells(edges[1], (k, None, i)),
            _cells(edges[2], (None, j, i)),
        )
        corners.append(_determinant(np.stack(parts, axis=-1), to_mm).ravel())
    return np.concatenate(corners)


def _cells(edges: NDArray[np.float64], place: tuple[int | None, ...]) -> NDArray[np.float64]:
    """Return one edge of every cell; ``place`` is 0 or 1 along k, j, i, None along the edge itself."""
    cut = tuple(slice(None) if at is None else slice(at, edges.shape[axis] - 1 + at) for axis, at in enumerate(place))
    return edges[cut]


def _determinant(slope: NDArray[np.float64], to_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``det(1 + du/dx)`` of ``du/d(i, j, k)``, shape ``(..., 3, 3)``; written out, which is much quicker."""
    m = slope @ to_mm
    m[..., range(3), range(3)] += 1.0
    result: NDArray[np.float64] = m[..., 0, 0] * (m[..., 1, 1] * m[..., 2, 2] - m[..., 1, 2] * m[..., 2, 1])
    result -= m[..., 0, 1] * (m[..., 1, 0] * m[..., 2, 2] - m[..., 1, 2] * m[..., 2, 0])
    result += m[..., 0, 2] * (m[..., 1, 0] * m[..., 2, 1] - m[..., 1, 1] * m[..., 2, 0])
    return result


def _determinant_in_cells(grid: Volume, index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``det(1 + du/dx)`` at continuous indices ``(i, j, k)`` within the grid, shape ``(N, 3)``."""
    last = np.array(grid.shape_ijk) - 1
    base = np.clip(np.floor(index).astype(int), 0, np.maximum(last - 1, 0))
    share = index - base
    slope = np.zeros((len(index), 3, 3))  # component, axis
    for corner in product((0, 1), repeat=3):
        node = np.minimum(base + corner, last)
        moved = grid.array[node[:, 2], node[:, 1], node[:, 0]].astype(np.float64)
        weight = np.where(corner, share, 1.0 - share)
        for axis in range(3):
            others = [other for other in range(3) if other != axis]
            sign = 1.0 if corner[axis] else -1.0
            slope[:, :, axis] += moved * (sign * weight[:, others[0]] * weight[:, others[1]])[:, None]
    return _determinant(slope, np.asarray(np.linalg.inv(grid.index_to_lps[:3, :3])))
