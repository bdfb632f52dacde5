"""DICOM registration objects mean what the standard says: direction, order of matrices, grids, items without frame."""

from __future__ import annotations

import json

import numpy as np
import pytest
from registration_objects import (
    DEFORMABLE,
    NEW,
    OLD,
    OTHER,
    apply,
    deformable_item,
    rigid_item,
    turned,
    write_object,
)
from ReirradiationReviewLib.core.dicom.registration import read_registration, read_registration_object
from ReirradiationReviewLib.core.errors import ReirradiationError

POINTS = np.random.default_rng(3).uniform(-40, 40, (50, 3))
SHIFT = turned(0.0, (12.0, -7.0, 30.0))


def test_a_known_shift_has_the_direction_of_the_standard(tmp_path):
    # PS3.3 C.20.2.1.1: the item's matrix takes a point of the item's frame to the registered frame.
    path = write_object(tmp_path / "reg.dcm", [rigid_item(np.eye(4), frame=NEW), rigid_item(SHIFT, frame=OLD)])
    old_to_new = read_registration(path, OLD, NEW)
    np.testing.assert_allclose(old_to_new.apply(np.zeros((1, 3))), [[12.0, -7.0, 30.0]])
    new_to_old = read_registration(path, NEW, OLD)
    np.testing.assert_allclose(new_to_old.apply(np.array([[12.0, -7.0, 30.0]])), np.zeros((1, 3)), atol=1e-9)


def test_of_several_matrices_the_first_is_applied_first(tmp_path):
    first, second = turned(90.0), turned(0.0, (100.0, 0.0, 0.0))
    path = write_object(tmp_path / "reg.dcm", [rigid_item(first, second, frame=OLD)])
    # (1, 0, 0) is turned to (0, 1, 0), then shifted: the other order would end at (0, 101, 0).
    np.testing.assert_allclose(read_registration(path, OLD, NEW).apply(np.array([[1.0, 0, 0]])), [[100.0, 1.0, 0.0]])
    assert "2 matrices" in read_registration_object(path).notices[0].text


def test_two_sources_are_linked_through_the_registered_frame(tmp_path):
    to_new, other_to_new = turned(30.0, (5.0, 6.0, 7.0)), turned(-50.0, (1.0, -90.0, 4.0))
    path = write_object(tmp_path / "reg.dcm", [rigid_item(to_new, frame=OLD), rigid_item(other_to_new, frame=OTHER)])
    expected = apply(np.linalg.inv(other_to_new), apply(to_new, POINTS))
    np.testing.assert_allclose(read_registration(path, OLD, OTHER).apply(POINTS), expected, atol=1e-6)


def test_an_item_without_frame_is_known_by_its_images(tmp_path):
    path = write_object(tmp_path / "reg.dcm", [rigid_item(SHIFT, images=("1.7", "1.8"))])
    with pytest.raises(ReirradiationError, match=r"does not lead from .*\(0020,0052\)"):
        read_registration(path, OLD, NEW)
    found = read_registration(path, OLD, NEW, {"1.8": OLD, "1.9": NEW})
    np.testing.assert_allclose(found.matrix_lps, SHIFT)


def test_a_deformable_object_is_pre_matrix_then_grid_then_post_matrix(tmp_path):
    vectors = np.random.default_rng(5).uniform(-6, 6, (4, 5, 6, 3))
    pre, post = turned(20.0, (3.0, 0.0, -2.0)), turned(-35.0, (10.0, 20.0, 30.0))
    axes = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # a sagittal grid: row along y, column along z
    origin, spacing = np.array([-5.0, 2.0, 8.0]), np.array([7.0, 8.0, 9.0])
    item = deformable_item(OLD, vectors, spacing, origin, pre=pre, post=post, axes=axes)
    path = write_object(tmp_path / "reg.dcm", [item], DEFORMABLE)
    transform = read_registration(path, NEW, OLD)
    # Equation C.20.3-1 at the grid's nodes: X_source = M_post (M_pre X_registered + D_ijk).
    normal = np.cross(*axes)
    for i, j, k in ((0, 0, 0), (5, 4, 3), (2, 3, 1)):
        node = origin + i * spacing[0] * axes[0] + j * spacing[1] * axes[1] + k * spacing[2] * normal
        expected = apply(post, apply(pre, node) + vectors[k, j, i])
        np.testing.assert_allclose(transform.apply(node[None])[0], expected, atol=1e-4)


def test_a_deformation_seen_from_a_third_frame_passes_the_registered_one(tmp_path):
    vectors = np.random.default_rng(6).uniform(-6, 6, (6, 6, 6, 3))
    grid = deformable_item(OLD, vectors, (20.0, 20.0, 20.0), (-50.0, -50.0, -50.0))
    pre = turned(25.0, (4.0, -9.0, 2.0))  # registered to OTHER: its item has matrices only
    path = write_object(tmp_path / "reg.dcm", [grid, rigid_like(OTHER, pre)], DEFORMABLE)
    by_hand = read_registration(path, NEW, OLD).apply(apply(np.linalg.inv(pre), POINTS))
    np.testing.assert_allclose(read_registration(path, OTHER, OLD).apply(POINTS), by_hand, atol=1e-4)


