"""Looking at a registration in a real MRML scene: direction of the transforms, what each view shows, no leftover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import vtk
from made_up_review import a_course, a_grid, four_structures
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.volume import Volume
from ReirradiationReviewLib.scene.environment import headless_environment
from ReirradiationReviewLib.scene.geometry import add_transform_nodes, to_ras, volume_of
from ReirradiationReviewLib.scene.landmarks import landmarks_of
from ReirradiationReviewLib.session import ReviewSession

SHIFT = np.array([35.0, -20.0, 12.0])  # LPS, from the reference to the earlier course


def a_matrix():
    turn = sitk.Euler3DTransform()
    turn.SetRotation(0.2, -0.3, 0.4)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(turn.GetMatrix(), (3, 3))
    matrix[:3, 3] = [40.0, -250.0, 600.0]
    return matrix


def a_field():
    steps = a_matrix() @ np.diag([9.0, 10.0, 11.0, 1.0])  # an oblique grid
    steps[:3, 3] = [-60.0, -60.0, -60.0]
    return Volume(np.random.default_rng(5).uniform(-7, 7, (14, 15, 16, 3)), steps)


@pytest.mark.parametrize("field", [None, a_field()], ids=["linear", "grid"])
def test_a_scene_transform_is_the_itk_transform_at_random_points(field):
    transform = SpatialTransform(a_matrix(), field)
    nodes = add_transform_nodes(headless_environment().scene, "course", transform)
    points_lps = np.random.default_rng(6).uniform(0, 1, (300, 3))
    if field is not None:  # within the grid: a voxel beyond it VTK fades out and ITK cuts off
        points_lps = field.to_lps(points_lps * (np.array(field.shape_ijk) - 1))
    from_world = vtk.vtkGeneralTransform()
    nodes[0].GetTransformFromWorld(from_world)
    by_itk = transform.to_sitk()
    for point in points_lps:
        moved = from_world.TransformPoint(to_ras(point).tolist())
        # A displacement comes out to a ten-thousandth of a millimetre, a matrix exactly.
        np.testing.assert_allclose(to_ras(np.array(moved)), by_itk.TransformPoint(point.tolist()), atol=5e-4)


def test_a_known_shift_brings_a_course_to_where_it_belongs_in_the_scene():
    matrix = np.eye(4)
    matrix[:3, 3] = SHIFT
    (node,) = add_transform_nodes(headless_environment().scene, "course", SpatialTransform(matrix))
    to_world = vtk.vtkGeneralTransform()
    node.GetTransformToWorld(to_world)
    # The course's point at SHIFT is the reference's origin; L and P are the opposite of R and A.
    np.testing.assert_allclose(to_world.TransformPoint((-35.0, 20.0, 12.0)), (0.0, 0.0, 0.0), atol=1e-9)


def textured_ct(shift_mm):
    """A CT of waves, whose content lies shifted."""
    grid = a_grid(0.0)
    x, y, z = (grid.centres_lps() - shift_mm).T
    values = 300.0 * np.sin(x / 9.0) + 200.0 * np.cos(y / 7.0) + 100.0 * np.sin(z / 8.0)
    return grid.like(np.round(values.reshape(grid.array.shape)).astype(np.float32))


def a_session(transform, shift_mm=SHIFT):
    earlier = a_course("course 1", "2020-01-01", a_grid(40.0), 20)
    new = a_course("course 2", "2022-01-01", a_grid(20.0), 4, four_structures())
    courses = [
        replace(earlier, ct=replace(earlier.ct, volume=textured_ct(np.asarray(shift_mm)))),
        replace(new, ct=replace(new.ct, volume=textured_ct(np.zeros(3)))),
    ]
    registrations = [CourseRegistration(transform, "rigid"), CourseRegistration(SpatialTransform(), "reference")]
    environment = headless_environment()
    view = environment.scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    session = ReviewSession(environment)
    session.open(Review(courses, registrations))
    return session, environment.scene, view


def a_shift(shift_mm):
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    return SpatialTransform(matrix)


def shown(scene, view, layer="Background"):
    node_id = getattr(view, f"Get{layer}VolumeID")()
    return scene.GetNodeByID(node_id) if node_id else None


def values_of(node):
    return volume_of(node).array


def test_the_difference_is_nothing_under_the_right_registration_and_much_under_a_wrong_one():
    session, scene, view = a_session(a_shift(SHIFT))
    words = session.show_registration_check(0, "difference")
    right = values_of(shown(scene, view))
    assert np.isnan(right).any()  # where the earlier CT ends
    assert np.nanpercentile(np.abs(right), 99) < 40.0  # interpolation alone
    assert "HU" in words
    session, scene, view = a_session(a_shift(-SHIFT))
    session.show_registration_check(0, "difference")
    assert np.nanmedian(np.abs(values_of(shown(scene, view)))) > 100.0


def test_a_checkerboard_takes_its_cubes_from_both_images_by_turns():
    session, scene, view = a_session(a_shift(SHIFT), shift_mm=SHIFT + np.array([0.0, 14.0, 0.0]))  # they differ
    session.show_registration_check(0, "checkerboard")
    board = values_of(shown(scene, view))
    reference = values_of(session.nodes.reference_ct)
    own = np.isclose(board, reference)
    assert own[20, 20, :8].all() == own[20, 20, 1]
    # 25 mm are a little more than eight voxels of 3 mm: along a line the source changes at 25, 50, 75 mm.
    changes = np.flatnonzero(np.diff(own[20, 20].astype(int)))
    assert {int(3 * (index + 1)) // 25 for index in changes} >= {1, 2, 3}
    assert 0.4 < own.mean() < 0.8


def test_flicker_shows_one_image_and_then_the_other():
    session, _, view = a_session(a_shift(SHIFT))
    assert session.show_registration_check(0, "flicker") == "the earlier CT"
    assert view.GetForegroundOpacity() == 1.0
    assert session.show_registration_check(0, "flicker") == "the reference CT"
    assert view.GetForegroundOpacity() == 0.0
    session.show_registration_check(0, "blend")
    assert view.GetForegroundOpacity() == 0.5


def test_the_jacobian_view_holds_the_determinant_of_the_registration():
    grid = a_grid(0.0, spacing_mm=6.0)
    stretch = grid.like((grid.centres_lps() * [0.1, 0.0, -0.2]).reshape(*grid.array.shape, 3))
    session, scene, view = a_session(SpatialTransform(np.eye(4), stretch))
    session.show_registration_check(0, "jacobian")
    node = shown(scene, view, "Foreground")
    np.testing.assert_allclose(values_of(node), 1.1 * 0.8, atol=1e-3)
    assert shown(scene, view).GetID() == session.nodes.reference_ct.GetID()


def test_the_grid_is_that_of_the_deformation_and_a_linear_transform_has_none():
    grid = a_grid(0.0, spacing_mm=6.0)
    field = grid.like(np.full((*grid.array.shape, 3), 2.0))
    session, _, _ = a_session(SpatialTransform(np.eye(4), field))
    session.show_registration_check(0, "grid")
    display = session.nodes.courses[0].transforms[-1].GetDisplayNode()
    assert display.GetVisibility2D()
    assert display.GetVisualizationMode() == display.VIS_MODE_GRID
    session.show_registration_check(0, "blend")
    assert not display.GetVisibility2D()
    session, _, _ = a_session(a_shift(SHIFT))
    with pytest.raises(ReirradiationError, match="linear"):
        session.show_registration_check(0, "grid")


def test_off_leaves_the_scene_as_it_was():
    grid = a_grid(0.0, spacing_mm=6.0)
    field = grid.like(np.full((*grid.array.shape, 3), 2.0))
    session, scene, view = a_session(SpatialTransform(np.eye(4), field))
    before = scene.GetNumberOfNodes()
    for mode in ("blend", "checkerboard", "difference", "flicker", "jacobian", "grid"):
        session.show_registration_check(0, mode)
    session.show_registration_check(0, "off")
    assert scene.GetNumberOfNodes() == before
    assert shown(scene, view, "Foreground").GetID() == session.nodes.composite.GetID()


def test_nothing_of_a_check_is_saved_with_the_scene():
    session, scene, _ = a_session(a_shift(SHIFT))
    before = {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}
    session.show_registration_check(0, "difference")
    made = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    made = [node for node in made if node.GetID() not in before]
    assert len(made) == 3  # the volume, its display and its colours
    assert not any(node.GetSaveWithScene() for node in made)


def test_a_view_follows_the_registration_that_was_changed_in_the_scene():
    session, scene, view = a_session(a_shift(-SHIFT))
    session.show_registration_check(0, "difference")
    wrong = np.nanmedian(np.abs(values_of(shown(scene, view))))
    matrix = vtk.vtkMatrix4x4()
    for row, part in enumerate(to_ras(SHIFT)):
        matrix.SetElement(row, 3, part)
    session.nodes.courses[0].transforms[0].SetMatrixTransformFromParent(matrix)
    session.show_registration_check(0, "difference")
    assert np.nanmedian(np.abs(values_of(shown(scene, view)))) < wrong / 10


@pytest.mark.parametrize(("course", "mode"), [(1, "blend"), (0, "upside down")])
def test_what_cannot_be_shown_is_refused_in_words(course, mode):
    session, _, _ = a_session(a_shift(SHIFT))
    with pytest.raises(ReirradiationError, match=r"reference|no registration check"):
        session.show_registration_check(course, mode)


def test_points_marked_on_a_moved_course_are_that_courses_own():
    session, scene, _ = a_session(a_shift(SHIFT))
    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "course 1")
    points.SetAndObserveTransformNodeID(session.nodes.courses[0].transforms[0].GetID())
    # Marked where the registration shows the course: the reference's origin is the course's SHIFT.
    points.AddControlPointWorld((0.0, 0.0, 0.0), "apex")
    np.testing.assert_allclose(landmarks_of(points)["apex"], SHIFT, atol=1e-9)
    points.AddControlPoint((1.0, 2.0, 3.0), "apex")
    with pytest.raises(ReirradiationError, match="two points 'apex'"):
        landmarks_of(points)
