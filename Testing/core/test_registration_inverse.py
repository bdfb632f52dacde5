"""A deformation is undone by its inverse, in either order, and ITK agrees."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume

CENTRE = np.array([40.0, -30.0, 100.0])
SIGMA_MM = 25.0


def a_matrix(shear=0.0):
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*np.radians((8.0, -5.0, 12.0)))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3) @ (np.eye(3) + shear * np.eye(3, k=1))
    matrix[:3, 3] = (40.0, -25.0, 300.0)
    return matrix


def swelling_mm(points, amplitude=0.35):
    """Return u = a r exp(-r^2 / 2 s^2): with a below exp(1.5) / 2 the field does not fold."""
    r = points - CENTRE
    return amplitude * r * np.exp(-(r**2).sum(axis=1, keepdims=True) / (2 * SIGMA_MM**2))


def a_field(pitch_mm=3.0, half_width_mm=126.0):
    count = int(2 * half_width_mm / pitch_mm) + 1
    matrix = np.diag([pitch_mm, pitch_mm, pitch_mm, 1.0])
    matrix[:3, 3] = CENTRE - half_width_mm
    grid = Volume(np.zeros((count,) * 3, dtype=np.float32), matrix)
    return grid.like(swelling_mm(grid.centres_lps()).reshape(count, count, count, 3))


def some_points(count=3000):
    return CENTRE + np.random.default_rng(3).uniform(-60, 60, (count, 3))


@pytest.mark.parametrize("shear", [0.0, 0.2])
def test_the_inverse_undoes_the_closed_form_map(shear):
    matrix = a_matrix(shear)
    points = some_points()
    moved = (points + swelling_mm(points)) @ matrix[:3, :3].T + matrix[:3, 3]
    inverse = SpatialTransform(matrix, a_field()).inverse()
    np.testing.assert_allclose(inverse.apply(moved), points, atol=0.12)
    assert np.linalg.norm(inverse.apply(moved) - points, axis=1).mean() < 0.02


def test_the_inverse_of_the_inverse_is_the_map_itself():
    transform = SpatialTransform(a_matrix(), a_field())
    again = transform.inverse().inverse()
    points = some_points()
    np.testing.assert_allclose(again.apply(points), transform.apply(points), atol=0.1)
    np.testing.assert_allclose(again.matrix_lps, transform.matrix_lps, atol=1e-9)


def test_itk_follows_the_inverse_to_the_same_points():
    inverse = SpatialTransform(a_matrix(), a_field()).inverse()
    by_itk = inverse.to_sitk()
    points = (some_points(200) + 5.0) @ a_matrix()[:3, :3].T + a_matrix()[:3, 3]
    expected = [by_itk.TransformPoint(point.tolist()) for point in points]
    np.testing.assert_allclose(inverse.apply(points), expected, atol=1e-6)


def test_a_field_that_holds_the_whole_shift_is_undone_too():
    # Registration programs often write one field for the rigid part and the rest.
    points = some_points(500)
    field = a_field(4.0, 100.0)
    shift = np.array([-20.0, 45.0, 640.0])
    inverse = SpatialTransform(displacement=field.like(field.array + shift)).inverse()
    np.testing.assert_allclose(inverse.apply(points + swelling_mm(points) + shift), points, atol=0.15)


def test_the_inverse_of_a_rigid_transform_is_the_inverse_matrix():
    inverse = SpatialTransform(a_matrix()).inverse()
    assert inverse.displacement is None
    np.testing.assert_allclose(inverse.matrix_lps @ a_matrix(), np.eye(4), atol=1e-12)


def test_a_folding_field_still_yields_finite_points():
    field = a_field()
    folding = SpatialTransform(displacement=field.like(-4.0 * field.array))
    assert np.all(np.isfinite(folding.inverse().apply(some_points(200))))
