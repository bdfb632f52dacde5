"""Where a margin has to stop: at the skin, at bone, at an organ that disease does not enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..errors import Notice, ReirradiationError
from ..organs.depth import OrganDepth
from ..volume import Volume, sample_linear
from .region import Region

# Trabecular bone is denser than contrasted soft tissue from about here on (HU); this software's own bound.
BONE_HU = 200.0


@dataclass(frozen=True)
class Barrier:
    """What a margin may not enter.

    Parameters
    ----------
    words
        E.g. ``"the skin less 3 mm"``.
    mask
        bool, shape ``(K, J, I)``: True where the margin may not be.
    """

    words: str
    mask: Volume


def skin(external: Structure, inside_mm: float, region: Region) -> Barrier:
    """Return what lies outside the patient's outline or less than ``inside_mm`` beneath it, on the region's grid."""
    from scipy.ndimage import distance_transform_edt

    grid = _wider(region.mask, inside_mm)
    body = _inside(external, grid.volume)
    if inside_mm > 0 and not body.all():
        # Distances count from the outermost voxel centres outside: half a voxel beyond the outline.
        body = distance_transform_edt(body, grid.volume.spacing_mm[::-1]) > inside_mm + grid.volume.spacing_mm.min() / 2
    less = f" less {inside_mm:g} mm" if inside_mm > 0 else ""
    return Barrier(f"the skin ({external.name}){less}", region.mask.like(~body[grid.inner]))


def structure(organ: Structure, region: Region) -> Barrier:
    """Return an organ as a barrier, on the region's grid."""
    return Barrier(organ.name, region.mask.like(_inside(organ, region.mask)))


def bone(ct: Volume, region: Region, threshold_hu: float = BONE_HU) -> Barrier:
    """Return what the planning CT (HU) shows as bone, on the region's grid."""
    values, inside = sample_linear(ct, region.mask.centres_lps())
    dense = (inside & (values >= threshold_hu)).reshape(region.mask.array.shape)
    return Barrier(f"bone (CT from {threshold_hu:g} HU)", region.mask.like(dense))


def cropped_at(region: Region, original: Region, barriers: Sequence[Barrier]) -> tuple[Region, tuple[Notice, ...]]:
    """Return a margin's region cut at barriers; the original that it was made around is never cut.

    What a barrier cuts off from the original is left out, too.

    Parameters
    ----------
    region, barriers
        All on the region's grid.

    Returns
    -------
    region, notices
        What each barrier took away, and how much of the original lies beyond it.
    """
    from scipy.ndimage import label

    kept_whole = original.on_grid(region.mask).mask.array
    allowed = region.mask.array.copy()
    notices = []
    for barrier in barriers:
        if barrier.mask.array.shape != allowed.shape:
            raise ReirradiationError(f"the barrier {barrier.words} was made for another region than {region.name}")
        taken, beyond = region.mask.array & barrier.mask.array, kept_whole & barrier.mask.array
        allowed &= ~barrier.mask.array
        if taken.any():
            notices.append(_notice(region, original, barrier, _cc(taken, region), _cc(beyond, region)))
    parts, _ = label(allowed | kept_whole)
    reached = np.unique(parts[kept_whole])
    result = np.isin(parts, reached[reached > 0])
    words = ", ".join(barrier.words for barrier in barriers)
    return Region(
        region.name, region.mask.like(result), f"{region.provenance}, cut at {words}", region.modality
    ), tuple(notices)


@dataclass(frozen=True)
class _Wider:
    """A grid with more voxels on all sides, and where the old one lies in it."""

    volume: Volume
    inner: tuple[slice, slice, slice]


def _wider(grid: Volume, margin_mm: float) -> _Wider:
    more = np.ceil(margin_mm / grid.spacing_mm).astype(int) + 2
    shape_ijk = np.array(grid.shape_ijk) + 2 * more
    matrix = grid.index_to_lps.copy()
    matrix[:3, 3] = grid.to_lps(-more[None].astype(np.float64))[0]
    i, j, k = (slice(int(a), int(a) + size) for a, size in zip(more, grid.shape_ijk, strict=True))
    return _Wider(Volume(np.zeros(shape_ijk[::-1], dtype=np.bool_), matrix, grid.frame_of_reference_uid), (k, j, i))


def _inside(organ: Structure, grid: Volume) -> NDArray[np.bool_]:
    depth = OrganDepth.of(organ, float(grid.spacing_mm.min()))
    return (depth.at(grid.centres_lps()) > 0).reshape(grid.array.shape)


def _cc(mask: NDArray[np.bool_], region: Region) -> float:
    return float(np.count_nonzero(mask)) * region.mask.voxel_volume_cc


def _notice(region: Region, original: Region, barrier: Barrier, taken_cc: float, beyond_cc: float) -> Notice:
    text = f"{region.name} was cut at {barrier.words}: {taken_cc:.2f} cc of the margin lay beyond it"
    if beyond_cc > 0:
        text += f"; {beyond_cc:.2f} cc of {original.name} itself lie beyond it and were kept"
    return Notice("margin-cut", text, region.name)
