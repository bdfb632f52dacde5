"""A small DICOM course, made with pydicom alone, that tests change and read back.

Dose and CT are linear in space, so the right value is known at every point.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from ReirradiationReviewLib.core.courses import Course
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.volume import Volume, sample_linear

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "RTDOSE": "1.2.840.10008.5.1.4.1.1.481.2",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
    "RTPLAN": "1.2.840.10008.5.1.4.1.1.481.5",
    "RTIONPLAN": "1.2.840.10008.5.1.4.1.1.481.8",
    "RTRECORD": "1.2.840.10008.5.1.4.1.1.481.4",  # RT Beams Treatment Record
}
FRACTIONS = 10
SCALING = 1e-6
CT_SHAPE, CT_SIZE_MM, CT_ORIGIN = (5, 8, 9), (3.0, 5.0, 4.0), np.array([-20.0, -12.0, 30.0])
DOSE_SHAPE, DOSE_SIZE_MM, DOSE_ORIGIN = (6, 7, 8), (2.0, 3.0, 4.0), np.array([-14.0, -8.0, 32.0])


def dose_gy(points_lps: np.ndarray) -> np.ndarray:
    """Return the true total dose at LPS points, shape (N, 3)."""
    return 30 + points_lps @ [0.20, 0.10, -0.15]


def hounsfield(points_lps: np.ndarray) -> np.ndarray:
    """Return the true CT value at LPS points, shape (N, 3)."""
    return points_lps @ [2.0, 4.0, 6.0]


def axes(row=(1, 0, 0), column=(0, 1, 0)) -> np.ndarray:
    return np.array([row, column, np.cross(row, column)], dtype=float)


def grid_points(origin, directions, size_kji, shape) -> np.ndarray:
    """Return voxel centres, shape (K, J, I, 3), of planes that follow each other along their normal."""
    k, j, i = np.indices(shape)
    steps = np.stack([i * size_kji[2], j * size_kji[1], k * size_kji[0]], axis=-1)
    return origin + steps @ directions


class Case(dict):
    """Data sets by file name: change them, then read the folder."""

    def write(self, folder: Path) -> Path:
        for name, dataset in self.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "1.2")
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2")
            dataset.save_as(path, enforce_file_format=True)
        return folder

    def read(self, folder: Path, **options) -> Course:
        return read_course(self.write(folder), "course 1", **options)

    def copy_of(self, name: str) -> Dataset:
        """Return a copy of an object as an object of its own."""
        copy = deepcopy(self[name])
        copy.SOPInstanceUID = generate_uid()
        return copy


def make_case(row=(1, 0, 0), column=(0, 1, 0), frame_step_mm: float = 2.0) -> Case:
    """Return a CT, a structure set, a plan of 10 fractions and its PLAN dose."""
    common = Dataset()
    common.PatientID, common.PatientName, common.PatientBirthDate, common.PatientSex = "P1", "Doe^Jo", "19600203", "F"
    common.StudyDate, common.StudyInstanceUID, common.FrameOfReferenceUID = "20240105", generate_uid(), generate_uid()
    common.SpecificCharacterSet = "ISO_IR 192"
    case = Case()
    slices = _ct(common, axes(row, column))
    case.update({f"CT/{number}.dcm": dataset for number, dataset in enumerate(slices)})
    case["RS.dcm"] = _structure_set(common, slices)
    case["RP.dcm"] = _plan(common, case["RS.dcm"])
    case["RD.dcm"] = dose(common, axes(row, column), case["RP.dcm"], frame_step_mm)
    return case


def sop(common: Dataset, kind: str) -> Dataset:
    """Return a new object of a kind, with the common attributes."""
    dataset = deepcopy(common)
    dataset.Modality = "RTPLAN" if kind == "RTIONPLAN" else kind
    dataset.SOPClassUID, dataset.SOPInstanceUID = SOP_CLASSES[kind], generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    return dataset


def item(**values) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(
            dataset, keyword, Sequence(value) if isinstance(value, list) and keyword.endswith("Sequence") else value
        )
    return dataset


def reference(dataset: Dataset) -> Dataset:
    return item(ReferencedSOPClassUID=dataset.SOPClassUID, ReferencedSOPInstanceUID=dataset.SOPInstanceUID)


def set_pixels(dataset: Dataset, array: np.ndarray) -> None:
    bits = array.dtype.itemsize * 8
    dataset.Rows, dataset.Columns = array.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(np.issubdtype(array.dtype, np.signedinteger))
    dataset.add_new("PixelData", "OW", array.tobytes())


def _ct(common: Dataset, directions: np.ndarray) -> list[Dataset]:
    points = grid_points(CT_ORIGIN, directions, CT_SIZE_MM, CT_SHAPE)
    series = sop(common, "CT")
    slices = []
    for number, plane in enumerate(points):
        dataset = deepcopy(series)
        dataset.SOPInstanceUID, dataset.InstanceNumber = generate_uid(), number + 1
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        set_position(dataset, plane[0, 0], directions, CT_SIZE_MM)
        slope, intercept = 0.5 + 0.25 * (number % 2), -100.0  # a slope per slice, as PET has
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        stored = (hounsfield(plane.reshape(-1, 3)).reshape(plane.shape[:2]) - intercept) / slope
        set_pixels(dataset, np.rint(stored).astype(np.int16))
        slices.append(dataset)
    return slices


def set_position(dataset: Dataset, position, directions, size_kji) -> None:
    dataset.ImagePositionPatient = [f"{x:.6g}" for x in position]
    dataset.ImageOrientationPatient = [f"{x:.9g}" for x in directions[:2].ravel()]
    dataset.PixelSpacing = [size_kji[1], size_kji[2]]


def _structure_set(common: Dataset, slices: list[Dataset]) -> Dataset:
    dataset = sop(common, "RTSTRUCT")
    dataset.StructureSetLabel = "SET"
    series = item(
        SeriesInstanceUID=slices[0].SeriesInstanceUID,
        ContourImageSequence=[reference(dataset) for dataset in slices],
    )
    study = item(RTReferencedSeriesSequence=[series])
    dataset.ReferencedFrameOfReferenceSequence = Sequence(
        [item(FrameOfReferenceUID=common.FrameOfReferenceUID, RTReferencedStudySequence=[study])]
    )
    dataset.StructureSetROISequence = Sequence()
    dataset.ROIContourSequence = Sequence()
    dataset.RTROIObservationsSequence = Sequence()
    square = [-10, -5, 33, 0, -5, 33, 0, 5, 33, -10, 5, 33]
    add_roi(
        dataset,
        "Cord",
        [("CLOSED_PLANAR", square), ("CLOSED_PLANAR", [z + 3 * (n % 3 == 2) for n, z in enumerate(square)])],
    )
    return dataset


def square(z: float) -> list[float]:
    return [-10, -5, z, 0, -5, z, 0, 5, z, -10, 5, z]


def add_roi(dataset: Dataset, name: str, contours: list[tuple[str, list[float]]], kind: str = "ORGAN") -> Dataset:
    """Add an ROI; return its item in the Structure Set ROI Sequence."""
    number = len(dataset.StructureSetROISequence) + 1
    frame = dataset.FrameOfReferenceUID
    roi = item(ROINumber=number, ReferencedFrameOfReferenceUID=frame, ROIName=name)
    dataset.StructureSetROISequence.append(roi)
    drawn = [
        item(ContourGeometricType=shape, NumberOfContourPoints=len(data) // 3, ContourData=data)
        for shape, data in contours
    ]
    dataset.ROIContourSequence.append(
        item(ReferencedROINumber=number, ROIDisplayColor=[10, 20, 30], ContourSequence=drawn)
    )
    dataset.RTROIObservationsSequence.append(
        item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=kind)
    )
    return roi


def _plan(common: Dataset, structure_set: Dataset) -> Dataset:
    dataset = sop(common, "RTPLAN")
    dataset.RTPlanLabel, dataset.RTPlanDate = "Lung 30/10", "20240110"
    target = item(DoseReferenceNumber=1, DoseReferenceType="TARGET", TargetPrescriptionDose=30)
    organ = item(DoseReferenceNumber=2, DoseReferenceType="ORGAN_AT_RISK", TargetPrescriptionDose=99)
    dataset.DoseReferenceSequence = Sequence([target, organ])
    beams = [item(ReferencedBeamNumber=1), item(ReferencedBeamNumber=2)]
    dataset.FractionGroupSequence = Sequence(
        [item(FractionGroupNumber=1, NumberOfFractionsPlanned=FRACTIONS, ReferencedBeamSequence=beams)]
    )
    dataset.ReferencedStructureSetSequence = Sequence([reference(structure_set)])
    return dataset


def dose(common: Dataset, directions: np.ndarray, plan: Dataset, frame_step_mm: float) -> Dataset:
    """Return the PLAN dose; the frames follow each other at the given step along the normal, which may be negative."""
    dataset = sop(common, "RTDOSE")
    size = (frame_step_mm, *DOSE_SIZE_MM[1:])
    points = grid_points(DOSE_ORIGIN, directions, size, DOSE_SHAPE)
    set_position(dataset, points[0, 0, 0], directions, size)
    dataset.NumberOfFrames = DOSE_SHAPE[0]
    dataset.GridFrameOffsetVector = [frame_step_mm * k for k in range(DOSE_SHAPE[0])]
    dataset.DoseUnits, dataset.DoseType, dataset.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    dataset.ReferencedRTPlanSequence = Sequence([reference(plan)])
    set_dose(dataset, dose_gy(points.reshape(-1, 3)).reshape(DOSE_SHAPE))
    return dataset


def set_dose(dataset: Dataset, array_gy: np.ndarray) -> None:
    dataset.DoseGridScaling = SCALING
    set_pixels(dataset, np.rint(array_gy / SCALING).astype(np.uint32))


def stored_dose_gy(dataset: Dataset) -> np.ndarray:
    return np.frombuffer(dataset.PixelData, np.uint32).reshape(DOSE_SHAPE) * SCALING


def make_beam_dose(case: Case, number: int, share: float) -> Dataset:
    """Return a copy of the case's dose as the BEAM dose of one beam."""
    dataset = case.copy_of("RD.dcm")
    dataset.DoseSummationType = "BEAM"
    set_dose(dataset, share * stored_dose_gy(case["RD.dcm"]))
    group = item(ReferencedFractionGroupNumber=1, ReferencedBeamSequence=[item(ReferencedBeamNumber=number)])
    dataset.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence = Sequence([group])
    return dataset


