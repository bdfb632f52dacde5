"""Structures of known shape, as contours in axial planes."""

from __future__ import annotations

import numpy as np
from ReirradiationReviewLib.core.courses import Structure


def circles(name, centre, radius_of_height, heights) -> Structure:
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    contours = []
    for z in heights:
        radius = radius_of_height(z - centre[2])
        x, y = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        contours.append(np.column_stack([x, y, np.full(len(angle), z)]))
    return Structure(name, 1, tuple(contours))


def a_ball(centre, radius, name="Parotid_L") -> Structure:
    heights = np.arange(np.ceil(centre[2] - radius), centre[2] + radius, 2.0)
    heights = heights[np.abs(heights - centre[2]) < radius - 0.05]
    return circles(name, centre, lambda z: np.sqrt(radius**2 - z**2), heights)
