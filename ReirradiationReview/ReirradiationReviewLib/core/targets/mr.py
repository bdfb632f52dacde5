"""Targets from MR, or any image in which a tumour stands out by its values: region growing from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..images import PlacedImage
from ..volume import Volume
from .lesion import Search, divided
from .region import Region
from .slope import steepest_border

if TYPE_CHECKING:
    import SimpleITK

# The surroundings of the seed that a region can grow into, their voxels divided until they are so small.
_REACH_MM = 60.0
_FINE_MM = 1.5
# The growth starts from the voxels next to the seed, and is repeated this often with the region's own mean.
_START_VOXELS, _ROUNDS = 1, 10
_BLUR_MM = 1.0
# Bridges thinner than twice this are cut; the border is then looked for this far outside.
_BRIDGE_MM, _RIM_MM = 2.0, 5.0


def grown(image: PlacedImage, search: Search, deviations: float) -> Region:
    """Return what hangs together with the seed and resembles it, up to where the image changes most.

    The core is what lies within so many standard deviations of its own mean (ITK's confidence connected filter). Its
    voxels at the border are left out by that, as they hold part of what is beside them; so the border is then set where
    the gradient is largest, within 5 mm.

    Raises
    ------
    ReirradiationError
        If there is no seed in the image, or the region runs out of the seed's surroundings.
    """
    import SimpleITK as sitk
    from scipy.ndimage import distance_transform_edt

    values, seed, allowed = _surroundings(image, search)
    found = sitk.ConfidenceConnected(
        _smoothed(values, allowed),
        seedList=[seed],
        numberOfIterations=_ROUNDS,
        multiplier=deviations,
        initialNeighborhoodRadius=_START_VOXELS,
        replaceValue=1,
    )
    core = _without_bridges(image, values, _mask(found) & allowed, seed)
    far = distance_transform_edt(~core, values.spacing_mm[::-1]) > _RIM_MM
    inside = steepest_border(values, core, (far | ~allowed) & ~core, np.full(3, _BLUR_MM)) & allowed
    part = values.array[core]
    words = (
        f"grown from the seed within {deviations:g} standard deviations of its mean ({part.mean():.4g}, deviation "
        f"{part.std():.3g}), then to the steepest slope within {_RIM_MM:g} mm"
    )
    return _region(image, values, inside, words)


def between(image: PlacedImage, search: Search, low: float, high: float) -> Region:
    """Return what hangs together with the seed and has values between two limits, after smoothing.

    Raises
    ------
    ReirradiationError
        If there is no seed in the image, or the region runs out of the seed's surroundings.
    """
    import SimpleITK as sitk

    values, seed, allowed = _surroundings(image, search)
    found = sitk.ConnectedThreshold(_smoothed(values, allowed), seedList=[seed], lower=low, upper=high, replaceValue=1)
    inside = _without_bridges(image, values, _mask(found) & allowed, seed)
    return _region(image, values, inside, f"grown from the seed between the values {low:g} and {high:g}")


def _surroundings(image: PlacedImage, search: Search) -> tuple[Volume, tuple[int, int, int], NDArray[np.bool_]]:
    """Return the values around the seed on divided voxels, the seed's index (i, j, k), and which voxels may belong."""
    seed = search.seed_lps
    if seed is None or not image.volume.inside(seed[None])[0]:
        where = "is missing" if seed is None else f"at {np.round(seed).astype(int).tolist()} mm LPS lies outside"
        raise ReirradiationError(f"{image.name}: the seed {where}; give a point well inside the tumour")
    corners = seed + _REACH_MM * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    part = image.volume.part(image.volume.box(corners))
    part = part.like(np.nan_to_num(part.array, nan=float(np.nanmin(part.array))))
    k, j, i = (2 * int(np.ceil(max(s / _FINE_MM - 1, 0) / 2)) + 1 for s in part.spacing_mm[::-1])
    fine = divided(part, (k, j, i))
    index = np.rint(fine.to_index(seed[None])[0]).astype(int)
    return fine, (int(index[0]), int(index[1]), int(index[2])), search.allowed(fine)


def _smoothed(values: Volume, allowed: NDArray[np.bool_]) -> SimpleITK.Image:
    """Return the blurred values, and where nothing may grow a value that is like no other."""
    import SimpleITK as sitk

    blurred = sitk.SmoothingRecursiveGaussian(values.to_sitk(), _BLUR_MM)
    if allowed.all():
        return blurred
    array = sitk.GetArrayFromImage(blurred)
    return sitk.GetImageFromArray(np.where(allowed, array, 2 * array.min() - array.max() - 1).astype(np.float32))


def _mask(image: SimpleITK.Image) -> NDArray[np.bool_]:
    import SimpleITK as sitk

    return np.asarray(sitk.GetArrayFromImage(image) > 0)


def _without_bridges(
    image: PlacedImage, values: Volume, grown: NDArray[np.bool_], seed_ijk: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Return the part around the seed, without what hangs on by a thin bridge, its holes filled."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt, label

    spacing = values.spacing_mm[::-1]
    labels, count = label(distance_transform_edt(np.pad(grown, 1), spacing)[1:-1, 1:-1, 1:-1] > _BRIDGE_MM)
    if not count:
        raise ReirradiationError(
            f"{image.name}: hardly anything around the seed resembles it; set the seed well inside the tumour, or "
            "allow more"
        )
    nearest = distance_transform_edt(labels == 0, spacing, return_distances=False, return_indices=True)
    own = labels[tuple(nearest[(slice(None), *seed_ijk[::-1])])]
    part = grown & (distance_transform_edt(labels != own, spacing) <= _BRIDGE_MM)
    if any(part.take(side, axis).any() for axis in range(3) for side in (0, -1)):
        raise ReirradiationError(
            f"{image.name}: the region grows out of the {_REACH_MM:g} mm around the seed, so it is no tumour alone; "
            "allow less, set the seed well inside the tumour, or give a region that it stays within"
        )
    return np.asarray(binary_fill_holes(part))


def _region(image: PlacedImage, values: Volume, inside: NDArray[np.bool_], words: str) -> Region:
    return Region(f"GTV {image.series.modality}", values.like(inside), f"{image.name}: {words}", image.series.modality)
