"""Structures of one course drawn on the image of another, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..errors import Notice
from ..organs.depth import OrganDepth
from ..organs.tracing import trace
from ..volume import Volume, affine
from .transform import SpatialTransform

# Distance of the nodes on which a deformation is asked first where it leads, to find where something comes from.
_SURVEY_MM = 15.0
_MARGIN_VOXELS = 3
_PIXEL_MM = 1.0


def where_from(transform: SpatialTransform, points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return points of the reference between which everything lies that maps between some course points, LPS mm.

    They are meant for a box: for a linear transform the very points, for a deformation the nodes around them. Nothing
    is inverted but the matrix, so that a folded field does no harm.
    """
    direct = affine(np.asarray(np.linalg.inv(transform.matrix_lps)), points_lps)
    grid = transform.displacement
    if grid is None:
        return direct
    every_node = [slice(0, count) for count in grid.shape_ijk]
    # First coarsely over the whole grid, then every node of the part that is left.
    step = np.maximum(1, np.floor(_SURVEY_MM / grid.spacing_mm)).astype(int)
    rough = [slice(part.start, part.stop, int(n)) for part, n in zip(every_node, step, strict=True)]
    index = _nodes_from(transform, points_lps, rough)
    if len(index):
        low, high = index.min(axis=0) - step, index.max(axis=0) + step + 1
        parts = zip(low.astype(int).tolist(), high.astype(int).tolist(), grid.shape_ijk, strict=True)
        index = _nodes_from(transform, points_lps, [slice(max(a, 0), min(b, count)) for a, b, count in parts])
    # What lies outside the grid is moved by the matrix alone.
    outside = direct[~grid.inside(direct)]
    return np.concatenate([grid.to_lps(index), outside]) if len(index) or len(outside) else direct


def _nodes_from(
    transform: SpatialTransform, points_lps: NDArray[np.floating[Any]], nodes_ijk: Sequence[slice]
) -> NDArray[np.float64]:
    """Return the nodes, of some of a displacement's, that lead into the box of course points, as indices (i, j, k)."""
    grid = transform.displacement
    assert grid is not None
    i, j, k = np.mgrid[tuple(nodes_ijk)].reshape(3, -1)
    index = np.stack([i, j, k], axis=1).astype(np.float64)
    moved = grid.to_lps(index) + grid.array[k, j, i]
    mapped = affine(transform.matrix_lps, moved)
    reach = 2.0 * max(
        float(spacing * (part.step or 1)) for spacing, part in zip(grid.spacing_mm, nodes_ijk, strict=True)
    )
    low, high = points_lps.min(axis=0) - reach, points_lps.max(axis=0) + reach
    return index[np.all((mapped >= low) & (mapped <= high), axis=1)]


def propagate_structures(
    structures: Sequence[Structure], transform: SpatialTransform, grid: Volume
) -> tuple[tuple[Structure, ...], tuple[Notice, ...]]:
    """Draw structures on another image's slices.

    Every pixel of the image asks whether the place it comes from lies in the organ, so that no inverse is needed.

    Parameters
    ----------
    structures
        In the space that the transform leads to.
    transform
        Points of the image to points of the structures: a course's own transform to bring its structures to the
        reference, its inverse to bring the reference's structures to the course.
    grid
        The image that is drawn on: contours lie in its k planes, LPS mm.

    Returns
    -------
    structures
        With the same names, numbers, colours and types, in the image's Frame of Reference; those that end up outside
        the image are left out.
    notices
        Which were left out.
    """
    result, lost = [], []
    for structure in structures:
        if not structure.contours_lps:
            continue
        contours = _drawn(structure, transform, grid)
        if contours:
            frame = grid.frame_of_reference_uid
            result.append(replace(structure, contours_lps=contours, frame_of_reference_uid=frame))
        else:
            lost.append(structure.name)
    if not lost:
        return tuple(result), ()
    text = f"structures that lie outside the image they were brought to were left out: {', '.join(lost)}"
    return tuple(result), (Notice("structures-outside-image", text),)


def _drawn(structure: Structure, transform: SpatialTransform, grid: Volume) -> tuple[NDArray[np.float64], ...]:
    """Return the outline of a structure in the grid's k planes."""
    around = where_from(transform, np.concatenate(structure.contours_lps))
    index = grid.to_index(around)
    last = np.array(grid.shape_ijk) - 1
    low = np.clip(np.floor(index.min(axis=0)).astype(int) - _MARGIN_VOXELS, 0, last)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + _MARGIN_VOXELS, 0, last)
    if np.any(index.max(axis=0) < 0) or np.any(index.min(axis=0) > last):
        return ()
    # Lines pass between pixels where the depth is zero: about a millimetre serves as well as a CT's finest pixels.
    step = np.maximum(1, np.floor(_PIXEL_MM / grid.spacing_mm[:2] + 1e-6)).astype(int)
    depth = OrganDepth.of(structure, float((step * grid.spacing_mm[:2]).min()) / 2)
    i, j = (np.arange(low[axis] - step[axis], high[axis] + 2 * step[axis], step[axis]) for axis in (0, 1))
    contours = []
    for k in range(low[2], high[2] + 1):
        jj, ii = np.meshgrid(j, i, indexing="ij")
        points = grid.to_lps(np.stack([ii.ravel(), jj.ravel(), np.full(ii.size, k)], axis=1))
        field = -depth.at(transform.apply(points)).reshape(ii.shape)
        if not np.any(field < 0):
            continue
        # The image's border, and the box's, close every line.
        field[[0, -1]] = np.maximum(field[[0, -1]], 1e-3)
        field[:, [0, -1]] = np.maximum(field[:, [0, -1]], 1e-3)
        for line in trace(field):
            if len(line) > 2:
                index = np.column_stack([line * step + np.array([i[0], j[0]]), np.full(len(line), k)])
                contours.append(grid.to_lps(index))
    return tuple(contours)
