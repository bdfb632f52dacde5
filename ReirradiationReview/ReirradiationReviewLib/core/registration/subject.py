"""An image made ready for registration: coarse, clamped, a CT without its couch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from ..volume import Volume

if TYPE_CHECKING:
    import SimpleITK

# HU below the lower bound (lung, gas, air) change with every breath and meal and say little of where the skeleton lies;
# above the upper bound there is only metal. Between them fat, soft tissue and bone keep their contrast.
AIR_HU = -200.0
_METAL_HU = 1000.0
BONE_HU = 200.0
# Voxel sizes in mm: finest refinement, body and middle refinement, coarse refinement, global search.
FINE_MM, MIDDLE_MM, COARSE_MM, SEARCH_MM = 3.0, 4.0, 8.0, 12.0
# Between air and soft tissue, nearer to soft tissue so that couch foam and cushions (about -700) stay out.
_BODY_HU = -300.0
# Table tops, masks and head rests are thinner than twice this.
_THIN_MM = 8.0
# Width of the ring of air kept around the body: without it the outline itself would not count.
_RING_MM = 8.0
# PET and MR: the value that counts as the top, and the share of it below which there is background. MR noise reaches
# some 5 %; fat in PET is at 10 % of the hotter organs.
_TOP_PERCENTILE = 99.5
_BODY_SHARE = 0.07


@dataclass(frozen=True)
class Subject:
    """An image as registration sees it, in LPS.

    Parameters
    ----------
    pyramid
        By voxel size in mm: HU clamped to -200 .. 1000, everything beyond the body's ring of air set to -200.
    body
        1 inside the patient (lungs included), on a grid of about 4 mm.
    ring
        Where the image counts, on the same grid: ``body`` widened by a ring of air.
    centre_lps
        Centroid of the body, mm, shape ``(3,)``.
    body_cc
        Volume of the body inside the field of view.
    """

    pyramid: Mapping[float, SimpleITK.Image]
    body: SimpleITK.Image
    ring: SimpleITK.Image
    centre_lps: NDArray[np.float64]
    body_cc: float


def prepare(volume: Volume, air_hu: float = AIR_HU) -> Subject | None:
    """Return a CT (HU) ready for registration; None where no patient is seen in it.

    Parameters
    ----------
    air_hu
        Lower bound that values are clamped to, and what is beyond the body's ring of air.
    """
    import SimpleITK as sitk

    image = _shrunk(volume)
    body = _body(image)
    if not _volume_cc(body):
        return None
    ring = sitk.BinaryDilate(body, _voxels(_RING_MM, body))
    inside = sitk.Resample(ring, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    patient = sitk.Mask(sitk.Clamp(image, sitk.sitkFloat32, air_hu, _METAL_HU), inside, air_hu)
    return Subject(_pyramid(patient), body, ring, centroid_lps(body), _volume_cc(body))


def prepare_other(volume: Volume) -> Subject | None:
    """Return an image of another modality (PET, MR) ready for registration; None where nothing stands out in it.

    Its values are clamped between 0 and the 99.5th percentile, the square root taken (in PET a few hot spots would
    leave one bin of the histogram to all the rest), and scaled to a CT's range. Nothing is masked: a body is looked for
    only to know its middle and its size.
    """
    import SimpleITK as sitk

    image = _shrunk_to_fine(sitk.Clamp(volume.to_sitk(), sitk.sitkFloat32, lowerBound=0.0))
    top = float(np.percentile(sitk.GetArrayViewFromImage(image), _TOP_PERCENTILE))
    if top <= 0.0:
        return None
    root = sitk.Sqrt(sitk.Clamp(image, upperBound=top) / top)
    scaled = sitk.Cast(root * (_METAL_HU - AIR_HU) + AIR_HU, sitk.sitkFloat32)
    coarse = coarser(image, MIDDLE_MM)
    body = _largest_thick_object(coarse > _BODY_SHARE * top)
    if not _volume_cc(body):
        return None
    everything = sitk.BinaryThreshold(body, 0, 1)
    return Subject(_pyramid(scaled), body, everything, centroid_lps(body), _volume_cc(body))


def mirrored(subject: Subject) -> Subject:
    """Return the subject with left and right exchanged (LPS x negated)."""
    flip = np.array([-1.0, 1.0, 1.0])
    return Subject(
        {size: _flipped(image) for size, image in subject.pyramid.items()},
        _flipped(subject.body),
        _flipped(subject.ring),
        subject.centre_lps * flip,
        subject.body_cc,
    )


def focused(subject: Subject, focus: Volume) -> SimpleITK.Image:
    """Return the part of the body and its ring of air where ``focus``, a mask in the same space, is above 0.

    Raises
    ------
    ReirradiationError
        If they share nothing.
    """
    import SimpleITK as sitk

    region = sitk.And(subject.ring, mask_on(subject.ring, mask_image(focus)))
    if not _volume_cc(region):
        raise ReirradiationError("the registration's focus lies outside the patient in the reference CT")
    return region


def centroid_lps(mask: SimpleITK.Image) -> NDArray[np.float64]:
    """Return the centroid of the voxels of value 1, mm, shape ``(3,)``."""
    return np.array(_shape(mask).GetCentroid(1))


def mask_image(mask: Volume) -> SimpleITK.Image:
    """Return an image of 1 where a mask is above 0, and 0 elsewhere."""
    return Volume((mask.array > 0).astype(np.uint8), mask.index_to_lps).to_sitk()


def mask_on(grid: SimpleITK.Image, mask: SimpleITK.Image) -> SimpleITK.Image:
    """Return a mask of the same space on another grid (nearest voxel, 0 outside)."""
    import SimpleITK as sitk

    return sitk.Resample(mask, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)


def _shape(mask: SimpleITK.Image) -> SimpleITK.LabelShapeStatisticsImageFilter:
    import SimpleITK as sitk

    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    return shape


def bounding_box(mask: SimpleITK.Image) -> NDArray[np.float64]:
    """Return the outermost voxel centres of value 1 along the mask's axes, LPS mm, shape ``(2, 3)``."""
    i, j, k, *size = _shape(mask).GetBoundingBox(1)
    last = [start + count - 1 for start, count in zip((i, j, k), size, strict=True)]
    return np.array([mask.TransformIndexToPhysicalPoint(index) for index in ([i, j, k], last)])


