"""The region where several doses reach a level each: as a map, and its volume finer than the voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume

# A cell at the border of the region is cut into this many along each axis.
_CUTS = 4
# Border cells looked at together, so that their points fit into memory.
_TOGETHER = 20_000


def overlap_map(doses: Sequence[Volume], levels_gy: Sequence[float]) -> Volume:
    """Return 1 at the voxels where every dose is known and reaches its level, else 0; all doses on one grid."""
    reached = np.logical_and.reduce([_array(dose) >= level for dose, level in zip(doses, levels_gy, strict=True)])
    return doses[0].like(reached.astype(np.uint8))


def volume_where_cc(doses: Sequence[Volume], levels_gy: Sequence[float]) -> float:
    """Return the volume where every dose is known and reaches its level, cc.

    Doses are interpolated linearly between voxel centres. A cell between eight centres lies outside where one dose is
    below its level at all eight, inside where all are above at all eight; what is left is cut finely and counted.

    Parameters
    ----------
    doses
        On one grid, Gy; NaN where not known.
    levels_gy
        One per dose.
    """
    arrays = [_array(dose) for dose in doses]
    at_corners = [_corner_counts(array >= level) for array, level in zip(arrays, levels_gy, strict=True)]
    inside = np.logical_and.reduce([count == 8 for count in at_corners])
    border = np.logical_and.reduce([count > 0 for count in at_corners]) & ~inside
    cells = np.argwhere(border)
    part = sum(
        _share_inside(arrays, levels_gy, cells[start : start + _TOGETHER]) for start in range(0, len(cells), _TOGETHER)
    )
    return (float(np.count_nonzero(inside)) + part) * doses[0].voxel_volume_cc


def _array(dose: Volume) -> NDArray[np.float32]:
    """Return a dose with minus infinity where it is not known: no level is known to be reached there."""
    array = np.asarray(dose.array, dtype=np.float32)
    return np.where(np.isnan(array), np.float32(-np.inf), array)


def _corner_counts(reached: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return at how many of its eight corners each cell reaches the level, one less along each axis than voxels."""
    counts = reached.astype(np.int8)
    counts = counts[:-1] + counts[1:]
    counts = counts[:, :-1] + counts[:, 1:]
    return counts[..., :-1] + counts[..., 1:]


def _share_inside(arrays: Sequence[NDArray[np.float32]], levels_gy: Sequence[float], cells: NDArray[np.int64]) -> float:
    """Return the volume inside, in cells, of some cells given by their lowest corner, shape ``(N, 3)``."""
    steps = (np.arange(_CUTS) + 0.5) / _CUTS
    inside = np.ones((len(cells), _CUTS, _CUTS, _CUTS), dtype=bool)
    for array, level in zip(arrays, levels_gy, strict=True):
        k, j, i = cells.T
        corners = np.stack(
            [array[k + dk, j + dj, i + di] for dk in (0, 1) for dj in (0, 1) for di in (0, 1)], axis=1
        ).reshape(-1, 2, 2, 2)
        for axis in (1, 2, 3):
            first, second = np.take(corners, 0, axis), np.take(corners, 1, axis)
            shape = [1] * corners.ndim
            shape[axis] = _CUTS
            weight = steps.reshape(shape)
            with np.errstate(invalid="ignore"):  # minus infinity on both sides
                corners = np.expand_dims(first, axis) * (1 - weight) + np.expand_dims(second, axis) * weight
        inside &= corners >= level
    return float(np.count_nonzero(inside)) / _CUTS**3
