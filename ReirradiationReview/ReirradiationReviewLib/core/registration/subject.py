"""A CT made ready for registration: coarse, clamped, without couch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume

if TYPE_CHECKING:
    import SimpleITK

# HU below the lower bound (lung, gas, air) change with every breath and meal and say little of where the skeleton lies;
# above the upper bound there is only metal. Between them fat, soft tissue and bone keep their contrast.
AIR_HU = -200.0
_METAL_HU = 1000.0
# Voxel sizes in mm: finest refinement, body and middle refinement, coarse refinement, global search.
FINE_MM, MIDDLE_MM, COARSE_MM, SEARCH_MM = 3.0, 4.0, 8.0, 12.0
# Between air and soft tissue, nearer to soft tissue so that couch foam and cushions (about -700) stay out.
_BODY_HU = -300.0
# Table tops, masks and head rests are thinner than twice this.
_THIN_MM = 8.0
# Width of the ring of air kept around the body: without it the outline itself would not count.
_RING_MM = 8.0


@dataclass(frozen=True)
class Subject:
    """A CT as registration sees it, every image in LPS.

    Parameters
    ----------
    pyramid
        By voxel size in mm: HU clamped to -200 .. 1000, everything beyond the body's ring of air set to -200.
    body
        1 inside the patient (lungs included), on a grid of about 4 mm.
    ring
        ``body`` widened by a ring of air, on the same grid.
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


def prepare(volume: Volume) -> Subject | None:
    """Return a CT (HU) ready for registration; None where no patient is seen in it."""
    import SimpleITK as sitk

    image = _shrunk(volume)
    body = _body(image)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(body)
    if not shape.HasLabel(1):
        return None
    ring = sitk.BinaryDilate(body, _voxels(_RING_MM, body))
    inside = sitk.Resample(ring, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    patient = sitk.Mask(sitk.Clamp(image, sitk.sitkFloat32, AIR_HU, _METAL_HU), inside, AIR_HU)
    pyramid = {FINE_MM: patient} | {size: _coarser(patient, size) for size in (MIDDLE_MM, COARSE_MM, SEARCH_MM)}
    return Subject(pyramid, body, ring, np.array(shape.GetCentroid(1)), shape.GetPhysicalSize(1) / 1000.0)


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


def mask_on(grid: SimpleITK.Image, mask: SimpleITK.Image) -> SimpleITK.Image:
    """Return a mask of the same space on another grid (nearest voxel, 0 outside)."""
    import SimpleITK as sitk

    return sitk.Resample(mask, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)


def _shrunk(volume: Volume) -> SimpleITK.Image:
    """Return HU averaged over whole voxels up to about 3 mm: quick, and without aliasing."""
    import SimpleITK as sitk

    image = sitk.Clamp(volume.to_sitk(), lowerBound=-1000.0, upperBound=_METAL_HU)
    factors = [max(1, round(FINE_MM / size)) for size in image.GetSpacing()]
    return sitk.Cast(sitk.BinShrink(image, factors), sitk.sitkFloat32)


def _coarser(image: SimpleITK.Image, spacing_mm: float) -> SimpleITK.Image:
    """Return the image at isotropic voxels of about this size, along its own axes, smoothed against aliasing."""
    import SimpleITK as sitk

    size, old = np.array(image.GetSize()), np.array(image.GetSpacing())
    # Every axis keeps its outermost voxel centres, so that the field of view neither grows nor shrinks.
    new_size = np.maximum(np.round((size - 1) * old / spacing_mm).astype(int) + 1, 2)
    new = (size - 1) * old / (new_size - 1)
    for axis in np.flatnonzero((new > old) & (size >= 4)):  # the recursive filter needs four voxels
        image = sitk.RecursiveGaussian(image, float(new[axis] / 2), direction=int(axis))
    grid = (image.GetOrigin(), new.tolist(), image.GetDirection())
    return sitk.Resample(image, new_size.tolist(), sitk.Transform(), sitk.sitkLinear, *grid, AIR_HU)


def _body(image: SimpleITK.Image) -> SimpleITK.Image:
    """Return the largest thick object, its holes filled slice by slice (lungs are open at the ends of a short scan)."""
    import SimpleITK as sitk
    from scipy.ndimage import binary_fill_holes

    coarse = _coarser(image, MIDDLE_MM)
    thick = sitk.BinaryMorphologicalOpening(coarse > _BODY_HU, _voxels(_THIN_MM, coarse))
    largest = sitk.RelabelComponent(sitk.ConnectedComponent(thick), sortByObjectSize=True) == 1
    filled = np.stack([binary_fill_holes(plane) for plane in sitk.GetArrayViewFromImage(largest)])
    body = sitk.GetImageFromArray(filled.astype(np.uint8))
    body.CopyInformation(coarse)
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
