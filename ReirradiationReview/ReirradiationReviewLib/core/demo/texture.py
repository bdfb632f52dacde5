"""Texture that belongs to the anatomy (vessels of the lungs, marrow, fat streaks) and noise that belongs to a scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .organs import LUNGS
from .shapes import Array

# The texture's own grid in the anatomy frame: lower corner (x, y, z) and voxel size, mm.
_CORNER = (-150.0, -100.0, -175.0)
_STEP_MM = 1.6
_SIZE_KJI = (180, 128, 188)
_HILA = ((-42.0, 14.0, -18.0), (46.0, 16.0, -16.0))
_TREES_PER_LUNG = 30
_GENERATIONS = 9
_SAMPLES = 16  # points along one piece of vessel


@dataclass(frozen=True)
class Texture:
    """Maps on a grid in the anatomy frame.

    Parameters
    ----------
    vessels
        How much of a place in the lungs is vessel, 0 to 1.
    grain
        Band-limited noise of standard deviation 1.
    """

    vessels: Array
    grain: Array

    def sample(self, values: Array, x: Array, y: Array, z: Array) -> Array:
        """Return one of the maps, interpolated at points (anatomy frame, LPS mm); it repeats beyond its grid."""
        from scipy.ndimage import map_coordinates

        index = [(axis - corner) / _STEP_MM for axis, corner in zip((z, y, x), _CORNER[::-1], strict=True)]
        return np.asarray(map_coordinates(values, index, order=1, mode="grid-wrap", output=np.float32))


def make_texture(seed: int) -> Texture:
    """Return the patient's own texture; the same for both courses."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([seed, 1])
    white = rng.standard_normal(_SIZE_KJI, dtype=np.float32)
    grain = gaussian_filter(white, 1.1, mode="wrap") - 0.6 * gaussian_filter(white, 2.8, mode="wrap")
    points = np.vstack([_vessel_tree(np.array(hilum), rng) for hilum in _HILA])
    return Texture(_paint(points), (grain / grain.std()).astype(np.float32))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _vessel_tree(hilum: Array, rng: np.random.Generator) -> Array:
    """Return points ``(x, y, z, radius)`` along vessels that branch from the hilum into one lung, shape ``(N, 4)``."""
    direction = rng.standard_normal((_TREES_PER_LUNG, 3)) * (0.7, 1.0, 1.4)
    direction[:, 0] = np.sign(hilum[0]) * (0.3 + np.abs(direction[:, 0]))
    direction = _unit(direction)
    start = np.repeat(hilum[None], _TREES_PER_LUNG, axis=0)
    radius = rng.uniform(2.2, 3.4, _TREES_PER_LUNG)
    pieces = []
    for generation in range(_GENERATIONS):
        length = radius * rng.uniform(7.0, 11.0, len(radius)) + 4.0
        bend = rng.standard_normal((len(radius), 3)) * 0.22
        t = np.linspace(0.0, 1.0, _SAMPLES)[:, None]
        points = start[:, None] + length[:, None, None] * t * (direction[:, None] + t * bend[:, None])
        inside = (LUNGS.at(points.reshape(-1, 3)) < 1.0).reshape(points.shape[:2])
        keep = inside if generation else np.ones_like(inside)
        pieces.append(np.hstack([points[keep], np.repeat(radius[:, None], _SAMPLES, axis=1)[keep][:, None]]))
        alive = inside[:, -1] | (generation == 0)
        start, direction, radius = _branch(points[alive, -1], direction[alive] + 2 * bend[alive], radius[alive], rng)
    return np.vstack(pieces)


def _branch(end: Array, direction: Array, radius: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    # Murray's law for equal daughters, r_parent^3 = 2 r_daughter^3 (doi 10.1073/pnas.12.3.207), with some spread.
    across = _unit(np.cross(direction, rng.standard_normal(direction.shape)))
    turn = rng.uniform(0.3, 0.85, (2, len(end), 1)) * np.array([1.0, -1.0])[:, None, None]
    daughters = _unit(_unit(direction) + turn * across)
    shrink = rng.uniform(0.70, 0.88, (2, len(end)))
    return np.vstack([end, end]), daughters.reshape(-1, 3), (radius * shrink).ravel()


def _paint(points: Array) -> Array:
    """Return how much of each voxel the vessels fill."""
    values = np.zeros(_SIZE_KJI, dtype=np.float32)
    thick = points[:, 3] > 1.2
    for part, reach in ((points[~thick], 1), (points[thick], 3)):
        index = (part[:, 2::-1] - _CORNER[::-1]) / _STEP_MM
        base = np.round(index).astype(int)
        for offset in np.indices((2 * reach + 1,) * 3).reshape(3, -1).T - reach:
            voxel = base + offset
            distance = np.linalg.norm(voxel - index, axis=1) * _STEP_MM
            # A vessel thinner than a voxel fills only part of it.
            share = np.clip((part[:, 3] - distance) / _STEP_MM + 0.5, 0, 1) * np.minimum(part[:, 3] / 0.9, 1.0)
            hit = (share > 0) & np.all((voxel >= 0) & (voxel < _SIZE_KJI), axis=1)
            np.maximum.at(values, tuple(voxel[hit].T), share[hit].astype(np.float32))
    return values


def scan_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return noise of standard deviation 1 with the in-plane grain of filtered back-projection, shape ``(K, J, I)``."""
    from scipy.ndimage import gaussian_filter1d

    white = rng.standard_normal(shape, dtype=np.float32)
    for axis in (1, 2):
        white = gaussian_filter1d(white, 0.75, axis=axis, truncate=3)
    low = gaussian_filter1d(gaussian_filter1d(white, 2.0, axis=1, truncate=2), 2.0, axis=2, truncate=2)
    noise = white - 0.7 * low
    return np.asarray(noise / noise.std(), dtype=np.float32)
