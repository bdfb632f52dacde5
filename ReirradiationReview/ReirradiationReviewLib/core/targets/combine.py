"""Regions of one tumour, seen by several modalities: joined, cut, voted on, and held against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..registration.qa.contours import compare_depths
from ..volume import Volume
from .region import Region, depth_at, depth_mm

# Regions are combined on voxels of this size, or finer where an image is; large ones on coarser voxels.
_PITCH_MM = 1.0
_FINEST_MM = 0.5
_MOST_VOXELS = 4_000_000
_MARGIN_VOXELS = 3

DOUBTFUL = "doubtful: seen by one modality only"


@dataclass(frozen=True)
class RegionAgreement:
    """How two regions agree.

    Parameters
    ----------
    dice, mean_distance_mm, hausdorff_95_mm
        Dice similarity, mean distance to agreement (of either surface's points to the other surface) and the larger of
        the two directions' 95th percentiles of it; NaN where one region is empty.
    centroid_shift_mm
        From the first region's centre to the second's, LPS, shape ``(3,)``.
    first_cc, second_cc, common_cc
        Volumes on the grid that both were compared on.
    """

    first: str
    second: str
    dice: float
    mean_distance_mm: float
    hausdorff_95_mm: float
    centroid_shift_mm: NDArray[np.float64]
    first_cc: float
    second_cc: float
    common_cc: float


def union(name: str, regions: Sequence[Region]) -> Region:
    """Return what belongs to any of the regions."""
    return _voted(name, regions, 1, "union")


def intersection(name: str, regions: Sequence[Region]) -> Region:
    """Return what belongs to all of the regions."""
    return _voted(name, regions, len(regions), "intersection")


def majority(name: str, regions: Sequence[Region]) -> Region:
    """Return what belongs to more than half of the regions."""
    return _voted(name, regions, len(regions) // 2 + 1, "majority")


def doubtful(name: str, regions: Sequence[Region]) -> Region | None:
    """Return what only one modality shows, for the user to decide on; None where all show the same.

    Several regions of one modality count as one; a region without a modality (drawn by hand) is one of its own.
    """
    grid = common_grid(regions)
    seen: dict[str, NDArray[np.bool_]] = {}
    for region in regions:
        source = region.modality or region.name
        seen[source] = seen.get(source, False) | region.on_grid(grid).mask.array
    if len(seen) < 2:
        raise ReirradiationError(f"{name}: all regions are of one modality ({next(iter(seen))}), so none is in doubt")
    once = np.sum(list(seen.values()), axis=0, dtype=np.uint8) == 1
    found = Region(name, grid.like(once), f"{DOUBTFUL}, of {_listed(regions)}").cropped()
    return None if found.is_empty else found


def agreements(regions: Sequence[Region]) -> list[RegionAgreement]:
    """Return the agreement of every two regions."""
    return [agreement(first, second) for first, second in combinations(regions, 2)]


def agreement(first: Region, second: Region) -> RegionAgreement:
    """Return how two regions agree, on voxels of half a millimetre or as fine as their size allows.

    Raises
    ------
    ReirradiationError
        If one of them is empty.
    """
    shift = second.centroid_lps - first.centroid_lps
    grid = common_grid((first, second), _FINEST_MM)
    points = grid.centres_lps()
    here, there = (depth_at(depth_mm(region), points).reshape(grid.array.shape) for region in (first, second))
    found = compare_depths(here, there, grid)
    assert found is not None  # neither is empty
    common_cc = float(np.count_nonzero((here > 0) & (there > 0))) * grid.voxel_volume_cc
    return RegionAgreement(
        first.name,
        second.name,
        found.dice,
        found.mean_distance_mm,
        found.hausdorff_95_mm,
        shift,
        found.reference_cc,
        found.propagated_cc,
        common_cc,
    )


def common_grid(regions: Sequence[Region], pitch_mm: float = _PITCH_MM, margin_mm: float = 0.0) -> Volume:
    """Return a grid of cubes along the patient's axes that holds all regions and a margin; its values mean nothing.

    Parameters
    ----------
    pitch_mm
        Size of the cubes, made smaller where a region's image is finer, and larger where they would be too many.

    Raises
    ------
    ReirradiationError
        If all regions are empty.
    """
    boxes = [region.cropped().mask.corners_lps() for region in regions if not region.is_empty]
    if not boxes:
        raise ReirradiationError(f"nothing to combine: {_listed(regions)} are empty")
    corners = np.concatenate(boxes)
    finest = min(float(region.mask.spacing_mm.min()) for region in regions)
    pitch = max(min(pitch_mm, finest), _FINEST_MM)
    low, high = corners.min(axis=0) - margin_mm, corners.max(axis=0) + margin_mm
    pitch = max(pitch, float(np.cbrt((high - low + 2 * _MARGIN_VOXELS * pitch).prod() / _MOST_VOXELS)))
    shape_ijk = np.ceil((high - low) / pitch).astype(int) + 1 + 2 * _MARGIN_VOXELS
    matrix = np.diag([pitch, pitch, pitch, 1.0])
    matrix[:3, 3] = low - _MARGIN_VOXELS * pitch
    return Volume(np.zeros(shape_ijk[::-1], dtype=np.bool_), matrix, regions[0].mask.frame_of_reference_uid)


def _voted(name: str, regions: Sequence[Region], votes: int, how: str) -> Region:
    grid = common_grid(regions)
    masks = np.stack([region.on_grid(grid).mask.array for region in regions])
    modalities = {region.modality for region in regions}
    modality = modalities.pop() if len(modalities) == 1 else ""
    return Region(
        name, grid.like(np.asarray(masks.sum(axis=0) >= votes)), f"{how} of {_listed(regions)}", modality
    ).cropped()


def _listed(regions: Sequence[Region]) -> str:
    return ", ".join(f"{region.name} ({region.modality})" if region.modality else region.name for region in regions)
