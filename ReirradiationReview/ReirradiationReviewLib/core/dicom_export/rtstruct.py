"""New structures as a DICOM RTSTRUCT on the planning CT (PS3.3 A.19, C.8.8.5, C.8.8.6, C.8.8.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..courses import Course, ImageSeries, Structure
from ..errors import Notice, ReirradiationError
from .objects import LO_LENGTH, new_object, save, sop_reference

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"  # PS3.4 B.5
_STUDY = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, the class that RTSTRUCT refers to studies by
_SH_LENGTH = 16  # PS3.5 table 6.2-1
_ST_LENGTH = 1024
# A contour is on the plane of an image if it is this close to it.
_ON_PLANE_MM = 0.5


@dataclass(frozen=True)
class ExportedStructure:
    """A structure that is written.

    Parameters
    ----------
    structure
        Its contours lie in planes of the planning CT.
    derivation
        How it was made, in words: for ROI Description (3006,0028).
    volume_cc
        For ROI Volume (3006,002C); None where not known.
    algorithm
        ROI Generation Algorithm (3006,0036).
    """

    structure: Structure
    derivation: str
    volume_cc: float | None = None
    algorithm: Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"] = "SEMIAUTOMATIC"


def write_structure_set(
    path: Path, exported: Sequence[ExportedStructure], reference: Course, *, label: str, software_version: str
) -> tuple[Notice, ...]:
    """Write structures as an RTSTRUCT that refers to the reference course's CT.

    Holes are contours of their own within others, which combine by exclusive or.

    Parameters
    ----------
    label
        Structure Set Label (3006,0002), at most 16 characters, and the start of its Name.

    Returns
    -------
    tuple of Notice
        What could not be said in the object.

    Raises
    ------
    ReirradiationError
        If there is nothing to write or no CT to refer to, if structures share a number or name, lie in another Frame of
        Reference, or if the file cannot be written.
    """
    ct = _check(exported, reference)
    dataset, notices = new_object(_RT_STRUCTURE_SET, "RTSTRUCT", reference, software_version)
    dataset.SeriesDescription = f"{label}: new contours"[:LO_LENGTH]
    dataset.StructureSetLabel = label[:_SH_LENGTH]
    dataset.StructureSetName = f"{label} by ReirradiationReview"[:LO_LENGTH]
    dataset.StructureSetDescription = "Contours made for a re-irradiation review; to be checked before any use."
    dataset.StructureSetDate, dataset.StructureSetTime = dataset.ContentDate, dataset.ContentTime
    dataset.ApprovalStatus = "UNAPPROVED"
    frame = ct.volume.frame_of_reference_uid
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = frame, ""
    images = {k: uid for k, uid in enumerate(ct.sop_instance_uids) if uid}
    dataset.ReferencedFrameOfReferenceSequence = [_referenced_frame(ct, frame, dataset.StudyInstanceUID, images)]
    dataset.StructureSetROISequence = [_roi(item, frame) for item in exported]
    dataset.RTROIObservationsSequence = [_observation(n, item) for n, item in enumerate(exported, start=1)]
    dataset.ROIContourSequence = []
    for item in exported:
        roi, without_image = _contours(item.structure, ct, images)
        dataset.ROIContourSequence.append(roi)
        if without_image:
            text = f"{without_image} contours of {item.structure.name} lie in planes without an image of their own"
            notices.append(Notice("rtstruct-plane-without-image", text, item.structure.name))
    save(dataset, path)
    return tuple(notices)


def _check(exported: Sequence[ExportedStructure], reference: Course) -> ImageSeries:
    ct = reference.ct
    if ct is None or not ct.series_uid or not any(ct.sop_instance_uids):
        raise ReirradiationError(
            f"RTSTRUCT: {reference.label} has no CT with UIDs to refer to (SeriesInstanceUID (0020,000E)); add its CT"
        )
    expected = ct.volume.frame_of_reference_uid
    if not expected:
        raise ReirradiationError(
            f"RTSTRUCT: the CT of {reference.label} has no FrameOfReferenceUID (0020,0052) to place contours in"
        )
    if not any(item.structure.contours_lps for item in exported):
        raise ReirradiationError("RTSTRUCT: there is no contour to write")
    for what, values in (
        ("ROIName (3006,0026)", [item.structure.name[:LO_LENGTH] for item in exported]),
        ("ROINumber (3006,0022)", [item.structure.number for item in exported]),
    ):
        if len(set(values)) < len(values):
            raise ReirradiationError(f"RTSTRUCT: several structures have one {what}; rename or renumber them")
    for item in exported:
        frame = item.structure.frame_of_reference_uid
        if frame and frame != expected:
            raise ReirradiationError(
                f"RTSTRUCT: {item.structure.name} lies in the Frame of Reference (0020,0052) {frame}, not in that of "
                f"{reference.label}; contour it on the planning CT"
            )
    return ct


def _referenced_frame(ct: ImageSeries, frame: str, study_uid: str, images: Mapping[int, str]) -> Dataset:
    from pydicom.dataset import Dataset

    series = Dataset()
    series.SeriesInstanceUID = ct.series_uid
    series.ContourImageSequence = [sop_reference(ct.sop_class_uid, uid) for uid in images.values()]
    study = sop_reference(_STUDY, study_uid)
    study.RTReferencedSeriesSequence = [series]
    item = Dataset()
    item.FrameOfReferenceUID = frame
    item.RTReferencedStudySequence = [study]
    return item


def _roi(exported: ExportedStructure, frame: str) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ROINumber = exported.structure.number
    item.ReferencedFrameOfReferenceUID = frame
    item.ROIName = exported.structure.name[:LO_LENGTH]
    item.ROIDescription = exported.derivation[:_ST_LENGTH]
    if exported.volume_cc is not None:
        item.ROIVolume = f"{exported.volume_cc:.6g}"
    item.ROIGenerationAlgorithm = exported.algorithm
    return item


def _observation(number: int, exported: ExportedStructure) -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ObservationNumber = number
    item.ReferencedROINumber = exported.structure.number
    item.RTROIInterpretedType = exported.structure.interpreted_type
    item.ROIInterpreter = ""
    return item


def _contours(structure: Structure, ct: ImageSeries, images: Mapping[int, str]) -> tuple[Dataset, int]:
    """Return the item of the ROI Contour Sequence, and how many contours have no image to refer to."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ROIDisplayColor = list(structure.colour)
    item.ReferencedROINumber = structure.number
    item.ContourSequence = []
    without_image = 0
    for points in structure.contours_lps:
        contour = _contour(points)
        uid = images.get(_plane(points, ct))
        if uid is None:
            without_image += 1
        else:
            contour.ContourImageSequence = [sop_reference(ct.sop_class_uid, uid)]
        item.ContourSequence.append(contour)
    return item, without_image


def _contour(points: NDArray[np.float64]) -> Dataset:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    contour = Dataset()
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(points)
    # As ready text: an object for each of so many numbers would take most of the time.
    text = "\\".join(f"{x:.4f}" for x in (points + 0.0).ravel())
    contour.add(DataElement(0x30060050, "DS", text, already_converted=True))
    return contour


def _plane(points: NDArray[np.float64], ct: ImageSeries) -> int:
    """Return the index of the CT's plane that a contour lies in; -1 for none."""
    k = ct.volume.to_index(points)[:, 2]
    nearest = int(np.rint(k.mean()))
    return nearest if np.abs(k - nearest).max() * ct.volume.spacing_mm[2] <= _ON_PLANE_MM else -1
