"""A lesion in an image: its hottest voxel, and what belongs to it above any threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..images import PlacedImage
from ..volume import Volume
from .region import Region

# A seed may be set beside the hottest voxel by this much.
_SEED_REACH_MM = 10.0
# The surroundings that are prepared at first; a region that reaches their edge has them widened.
_REACH_MM = 35.0
# Voxels are divided until they are this small, so that a region's border runs between the image's voxels.
_FINE_MM = 1.5
_MOST_FINE_VOXELS = 3_000_000
# Background is taken this far outside of the part above half of the maximum.
_SHELL_MM = (10.0, 20.0)
_SHELL_REACH_MM = 70.0


@dataclass(frozen=True)
class Search:
    """Where a lesion is looked for, in the reference's space.

    Parameters
    ----------
    seed_lps
        A point in it or beside it, LPS mm, shape ``(3,)``. Without one, everything in ``within`` belongs to it.
    within
        Nothing outside of it belongs to the lesion.
    excluded
        Nothing inside of these does.
    """

    seed_lps: NDArray[np.float64] | None = None
    within: Region | None = None
    excluded: tuple[Region, ...] = ()

    def allowed(self, grid: Volume) -> NDArray[np.bool_]:
        """Return the voxels of a grid that may belong to the lesion, shape ``(K, J, I)``."""
        shape = grid.array.shape[:3]
        result = np.ones(shape, dtype=np.bool_) if self.within is None else self.within.on_grid(grid).mask.array
        for region in self.excluded:
            result = result & ~region.on_grid(grid).mask.array
        return result


@dataclass(frozen=True)
class _Surroundings:
    """A part of the image around the hottest voxel, its voxels divided.

    Parameters
    ----------
    box
        The part, as slices of the image's k, j, i.
    fine
        Values on the parts of its voxels.
    fine_peak_kji
        Index of the hottest voxel's centre there.
    """

    box: tuple[slice, slice, slice]
    fine: Volume
    fine_peak_kji: tuple[int, ...]
    fine_allowed: NDArray[np.bool_]


class Lesion:
    """The surroundings of a lesion, prepared so that any threshold is answered at once.

    Parameters
    ----------
    image
        Values grow with the likelihood of tumour (PET).

    Raises
    ------
    ReirradiationError
        If neither a seed nor a region is given, or they hold no voxel of the image.
    """

    def __init__(self, image: PlacedImage, search: Search) -> None:
        self.image, self.search = image, search
        self._values = _without_unknown(image.volume)
        self._peak_kji = self._hottest()
        self._prepared: dict[float, _Surroundings] = {}

    @property
    def peak(self) -> float:
        """Highest value of the lesion, in the image's unit."""
        return float(self._values.array[self._peak_kji])

    @property
    def peak_lps(self) -> NDArray[np.float64]:
        """Centre of the hottest voxel, LPS mm, shape ``(3,)``."""
        return self._values.to_lps(np.array([self._peak_kji[::-1]], dtype=np.float64))[0]

    def above(self, threshold: float) -> Volume:
        """Return what is at least as high as a threshold and hangs together with the hottest voxel, bool.

        Values are interpolated by cubic splines between voxels, so the border lies where they cross the threshold.

        Raises
        ------
        ReirradiationError
            If the threshold lies above the hottest voxel.
        """
        return self.above_with_values(threshold)[0]

    def above_with_values(self, threshold: float) -> tuple[Volume, Volume, NDArray[np.bool_]]:
        """Return the same, the values on its grid, and which voxels of it may belong to the lesion."""
        if not threshold <= self.peak:
            raise ReirradiationError(
                f"{self.image.name}: the threshold {threshold:.3g} {self.image.unit} lies above the highest value "
                f"{self.peak:.3g} at {_words(self.peak_lps)}; choose a lower one, or another seed"
            )
        reach_mm = _REACH_MM
        while True:
            near = self._surroundings(reach_mm)
            mask = self._part(near, threshold)
            if not self._is_cut(near, mask):
                return near.fine.like(mask), near.fine, near.fine_allowed
            reach_mm *= 2

    def background(self) -> float:
        """Return the median around the lesion: 10 to 20 mm outside of what is above half of its maximum.

        Raises
        ------
        ReirradiationError
            If there is nothing but the lesion.
        """
        from scipy.ndimage import distance_transform_edt

        half = self.peak / 2
        box = self._box(_SHELL_REACH_MM)
        values = self._values.part(box)
        core = Region("core", self.above(half), "").on_grid(values).mask.array
        core[tuple(p - part.start for p, part in zip(self._peak_kji, box, strict=True))] = True
        away_mm = distance_transform_edt(~core, values.spacing_mm[::-1])
        shell = (away_mm >= _SHELL_MM[0]) & (away_mm <= _SHELL_MM[1]) & (values.array < half)
        if not shell.any():
            raise ReirradiationError(
                f"{self.image.name}: there is no background around {_words(self.peak_lps)}; use a fixed threshold"
            )
        return float(np.median(values.array[shell]))

    def _hottest(self) -> tuple[int, int, int]:
        """Return the voxel that climbing from the hottest one near the seed leads to, or the hottest of the region."""
        values, seed = self._values, self.search.seed_lps
        if seed is None and self.search.within is None:
            raise ReirradiationError(f"{self.image.name}: a target needs a seed point or a region to be looked for in")
        allowed = self.search.allowed(values)
        near = allowed if seed is None else allowed & ball(values, seed, _SEED_REACH_MM)
        if not near.any():
            place = "in the region" if seed is None else f"within {_SEED_REACH_MM:g} mm of {_words(seed)}"
            raise ReirradiationError(f"{self.image.name}: no voxel {place} may belong to a target; check the seed")
        at = _index_of_highest(np.where(near, values.array, -np.inf))
        heights = np.where(allowed, values.array, -np.inf)
        while seed is not None:
            around = tuple(slice(max(i - 1, 0), i + 2) for i in at)
            best = _index_of_highest(heights[around])
            k, j, i = (part.start + index for part, index in zip(around, best, strict=True))
            if heights[k, j, i] <= heights[at]:
                break
            at = (k, j, i)
        return at

    def _surroundings(self, reach_mm: float) -> _Surroundings:
        if reach_mm not in self._prepared:
            self._prepared[reach_mm] = self._prepare(reach_mm)
        return self._prepared[reach_mm]

    def _box(self, reach_mm: float) -> tuple[slice, slice, slice]:
        """Return the part of the image in reach of the hottest voxel; that around the region where there is no seed."""
        values = self._values
        if self.search.seed_lps is None and self.search.within is not None:
            return values.box(self.search.within.cropped().mask.corners_lps())
        steps = np.ceil(reach_mm / values.spacing_mm[::-1]).astype(int)
        low = np.maximum(np.array(self._peak_kji) - steps, 0)
        high = np.minimum(np.array(self._peak_kji) + steps + 1, values.array.shape)
        k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return k, j, i

    def _prepare(self, reach_mm: float) -> _Surroundings:
        box = self._box(reach_mm)
        coarse = self._values.part(box)
        peak = tuple(p - part.start for p, part in zip(self._peak_kji, box, strict=True))
        factors = _factors(coarse)
        fine = divided(coarse, factors)
        fine_peak = tuple(p * f + f // 2 for p, f in zip(peak, factors, strict=True))
        return _Surroundings(box, fine, fine_peak, self.search.allowed(fine))

    def _part(self, near: _Surroundings, threshold: float) -> NDArray[np.bool_]:
        """Return the voxels that are high enough: those that hang together with the peak where there is a seed."""
        from scipy.ndimage import label

        mask = near.fine_allowed & (near.fine.array >= threshold)
        mask[near.fine_peak_kji] = True
        if self.search.seed_lps is None:
            return mask
        labels, _ = label(mask)
        return labels == labels[near.fine_peak_kji]

    def _is_cut(self, near: _Surroundings, mask: NDArray[np.bool_]) -> bool:
        """Return whether a mask reaches the edge of its surroundings where the image goes on."""
        if self.search.seed_lps is None:
            return False
        for axis, (part, size) in enumerate(zip(near.box, self._values.array.shape, strict=True)):
            if (part.start > 0 and mask.take(0, axis).any()) or (part.stop < size and mask.take(-1, axis).any()):
                return True
        return False


def divided(volume: Volume, factors: tuple[int, int, int]) -> Volume:
    """Return a scalar volume, its voxels cut into odd numbers of parts along k, j, i by cubic splines.

    Linear interpolation would round off what is curved: a sphere of 28 mm loses 3 to 6 % of its volume at half its
    height on voxels of 4 mm. The outermost parts lie beyond the outermost voxel centres and repeat their values.
    """
    from scipy.interpolate import make_interp_spline

    array = volume.array.astype(np.float32)
    for axis, factor in enumerate(factors):
        size = array.shape[axis]
        if factor == 1 or size == 1:
            array = array.repeat(factor, axis)
            continue
        position = ((np.arange(size * factor) - factor // 2) / factor).clip(0, size - 1)
        spline = make_interp_spline(np.arange(size), np.eye(size), k=min(3, size - 1))
        weights = spline(position).astype(np.float32)
        array = np.moveaxis(np.tensordot(weights, array, (1, axis)), 0, axis)
    ijk = np.array(factors[::-1], dtype=np.float64)
    matrix = volume.index_to_lps.copy()
    matrix[:3, :3] /= ijk
    matrix[:3, 3] = volume.to_lps((-(ijk // 2) / ijk)[None])[0]
    return Volume(np.ascontiguousarray(array), matrix, volume.frame_of_reference_uid)


def _factors(volume: Volume) -> tuple[int, int, int]:
    """Return into how many parts voxels are cut along k, j, i: odd, so that centres stay centres."""
    fine_mm = _FINE_MM
    while True:
        k, j, i = (max(2 * int(np.ceil((s / fine_mm - 1) / 2)) + 1, 1) for s in volume.spacing_mm[::-1])
        if k == j == i == 1 or volume.array.size * k * j * i <= _MOST_FINE_VOXELS:
            return k, j, i
        fine_mm *= 1.5


def _without_unknown(volume: Volume) -> Volume:
    """Return the values with what is unknown (NaN) as low as can be, so that no target reaches into it."""
    if not np.isnan(volume.array).any():
        return volume
    return volume.like(np.where(np.isnan(volume.array), np.nanmin(volume.array), volume.array))


def ball(grid: Volume, centre_lps: NDArray[np.float64], radius_mm: float) -> NDArray[np.bool_]:
    """Return the voxels of a grid whose centres lie in a ball, at least the one at its centre."""
    inside = np.zeros(grid.array.shape, dtype=np.bool_)
    box = grid.box(centre_lps + radius_mm * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]))
    part = grid.part(box)
    if part.array.size:
        away = np.linalg.norm(part.centres_lps() - centre_lps, axis=1).reshape(part.array.shape)
        inside[box] = (away <= radius_mm) | ((away == away.min()) & bool(grid.inside(centre_lps[None])[0]))
    return inside


def _index_of_highest(array: NDArray[np.floating]) -> tuple[int, int, int]:
    k, j, i = np.unravel_index(int(np.argmax(array)), array.shape)
    return int(k), int(j), int(i)


def _words(point_lps: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{x:.0f}" for x in point_lps) + ") mm LPS"
