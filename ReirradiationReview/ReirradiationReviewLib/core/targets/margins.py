"""Margins around a target: as far as an ellipsoid reaches from any point of it, with other axes for each direction."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..registration.qa.contours import surface_points
from ..volume import Volume
from .combine import common_grid
from .region import Region, depth_at, depth_mm

_PITCH_MM = 0.75
# Points of the surface are thinned until the margin's surface dips by this much between two of them.
_DIP_MM = 0.02
_WIDEST_THINNING_MM = 2.0
_LARGEST_MM = 100.0
# Half the thickness of a flat ellipsoid in voxels: it stays in the row of the surface's point.
_FLAT = (0.25, 0.25)
# Intervals that are filled at once.
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Margin:
    """Distances in mm towards the patient's left, right, anterior, posterior, superior and inferior.

    Raises
    ------
    ReirradiationError
        If one is negative, not finite or beyond 100 mm, or if all are zero.
    """

    left_mm: float
    right_mm: float
    anterior_mm: float
    posterior_mm: float
    superior_mm: float
    inferior_mm: float

    def __post_init__(self) -> None:
        """Refuse what is no margin."""
        for direction, value in self.by_direction.items():
            if not 0.0 <= value <= _LARGEST_MM:
                raise ReirradiationError(
                    f"the margin towards {direction} is {value:g} mm: give a number from 0 to {_LARGEST_MM:g}"
                )
        if not any(self.by_direction.values()):
            raise ReirradiationError("a margin of 0 mm in all directions changes nothing: give a distance")

    @classmethod
    def uniform(cls, distance_mm: float) -> Margin:
        """Return the same margin in all directions."""
        return cls(*[distance_mm] * 6)

    @property
    def by_direction(self) -> dict[str, float]:
        """Distances in mm by direction in words."""
        return {field.name.removesuffix("_mm"): getattr(self, field.name) for field in fields(self)}

    @property
    def along_axes(self) -> tuple[tuple[float, float], ...]:
        """Distances in mm against and along each of the axes L, P and S."""
        return (
            (self.right_mm, self.left_mm),
            (self.anterior_mm, self.posterior_mm),
            (self.inferior_mm, self.superior_mm),
        )

    @property
    def words(self) -> str:
        """The margin in a few words, e.g. ``"5 mm"`` or ``"L 5, R 5, A 3, P 3, S 7, I 7 mm"``."""
        values = self.by_direction
        if len(set(values.values())) == 1:
            return f"{self.left_mm:g} mm"
        return ", ".join(f"{name[0].upper()} {value:g}" for name, value in values.items()) + " mm"


def expanded(region: Region, margin: Margin, name: str) -> Region:
    """Return a region with a margin: every point that an ellipsoid around any point of the region reaches.

    The ellipsoid has the margin as its half axes, one for either sense of each axis; for equal ones that is all within
    their Euclidean distance. Distances count from the region's surface between its voxels, not from voxel centres.

    Raises
    ------
    ReirradiationError
        If the region is empty.
    """
    grid = common_grid([region], _PITCH_MM, max(margin.by_direction.values()))
    depth = depth_at(depth_mm(region), grid.centres_lps()).reshape(grid.array.shape)
    surface_kji_mm = _thinned(surface_points(depth, grid), margin)
    inside = (depth > 0) | _reached(surface_kji_mm, margin, grid)
    return Region(name, grid.like(inside), f"{region.name} with a margin of {margin.words}", region.modality).cropped()


def _thinned(points_mm: NDArray[np.float64], margin: Margin) -> NDArray[np.float64]:
    """Return one point of each small cube that holds any: ellipsoids around them leave no gap worth speaking of."""
    if any(sum(reach) == 0 for reach in margin.along_axes):
        return points_mm  # flat ellipsoids have to lie side by side
    smallest = min(value for value in margin.by_direction.values() if value > 0)
    side = min(np.sqrt(8 * smallest * _DIP_MM), _WIDEST_THINNING_MM)
    _, kept = np.unique(np.floor(points_mm / side).astype(np.int32), axis=0, return_index=True)
    return points_mm[kept]


def _reached(points_kji_mm: NDArray[np.float64], margin: Margin, grid: Volume) -> NDArray[np.bool_]:
    """Return the voxels within the ellipsoids around points (mm from the first voxel), shape ``(K, J, I)``.

    Within a row of voxels an ellipsoid reaches over one interval: only its two ends have to be found.
    """
    pitch = float(grid.spacing_mm[0])
    along_i, along_j, along_k = ((against / pitch, along / pitch) for against, along in margin.along_axes)
    if sum(along_i) == 0:
        along_i = _FLAT
    rows_k, rows_j = _offsets(along_k), _offsets(along_j)
    steps = np.zeros(grid.array.size + 1, dtype=np.int32)
    chunk = max(_CHUNK // (len(rows_k) * len(rows_j)), 1)
    for start in range(0, len(points_kji_mm), chunk):
        point = points_kji_mm[start : start + chunk] / pitch
        k, k_cost = _rows(point[:, 0], rows_k, along_k)
        j, j_cost = _rows(point[:, 1], rows_j, along_j)
        left = 1.0 - k_cost[:, :, None] - j_cost[:, None, :]
        reach = np.sqrt(left.clip(min=0.0))
        first = np.ceil(point[:, 2, None, None] - along_i[0] * reach).astype(np.int64)
        end = np.floor(point[:, 2, None, None] + along_i[1] * reach).astype(np.int64) + 1
        filled = (left >= 0) & (end > first)
        row = ((k[:, :, None] * grid.array.shape[1] + j[:, None, :]) * grid.array.shape[2])[filled]
        np.add.at(steps, row + first[filled], 1)
        np.add.at(steps, row + end[filled], -1)
    return np.asarray(np.cumsum(steps[:-1]) > 0).reshape(grid.array.shape)


def _offsets(reach_voxels: tuple[float, float]) -> NDArray[np.int64]:
    return np.arange(-int(np.ceil(reach_voxels[0])), int(np.ceil(reach_voxels[1])) + 2)


def _rows(
    position: NDArray[np.float64], offsets: NDArray[np.int64], reach_voxels: tuple[float, float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return voxel indices near positions, and the square of their distance in units of the reach, each ``(N, M)``."""
    index = np.floor(position).astype(np.int64)[:, None] + offsets
    distance = index - position[:, None]
    if sum(reach_voxels) == 0:
        return index, np.where(np.abs(distance) <= _FLAT[0], 0.0, np.inf)
    before, behind = (max(reach, 1e-9) for reach in reach_voxels)
    return index, np.where(distance < 0, distance / before, distance / behind) ** 2
