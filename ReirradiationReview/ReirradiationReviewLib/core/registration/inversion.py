"""The inverse of a displacement field: from where each point came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume, affine, interpolate

_Points = NDArray[np.float64]

# Fixed-point steps at least halve the error where the field stretches by less than half; Newton steps do the rest.
_FIXED_POINT_STEPS = 10
_NEWTON_STEPS = 20
_CLOSE_ENOUGH_MM = 1e-4


def inverse_displacement(displacement: Volume, matrix_lps: NDArray[np.float64]) -> Volume:
    """Return ``v`` such that ``A^-1 (y + v(y))`` undoes ``y = A (x + u(x))``.

    At each node ``y`` the point ``x`` with ``x + u(x) = A^-1 y`` is found by fixed-point steps (M. Chen et al., "A
    simple fixed-point approach to invert a deformation field", Med. Phys. 35(1), 2008) about the affine map that is
    nearest to the field, then, where these have not settled, by Newton steps.

    Parameters
    ----------
    displacement
        ``u`` in mm, shape ``(K, J, I, 3)``, LPS; taken as zero outside its grid.
    matrix_lps
        ``A``, shape ``(4, 4)``.

    Returns
    -------
    Volume
        ``v`` in mm, on a grid of the same pitch over all that the field's grid is mapped to.
    """
    nodes = displacement.centres_lps()
    moved = nodes + displacement.array.reshape(-1, 3)
    grid = _covering_grid(displacement, matrix_lps, moved)
    z = affine(np.linalg.inv(matrix_lps), grid.centres_lps())
    x = _sources(displacement, z, _nearest_affine(nodes, moved))
    v = (x - z) @ matrix_lps[:3, :3].T
    return grid.like(v.reshape(*grid.array.shape, 3).astype(np.float32))


def _sources(displacement: Volume, z: _Points, nearest: NDArray[np.float64]) -> _Points:
    """Return ``x`` of ``x + u(x) = z``, shape ``(N, 3)``, ``u`` going on beyond its edge with the edge's value."""
    back = np.linalg.inv(nearest)
    x = affine(back, z)
    unsettled = np.arange(len(z))
    for step in range(_FIXED_POINT_STEPS + _NEWTON_STEPS):
        error = x[unsettled] + _at(displacement, x[unsettled]) - z[unsettled]
        far = np.abs(error).max(axis=1) > _CLOSE_ENOUGH_MM
        unsettled, error = unsettled[far], error[far]
        if not unsettled.size:
            break
        if step < _FIXED_POINT_STEPS:
            x[unsettled] -= error @ back[:3, :3].T
        else:
            x[unsettled] -= _newton_step(displacement, x[unsettled], error)
    return x


def _newton_step(displacement: Volume, x: _Points, error: _Points) -> _Points:
    """Return by how much to move back; nothing where the field folds, for there is no inverse."""
    slope = np.eye(3) + _gradient(displacement, x)
    solvable = np.abs(np.linalg.det(slope)) > 1e-3
    step = np.zeros_like(x)
    step[solvable] = np.linalg.solve(slope[solvable], error[solvable][:, :, None])[:, :, 0]
    longest_mm = float(displacement.spacing_mm.min())
    length_mm = np.linalg.norm(step, axis=1, keepdims=True)
    return step * np.minimum(1.0, longest_mm / np.maximum(length_mm, longest_mm))


def _at(displacement: Volume, points_lps: _Points) -> _Points:
    index = displacement.to_index(points_lps)
    return np.stack([interpolate(displacement.array[..., axis], index) for axis in range(3)], axis=1)


def _gradient(displacement: Volume, points_lps: _Points) -> NDArray[np.float64]:
    """Return ``du_a/dx_b``, shape ``(N, 3, 3)``, by central differences over a tenth of a voxel."""
    step_mm = 0.05 * float(displacement.spacing_mm.min())
    offsets = step_mm * np.eye(3)
    columns = [(_at(displacement, points_lps + o) - _at(displacement, points_lps - o)) / (2 * step_mm) for o in offsets]
    return np.stack(columns, axis=2)


def _nearest_affine(points: _Points, moved: _Points) -> NDArray[np.float64]:
    """Return the affine map, shape ``(4, 4)``, that takes ``points`` to ``moved`` with the least squared error."""
    centre = points.mean(axis=0)
    offsets = points - centre
    linear = np.linalg.solve(offsets.T @ offsets, offsets.T @ moved).T
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = moved.mean(axis=0) - linear @ centre
    return matrix


def _covering_grid(displacement: Volume, matrix_lps: NDArray[np.float64], points_lps: _Points) -> Volume:
    """Return an empty grid of the field's pitch over the mapped points, with right angles even where A shears."""
    spacing = displacement.spacing_mm
    left, _, right = np.linalg.svd(matrix_lps[:3, :3] @ displacement.index_to_lps[:3, :3] / spacing)
    axes = left @ right
    # A mapped grid coincides with the old one's nodes where A is rigid: its first node is the anchor.
    anchor = affine(matrix_lps, displacement.index_to_lps[None, :3, 3])[0]
    steps = (affine(matrix_lps, points_lps) - anchor) @ axes / spacing
    first = np.floor(steps.min(axis=0) + 1e-6)
    i, j, k = (np.ceil(steps.max(axis=0) - 1e-6) - first).astype(int) + 1
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing
    matrix[:3, 3] = anchor + matrix[:3, :3] @ first
    return Volume(np.broadcast_to(np.float32(0.0), (k, j, i)), matrix)
