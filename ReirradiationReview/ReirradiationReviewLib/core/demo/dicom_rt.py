"""RTSTRUCT, RTPLAN, RTDOSE and the spatial registration of the demo case as DICOM files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..volume import Volume
from .case_data import CourseData
from .dicom_base import SYNTHETIC, Study, decimal, item, new_object, reference, save
from .dicom_images import CT_CLASS, MR_CLASS, image_uid
from .shapes import Array

STRUCTURES_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
PLAN_CLASS = "1.2.840.10008.5.1.4.1.1.481.5"
DOSE_CLASS = "1.2.840.10008.5.1.4.1.1.481.2"
REGISTRATION_CLASS = "1.2.840.10008.5.1.4.1.1.66.1"
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"


def write_structures(
    path: Path, study: Study, course: CourseData, contours: Mapping[str, Mapping[int, list[Array]]]
) -> None:
    """Write the structure set; ``contours`` holds per ROI name and slice k closed lines (N, 2) of x and y, LPS mm."""
    from pydicom.dataelem import DataElement

    dataset = new_object(study, STRUCTURES_CLASS, "RTSTRUCT", 1, "Structures")
    dataset.StructureSetLabel, dataset.StructureSetDate = f"Course {course.number}", study.date
    dataset.StructureSetTime, dataset.OperatorsName = study.time, ""
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = study.frame_uid, ""
    dataset.ReferencedFrameOfReferenceSequence = [_referenced_frame(study, len(course.ct.array))]
    dataset.StructureSetROISequence, dataset.RTROIObservationsSequence, dataset.ROIContourSequence = [], [], []
    for number, roi in enumerate(course.rois, start=1):
        dataset.StructureSetROISequence.append(
            item(ROINumber=number, ReferencedFrameOfReferenceUID=study.frame_uid, ROIName=roi.name,
                 ROIGenerationAlgorithm="AUTOMATIC")
        )  # fmt: skip
        dataset.RTROIObservationsSequence.append(
            item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=roi.interpreted_type,
                 ROIInterpreter="")
        )  # fmt: skip
        lines = []
        for k, closed in sorted(contours[roi.name].items()):
            z = course.ct.to_lps(np.array([[0, 0, k]]))[0, 2]
            for line in closed:
                contour = item(
                    ContourImageSequence=[reference(CT_CLASS, image_uid(study, "CT", k))],
                    ContourGeometricType="CLOSED_PLANAR",
                    NumberOfContourPoints=len(line),
                )
                text = "\\".join(f"{x:.2f}\\{y:.2f}\\{z:.2f}" for x, y in line)
                # As ready text: parsing half a million numbers into DS objects would take most of the writing time.
                contour.add(DataElement(0x30060050, "DS", text, already_converted=True))
                lines.append(contour)
        colour = [str(c) for c in roi.colour]
        dataset.ROIContourSequence.append(
            item(ROIDisplayColor=colour, ReferencedROINumber=number, ContourSequence=lines)
        )
    dataset.ApprovalStatus = "UNAPPROVED"
    save(dataset, path)


def _referenced_frame(study: Study, slices: int) -> Any:
    series = item(
        SeriesInstanceUID=study.uid("CT"),
        ContourImageSequence=[reference(CT_CLASS, image_uid(study, "CT", k)) for k in range(slices)],
    )
    referenced_study = reference(_STUDY_CLASS, study.uid("study"))
    referenced_study.RTReferencedSeriesSequence = [series]
    return item(FrameOfReferenceUID=study.frame_uid, RTReferencedStudySequence=[referenced_study])


def write_plan(
    path: Path, study: Study, course: CourseData, isocentre: Array, beams: Sequence[Mapping[str, Any]]
) -> None:
    """Write the plan; each beam holds ``gantry_deg``, ``dose_gy`` per fraction at the isocentre and ``jaws_mm``."""
    dataset = new_object(study, PLAN_CLASS, "RTPLAN", 1, "Plan")
    dataset.OperatorsName = ""
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = study.frame_uid, ""
    dataset.RTPlanLabel, dataset.RTPlanName, dataset.RTPlanDescription = course.label, course.label, SYNTHETIC
    dataset.RTPlanDate, dataset.RTPlanTime = course.plan_date, "140000"
    dataset.PlanIntent, dataset.RTPlanGeometry = "CURATIVE", "PATIENT"
    dataset.ReferencedStructureSetSequence = [reference(STRUCTURES_CLASS, study.uid("RTSTRUCT", 1))]
    target = next(n for n, roi in enumerate(course.rois, start=1) if roi.name == course.target)
    dataset.DoseReferenceSequence = [
        item(DoseReferenceNumber=1, DoseReferenceUID=study.uid("dose reference"), DoseReferenceStructureType="VOLUME",
             DoseReferenceDescription=course.target, DoseReferenceType="TARGET", ReferencedROINumber=target,
             TargetPrescriptionDose=decimal(course.prescription_gy))
    ]  # fmt: skip
    dataset.FractionGroupSequence = [_fraction_group(course, beams)]
    dataset.PatientSetupSequence = [item(PatientSetupNumber=1, PatientPosition="HFS")]
    dataset.BeamSequence = [_beam(number, beam, isocentre) for number, beam in enumerate(beams, start=1)]
    dataset.ApprovalStatus = "APPROVED"
    dataset.ReviewDate, dataset.ReviewTime, dataset.ReviewerName = course.plan_date, "160000", "Demo^Physicist"
    save(dataset, path)


def _fraction_group(course: CourseData, beams: Sequence[Mapping[str, Any]]) -> Any:
    group = item(FractionGroupNumber=1, NumberOfFractionsPlanned=course.fractions, NumberOfBeams=len(beams))
    group.NumberOfBrachyApplicationSetups = 0
    group.ReferencedBeamSequence = [
        item(ReferencedBeamNumber=number, BeamDose=decimal(round(beam["dose_gy"], 5)),
             BeamMeterset=decimal(round(beam["dose_gy"] * 130.0, 2)))
        for number, beam in enumerate(beams, start=1)
    ]  # fmt: skip
    return group


def _beam(number: int, beam: Mapping[str, Any], isocentre: Array) -> Any:
    devices = [item(RTBeamLimitingDeviceType=name, NumberOfLeafJawPairs=1) for name in ("ASYMX", "ASYMY")]
    first = item(
        ControlPointIndex=0, NominalBeamEnergy="6", GantryAngle=decimal(beam["gantry_deg"] % 360),
        GantryRotationDirection="NONE", BeamLimitingDeviceAngle="0", BeamLimitingDeviceRotationDirection="NONE",
        PatientSupportAngle="0", PatientSupportRotationDirection="NONE", TableTopEccentricAngle="0",
        TableTopEccentricRotationDirection="NONE", TableTopVerticalPosition=None, TableTopLongitudinalPosition=None,
        TableTopLateralPosition=None, IsocenterPosition=[decimal(round(float(c), 2)) for c in isocentre],
        CumulativeMetersetWeight="0",
    )  # fmt: skip
    first.BeamLimitingDevicePositionSequence = [
        item(
            RTBeamLimitingDeviceType=name, LeafJawPositions=[decimal(round(float(p), 1)) for p in beam["jaws_mm"][name]]
        )
        for name in ("ASYMX", "ASYMY")
    ]
    return item(
        BeamNumber=number, BeamName=f"G{beam['gantry_deg'] % 360:.0f}", BeamType="STATIC", RadiationType="PHOTON",
        TreatmentMachineName="DEMO", PrimaryDosimeterUnit="MU", SourceAxisDistance="1000",
        TreatmentDeliveryType="TREATMENT", ReferencedPatientSetupNumber=1, NumberOfWedges=0, NumberOfCompensators=0,
        NumberOfBoli=0, NumberOfBlocks=0, FinalCumulativeMetersetWeight="1", NumberOfControlPoints=2,
        BeamLimitingDeviceSequence=devices,
        ControlPointSequence=[first, item(ControlPointIndex=1, CumulativeMetersetWeight="1")],
    )  # fmt: skip


@dataclass(frozen=True)
class StoredDose:
    """A dose as RTDOSE holds it: unsigned integers (K, J, I), Dose Grid Scaling (3004,000E), and the grid."""

    integers: Array
    scaling: str
    grid: Volume

    @classmethod
    def of(cls, dose_gy: Array, grid: Volume, bits: int) -> StoredDose:
        """Return a dose stored in 16 or 32 bits; the scaling is rounded to its text first, so that both agree."""
        scaling = decimal(float(f"{float(dose_gy.max()) / (2**bits - 2):.9e}"))
        integers = np.round(dose_gy.astype(np.float64) / float(scaling))
        return cls(integers.astype(f"<u{bits // 8}"), scaling, grid)

    def volume(self) -> Volume:
        """Return the dose that a reader gets, Gy, float64."""
        return self.grid.like(self.integers.astype(np.float64) * float(self.scaling))


def write_dose(path: Path, study: Study, dose: StoredDose, absolute_offsets: bool) -> None:
    """Write the plan's dose; offsets relative to the first frame or, as some systems do, absolute z (C.8.8.3.2)."""
    stored, grid = dose.integers, dose.grid
    dataset = new_object(study, DOSE_CLASS, "RTDOSE", 1, "Plan dose")
    dataset.OperatorsName = ""
    dataset.ContentDate, dataset.ContentTime = study.date, study.time
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = study.frame_uid, ""
    origin, spacing = grid.index_to_lps[:3, 3], grid.spacing_mm
    dataset.ImagePositionPatient = [decimal(round(float(c), 4)) for c in origin]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.PixelSpacing = [decimal(float(s)) for s in spacing[1::-1]]
    dataset.SliceThickness = decimal(float(spacing[2]))
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = stored.shape
    dataset.FrameIncrementPointer = 0x3004000C
    start = float(origin[2]) if absolute_offsets else 0.0
    dataset.GridFrameOffsetVector = [decimal(round(start + k * float(spacing[2]), 4)) for k in range(len(stored))]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = stored.dtype.itemsize * 8
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    dataset.DoseUnits, dataset.DoseType, dataset.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    dataset.DoseGridScaling, dataset.TissueHeterogeneityCorrection = dose.scaling, "IMAGE"
    dataset.DoseComment = SYNTHETIC
    dataset.ReferencedRTPlanSequence = [reference(PLAN_CLASS, study.uid("RTPLAN", 1))]
    dataset.PixelData = stored.tobytes()
    save(dataset, path)


