"""The rigid part of a deformation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import affine
from .transform import SpatialTransform

# Nodes that the fit uses at most, and how often the worse half of them is left out and the rest fitted again.
_NODES = 20_000
_ROUNDS = 3


def with_rigid_part(transform: SpatialTransform) -> SpatialTransform:
    """Return the same map on the grid of its displacement, with a rigid motion as its matrix.

    Fields from files often hold a patient's whole change of position, of half a metre. Once the rigid motion that most
    of the field follows is the matrix, the displacement is small, and beyond the grid space goes on with that motion
    instead of jumping back. So it does at nodes whose displacement is not a number.
    """
    if transform.displacement is None:
        return transform
    grid = transform.displacement
    known = np.flatnonzero(np.all(np.isfinite(grid.array), axis=-1))
    chosen = known[:: max(1, len(known) // _NODES)]
    k, j, i = np.unravel_index(chosen, grid.array.shape[:3])
    nodes = grid.to_lps(np.stack([i, j, k], axis=1).astype(np.float64))
    matrix = transform.matrix_lps
    if len(chosen):
        matrix = _trimmed_fit(nodes, affine(matrix, nodes + grid.array[k, j, i]))
    back = np.asarray(np.linalg.inv(matrix)) @ transform.matrix_lps
    rest = np.empty(grid.array.shape, dtype=np.float32)
    plane = np.stack(np.meshgrid(*(np.arange(count) for count in grid.shape_ijk[:2])), axis=-1).reshape(-1, 2)
    for number, vectors in enumerate(grid.array):  # plane by plane: fields of a CT's resolution fill the memory
        nodes = grid.to_lps(np.column_stack([plane, np.full(len(plane), number)]))
        moved = affine(back, nodes + vectors.reshape(-1, 3)) - nodes
        rest[number] = np.where(np.isfinite(moved), moved, 0.0).reshape(vectors.shape)
    return SpatialTransform(matrix, grid.like(rest))


def _trimmed_fit(points: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rigid matrix of the motion that at least half of the points follow."""
    kept = np.ones(len(points), dtype=bool)
    matrix = rigid_fit(points, moved)
    for _ in range(_ROUNDS):
        error = np.linalg.norm(affine(matrix, points) - moved, axis=1)
        kept = error <= np.median(error)
        matrix = rigid_fit(points[kept], moved[kept])
    return matrix


def rigid_fit(points: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rigid matrix, shape ``(4, 4)``, that brings points to others with the least squared distance.

    Kabsch's solution (Acta Cryst. A32:922, 1976); both of shape ``(N, 3)``.
    """
    centre, target = points.mean(axis=0), moved.mean(axis=0)
    left, _, right = np.linalg.svd((moved - target).T @ (points - centre))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = target - turn @ centre
    return matrix
