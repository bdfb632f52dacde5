"""How a course's contours, brought to the reference, agree with those that were drawn there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...courses import Structure
from ...organs.depth import OrganDepth
from ...volume import Volume
from ..propagation import where_from
from ..transform import SpatialTransform

# Voxels that an organ is compared on, at most about: 0.9 mm in a box of 6 cm.
_VOXELS = 300_000
_FINEST_MM = 0.75
_MARGIN_VOXELS = 4
# Organs without natural ends inside a field of view: where they stop being contoured says nothing of the registration.
OPEN_ENDED = frozenset(
    (
        "SpinalCord", "SpinalCanal", "ThecalSac", "CaudaEquina", "Esophagus", "Trachea", "A_Aorta", "A_Carotid",
        "GreatVes", "V_Venacava_I", "V_Venacava_S", "V_Jugular_Int", "BrachialPlex", "External",
    )
)  # fmt: skip


@dataclass(frozen=True)
class ContourAgreement:
    """How two outlines of one organ agree in the reference.

    Parameters
    ----------
    dice
        Dice similarity, 0 to 1.
    mean_distance_mm
        Mean distance to agreement: the mean distance of either surface's points to the other surface.
    hausdorff_mm, hausdorff_95_mm
        The largest of these distances, and the larger of the two directions' 95th percentiles.
    reference_cc, propagated_cc
        Volumes as compared.
    common_length_only
        Whether the organ was compared only over the length that both outlines cover.
    """

    dice: float
    mean_distance_mm: float
    hausdorff_mm: float
    hausdorff_95_mm: float
    reference_cc: float
    propagated_cc: float
    common_length_only: bool


def compare_contours(
    drawn: Structure, earlier: Structure, transform: SpatialTransform, open_ended: bool = False
) -> ContourAgreement | None:
    """Compare a course's outline of an organ, seen through the registration, with the reference's own.

    Every voxel of a fine grid asks where it comes from: nothing is pushed, so no inverse is needed and holes cannot
    arise.

    Parameters
    ----------
    drawn
        The organ in the reference.
    earlier
        The same organ in the course, in its own space.
    transform
        Reference point to course point, LPS mm.
    open_ended
        Compare only where both outlines are, along the patient's length.

    Returns
    -------
    ContourAgreement or None
        None where the two have no length in common.
    """
    grid = _grid_over(drawn, earlier, transform)
    points, pitch = grid.centres_lps(), float(grid.spacing_mm[0])
    here = OrganDepth.of(drawn, pitch / 2).at(points).reshape(grid.array.shape)
    there = OrganDepth.of(earlier, pitch / 2).at(transform.apply(points)).reshape(grid.array.shape)
    return compare_depths(here, there, grid, open_ended)


def compare_depths(
    here: NDArray[np.float64], there: NDArray[np.float64], grid: Volume, open_ended: bool = False
) -> ContourAgreement | None:
    """Compare two shapes that are given by their depth at the voxels of one grid, positive inside.

    Parameters
    ----------
    here, there
        Shape ``(K, J, I)``; the second shape is the "propagated" one.

    Returns
    -------
    ContourAgreement or None
        None where one of them is empty, or both have no length in common.
    """
    if open_ended:
        here, there = _common_length(here, there)
    inside, inside_there = here > 0, there > 0
    total = np.count_nonzero(inside) + np.count_nonzero(inside_there)
    first, second = (surface_points(field, grid) for field in (here, there))
    if not len(first) or not len(second):
        return None
    to_second, to_first = _distances(first, second), _distances(second, first)
    return ContourAgreement(
        dice=2.0 * np.count_nonzero(inside & inside_there) / total,
        mean_distance_mm=float(np.concatenate([to_second, to_first]).mean()),
        hausdorff_mm=float(max(to_second.max(), to_first.max())),
        hausdorff_95_mm=float(max(np.percentile(to_second, 95), np.percentile(to_first, 95))),
        reference_cc=float(np.count_nonzero(inside)) * grid.voxel_volume_cc,
        propagated_cc=float(np.count_nonzero(inside_there)) * grid.voxel_volume_cc,
        common_length_only=open_ended,
    )


def _grid_over(drawn: Structure, earlier: Structure, transform: SpatialTransform) -> Volume:
    """Return a grid along the patient's axes that holds both outlines."""
    mine, theirs = np.concatenate(drawn.contours_lps), where_from(transform, np.concatenate(earlier.contours_lps))
    low, high = np.minimum(mine.min(axis=0), theirs.min(axis=0)), np.maximum(mine.max(axis=0), theirs.max(axis=0))
    pitch = max(_FINEST_MM, float(np.cbrt(np.maximum(high - low, 1.0).prod() / _VOXELS)))
    # Beyond its last contour an organ goes on for half a slice.
    margin = _MARGIN_VOXELS * pitch + _slice_gap(drawn, earlier)
    return _empty_grid(low - margin, high + margin, pitch)


def _slice_gap(*structures: Structure) -> float:
    gaps = [np.diff(np.unique(np.round([c[:, 2].mean() for c in s.contours_lps], 1))) for s in structures]
    return max((float(np.median(gap)) for gap in gaps if len(gap)), default=0.0)


def _empty_grid(low: NDArray[np.float64], high: NDArray[np.float64], pitch_mm: float) -> Volume:
    shape_ijk = np.ceil((high - low) / pitch_mm).astype(int) + 1
    matrix = np.diag([pitch_mm, pitch_mm, pitch_mm, 1.0])
    matrix[:3, 3] = low
    return Volume(np.zeros(shape_ijk[::-1], dtype=np.int8), matrix)


def _common_length(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both over the planes that both have; no surface is seen at the cuts."""
    both = np.flatnonzero(np.any(first > 0, axis=(1, 2)) & np.any(second > 0, axis=(1, 2)))
    planes = slice(both[0], both[-1] + 1) if len(both) else slice(0, 0)
    return first[planes], second[planes]


def surface_points(field: NDArray[np.float64], grid: Volume) -> NDArray[np.float64]:
    """Return where the lines between neighbouring voxels pass zero: mm along k, j, i, shape ``(N, 3)``."""
    found = []
    for axis in range(3):
        before, after = (np.moveaxis(field, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        crossed = np.nonzero((before > 0) != (after > 0))
        index = np.stack(crossed, axis=1).astype(np.float64)
        index[:, 0] += before[crossed] / (before[crossed] - after[crossed])
        order = [axis, *(other for other in range(3) if other != axis)]
        kji = np.empty_like(index)
        kji[:, order] = index
        found.append(kji)
    return np.concatenate(found) * grid.spacing_mm[::-1]


def _distances(points: NDArray[np.float64], surface: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial import cKDTree

    query: Callable[..., tuple[NDArray[np.float64], NDArray[np.int_]]] = cKDTree(surface).query
    return query(points)[0]
