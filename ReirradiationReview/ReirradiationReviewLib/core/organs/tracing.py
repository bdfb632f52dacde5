"""Closed zero lines of a field on a plane: marching squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of a square's corners 0 (top left), 1 (top right), 2 (bottom right), 3 (bottom left), the negative ones make its case;
# edges are 0 top, 1 right, 2 bottom, 3 left. Each pair is a piece of contour from edge to edge. The two saddles are cut
# so that the inside corners stay apart.
_PIECES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 0), (1, 2)), 6: ((0, 2),), 7: ((3, 2),),
    8: ((2, 3),), 9: ((2, 0),), 10: ((0, 1), (2, 3)), 11: ((2, 1),), 12: ((1, 3),), 13: ((1, 0),), 14: ((0, 3),),
}  # fmt: skip


def trace(field: NDArray[np.floating[Any]]) -> list[NDArray[np.float64]]:
    """Return the closed zero lines of a field, shape ``(J, I)``, each as ``(N, 2)`` continuous indices ``(i, j)``.

    The field must be positive along its border, so that every line closes.
    """
    following = _links(field < 0)
    lines = []
    while following:
        start, edge = next(iter(following.items()))
        line = [start]
        del following[start]
        while edge != start:
            line.append(edge)
            edge = following.pop(edge)
        lines.append(_crossings(field, np.array(line)))
    return lines


def _links(inside: NDArray[np.bool_]) -> dict[int, int]:
    """Return, for each crossed edge, the edge that follows it; edges are numbered 2 * pixel + (0 across, 1 down)."""
    case = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, 1:] + 8 * inside[1:, :-1]
    width = inside.shape[1]
    following: dict[int, int] = {}
    for j, i in zip(*np.nonzero((case > 0) & (case < 15)), strict=True):
        pixel = int(j) * width + int(i)
        edges = (2 * pixel, 2 * (pixel + 1) + 1, 2 * (pixel + width), 2 * pixel + 1)
        for first, second in _PIECES[int(case[j, i])]:
            following[edges[first]] = edges[second]
    return following


def _crossings(field: NDArray[np.floating[Any]], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where the field is zero on edges, shape ``(N, 2)`` as ``(i, j)``, linearly between their pixels."""
    values, width = field.ravel().astype(np.float64), field.shape[1]
    pixel, down = edges // 2, edges % 2
    a, b = values[pixel], values[pixel + np.where(down, width, 1)]
    t = a / (a - b)
    return np.stack([pixel % width + np.where(down, 0, t), pixel // width + np.where(down, t, 0)], axis=1)
