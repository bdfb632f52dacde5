"""A part of space, such as a tumour as one image shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..volume import Volume, interpolate

# Smoothing of the stair steps of voxels, in voxels; centres of voxels keep their side, so that nothing gets lost.
_SMOOTHING_VOXELS = 0.7
_LEAST_DEPTH_VOXELS = 0.3
_MARGIN_VOXELS = 2
# Voxels that are so many times longer than wide are slices, between which the shape has to be made up.
_THICK = 2.0
# Share of a blurred surface that is as good as none.
_BLURRED_AWAY = 0.005


@dataclass(frozen=True)
class Region:
    """A region as voxels of a grid in the reference's space.

    Parameters
    ----------
    mask
        bool, shape ``(K, J, I)``, on any grid: an image's own, a finer one, or a part of either. Beyond the grid there
        is nothing of the region.
    provenance
        How it was made, in words: image, method, threshold with unit and what it was normalised by.
    modality
        Of the image it was seen in, e.g. ``"PT"``; empty where it was drawn or combined.
    """

    name: str
    mask: Volume
    provenance: str
    modality: str = ""

    def __post_init__(self) -> None:
        """Refuse anything but a mask."""
        if self.mask.array.dtype != np.bool_ or self.mask.array.ndim != 3:
            raise TypeError(f"region {self.name!r} needs a bool array of three axes")

    @property
    def volume_cc(self) -> float:
        """Volume of its voxels."""
        return float(np.count_nonzero(self.mask.array)) * self.mask.voxel_volume_cc

    @property
    def is_empty(self) -> bool:
        """Whether no voxel belongs to it."""
        return not self.mask.array.any()

    @property
    def points_lps(self) -> NDArray[np.float64]:
        """Centres of its voxels, LPS mm, shape ``(N, 3)``."""
        return self.mask.to_lps(np.argwhere(self.mask.array)[:, ::-1].astype(np.float64))

    @property
    def centroid_lps(self) -> NDArray[np.float64]:
        """Centre of its volume, LPS mm, shape ``(3,)``.

        Raises
        ------
        ReirradiationError
            If it is empty.
        """
        if self.is_empty:
            raise ReirradiationError(f"region {self.name!r} is empty ({self.provenance}); it has no centre")
        return self.points_lps.mean(axis=0)

    @cached_property
    def depth(self) -> Volume:
        """Its shape between the voxels, see `depth_mm`; computed once."""
        return depth_mm(self)

    def cropped(self) -> Region:
        """Return the same region on the smallest part of its grid that holds it and a few voxels around."""
        where = np.argwhere(self.mask.array)
        if not len(where):
            return self
        low = np.maximum(where.min(axis=0) - _MARGIN_VOXELS, 0)
        high = np.minimum(where.max(axis=0) + _MARGIN_VOXELS + 1, self.mask.array.shape)
        k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return replace(self, mask=self.mask.part((k, j, i)))

    def on_grid(self, grid: Volume) -> Region:
        """Return the region on another grid: voxels whose centres lie in it."""
        inside = np.zeros(grid.array.shape[:3], dtype=np.bool_)
        if not self.is_empty:
            box = grid.box(self.depth.corners_lps())
            part = grid.part(box)
            inside[box] = (depth_at(self.depth, part.centres_lps()) > 0).reshape(part.array.shape[:3])
        return replace(self, mask=grid.like(inside))


def depth_mm(region: Region) -> Volume:
    """Return how deep points lie below the region's surface, negative outside, in its surroundings.

    The surface lies midway between voxels of the region and others, its stair steps smoothed; all voxel centres stay on
    their side of it. Interpolated linearly it gives the region's shape at any point (`depth_at`). It is the distance
    near the surface; further away it may stay at a limit.
    """
    from scipy.ndimage import gaussian_filter

    part = region.cropped().mask
    mask = np.pad(part.array, _MARGIN_VOXELS)
    matrix = part.index_to_lps.copy()
    matrix[:3, 3] = part.to_lps(np.full((1, 3), -float(_MARGIN_VOXELS)))[0]
    spacing = part.spacing_mm[::-1]
    finest = float(spacing.min())
    is_thick = spacing.max() > _THICK * finest
    depth = _distance_mm(mask, spacing) if is_thick else _blurred_depth_mm(mask, spacing, finest)
    sigma = _SMOOTHING_VOXELS * finest / spacing
    once = gaussian_filter(depth, sigma, mode="nearest") if is_thick else depth
    # Another pass shows what smoothing shaves off curved surfaces; that is given back.
    smooth = 2 * once - gaussian_filter(once, sigma, mode="nearest")
    least = _LEAST_DEPTH_VOXELS * finest
    depth = np.where(mask, np.maximum(smooth, least), np.minimum(smooth, -least))
    return Volume(depth, matrix, part.frame_of_reference_uid)


def _distance_mm(mask: NDArray[np.bool_], spacing_mm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the distance to the nearest voxel on the other side: what shape there is between thick slices."""
    from scipy.ndimage import distance_transform_edt

    inside, outside = distance_transform_edt(mask, spacing_mm), distance_transform_edt(~mask, spacing_mm)
    return np.asarray(inside - outside, dtype=np.float32)


def _blurred_depth_mm(
    mask: NDArray[np.bool_], spacing_mm: NDArray[np.float64], finest_mm: float
) -> NDArray[np.float32]:
    """Return the depth at which a flat surface would look as it does when blurred: quick, but only near the surface."""
    from scipy.ndimage import gaussian_filter
    from scipy.special import ndtri

    sigma_mm = _SMOOTHING_VOXELS * finest_mm
    blurred = gaussian_filter(mask.astype(np.float32), sigma_mm / spacing_mm, mode="nearest")
    return np.asarray(sigma_mm * ndtri(blurred.clip(_BLURRED_AWAY, 1 - _BLURRED_AWAY)), dtype=np.float32)


def depth_at(depth: Volume, points_lps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the depth, mm, at points, LPS mm, shape ``(N, 3)``; negative wherever the grid of depths ends."""
    return interpolate(depth.array, depth.to_index(points_lps))
