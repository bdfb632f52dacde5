"""Rigid registration finds a known move from afar, refuses what does not fit, and transforms survive their files."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.files import identity_transform, read_transform, write_transform
from ReirradiationReviewLib.core.registration.rigid import register_rigid
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume


def a_rigid_matrix(degrees=(8.0, -5.0, 12.0), shift_mm=(40.0, -25.0, 300.0)):
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*np.radians(degrees))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = shift_mm
    return matrix


def test_an_empty_scan_is_refused():
    air = Volume(np.full((20, 20, 20), -1000.0), np.diag([3.0, 3.0, 3.0, 1.0]))
    with pytest.raises(ReirradiationError, match="no body"):
        register_rigid(air, air)


A_REFERENCE = Volume(np.zeros((30, 40, 40), dtype=np.float32), np.diag([3.0, 3.0, 3.0, 1.0]), "1.2")


def test_a_linear_transform_survives_its_file(tmp_path):
    matrix = a_rigid_matrix()
    write_transform(tmp_path / "rigid.tfm", SpatialTransform(matrix))
    back = read_transform(tmp_path / "rigid.tfm", A_REFERENCE)
    assert back.displacement is None
    np.testing.assert_allclose(back.matrix_lps, matrix, atol=1e-6)


def test_a_deformation_survives_its_file_with_its_direction(tmp_path):
    random = np.random.default_rng(2)
    field = Volume(random.uniform(-5, 5, (8, 9, 10, 3)), np.diag([12.0, 12.0, 12.0, 1.0]))
    transform = SpatialTransform(a_rigid_matrix(), field)
    write_transform(tmp_path / "deformed.h5", transform)
    points = random.uniform(20, 80, (200, 3))
    by_itk = sitk.ReadTransform(str(tmp_path / "deformed.h5"))
    expected = np.array([by_itk.TransformPoint(point.tolist()) for point in points])
    np.testing.assert_allclose(transform.apply(points), expected, atol=1e-6)
    back = read_transform(tmp_path / "deformed.h5", A_REFERENCE)
    np.testing.assert_allclose(back.apply(points), expected, atol=1e-6)
    np.testing.assert_array_equal(back.displacement.array, field.array)


def test_a_displacement_image_moves_points_by_its_vectors(tmp_path):
    field = np.zeros((10, 10, 10, 3))
    field[..., 0] = 7.0
    image = sitk.GetImageFromArray(field, isVector=True)
    image.SetSpacing((5.0, 5.0, 5.0))
    sitk.WriteImage(image, str(tmp_path / "field.mha"))
    transform = read_transform(tmp_path / "field.mha", A_REFERENCE)
    np.testing.assert_allclose(transform.apply(np.array([[10.0, 10.0, 10.0]])), [[17.0, 10.0, 10.0]])


def test_a_displacement_transform_alone_is_read_as_it_is(tmp_path):
    field = np.random.default_rng(7).uniform(-5, 5, (9, 10, 11, 3))
    # A transform takes its image away from it: hence one for each.
    sitk.WriteTransform(sitk.DisplacementFieldTransform(image_of(field)), str(tmp_path / "field.h5"))
    points = np.random.default_rng(8).uniform(1, 24, (100, 3))
    by_itk = sitk.DisplacementFieldTransform(image_of(field))
    expected = np.array([by_itk.TransformPoint(point.tolist()) for point in points])
    found = read_transform(tmp_path / "field.h5", A_REFERENCE)
    np.testing.assert_allclose(found.apply(points), expected, atol=1e-4)


def image_of(field):
    image = sitk.GetImageFromArray(field, isVector=True)
    image.SetSpacing((3.0, 3.0, 3.0))
    return image


@pytest.mark.parametrize(
    ("name", "content"), [("broken.tfm", "nonsense"), ("broken.mha", "nonsense"), ("notes.pdf", "nonsense")]
)
def test_a_file_that_is_no_transform_is_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ReirradiationError, match=name):
        read_transform(tmp_path / name, A_REFERENCE)


def test_identity_needs_one_frame_of_reference():
    np.testing.assert_array_equal(identity_transform("1.2", "1.2").matrix_lps, np.eye(4))
    for pair in (("1.2", "1.3"), ("", "")):
        with pytest.raises(ReirradiationError, match=r"\(0020,0052\)"):
            identity_transform(*pair)
