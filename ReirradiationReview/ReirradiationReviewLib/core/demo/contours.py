"""Closed lines on the slices of an image: their area, and how they are refined and thinned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .shapes import Array


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
