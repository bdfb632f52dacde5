"""Structures of known shape, as contours in axial planes, and images to register."""

from __future__ import annotations

import numpy as np
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.volume import Volume


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


def textured(seed=0, shape=(40, 40, 40)) -> Volume:
    """Return smooth noise of 150 HU, at 3 mm."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2.0)
    return Volume((noise / noise.std() * 150.0).astype(np.float32), np.diag([3.0, 3.0, 3.0, 1.0]))