def test_a_deformation_can_be_walked_the_other_way(tmp_path):
    k, j, i = np.indices((12, 12, 12)) / 12.0
    vectors = 8.0 * np.stack([np.sin(3 * j), np.cos(3 * k), np.sin(2 * i)], axis=-1)
    item = deformable_item(OLD, vectors, (10.0, 10.0, 10.0), (-60.0, -60.0, -60.0), post=SHIFT)
    path = write_object(tmp_path / "reg.dcm", [item, rigid_like(OTHER, turned(5.0))], DEFORMABLE)
    there, back = read_registration(path, NEW, OLD), read_registration(path, OLD, NEW)
    np.testing.assert_allclose(back.apply(there.apply(POINTS)), POINTS, atol=0.2)
    across = read_registration(path, OLD, OTHER).apply(there.apply(POINTS))
    np.testing.assert_allclose(across, apply(turned(5.0), POINTS), atol=0.2)


def rigid_like(frame, matrix):
    """Return an item of a deformable object that has a matrix only: registered to source."""
    item = deformable_item(frame, np.zeros((1, 1, 1, 3)), (1, 1, 1), (0, 0, 0), pre=matrix)
    del item.DeformableRegistrationGridSequence
    return item


def test_undefined_vectors_are_said_and_follow_the_rigid_motion(tmp_path):
    vectors = np.full((2, 2, 2, 3), [300.0, -40.0, 7.0])
    vectors[0] = np.nan
    path = write_object(tmp_path / "reg.dcm", [deformable_item(OLD, vectors, (5, 5, 5), (0, 0, 0))], DEFORMABLE)
    found = read_registration_object(path)
    assert "undefined at 50.0%" in found.notices[0].text
    moved = found.transform(NEW, OLD).apply(np.zeros((1, 3)))
    np.testing.assert_allclose(moved, [[300.0, -40.0, 7.0]], atol=1e-4)


def test_undefined_vectors_between_matrices_leave_the_matrices(tmp_path):
    vectors = np.ones((2, 2, 2, 3))
    vectors[0] = np.nan
    item = deformable_item(OLD, vectors, (5, 5, 5), (0, 0, 0), post=SHIFT)
    path = write_object(tmp_path / "reg.dcm", [item], DEFORMABLE)
    np.testing.assert_allclose(read_registration(path, NEW, OLD).apply(np.zeros((1, 3))), [[12.0, -7.0, 30.0]])


def test_a_grid_without_any_defined_vector_is_refused(tmp_path):
    item = deformable_item(OLD, np.full((2, 2, 2, 3), np.nan), (5, 5, 5), (0, 0, 0))
    path = write_object(tmp_path / "reg.dcm", [item], DEFORMABLE)
    with pytest.raises(ReirradiationError, match="no defined vector"):
        read_registration(path, NEW, OLD)


MIRROR, COLUMNS, SINGULAR = np.diag([-1.0, 1, 1, 1]), SHIFT.T, np.diag([1.0, 1, 0, 1])


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], r"\(0070,0308\)"),
        ([rigid_item(MIRROR, frame=OLD)], "mirrors left and right"),
        ([rigid_item(COLUMNS, frame=OLD)], "0 0 0 1"),
        ([rigid_item(SINGULAR, frame=OLD)], "onto a plane"),
        ([rigid_item(frame=OLD)], r"\(0070,030A\)"),
        ([rigid_item(SHIFT, frame=OLD), rigid_item(turned(5.0), frame=OLD)], "disagree"),
        ([rigid_item(SHIFT, frame=NEW), rigid_item(SHIFT, frame=OLD)], "disagree"),
    ],
)
def test_an_object_that_cannot_be_right_is_refused(tmp_path, items, message):
    path = write_object(tmp_path / "reg.dcm", items)
    with pytest.raises(ReirradiationError, match=message) as caught:
        read_registration(path, OLD, NEW)
    assert "reg.dcm" in str(caught.value)


def test_a_short_grid_is_refused(tmp_path):
    item = deformable_item(OLD, np.zeros((2, 2, 2, 3)), (5, 5, 5), (0, 0, 0))
    item.DeformableRegistrationGridSequence[0].GridDimensions = [2, 2, 3]
    path = write_object(tmp_path / "reg.dcm", [item], DEFORMABLE)
    with pytest.raises(ReirradiationError, match=r"VectorGridData \(0064,0009\) has 96 bytes instead of 144"):
        read_registration(path, NEW, OLD)


def test_files_that_are_no_registration_are_refused_by_name(tmp_path):
    (tmp_path / "notes.dcm").write_text("nonsense")
    with pytest.raises(ReirradiationError, match=r"notes\.dcm"):
        read_registration_object(tmp_path / "notes.dcm")
    path = write_object(tmp_path / "ct.dcm", [])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ReirradiationError, match=r"ct\.dcm"):
        read_registration_object(path)


def test_the_reference_objects_give_their_true_matrices(data_dir):
    case = data_dir / "reirr_hn"
    truth = json.loads((case / "truth.json").read_text())
    frames = truth["course1"]["FOR"], truth["course2"]["FOR"]
    back = read_registration(case / "registration/REG_rigid_course1_to_course2.dcm", frames[1], frames[0])
    np.testing.assert_allclose(back.matrix_lps, truth["transform"]["M21_course2_to_course1"], atol=1e-6)
    mr = read_registration(case / "registration/REG_rigid_mr_to_course2.dcm", truth["for_mr"], frames[1])
    np.testing.assert_allclose(mr.matrix_lps, truth["M_mr_to_course2"], atol=1e-6)
