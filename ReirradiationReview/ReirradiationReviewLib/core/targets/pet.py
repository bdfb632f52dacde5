"""Targets from PET: thresholds of several kinds, and the steepest slope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..images import PlacedImage
from ..volume import Volume
from .lesion import Lesion, ball
from .region import Region
from .slope import steepest_border

# Radius of a reference ball: 3 cm across (PERCIST).
REFERENCE_RADIUS_MM = 15.0
# The watershed starts inside of 70 % of the contrast. It ends where 10 % are left, and 10 mm outside of 40 %.
_SURELY_INSIDE, _AROUND, _SURELY_OUTSIDE = 0.7, 0.4, 0.1
_WIDEST_RIM_MM = 10.0
# The gradient is taken at this scale, in voxels of the image.
_GRADIENT_VOXELS = 0.5


def fixed_value(lesion: Lesion, value: float) -> Region:
    """Return what is at least as high as a fixed value, in the image's unit."""
    return _above(lesion, value, "at least")


def percent_of_maximum(lesion: Lesion, percent: float) -> Region:
    """Return what is at least as high as a share of the lesion's highest value."""
    return _above(lesion, lesion.peak * percent / 100, f"at least {percent:g} % of the maximum {lesion.peak:.3g}:")


def background_adapted(lesion: Lesion, percent: float) -> Region:
    """Return what exceeds the background by a share of the lesion's contrast: bg + percent (maximum - bg)."""
    background = lesion.background()
    threshold = _at_contrast(lesion, background, percent / 100)
    words = f"background {background:.3g} plus {percent:g} % of the contrast to the maximum {lesion.peak:.3g}: at least"
    return _above(lesion, threshold, words)


def above_liver(lesion: Lesion, factor: float, liver: NDArray[np.float64]) -> Region:
    """Return what is above ``factor`` times the liver's mean plus two standard deviations (PERCIST).

    All SUV types give the same region: lean body mass enters the threshold and the values alike.

    Parameters
    ----------
    liver
        Values of normal liver, such as those in a ball of 3 cm.
    """
    mean, deviation = float(liver.mean()), float(liver.std())
    words = f"above {factor:g} times the liver's mean {mean:.3g} plus two standard deviations of {deviation:.2g}:"
    return _above(lesion, factor * mean + 2 * deviation, words)


def ratio_to_normal(lesion: Lesion, ratio: float, normal: NDArray[np.float64]) -> Region:
    """Return what is at least ``ratio`` times as high as the mean of normal tissue (amino-acid PET)."""
    mean = float(normal.mean())
    return _above(lesion, ratio * mean, f"at least {ratio:g} times the mean of normal tissue {mean:.3g}:")


def steepest_slope(lesion: Lesion) -> Region:
    """Return the watershed of the gradient's magnitude around the maximum: its border is where values fall steepest.

    Blur moves the steepest slope of a ball of radius R inwards by about sigma^2 / R.
    """
    from scipy.ndimage import distance_transform_edt

    background = lesion.background()
    around, values, allowed = lesion.above_with_values(_at_contrast(lesion, background, _AROUND))
    sure = Region("", lesion.above(_at_contrast(lesion, background, _SURELY_INSIDE)), "")
    inside = sure.on_grid(around).mask.array
    far = distance_transform_edt(~around.array, around.spacing_mm[::-1]) > _WIDEST_RIM_MM
    outside = far | (values.array < _at_contrast(lesion, background, _SURELY_OUTSIDE)) | ~allowed
    scale_mm = _GRADIENT_VOXELS * lesion.image.volume.spacing_mm[::-1]
    mask = steepest_border(values, inside, outside & ~inside, scale_mm)
    return _region(lesion, around.like(mask), f"where values fall steepest around the maximum {lesion.peak:.3g}")


def reference_values(image: PlacedImage, place: Region | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the image's values in a region, or in a ball of 3 cm around a point, LPS mm, shape ``(N,)``.

    Raises
    ------
    ReirradiationError
        If the image has none there.
    """
    if isinstance(place, Region):
        inside, words = place.on_grid(image.volume).mask.array, place.name
    else:
        inside = ball(image.volume, place, REFERENCE_RADIUS_MM)
        words = f"the ball of 3 cm around {', '.join(f'{x:g}' for x in place)} mm LPS"
    values = np.asarray(image.volume.array[inside], dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        raise ReirradiationError(f"{image.name}: the image has no values in {words}, which is to be the reference")
    return values


def deepest_ball(region: Region, grid: Volume) -> NDArray[np.float64]:
    """Return the centre, LPS mm, of a ball of 3 cm deep in the right half of an organ: the liver's right lobe.

    Raises
    ------
    ReirradiationError
        If it does not fit.
    """
    from scipy.ndimage import distance_transform_edt

    part = region.on_grid(grid).cropped().mask
    depth_mm = distance_transform_edt(np.pad(part.array, 1), part.spacing_mm[::-1])[1:-1, 1:-1, 1:-1]
    points = part.centres_lps()
    left = points[:, 0]
    right_half = left <= np.median(left[part.array.ravel()]) if part.array.any() else left < -np.inf
    depths = np.where(right_half, depth_mm.ravel(), 0.0)
    if not len(depths) or depths.max() < REFERENCE_RADIUS_MM:
        raise ReirradiationError(
            f"{region.name}: a ball of 3 cm does not fit into the part of it that the image shows; give a point of "
            "normal tissue instead"
        )
    return points[int(depths.argmax())]


def _at_contrast(lesion: Lesion, background: float, share: float) -> float:
    return background + share * (lesion.peak - background)


def _above(lesion: Lesion, threshold: float, words: str) -> Region:
    return _region(lesion, lesion.above(threshold), f"{words} {threshold:.3g} {lesion.image.unit}".rstrip())


def _region(lesion: Lesion, mask: Volume, words: str) -> Region:
    image = lesion.image
    return Region(f"GTV {image.series.modality}", mask, f"{image.name}: {words}", image.series.modality)