def write_registration(path: Path, mr: tuple[Study, int], ct: tuple[Study, int], mr_to_ct: Array) -> None:
    """Write the rigid registration of the MR to course 2's CT, each given by its study and number of slices.

    Each item's matrix leads from its own frame to that of the object (PS3.3 C.20.2).
    """
    (mr_study, mr_slices), (ct_study, ct_slices) = mr, ct
    dataset = new_object(ct_study, REGISTRATION_CLASS, "REG", 1, "MR to CT, rigid")
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = ct_study.frame_uid, ""
    dataset.ContentDate, dataset.ContentTime = ct_study.date, ct_study.time
    dataset.BodyPartExamined = "CHEST"
    dataset.ContentLabel, dataset.ContentDescription, dataset.ContentCreatorName = "MR_TO_CT", SYNTHETIC, ""
    images = {
        ct_study.frame_uid: (np.eye(4), [reference(CT_CLASS, image_uid(ct_study, "CT", k)) for k in range(ct_slices)]),
        mr_study.frame_uid: (mr_to_ct, [reference(MR_CLASS, image_uid(mr_study, "MR", k)) for k in range(mr_slices)]),
    }
    dataset.RegistrationSequence = [
        item(FrameOfReferenceUID=frame, ReferencedImageSequence=references,
             MatrixRegistrationSequence=[_matrix_registration(matrix)])
        for frame, (matrix, references) in images.items()
    ]  # fmt: skip
    dataset.ReferencedSeriesSequence = [_referenced_series(ct_study.uid("CT"), images[ct_study.frame_uid][1])]
    other = item(StudyInstanceUID=mr_study.uid("study"))
    other.ReferencedSeriesSequence = [_referenced_series(mr_study.uid("MR"), images[mr_study.frame_uid][1])]
    dataset.StudiesContainingOtherReferencedInstancesSequence = [other]
    save(dataset, path)


def _referenced_series(series_uid: str, instances: list[Any]) -> Any:
    return item(SeriesInstanceUID=series_uid, ReferencedInstanceSequence=instances)


def _matrix_registration(matrix: Array) -> Any:
    values = [decimal(round(float(v), 10)) for v in matrix.ravel()]
    return item(
        RegistrationTypeCodeSequence=[
            item(CodeValue="125025", CodingSchemeDesignator="DCM", CodeMeaning="Visual Alignment")
        ],
        MatrixSequence=[
            item(FrameOfReferenceTransformationMatrixType="RIGID", FrameOfReferenceTransformationMatrix=values)
        ],
    )