def _volume_cc(mask: SimpleITK.Image) -> float:
    shape = _shape(mask)
    return shape.GetPhysicalSize(1) / 1000.0 if shape.HasLabel(1) else 0.0


def _pyramid(patient: SimpleITK.Image) -> dict[float, SimpleITK.Image]:
    return {size: coarser(patient, size) for size in (FINE_MM, MIDDLE_MM, COARSE_MM, SEARCH_MM)}


def _shrunk(volume: Volume) -> SimpleITK.Image:
    """Return HU averaged over whole voxels up to about 3 mm."""
    import SimpleITK as sitk

    return _shrunk_to_fine(sitk.Clamp(volume.to_sitk(), lowerBound=-1000.0, upperBound=_METAL_HU))


def _shrunk_to_fine(image: SimpleITK.Image) -> SimpleITK.Image:
    """Return averages over whole voxels up to about 3 mm: quick, and without aliasing."""
    import SimpleITK as sitk

    factors = [max(1, round(FINE_MM / size)) for size in image.GetSpacing()]
    return sitk.Cast(sitk.BinShrink(image, factors), sitk.sitkFloat32)


def coarser(image: SimpleITK.Image, spacing_mm: float) -> SimpleITK.Image:
    """Return the image at isotropic voxels of about this size, along its own axes, smoothed against aliasing.

    Every axis keeps its outermost voxel centres, so that the field of view neither grows nor shrinks. At `FINE_MM` the
    image stays as `prepare` made it.
    """
    import SimpleITK as sitk

    if spacing_mm == FINE_MM:
        return image
    size, old = np.array(image.GetSize()), np.array(image.GetSpacing())
    new_size = np.maximum(np.round((size - 1) * old / spacing_mm).astype(int) + 1, 2)
    new = (size - 1) * old / (new_size - 1)
    for axis in np.flatnonzero((new > old) & (size >= 4)):  # the recursive filter needs four voxels
        image = sitk.RecursiveGaussian(image, float(new[axis] / 2), direction=int(axis))
    grid = (image.GetOrigin(), new.tolist(), image.GetDirection())
    return sitk.Resample(image, new_size.tolist(), sitk.Transform(), sitk.sitkLinear, *grid)


def _body(image: SimpleITK.Image) -> SimpleITK.Image:
    """Return the largest thick object, its holes filled slice by slice (lungs are open at the ends of a short scan)."""
    return _largest_thick_object(coarser(image, MIDDLE_MM) > _BODY_HU)


def _largest_thick_object(mask: SimpleITK.Image) -> SimpleITK.Image:
    import SimpleITK as sitk
    from scipy.ndimage import binary_fill_holes

    thick = sitk.BinaryMorphologicalOpening(mask, _voxels(_THIN_MM, mask))
    largest = sitk.RelabelComponent(sitk.ConnectedComponent(thick), sortByObjectSize=True) == 1
    filled = np.stack([binary_fill_holes(plane) for plane in sitk.GetArrayViewFromImage(largest)])
    body = sitk.GetImageFromArray(filled.astype(np.uint8))
    body.CopyInformation(mask)
    return body


def _voxels(length_mm: float, image: SimpleITK.Image) -> list[int]:
    return [max(1, round(length_mm / spacing)) for spacing in image.GetSpacing()]


def _flipped(image: SimpleITK.Image) -> SimpleITK.Image:
    import SimpleITK as sitk

    copy = sitk.Image(image)
    flip = np.diag([-1.0, 1.0, 1.0])
    copy.SetOrigin((flip @ copy.GetOrigin()).tolist())
    copy.SetDirection((flip @ np.reshape(copy.GetDirection(), (3, 3))).ravel().tolist())
    return copy
