"""Implicit shapes: functions negative inside and positive outside, near the surface about the distance in mm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
# x, y, z of points (any common shape, LPS mm) -> signed function of that shape, about mm near the surface.
Field = Callable[[Array, Array, Array], Array]
Bounds = tuple[float, float, float, float, float, float]

# Value of a field where a shape's bounds say that it cannot be, mm.
FAR_MM = 40.0
# How far from its surface a tube's field is still computed, mm: more than any blend or margin put on it.
TUBE_REACH_MM = 14.0


@dataclass(frozen=True)
class Shape:
    """A field and the box (x0, x1, y0, y1, z0, z1; LPS mm) beyond which the shape, with a margin, does not reach.

    A derived shape has a ``base``; its field takes the base's values before x, y, z, so that a grid that knows the base
    need not compute it again.
    """

    field: Callable[..., Array]
    bounds: Bounds
    base: Shape | None = None

    def evaluate(self, x: Array, y: Array, z: Array) -> Array:
        """Return the field at points, whether within the bounds or not."""
        inherited = () if self.base is None else (self.base.evaluate(x, y, z),)
        return np.asarray(self.field(*inherited, x, y, z))

    def at(self, points_lps: Array) -> Array:
        """Return the field at points of shape ``(N, 3)``, LPS mm; FAR_MM outside the bounds."""
        return _within(self.evaluate, self.bounds, *np.ascontiguousarray(points_lps.T))


def _within(field: Field, bounds: Bounds, x: Array, y: Array, z: Array) -> Array:
    """Return a field evaluated within a box only, FAR_MM elsewhere."""
    x0, x1, y0, y1, z0, z1 = bounds
    near = (x > x0) & (x < x1) & (y > y0) & (y < y1) & (z > z0) & (z < z1)
    values = np.full(x.shape, FAR_MM, dtype=x.dtype)
    if near.any():
        values[near] = field(x[near], y[near], z[near])
    return values


def curve(knots: Sequence[tuple[float, ...]]) -> Callable[[Array], list[Array]]:
    """Return smooth functions of z through knots ``(z, value, value, ...)``, kept constant beyond the ends."""
    from scipy.interpolate import PchipInterpolator

    table = np.array(sorted(knots))
    start, step = table[0, 0], 0.5
    fine_z = np.arange(start, table[-1, 0] + step, step)
    values = PchipInterpolator(table[:, 0], table[:, 1:])(np.minimum(fine_z, table[-1, 0])).T
    slopes = np.diff(values, axis=1, append=values[:, -1:])

    def evaluate(z: Array) -> list[Array]:
        position = np.clip((z - start) / step, 0, len(fine_z) - 1)
        index = position.astype(np.intp)
        fraction = position - index
        tables = zip(values.astype(z.dtype), slopes.astype(z.dtype), strict=True)
        return [np.take(value, index) + np.take(slope, index) * fraction for value, slope in tables]

    return evaluate


def superellipse(x: Array, y: Array, half_x: Array | float, half_y: Array | float, power: float) -> Array:
    """Return the radial distance, mm, to ``|x/a|^p + |y/b|^p = 1``; p is 2, 2.25 or 2.5."""
    if power == 2.0:
        relative = np.hypot(x / half_x, y / half_y)
    else:
        relative = (_power(np.abs(x / half_x), power) + _power(np.abs(y / half_y), power)) ** (1.0 / power)
    distance = np.hypot(x, y)
    return np.asarray(distance - _to_surface(distance, relative))


def _to_surface(distance: Array, relative: Array) -> Array:
    """Return the surface's distance from the middle on each point's ray; at the middle itself, 10 mm."""
    return np.asarray((distance + 1e-5) / (relative + 1e-6))


def _power(values: Array, power: float) -> Array:
    # By roots: numpy's general power takes ten times as long, and the phantom is made of these.
    root = np.sqrt(values)
    return np.asarray(values * values * (root if power == 2.5 else np.sqrt(root)))


def ellipsoid(centre: Sequence[float], radii: Sequence[float], axis: Sequence[float] | None = None) -> Field:
    """Return an ellipsoid; with ``axis``, the first radius lies along that direction and the others across it."""
    rows = ((np.eye(3) if axis is None else _frame(axis)) / np.asarray(radii, dtype=float)[:, None]).tolist()

    def field(x: Array, y: Array, z: Array) -> Array:
        dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
        relative = np.sqrt(sum((a * dx + b * dy + c * dz) ** 2 for a, b, c in rows))
        distance = np.sqrt(dx * dx + dy * dy + dz * dz)
        return np.asarray(distance - _to_surface(distance, relative))

    return field


def _frame(axis: Sequence[float]) -> Array:
    first = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    second = np.cross([0.0, 0.0, 1.0], first)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])


def tube(path: Sequence[tuple[float, float, float, float]]) -> Field:
    """Return a round tube through points ``(x, y, z, radius)``, its corners smoothed; FAR_MM well away from it."""
    points = smooth_path(np.asarray(path, dtype=float))
    reach = points[:, 3:] + TUBE_REACH_MM
    low, high = (points[:, :3] - reach).min(axis=0), (points[:, :3] + reach).max(axis=0)
    bounds = (low[0], high[0], low[1], high[1], low[2], high[2])

    def near(x: Array, y: Array, z: Array) -> Array:
        return reduce(np.minimum, [_capsule(x, y, z, a, b) for a, b in pairwise(points)])

    return lambda x, y, z: _within(near, bounds, x, y, z)


def smooth_path(points: Array, pieces: int = 3) -> Array:
    """Return a Catmull-Rom spline through points of shape ``(N, D)``, ``pieces`` points per span."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, pieces, endpoint=False)[:, None]
    spans = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True)
    ]
    return np.vstack([*spans, points[-1:]])