def add_second_plan(case: Case, fractions: int = 5) -> None:
    """Add a boost of half the dose in fewer fractions."""
    case["RP2.dcm"] = case.copy_of("RP.dcm")
    case["RP2.dcm"].RTPlanLabel = "Boost"
    case["RP2.dcm"].FractionGroupSequence = Sequence([item(NumberOfFractionsPlanned=fractions)])
    case["RD2.dcm"] = case.copy_of("RD.dcm")
    case["RD2.dcm"].ReferencedRTPlanSequence = Sequence([reference(case["RP2.dcm"])])
    set_dose(case["RD2.dcm"], stored_dose_gy(case["RD.dcm"]) / 2)


def codes(course: Course) -> set[str]:
    """Return the codes of a course's notices."""
    return {notice.code for notice in course.notices}


def text_of(course: Course, code: str) -> str:
    """Return the text of the first notice with a code."""
    return next(notice.text for notice in course.notices if notice.code == code)


def refusal(case: Case, folder: Path, *parts: str) -> None:
    """Check that a case is refused, in words that hold all the parts."""
    with pytest.raises(ReirradiationError) as caught:
        case.read(folder)
    for part in parts:
        assert part in str(caught.value)


def points_inside(volume: Volume, count: int = 50) -> np.ndarray:
    """Return random LPS points within a grid, shape (N, 3)."""
    rng = np.random.default_rng(7)
    last = np.array(volume.shape_ijk) - 1
    return volume.to_lps(rng.uniform(0, 1, (count, 3)) * last)


def worst_dose_error_gy(volume: Volume, truth=dose_gy) -> float:
    """Return the largest difference between a dose volume and the truth at random points inside it."""
    points = points_inside(volume)
    values, inside = sample_linear(volume, points)
    assert inside.all()
    return float(np.abs(values - truth(points)).max())
