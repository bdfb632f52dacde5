"""The cross-sections of an organ's parts at any height: between the contoured planes, and beyond the last ones.

A part is what hangs together from plane to plane; each part has ends of its own.

Between planes the outline follows the signed distances to the two contours, and is then moved in or out until it
encloses the area that a monotone cubic through the planes' areas gives: distances alone would make an organ thinner
where it runs obliquely.

Beyond its last plane a part goes on as its area tells. The parabola through the areas of the last three planes is exact
for ellipsoids, cones and cylinders: an end that tapers is closed where the area vanishes, at the latest where the next
contour would have been drawn, and an end that does not taper stops at its last contour. A part that is contoured in
one or two planes shows no trend: each of its planes stands for one plane spacing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Planes further apart than this many usual spacings are not joined: nothing says that the organ goes on in between.
_WIDEST_JOINED_GAP = 3.5


@dataclass(frozen=True)
class Layer:
    """A slab of one part of an organ.

    Parameters
    ----------
    centre_mm, thickness_mm
        Along the planes' normal.
    first_pixel
        ``(row, column)`` of the first pixel of ``depth_mm`` in the grid of the cross-sections.
    depth_mm
        Distance to the outline, positive inside, shape ``(V, U)``.
    area_mm2
        Mean area of the part's cross-section in the slab.
    """

    centre_mm: float
    thickness_mm: float
    first_pixel: tuple[int, int]
    depth_mm: NDArray[np.float64]
    area_mm2: float


def joined(positions_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether the organ is taken to go on from each plane to the next, shape ``(P-1,)``."""
    gaps = np.diff(positions_mm)
    return gaps <= _WIDEST_JOINED_GAP * np.median(gaps) if len(gaps) else np.empty(0, dtype=bool)


def layers(
    coverage: NDArray[np.float64], positions_mm: NDArray[np.float64], usual_gap_mm: float, pitch_mm: float
) -> Iterator[Layer]:
    """Cut an organ into slabs about as thick as the pixels are wide.

    Parameters
    ----------
    coverage
        Share of each pixel inside the contours of each plane, shape ``(P, V, U)``.
    positions_mm
        Of the planes, rising, shape ``(P,)``.
    usual_gap_mm
        What one plane stands for where a part is contoured in one or two planes only.
    """
    from scipy.ndimage import find_objects

    distance = signed_distances(coverage) * pitch_mm
    parts, count, reach_mm = _parts(distance, positions_mm, pitch_mm)
    for number, box in enumerate(find_objects(parts), start=1):
        own = parts[box] == number
        area = np.where(own, coverage[box], 0.0).sum(axis=(1, 2)) * pitch_mm**2
        # Within another part's outline this part's own is at least as far away as parts are apart.
        elsewhere = -np.maximum(np.abs(distance[box]), reach_mm)
        depth = np.where(own, distance[box], elsewhere) if count > 1 else distance[box]
        for slab in _slabs(positions_mm[box[0]], area, usual_gap_mm, pitch_mm):
            above = min(slab.below + 1, len(depth) - 1)
            between = (1 - slab.share) * depth[slab.below] + slab.share * depth[above]
            yield Layer(slab.centre_mm, slab.thickness_mm, (box[1].start, box[2].start), between, slab.area_mm2)


