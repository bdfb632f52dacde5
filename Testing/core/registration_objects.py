"""DICOM spatial registration objects, made with pydicom alone, and what the standard says they mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from dicom_case import item
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from ReirradiationReviewLib.core.courses import Course, ImageSeries, Patient, Plan
from ReirradiationReviewLib.core.volume import Volume

SPATIAL, DEFORMABLE = "1.2.840.10008.5.1.4.1.1.66.1", "1.2.840.10008.5.1.4.1.1.66.3"
NEW, OLD, OTHER = "2.25.10", "2.25.20", "2.25.30"


def turned(degrees_about_z: float, shift_mm=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Return a rigid matrix."""
    c, s = np.cos(np.radians(degrees_about_z)), np.sin(np.radians(degrees_about_z))
    matrix = np.eye(4)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:3, 3] = shift_mm
    return matrix


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def matrix_item(matrix: np.ndarray, kind: str = "RIGID") -> Dataset:
    return item(
        FrameOfReferenceTransformationMatrixType=kind,
        FrameOfReferenceTransformationMatrix=[f"{value:.10f}"[:16] for value in matrix.ravel()],
    )


def rigid_item(*matrices: np.ndarray, frame: str = "", images: tuple[str, ...] = (), kind: str = "RIGID") -> Dataset:
    registration = item(MatrixSequence=[matrix_item(matrix, kind) for matrix in matrices])
    result = item(MatrixRegistrationSequence=[registration])
    if frame:
        result.FrameOfReferenceUID = frame
    if images:
        result.ReferencedImageSequence = [
            item(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID=uid) for uid in images
        ]
    return result


def deformable_item(frame: str, vectors_kji3, spacing_mm, origin, *, pre=None, post=None, axes=None) -> Dataset:
    """Return an item with a grid; ``axes`` holds the row and the column direction."""
    vectors = np.asarray(vectors_kji3, dtype="<f4")
    k, j, i = vectors.shape[:3]
    grid = item(
        ImagePositionPatient=list(origin),
        ImageOrientationPatient=list(np.ravel([[1, 0, 0], [0, 1, 0]] if axes is None else axes)),
        GridDimensions=[i, j, k],
        GridResolution=list(spacing_mm),
        VectorGridData=vectors.tobytes(),
    )
    result = item(SourceFrameOfReferenceUID=frame, DeformableRegistrationGridSequence=[grid])
    if pre is not None:
        result.PreDeformationMatrixRegistrationSequence = [matrix_item(pre)]
    if post is not None:
        result.PostDeformationMatrixRegistrationSequence = [matrix_item(post)]
    return result


def write_object(
    path: Path, items: list[Dataset], kind: str = SPATIAL, registered: str = NEW, patient_id: str = "P1"
) -> Path:
    dataset = item(
        SOPClassUID=kind,
        SOPInstanceUID=generate_uid(),
        Modality="REG",
        PatientID=patient_id,
        PatientName="Doe^Jo",
        ContentDate="20240105",
        FrameOfReferenceUID=registered,
    )
    if kind == SPATIAL:
        dataset.RegistrationSequence = items
    else:
        dataset.DeformableRegistrationSequence = items
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def a_course(frame: str, number: int, **changes) -> Course:
    """Return a course of nothing but its identity and its frame."""
    grid = Volume(np.zeros((2, 3, 4), dtype=np.float32), np.eye(4), frame)
    ct = ImageSeries(
        grid,
        "CT",
        series_uid=f"2.25.{number}5",
        study_uid=f"2.25.{number}6",
        date="2020-03-02",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        sop_instance_uids=(f"2.25.{number}7", f"2.25.{number}8"),
    )
    plan = Plan("plan", grid, 30, "plan", "PHYSICAL", "PLAN")
    course = Course(f"course {number}", "2020-03-02", Patient("P1", "Doe, Jo", "1960-02-03", "F"), ct, (), (plan,))
    return replace(course, **changes)
