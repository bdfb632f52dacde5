"""Registrations written as DICOM objects come back as they were, and say what the standard wants said."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from registration_objects import DEFORMABLE, NEW, OLD, SPATIAL, a_course, apply, turned
from ReirradiationReviewLib.core.dicom.registration import read_registration
from ReirradiationReviewLib.core.dicom_export.registration import write_registration
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume

RIGID = turned(23.0, (-33.4361382, -240.8675159, 620.9503512))
POINTS = np.random.default_rng(8).uniform(0, 80, (200, 3))


REFERENCE, EARLIER = a_course(NEW, 2), a_course(OLD, 1)


def export(path, transform, method="rigid"):
    kind, uid, _ = write_registration(path, transform, REFERENCE, EARLIER, method=method, software_version="1")
    dataset = pydicom.dcmread(path)
    assert (dataset.SOPClassUID, dataset.SOPInstanceUID) == (kind, uid)
    return dataset


def a_field(flipped=False) -> SpatialTransform:
    matrix = turned(10.0, (-10.0, -10.0, -10.0)) @ np.diag([10.0, 12.0, 14.0, 1.0])
    if flipped:  # planes that run against row x column
        matrix = matrix @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1.0, 7], [0, 0, 0, 1]])
    vectors = np.random.default_rng(4).uniform(-15, 15, (8, 9, 10, 3)).astype(np.float32)
    return SpatialTransform(RIGID, Volume(vectors, matrix))


def test_a_rigid_registration_comes_back_and_its_matrix_leads_to_the_registered_frame(tmp_path):
    dataset = export(tmp_path / "reg.dcm", SpatialTransform(RIGID))
    back = read_registration(tmp_path / "reg.dcm", NEW, OLD)
    np.testing.assert_allclose(back.matrix_lps, RIGID, atol=1e-6)
    # Read by hand, as PS3.3 C.20.2 has it: the earlier course's item takes its points to the reference frame.
    (moved,) = [item for item in dataset.RegistrationSequence if item.FrameOfReferenceUID == OLD]
    (matrix,) = moved.MatrixRegistrationSequence[0].MatrixSequence
    stored = np.array(matrix.FrameOfReferenceTransformationMatrix, dtype=float).reshape(4, 4)
    np.testing.assert_allclose(apply(stored, apply(RIGID, POINTS)), POINTS, atol=1e-6)
    assert (dataset.SOPClassUID, dataset.FrameOfReferenceUID) == (SPATIAL, NEW)
    assert matrix.FrameOfReferenceTransformationMatrixType == "RIGID"


@pytest.mark.parametrize("flipped", [False, True])
def test_a_deformation_comes_back_to_a_hundredth_of_a_millimetre(tmp_path, flipped):
    transform = a_field(flipped)
    export(tmp_path / "reg.dcm", transform, "deformable")
    back = read_registration(tmp_path / "reg.dcm", NEW, OLD)
    np.testing.assert_allclose(back.apply(POINTS), transform.apply(POINTS), atol=0.01)
    np.testing.assert_allclose(back.matrix_lps, RIGID, atol=1e-6)


def test_a_deformation_follows_the_equation_of_the_standard(tmp_path):
    transform = a_field(flipped=True)
    dataset = export(tmp_path / "reg.dcm", transform, "deformable")
    item = next(item for item in dataset.DeformableRegistrationSequence if item.SourceFrameOfReferenceUID == OLD)
    (grid,) = item.DeformableRegistrationGridSequence
    pre, post = (
        np.array(sequence[0].FrameOfReferenceTransformationMatrix, dtype=float).reshape(4, 4)
        for sequence in (item.PreDeformationMatrixRegistrationSequence, item.PostDeformationMatrixRegistrationSequence)
    )
    row, column = np.array(grid.ImageOrientationPatient, dtype=float).reshape(2, 3)
    size, vectors = list(grid.GridDimensions), np.frombuffer(grid.VectorGridData, "<f4")
    vectors = vectors.reshape(size[2], size[1], size[0], 3)
    for i, j, k in ((0, 0, 0), (9, 8, 7), (4, 2, 6)):
        steps = np.array([i, j, k]) * grid.GridResolution
        node = np.array(grid.ImagePositionPatient, dtype=float)
        node = node + steps[0] * row + steps[1] * column + steps[2] * np.cross(row, column)
        expected = apply(post, apply(pre, node) + vectors[k, j, i])  # PS3.3 equation C.20.3-1
        np.testing.assert_allclose(transform.apply(node[None])[0], expected, atol=0.01)
    assert dataset.SOPClassUID == DEFORMABLE


def test_the_object_belongs_to_the_patient_and_refers_to_both_cts(tmp_path):
    dataset = export(tmp_path / "reg.dcm", SpatialTransform(RIGID))
    assert (str(dataset.PatientName), dataset.PatientID, dataset.Modality) == ("Doe^Jo", "P1", "REG")
    assert dataset.ReferencedSeriesSequence[0].SeriesInstanceUID == REFERENCE.ct.series_uid
    (study,) = dataset.StudiesContainingOtherReferencedInstancesSequence
    assert study.StudyInstanceUID == EARLIER.ct.study_uid
    uids = [image.ReferencedSOPInstanceUID for image in dataset.RegistrationSequence[1].ReferencedImageSequence]
    assert tuple(uids) == EARLIER.ct.sop_instance_uids


def test_nothing_is_claimed_about_a_registration_from_a_file(tmp_path):
    for method, expected in (("rigid", 1), ("file", 0)):
        dataset = export(tmp_path / f"{method}.dcm", SpatialTransform(RIGID), method)
        registration = dataset.RegistrationSequence[1].MatrixRegistrationSequence[0]
        assert len(registration.RegistrationTypeCodeSequence) == expected


@pytest.mark.parametrize(
    ("matrix", "kind"),
    [
        (RIGID, "RIGID"),
        # Written is the inverse: the turn back, then one scale for each axis.
        (RIGID @ np.diag([1.1, 0.9, 1.0, 1.0]), "RIGID_SCALE"),
        (np.diag([1.1, 0.9, 1.0, 1.0]) @ RIGID, "AFFINE"),
    ],
)
def test_the_kind_of_matrix_is_named(tmp_path, matrix, kind):
    dataset = export(tmp_path / "reg.dcm", SpatialTransform(matrix))
    item = dataset.RegistrationSequence[1].MatrixRegistrationSequence[0].MatrixSequence[0]
    assert item.FrameOfReferenceTransformationMatrixType == kind


def test_one_frame_of_reference_needs_no_registration_object(tmp_path):
    with pytest.raises(ReirradiationError, match=r"two Frames of Reference \(0020,0052\)"):
        write_registration(
            tmp_path / "reg.dcm", SpatialTransform(), REFERENCE, REFERENCE, method="identity", software_version="1"
        )
    assert not (tmp_path / "reg.dcm").exists()
