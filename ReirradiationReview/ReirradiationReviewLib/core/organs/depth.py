"""How deep any point lies in an organ, from its contours: quick, and without a grid of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..volume import affine, interpolate
from .contours import coverage, plane_stack
from .sections import joined, signed_distances

_MOST_PIXELS = 2_000_000
_MARGIN_PIXELS = 3


@dataclass(frozen=True)
class OrganDepth:
    """Signed distances to an organ's outline in its contoured planes, ready to be asked at any point.

    Between planes the distances are interpolated; beyond an end, and on either side of a gap too wide to be bridged,
    each plane stands for half a usual spacing. (Dose-volume figures shape the ends more finely, see `sections`; here
    two outlines are compared that are both treated alike.)

    Parameters
    ----------
    distances
        Pixels, positive inside, shape ``(P, V, U)``.
    origin_uv_mm, pitch_mm
        Centre of the first pixel, and the pixels' size.
    axes_lps
        Rows u, v and w; see `contours.PlaneStack`.
    usual_gap_mm
        Distance of the planes.
    """

    distances: NDArray[np.float64]
    origin_uv_mm: NDArray[np.float64]
    pitch_mm: float
    axes_lps: NDArray[np.float64]
    positions_mm: NDArray[np.float64]
    usual_gap_mm: float

    @classmethod
    def of(cls, structure: Structure, pitch_mm: float, single_plane_mm: float = 3.0) -> OrganDepth:
        """Return the depths of a structure.

        Parameters
        ----------
        pitch_mm
            Size of the pixels; wide organs get larger ones.
        single_plane_mm
            Thickness of an organ that is contoured in one plane only.

        Raises
        ------
        ReirradiationError
            If the contours enclose no area or do not lie in parallel planes.
        """
        stack = plane_stack(structure)
        points = np.concatenate([uv for plane in stack.contours_uv_mm for uv in plane])
        low, size = points.min(axis=0), np.ptp(points, axis=0)
        pitch = max(pitch_mm, float(np.sqrt(size.prod() * len(stack.positions_mm) / _MOST_PIXELS)))
        columns, rows = np.ceil(size / pitch).astype(int) + 2 * _MARGIN_PIXELS
        origin = low + (0.5 - _MARGIN_PIXELS) * pitch
        covered = coverage(stack, origin, pitch, (int(rows), int(columns)))
        gaps = np.diff(stack.positions_mm)
        usual = float(np.median(gaps)) if len(gaps) else single_plane_mm
        return cls(signed_distances(covered), origin, pitch, stack.axes_lps, stack.positions_mm, usual)

    def at(self, points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the depth of points, shape ``(N, 3)`` LPS mm, in mm: positive inside, shape ``(N,)``."""
        to_pixels = np.eye(4)
        to_pixels[:3, :3] = self.axes_lps
        to_pixels[:2, 3] = -self.origin_uv_mm
        to_pixels[:2] /= self.pitch_mm
        index = affine(to_pixels, points_lps)
        plane, beyond_mm = self._planes(index[:, 2])
        index[:, 2] = plane
        depth = interpolate(self.distances, index) * self.pitch_mm
        # Outside the pixels an outline is at least as far away as their border.
        last = np.array(self.distances.shape[:0:-1]) - 1.0
        uv = index[:, :2]
        outside = np.flatnonzero(np.any((uv < 0) | (uv > last), axis=1))
        away = uv[outside] - np.clip(uv[outside], 0.0, last)
        depth[outside] -= np.hypot(away[:, 0], away[:, 1]) * self.pitch_mm
        return np.where(beyond_mm > 0, np.minimum(depth, self.usual_gap_mm / 2 - beyond_mm), depth)

    def _planes(self, height: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the continuous plane index at heights, and how far each lies beyond what planes are joined over."""
        positions = self.positions_mm
        plane = np.interp(height, positions, np.arange(len(positions)))
        beyond = np.maximum(positions[0] - height, height - positions[-1])
        below = np.clip(np.searchsorted(positions, height) - 1, 0, max(len(positions) - 2, 0))
        if len(positions) > 1:
            apart = ~joined(positions)[below] & (beyond < 0)
            nearest = np.rint(plane)
            away = np.abs(height - positions[nearest.astype(int)])
            plane, beyond = np.where(apart, nearest, plane), np.where(apart, away, beyond)
        return plane, beyond