def _capsule(x: Array, y: Array, z: Array, start: Array, end: Array) -> Array:
    (ax, ay, az, ar), (bx, by, bz, br) = start.tolist(), (end - start).tolist()
    dx, dy, dz = x - ax, y - ay, z - az
    scale = 1.0 / (bx * bx + by * by + bz * bz)
    t = np.clip(dx * (bx * scale) + dy * (by * scale) + dz * (bz * scale), 0, 1)
    dx -= t * bx
    dy -= t * by
    dz -= t * bz
    return np.asarray(np.sqrt(dx * dx + dy * dy + dz * dz) - (ar + t * br))


def vertical_tube(knots: Sequence[tuple[float, float, float, float, float]]) -> Field:
    """Return an elliptic tube along z from knots ``(z, x, y, radius_x, radius_y)``, open at both ends."""
    centre = curve(knots)

    def field(x: Array, y: Array, z: Array) -> Array:
        cx, cy, rx, ry = centre(z)
        return superellipse(x - cx, y - cy, rx, ry, 2.0)

    return field


def cut_z(field: Field, low: float, high: float) -> Field:
    """Return the part of a shape between two axial planes, z in mm."""
    return lambda x, y, z: np.maximum(field(x, y, z), np.maximum(low - z, z - high))


def union(*fields: Field) -> Field:
    """Return the union of shapes."""
    return lambda x, y, z: reduce(np.minimum, [field(x, y, z) for field in fields])


def smooth_union(fields: Sequence[Field], blend_mm: float) -> Field:
    """Return the union of shapes with fillets of about ``blend_mm``."""

    def field(x: Array, y: Array, z: Array) -> Array:
        return reduce(lambda a, b: smooth_minimum(a, b, blend_mm), [part(x, y, z) for part in fields])

    return field


def smooth_minimum(a: Array, b: Array, blend_mm: float) -> Array:
    """Return the minimum of two fields, blended where they differ by less than ``blend_mm``."""
    closeness = np.maximum(blend_mm - np.abs(a - b), 0) / blend_mm
    return np.asarray(np.minimum(a, b) - closeness * closeness * (blend_mm / 4))


def smooth_maximum(a: Array, b: Array, blend_mm: float) -> Array:
    """Return the maximum of two fields (the intersection), blended likewise."""
    return -smooth_minimum(-a, -b, blend_mm)


def grown(shape: Shape, margin_mm: float) -> Shape:
    """Return a shape grown by a margin, mm; the shape's bounds must leave room for it."""
    return Shape(lambda values, _x, _y, _z: values - margin_mm, shape.bounds, base=shape)
