"""Regions to contours on the planes of an image, and contours to regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..errors import ReirradiationError
from ..organs.tracing import trace
from ..organs.voxels import voxels_inside
from ..volume import Volume
from .region import Region, depth_at

# Points of contours are this far apart at most: finer than any image or mask that they are drawn from.
_COARSEST_PITCH_MM = 1.0
_MARGIN_PIXELS = 2
# A contour that encloses less than this is an accident of interpolation.
_LEAST_AREA_MM2 = 0.05


def structure_of(
    region: Region,
    grid: Volume,
    *,
    number: int = 0,
    colour: tuple[int, int, int] = (255, 0, 0),
    interpreted_type: str = "GTV",
) -> Structure:
    """Return the outlines of a region in the planes of an image, usually the planning CT.

    Outlines follow the region's surface between its voxels (marching squares on its depth). A hole is a contour of its
    own within another: they combine by exclusive or (PS3.3 C.8.8.6.3).

    Parameters
    ----------
    grid
        Its planes of constant k are contoured; its values do not matter.

    Raises
    ------
    ReirradiationError
        If the region is empty, or lies between or beyond the planes.
    """
    if region.is_empty:
        raise ReirradiationError(f"{region.name}: nothing belongs to it ({region.provenance}), so it has no contour")
    contours = [line for plane in _planes(region.depth, grid) for line in plane]
    if not contours:
        raise ReirradiationError(
            f"{region.name}: it meets no plane of the image that it is to be contoured on ({region.volume_cc:.3g} cc "
            "lie between or beyond its planes); check that both are of one place"
        )
    frame = grid.frame_of_reference_uid
    return Structure(region.name, number, tuple(contours), colour, interpreted_type, frame)


def region_of(structure: Structure, grid: Volume, modality: str = "") -> Region:
    """Return the voxels of a grid whose centres lie in a structure.

    Raises
    ------
    ReirradiationError
        If its contours enclose nothing, or do not lie in parallel planes.
    """
    return Region(structure.name, grid.like(voxels_inside(structure, grid)), "contours of the structure set", modality)


def _planes(depth: Volume, grid: Volume) -> list[list[NDArray[np.float64]]]:
    """Return the closed lines, LPS mm, shape ``(N, 3)``, of each plane of the grid that can meet the region."""
    corners = grid.to_index(depth.corners_lps())
    low, high = corners.min(axis=0), corners.max(axis=0)
    step = np.minimum(_COARSEST_PITCH_MM, grid.spacing_mm[:2]) / grid.spacing_mm[:2]
    columns, rows = np.ceil((high - low)[:2] / step).astype(int) + 2 * _MARGIN_PIXELS + 1
    first = low[:2] - _MARGIN_PIXELS * step
    u, v = first[0] + np.arange(columns) * step[0], first[1] + np.arange(rows) * step[1]
    planes = []
    for k in range(max(int(np.ceil(low[2])), 0), min(int(high[2]) + 1, grid.shape_ijk[2])):
        index = np.stack([*np.meshgrid(u, v), np.full((rows, columns), float(k))], axis=-1).reshape(-1, 3)
        field = -depth_at(depth, grid.to_lps(index)).reshape(rows, columns)
        lines = [line * step + first for line in trace(field)]
        located = [grid.to_lps(np.column_stack([line, np.full(len(line), float(k))])) for line in lines]
        planes.append([line for line in located if _area_mm2(line) > _LEAST_AREA_MM2])
    return planes


def _area_mm2(line: NDArray[np.float64]) -> float:
    relative = line - line[0]
    return float(np.linalg.norm(np.cross(relative[1:-1], relative[2:]).sum(axis=0)) / 2)
