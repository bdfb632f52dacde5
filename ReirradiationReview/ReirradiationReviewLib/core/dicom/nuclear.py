"""SPECT as one multi-frame object: a reconstructed tomogram of Nuclear Medicine (PS3.3 A.5, C.8.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..courses import ImageSeries
from ..volume import Volume
from .geometry import pixel_size_ij_mm, plane_axes, plane_position
from .objects import DicomFile, patient_of
from .pixels import rescale_of, stored_values

# Image Type (0008,0008), value 3, of a volume (PS3.3 C.8.4.9.1.1).
_TOMOGRAM = "RECON TOMO"


def is_nuclear_volume(file: DicomFile) -> bool:
    """Return whether a file holds the slices of a tomogram, whose place only its detector information tells."""
    return file.modality == "NM" and "DetectorInformationSequence" in file.dataset


def read_nuclear_volume(file: DicomFile) -> ImageSeries:
    """Read a reconstructed tomogram.

    Raises
    ------
    ReirradiationError
        If it is another kind of nuclear image (planar, gated, raw), or its geometry is missing or contradicts itself.
    """
    kind = file.code("ImageType").split("\\")
    if len(kind) < 3 or kind[2] != _TOMOGRAM:
        raise file.bad(
            "ImageType", f"is {file.code('ImageType')!r}, not a reconstructed tomogram", "export the reconstruction"
        )
    frames = _rescaled(file)
    order = _slice_order(file, len(frames))
    detectors = file.items("DetectorInformationSequence")
    if not detectors:
        raise file.bad("DetectorInformationSequence", "is empty: the place of the slices is not known")
    detector = detectors[0]
    axes, step_mm = plane_axes(detector), _step_mm(file)
    matrix = np.eye(4)
    matrix[:3, :3] = axes.T * [*pixel_size_ij_mm(file), abs(step_mm)]
    matrix[:3, 3] = plane_position(detector)
    if step_mm < 0:
        # Slices follow each other against the normal: from the last one on, the grid is right-handed again.
        order = order[::-1]
        matrix[:3, 3] += (len(frames) - 1) * step_mm * axes[2]
    return ImageSeries(
        volume=Volume(frames[order], matrix, file.frame_of_reference),
        modality=file.modality,
        description=file.text("SeriesDescription"),
        series_uid=file.text("SeriesInstanceUID"),
        study_uid=file.text("StudyInstanceUID"),
        date=file.iso_date("AcquisitionDate") or file.iso_date("SeriesDate") or file.iso_date("StudyDate"),
        sop_class_uid=file.sop_class,
        sop_instance_uids=(file.uid,),
        units=file.code("Units"),
        patient=patient_of(file),
    )


def _rescaled(file: DicomFile) -> NDArray[np.float32]:
    values = stored_values(file)
    shape = (file.integer("NumberOfFrames") or 1, file.integer("Rows"), file.integer("Columns"))
    if values.shape != shape or shape[0] < 2:
        raise file.bad("NumberOfFrames", f"is {shape[0]}, which is no volume or not what PixelData holds")
    slope, intercept = rescale_of(file)
    return np.asarray(values * slope + intercept, dtype=np.float32)


def _slice_order(file: DicomFile, count: int) -> NDArray[np.intp]:
    """Return the frames in the order of their slices: Slice Vector (0054,0080) numbers them from 1."""
    vector = file.numbers("SliceVector")
    if vector is None:
        return np.arange(count)
    if sorted(vector.tolist()) != list(range(1, count + 1)):
        raise file.bad("SliceVector", f"does not number the {count} frames once each: the object holds several volumes")
    return np.argsort(vector)


def _step_mm(file: DicomFile) -> float:
    """Return the way from one slice to the next along the normal, mm: its sign says in which sense (PS3.3 C.8.4.15)."""
    step = file.number("SpacingBetweenSlices")
    if step is None:
        step = file.number("SliceThickness")
    if not step:
        raise file.bad("SpacingBetweenSlices", "is missing or 0, and so is SliceThickness (0018,0050)")
    return step
