"""The highest dose within k mm of each point: an upper bound for what a registration error of that size can do.

RADAR (Mechalakos 2025, Pract. Radiat. Oncol. 15:187, PMC12928241) takes, at each voxel, the highest EQD2 of the earlier
plan in an ellipsoid around it, anywhere or in the organ only. Kept in the organ, the sum with the new plan cannot
exceed the sum of both plans' maxima; let loose it can, where the old target is near.

Points are gathered in cells of about a third of the radius; the distance that counts is that of the cells' centres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_CELLS_PER_RADIUS = 3.0
_MOST_CELLS = 4_000_000


@dataclass(frozen=True)
class SearchGrid:
    """Cells around an organ's points.

    Parameters
    ----------
    origin_mm
        Corner of the first cell.
    cell_mm
        Edge of a cell.
    shape
        Number of cells along each axis.
    cell_of
        The flat index of the cell that each point lies in, shape ``(N,)``.
    radius_mm
        How far is searched.
    """

    origin_mm: NDArray[np.float64]
    cell_mm: float
    shape: tuple[int, int, int]
    cell_of: NDArray[np.int64]
    radius_mm: float

    @classmethod
    def around(cls, points_mm: NDArray[np.float64], radius_mm: float) -> SearchGrid:
        """Lay cells around points, shape ``(N, 3)``, with room for the radius on every side."""
        axes = np.ascontiguousarray(points_mm.T)
        low, high = axes.min(axis=1) - radius_mm, axes.max(axis=1) + radius_mm
        cell_mm = max(radius_mm / _CELLS_PER_RADIUS, float(np.cbrt(np.prod(high - low) / _MOST_CELLS)))
        shape = np.floor((high - low) / cell_mm).astype(int) + 1
        i, j, k = ((axes - low[:, None]) / cell_mm).astype(np.int64)
        flat = (i * shape[1] + j) * shape[2] + k
        return cls(low, cell_mm, (int(shape[0]), int(shape[1]), int(shape[2])), flat, radius_mm)

    @cached_property
    def near_cells(self) -> NDArray[np.int64]:
        """Flat indices of all cells within the radius of a point."""
        occupied = np.full(int(np.prod(self.shape)), -np.inf, dtype=np.float32)
        occupied[self.cell_of] = 0.0
        return np.flatnonzero(_dilated(occupied.reshape(self.shape), self.radius_mm / self.cell_mm) == 0.0)

    def centres_mm(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the centres of cells given by flat index, shape ``(M, 3)``."""
        index = np.stack(np.unravel_index(cells, self.shape), axis=1)
        return self.origin_mm + (index + 0.5) * self.cell_mm

    def highest(self, values: NDArray[np.float64], outside: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the highest value within the radius of each point.

        Parameters
        ----------
        values
            At the points, shape ``(N,)``.
        outside
            At the centres of `near_cells`, shape ``(M,)``: lets the search leave the organ.
        """
        cells = np.full(int(np.prod(self.shape)), -np.inf, dtype=np.float32)
        if outside is not None:
            cells[self.near_cells] = outside
        np.maximum.at(cells, self.cell_of, values.astype(np.float32))
        raised = _dilated(cells.reshape(self.shape), self.radius_mm / self.cell_mm).ravel()[self.cell_of]
        # Cells hold single precision, and a point's own value is among those searched: neither may show.
        ceiling = float(values.max()) if outside is None else max(float(values.max()), float(outside.max()))
        highest: NDArray[np.float64] = np.clip(raised.astype(np.float64), values, ceiling)
        return highest


def _dilated(cells: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Return the highest value within a ball around each cell; the radius is in cells.

    A ball is a stack of rods along the last axis. Rods of one length are made once, by running maxima, and moved about.
    """
    reach = int(radius + 1e-9)
    result = cells.copy()
    rods: dict[int, NDArray[np.float32]] = {}
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            room = radius**2 + 1e-9 - i * i - j * j
            if room < 0:
                continue
            half = int(np.sqrt(room))
            if half not in rods:
                rods[half] = _running_maximum(cells, half)
            to, of = _shifted(i, cells.shape[0]), _shifted(j, cells.shape[1])
            np.maximum(result[to[0], of[0]], rods[half][to[1], of[1]], out=result[to[0], of[0]])
    return result


def _running_maximum(cells: NDArray[np.float32], half: int) -> NDArray[np.float32]:
    result = cells.copy()
    for step in range(1, half + 1):
        np.maximum(result[..., :-step], cells[..., step:], out=result[..., :-step])
        np.maximum(result[..., step:], cells[..., :-step], out=result[..., step:])
    return result


def _shifted(step: int, size: int) -> tuple[slice, slice]:
    """Return where values go, and where they come from, when moved by some cells."""
    return slice(max(step, 0), size + min(step, 0)), slice(max(-step, 0), size + min(-step, 0))