def signed_distances(coverage: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each pixel's centre to the outline in its plane, in pixels, positive inside."""
    from scipy.ndimage import binary_erosion, distance_transform_edt

    result = np.empty(coverage.shape)
    for covered, signed in zip(coverage, result, strict=True):
        inside = covered >= 0.5
        rim = ((covered > 0) & (covered < 1)) | (inside & ~binary_erosion(inside))
        if not rim.any():
            signed[:] = -max(covered.shape)
            continue
        # From a rim pixel's centre the outline is about as far as its coverage differs from one half.
        far, nearest = distance_transform_edt(~rim, return_indices=True)
        signed[:] = np.where(inside, far, -far) + covered[tuple(nearest)] - 0.5
    return result


def _parts(
    distance_mm: NDArray[np.float64], positions_mm: NDArray[np.float64], pitch_mm: float
) -> tuple[NDArray[np.int32], int, float]:
    """Return the part that each pixel belongs to, 0 for none, the number of parts, and the reach that tells them apart.

    Outlines in neighbouring planes belong together if they come closer, seen along the normal, than the planes are
    apart: an organ may run obliquely.
    """
    from scipy.ndimage import label

    together = joined(positions_mm)
    gaps = np.diff(positions_mm)[together]
    reach_mm = max(float(gaps.max()) / 2 if len(gaps) else 0.0, pitch_mm)
    parts = np.zeros(distance_mm.shape, dtype=np.int32)
    bounds = [0, *(np.flatnonzero(~together) + 1).tolist(), len(positions_mm)]
    count = 0
    for start, end in pairwise(bounds):
        found, number = label(distance_mm[start:end] > -reach_mm)
        parts[start:end] = np.where(found > 0, found + count, 0)
        count += number
    return parts, count, reach_mm


class _Slab(NamedTuple):
    """A slab of a part: its outline lies ``share`` of the way from the plane ``below`` to the next one."""

    centre_mm: float
    thickness_mm: float
    area_mm2: float
    below: int
    share: float


def _slabs(
    positions_mm: NDArray[np.float64], area_mm2: NDArray[np.float64], usual_gap_mm: float, pitch_mm: float
) -> Iterator[_Slab]:
    """Cut a part into slabs, from the areas of its cross-sections in its planes."""
    from scipy.interpolate import PchipInterpolator

    last = len(positions_mm) - 1
    if last:
        volume = PchipInterpolator(positions_mm, area_mm2).antiderivative()
        for below, (start, end) in enumerate(pairwise(positions_mm)):
            border = _borders(start, end, pitch_mm)
            for centre, thickness, area in _mean_areas(border, volume(border)):
                yield _Slab(centre, thickness, area, below, float((centre - start) / (end - start)))
    for end_plane, outwards in ((0, -1), (last, 1)):
        area_beyond, height = _beyond(positions_mm[::outwards], area_mm2[::outwards], usual_gap_mm)
        if height > 0:
            border = _borders(0.0, height, pitch_mm)
            for centre, thickness, area in _mean_areas(border, area_beyond.integ()(border)):
                yield _Slab(positions_mm[end_plane] + outwards * centre, thickness, max(area, 0.0), end_plane, 0.0)


def _mean_areas(
    border_mm: NDArray[np.float64], volume_mm3: NDArray[np.float64]
) -> Iterator[tuple[float, float, float]]:
    """Yield centre, thickness and mean area of slabs from their borders and the volume up to each border."""
    for (start, end), (lower, upper) in zip(pairwise(border_mm), pairwise(volume_mm3), strict=True):
        yield float(start + end) / 2, float(end - start), float((upper - lower) / (end - start))


def _beyond(
    positions_mm: NDArray[np.float64], area_mm2: NDArray[np.float64], usual_gap_mm: float
) -> tuple[np.polynomial.Polynomial, float]:
    """Return the area beyond the last of the planes as a function of the height above it, and how far that goes, mm."""
    if len(positions_mm) < 3:
        return np.polynomial.Polynomial([area_mm2[-1]]), usual_gap_mm / 2
    height = np.abs(positions_mm[-3:] - positions_mm[-1])
    area = np.polynomial.Polynomial.fit(-height, area_mm2[-3:], deg=2)
    return area, _height_beyond(area, float(height[1]))


def _borders(start_mm: float, end_mm: float, pitch_mm: float) -> NDArray[np.float64]:
    return np.linspace(start_mm, end_mm, max(round((end_mm - start_mm) / pitch_mm), 1) + 1)


def _height_beyond(area: np.polynomial.Polynomial, spacing_mm: float) -> float:
    """Return how far a part goes on beyond its last plane, mm, where its area goes on as given."""
    height = np.linspace(0.0, spacing_mm, 301)
    expected = area(height)
    lowest = int(np.argmin(expected))
    # The parabola of a cone touches zero without crossing it: so near to zero is zero.
    vanished = np.flatnonzero(expected[: lowest + 1] <= 1e-3 * expected[0])
    if len(vanished):
        return float(height[vanished[0]])
    # It tapers, but not to a point before the next plane, where nothing was contoured: in proportion.
    return float(spacing_mm * (1.0 - expected[lowest] / expected[0]))
