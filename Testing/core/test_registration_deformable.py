"""Deformable registration of phantoms that were moved by a known field, and of the reference case."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ReirradiationReviewLib.core.errors import Cancelled, ReirradiationError
from ReirradiationReviewLib.core.registration.cache import RegistrationCache
from ReirradiationReviewLib.core.registration.deformable import DeformableOptions, register_deformable
from ReirradiationReviewLib.core.registration.qa.jacobian import field_determinants
from ReirradiationReviewLib.core.registration.rigid import register_rigid
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume, sample_linear

SPACING_MM = 3.0
SIZE = 56
HALF_MM = SPACING_MM * (SIZE - 1) / 2


def places(points):
    return np.asarray(points, dtype=np.float64).reshape(-1, 3)


def a_body(points):
    """Return HU at points: a body of muscle with ball-shaped organs of fat and bone, smooth at their edges."""
    points = places(points)
    ball = np.linalg.norm(points / np.array([60.0, 50.0, 70.0]), axis=1)
    hu = np.where(ball < 1.0, 40.0, -1000.0)
    rng = np.random.default_rng(5)
    for centre, radius, value in zip(
        rng.uniform(-35, 35, (40, 3)), rng.uniform(5, 14, 40), rng.choice([-120.0, 120.0, 500.0], 40), strict=True
    ):
        inside = 1.0 / (1.0 + np.exp((np.linalg.norm(points - centre, axis=1) - radius) / 1.0))
        hu = hu + np.where(ball < 0.95, inside * (value - 40.0), 0.0) * (hu > -500)
    return hu


def true_displacement(points):
    """Return the known displacement in mm: two smooth bumps of some 6 and 4 mm."""
    points = places(points)
    first = np.exp(-np.sum((points - [15.0, 10.0, -10.0]) ** 2, axis=1) / (2 * 22.0**2))
    second = np.exp(-np.sum((points - [-25.0, -10.0, 20.0]) ** 2, axis=1) / (2 * 20.0**2))
    return first[:, None] * [4.0, -3.0, 3.0] + second[:, None] * [-2.0, 3.0, 2.0]


def an_image(values_at):
    matrix = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    matrix[:3, 3] = -HALF_MM
    empty = Volume(np.zeros((SIZE, SIZE, SIZE), dtype=np.float32), matrix, "1.2")
    return empty.like(values_at(empty.centres_lps()).reshape(SIZE, SIZE, SIZE).astype(np.float32))


@pytest.fixture(scope="module")
def pair():
    """Reference and moving: the reference shows at x what the moving image shows at x + u(x)."""
    moving = an_image(a_body)
    reference = moving.like(
        sample_linear(moving, moving.centres_lps() + true_displacement(moving.centres_lps()))[0]
        .reshape(moving.array.shape)
        .astype(np.float32)
    )
    return reference, moving


def error_mm(transform):
    rng = np.random.default_rng(8)
    points = rng.uniform(-32.0, 32.0, (400, 3))
    return np.linalg.norm(transform.apply(points) - points - true_displacement(points), axis=1)


def test_a_known_deformation_is_found_to_a_fraction_of_a_voxel_without_folding(pair):
    texts = []
    found = register_deformable(*pair, SpatialTransform(), progress=lambda _fraction, text: texts.append(text))
    assert not found.failed, found.failure_reason
    before = error_mm(SpatialTransform())
    after = error_mm(found.transform)
    assert before.mean() > 2.0
    assert after.mean() < 0.15 * before.mean()
    assert field_determinants(SpatialTransform(displacement=found.transform.displacement)).min() > 0.3
    assert found.qa["inverse_consistency_max_mm"] < 0.5
    assert "HU" in texts[-1], "the progress shows the metric's trace"
    again = register_deformable(*pair, SpatialTransform())
    np.testing.assert_array_equal(found.transform.displacement.array, again.transform.displacement.array)


def test_a_new_tumour_that_is_masked_does_not_pull(pair):
    reference, moving = pair
    points = reference.centres_lps()
    tumour = np.linalg.norm(points - [20.0, -15.0, 15.0], axis=1).reshape(reference.array.shape) < 9.0
    grown = reference.like(np.where(tumour, 400.0, reference.array).astype(np.float32))
    mask = reference.like(tumour.astype(np.uint8))
    masked = register_deformable(grown, moving, SpatialTransform(), DeformableOptions(ignored=(mask,)))
    centre = np.array([[20.0, -15.0, 15.0]])
    miss = np.linalg.norm(masked.transform.apply(centre) - centre - true_displacement(centre))
    assert miss < 1.5
    assert error_mm(masked.transform).mean() < 0.8


def test_stiff_bone_is_strained_less(pair):
    reference, moving = pair
    bone = reference.array > 300.0
    soft = register_deformable(reference, moving, SpatialTransform())
    stiff = register_deformable(reference, moving, SpatialTransform(), DeformableOptions(bone_stiffness=30.0))

    def strain(found):
        field = found.transform.displacement
        points = reference.centres_lps()[bone.ravel()][::7]
        step = 2.0 * np.eye(3)
        moves = [(found.transform.apply(points + s) - found.transform.apply(points - s)) / 4.0 for s in step]
        gradient = np.stack(moves, axis=-1)
        assert field is not None
        return np.abs(np.einsum("nij,nkj->nik", gradient, gradient) - np.eye(3)).mean()

    assert strain(stiff) < 0.8 * strain(soft)


def test_it_can_be_cancelled(pair):
    def stop(fraction, _text):
        if fraction > 0.05:
            raise Cancelled

    with pytest.raises(Cancelled):
        register_deformable(*pair, SpatialTransform(), progress=stop)


def test_it_begins_with_a_linear_transform(pair):
    field = SpatialTransform(displacement=pair[0].like(np.zeros((*pair[0].array.shape, 3))))
    with pytest.raises(ReirradiationError, match="linear"):
        register_deformable(*pair, field)


def test_scans_that_hardly_share_anything_are_refused(pair):
    reference, moving = pair
    away = np.full_like(moving.array, -1000.0)
    away[40:] = moving.array[:-40]
    found = register_deformable(reference, moving.like(away), SpatialTransform())
    assert found.failed
    assert "correlate" in found.failure_reason or "share" in found.failure_reason


def test_what_was_found_before_is_taken_from_the_cache_and_what_changed_is_not(tmp_path, pair):
    reference, moving = pair
    calls = []

    def find():
        calls.append(1)
        return register_deformable(reference, moving, SpatialTransform())

    cache = RegistrationCache(tmp_path / "cache")
    first = cache.result(reference, moving, "deformable", find)
    second = cache.result(reference, moving, "deformable", find)
    assert len(calls) == 1
    points = np.random.default_rng(1).uniform(-40, 40, (50, 3))
    np.testing.assert_allclose(second.transform.apply(points), first.transform.apply(points), atol=1e-6)
    assert second.qa["similarity"] == pytest.approx(first.qa["similarity"])
    cache.result(reference.like(reference.array + np.float32(1.0)), moving, "deformable", find)
    cache.result(reference, moving, "another method", find)
    assert len(calls) == 3
    for record in (tmp_path / "cache").glob("*.json"):
        record.write_text("{", encoding="utf-8")
    cache.result(reference, moving, "deformable", find)
    assert len(calls) == 4, "an entry that is not whole is found again"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_landmarks_of_the_two_course_case_meet(data_dir):
    from ReirradiationReviewLib.core.dicom import read_course

    folder = data_dir / "reirr_hn"
    earlier, new = (read_course(folder / name, name).ct.volume for name in ("course1", "course2"))
    landmarks = json.loads((folder / "truth.json").read_text())["landmarks"]
    rigid = register_rigid(new, earlier)
    found = register_deformable(new, earlier, rigid.transform)
    assert not found.failed, found.failure_reason
    miss = np.linalg.norm(found.transform.apply(np.array(landmarks["course2"])) - landmarks["course1"], axis=1)
    assert miss.mean() <= 0.3
    assert miss.max() <= 0.8
    assert found.qa["jacobian_min"] > 0.0
