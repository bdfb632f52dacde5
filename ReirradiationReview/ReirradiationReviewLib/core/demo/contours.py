"""Contours of a signed function on the slices of an image: marching squares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .shapes import Array

# Of a square's corners 0 (top left), 1 (top right), 2 (bottom right), 3 (bottom left), the negative ones make its case;
# edges are 0 top, 1 right, 2 bottom, 3 left. Each pair is a piece of contour from edge to edge. The two saddles are cut
# so that the inside corners stay apart.
_PIECES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 0), (1, 2)), 6: ((0, 2),), 7: ((3, 2),),
    8: ((2, 3),), 9: ((2, 0),), 10: ((0, 1), (2, 3)), 11: ((2, 1),), 12: ((1, 3),), 13: ((1, 0),), 14: ((0, 3),),
}  # fmt: skip


def trace(field: Array) -> list[Array]:
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


def _links(inside: Array) -> dict[int, int]:
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


def _crossings(field: Array, edges: Array) -> Array:
    """Return where the field is zero on edges, shape ``(N, 2)`` as ``(i, j)``, linearly between their pixels."""
    values, width = field.ravel().astype(np.float64), field.shape[1]
    pixel, down = edges // 2, edges % 2
    a, b = values[pixel], values[pixel + np.where(down, width, 1)]
    t = a / (a - b)
    return np.stack([pixel % width + np.where(down, 0, t), pixel // width + np.where(down, t, 0)], axis=1)


def area(line: Array) -> float:
    """Return the area inside a closed line, shape ``(N, 2)``, in the square of its unit."""
    x, y = line.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def subdivided(line: Array, least_points: int) -> Array:
    """Return a closed line, shape ``(N, 2)``, its sides halved until it has so many points."""
    while len(line) < least_points:
        middle = 0.5 * (line + np.roll(line, -1, axis=0))
        line = np.stack([line, middle], axis=1).reshape(-1, 2)
    return line


def moved_to_zero(points: Array, field: Callable[[Array], Array]) -> Array:
    """Return points, shape ``(N, 3)``, moved in their x-y plane onto the zero of a field by one Newton step.

    Points where the field is above 1 stay: there the line closes a shape that the picture cuts.
    """
    value = field(points)
    step = 0.05
    slope = np.stack([(field(points + np.array(d)) - value) / step for d in ((step, 0, 0), (0, step, 0))], axis=1)
    shift = -value[:, None] * slope / np.maximum(np.sum(slope * slope, axis=1), 0.1)[:, None]
    moved = points.copy()
    moved[:, :2] += np.clip(shift, -0.5, 0.5) * (np.abs(value) < 1.0)[:, None]
    return moved


def thinned(line: Array, tolerance: float) -> Array:
    """Return the line without points that lie within ``tolerance`` of the chord between kept neighbours."""
    keep = np.ones(len(line), dtype=bool)
    for start in (1, 0):  # every second point, twice: at most three in four go
        before, after = np.roll(line, 1, axis=0), np.roll(line, -1, axis=0)
        chord = after - before
        length = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)
        offset = line - before
        away = np.abs(chord[:, 0] * offset[:, 1] - chord[:, 1] * offset[:, 0]) / length
        keep = (away > tolerance) | (np.arange(len(line)) % 2 == start) | (np.arange(len(line)) == 0)
        if keep.sum() < 8:
            return line
        line = line[keep]
    return line
