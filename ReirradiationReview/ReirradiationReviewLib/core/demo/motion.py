"""How the patient of course 2 lies and breathes: the known map from course-2 points to course-1 points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .shapes import Array
from .skeleton import CANAL_OFFSET_MM, spine_y


def rigid_matrix(angles_deg: tuple[float, float, float], moved_from: Array, moved_to: Array) -> Array:
    """Return the 4x4 rotation about x, then y, then z (degrees) that carries one point onto another."""
    cx, cy, cz = np.cos(np.radians(angles_deg))
    sx, sy, sz = np.sin(np.radians(angles_deg))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y @ about_x
    matrix[:3, 3] = np.asarray(moved_to) - matrix[:3, :3] @ np.asarray(moved_from)
    return matrix


@dataclass(frozen=True)
class Bump:
    """A Gaussian displacement: ``amplitude`` mm at ``centre`` (course-1 frame, mm), falling off with ``sigma`` mm."""

    centre: tuple[float, float, float]
    amplitude: tuple[float, float, float]
    sigma: tuple[float, float, float]


# Course 2 was scanned in deeper inspiration: its diaphragm is lower, so a point there is carried up (+z) to course 1.
BREATHING = (
    Bump((-72.0, 0.0, -98.0), (0.0, -2.0, 12.0), (52.0, 62.0, 42.0)),
    Bump((76.0, 0.0, -106.0), (0.0, -2.0, 9.0), (50.0, 60.0, 40.0)),
    Bump((30.0, -32.0, -60.0), (-3.0, 2.0, 4.0), (42.0, 36.0, 40.0)),
    Bump((0.0, -95.0, -30.0), (0.0, 3.0, 1.0), (85.0, 45.0, 75.0)),
    Bump((-40.0, 5.0, 20.0), (2.0, -1.5, 3.0), (30.0, 30.0, 36.0)),
    Bump((75.0, 0.0, 25.0), (-1.5, 2.0, 3.5), (36.0, 42.0, 40.0)),
)
# Distance from the spine, mm, within which nothing deforms, and beyond which everything may.
RIGID_MM, FREE_MM = 28.0, 68.0


def _apply(matrix: Array, points: Array) -> Array:
    """Return a 4x4 matrix times points of shape ``(3, N)``; by columns, far quicker than a thin matrix product."""
    x, y, z = points
    return np.stack([row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix[:3]])


@dataclass(frozen=True)
class Motion:
    """Course-2 point -> course-1 point: ``y = A x2``; ``x1 = y + s(y) * sum of bumps(y)``; LPS mm.

    ``s`` is 0 within RIGID_MM of the spinal canal and vertebrae, 1 beyond FREE_MM, smooth in between.
    """

    matrix_lps: Array
    bumps: tuple[Bump, ...] = BREATHING

    def to_course1(self, points_lps: Array) -> Array:
        """Return course-1 points, shape ``(N, 3)``, of course-2 points of the same shape."""
        rigid = _apply(self.matrix_lps, points_lps.T)
        return np.asarray((rigid + self._displacement(rigid)).T)

    def to_course2(self, points_lps: Array) -> Array:
        """Return course-2 points of course-1 points: the inverse, by fixed-point iteration to 1e-9 mm."""
        target = np.array(points_lps, dtype=np.float64).T
        rigid = target.copy()
        for _ in range(200):
            step = target - (rigid + self._displacement(rigid))
            rigid += step
            if np.abs(step).max() < 1e-9:
                break
        return np.asarray(_apply(np.linalg.inv(self.matrix_lps), rigid).T)

    def _displacement(self, points: Array) -> Array:
        """Return the displacement, shape ``(3, N)``, at points of that shape."""
        x, y, z = points
        total = np.zeros_like(points)
        for bump in self.bumps:
            squared = sum(((p - c) / s) ** 2 for p, c, s in zip(points, bump.centre, bump.sigma, strict=True))
            height = np.exp(-0.5 * squared)
            for axis in range(3):
                total[axis] += height * bump.amplitude[axis]
        distance = np.hypot(x, y - spine_y(z) - CANAL_OFFSET_MM / 2)
        ramp = np.clip((distance - RIGID_MM) / (FREE_MM - RIGID_MM), 0.0, 1.0)
        return np.asarray(total * (ramp * ramp * (3.0 - 2.0 * ramp)))

    def parameters(self) -> dict[str, Any]:
        """Return what is needed to rebuild the map, as plain data."""
        return {
            "formula": "y = M x2; x1 = y + s(d) * sum_i amplitude_i * exp(-0.5 * sum(((y - centre_i) / sigma_i)^2)); "
            "s = r^2 (3 - 2 r), r = clip((d - rigid_mm) / (free_mm - rigid_mm), 0, 1); "
            "d = hypot(y_x, y_y - (55 - 0.0009 (y_z + 10)^2) - 11); LPS mm",
            "rigid_mm": RIGID_MM,
            "free_mm": FREE_MM,
            "bumps": [{"centre": b.centre, "amplitude": b.amplitude, "sigma": b.sigma} for b in self.bumps],
        }
