"""Registration: proposed, looked at, adjusted, accepted or rejected; nothing is used before it is accepted."""

from __future__ import annotations

import time

import numpy as np
import pytest
import vtk
from conftest import wait_for_job
from made_up_review import two_courses
from ReirradiationReviewLib.core.registration.adjustment import Adjustment, adjusted
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume
from ReirradiationReviewLib.scene.geometry import transform_of
from ReirradiationReviewLib.scene.node_transform import transform_of_node


def shown_at(node, point_ras):
    """Where a point of a node is seen in the world."""
    if node.GetParentTransformNode() is None:
        return np.array(point_ras)
    to_world = vtk.vtkGeneralTransform()
    node.GetParentTransformNode().GetTransformToWorld(to_world)
    return np.array(to_world.TransformPoint(*point_ras))


def earlier_ct(panel):
    return panel.session.nodes.courses[0].ct


@pytest.mark.parametrize(
    ("slider", "moves_ras"),
    [("leftSlider", [-10, 0, 0]), ("anteriorSlider", [0, 10, 0]), ("superiorSlider", [0, 0, 10])],
)
def test_a_shift_moves_the_earlier_ct_to_where_the_slider_says(open_panel, slider, moves_ras):
    getattr(open_panel.registration.ui, slider).value = 10.0
    np.testing.assert_allclose(shown_at(earlier_ct(open_panel), [0, 0, 0]), moves_ras, atol=1e-6)


@pytest.mark.parametrize(
    ("slider", "of_point", "goes_to"),
    [
        # Right-handed about left (-R): front goes to the feet. About the head (S): left goes back.
        # About the front (A): left goes to the head... each by a tenth of a right angle.
        ("pitchSlider", [0, 10, 0], [0, 10 * np.cos(np.radians(9)), -10 * np.sin(np.radians(9))]),
        ("rollSlider", [-10, 0, 0], [-10 * np.cos(np.radians(9)), -10 * np.sin(np.radians(9)), 0]),
        ("yawSlider", [-10, 0, 0], [-10 * np.cos(np.radians(9)), 0, 10 * np.sin(np.radians(9))]),
    ],
)
def test_a_turn_goes_the_right_way_about_the_middle_of_the_new_ct(open_panel, slider, of_point, goes_to):
    getattr(open_panel.registration.ui, slider).value = 9.0
    ct = earlier_ct(open_panel)
    np.testing.assert_allclose(shown_at(ct, [0, 0, 0]), [0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(shown_at(ct, of_point), goes_to, atol=1e-6)


def test_a_proposal_is_shown_and_changes_no_number(open_panel):
    before = [result.value for result in open_panel.session.constraints()]
    open_panel.registration.ui.leftSlider.value = 10.0
    ui = open_panel.registration.ui
    assert "not in use" in ui.resultLabel.text
    assert ui.acceptButton.enabled
    assert ui.rejectButton.enabled
    np.testing.assert_equal([result.value for result in open_panel.session.constraints()], before)
    dose = open_panel.session.nodes.courses[0].doses[0]
    np.testing.assert_allclose(shown_at(dose, [0, 0, 0]), [0, 0, 0], atol=1e-6)


def test_a_rejected_proposal_leaves_nothing_behind(open_panel, slicer_app):
    nodes = slicer_app.scene.GetNumberOfNodes()
    open_panel.registration.ui.leftSlider.value = 10.0
    open_panel.registration.ui.rejectButton.click()
    assert slicer_app.scene.GetNumberOfNodes() == nodes
    np.testing.assert_allclose(shown_at(earlier_ct(open_panel), [0, 0, 0]), [0, 0, 0], atol=1e-6)
    assert open_panel.registration.ui.leftSlider.value == 0.0
    assert not open_panel.registration.ui.acceptButton.enabled


def test_an_accepted_adjustment_maps_the_doses_anew_and_says_that_it_was_by_hand(open_panel):
    open_panel.registration.ui.leftSlider.value = 10.0
    open_panel.registration.ui.acceptButton.click()
    wait_for_job(open_panel)
    registration = open_panel.session.review.registrations[0]
    assert registration.method == "manual"
    # What is seen 10 mm further left is found 10 mm further right in the earlier CT.
    np.testing.assert_allclose(registration.transform.apply(np.zeros((1, 3))), [[-10.0, 0.0, 0.0]], atol=1e-9)
    in_scene = transform_of(open_panel.session.nodes.courses[0].transforms)
    np.testing.assert_allclose(in_scene.matrix_lps, registration.transform.matrix_lps, atol=1e-9)
    assert "by hand" in open_panel.registration.ui.resultLabel.text
    assert open_panel.registration.ui.leftSlider.value == 0.0


def test_reset_takes_the_adjustment_back_but_not_the_proposal_under_it(open_panel):
    proposal = CourseRegistration(SpatialTransform(), "rigid", {"similarity": 0.9})
    open_panel.registration.propose(0, proposal)
    open_panel.registration.ui.leftSlider.value = 5.0
    open_panel.registration.ui.resetManualButton.click()
    assert open_panel.registration.preview.proposal.registration is proposal
    assert open_panel.registration.ui.leftSlider.value == 0.0


def test_a_transform_node_of_the_scene_is_used_as_it_moves_things(open_panel, slicer_app):
    node = slicer_app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "from elsewhere")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(1, 3, 7.0)  # to the front, in RAS
    node.SetMatrixTransformToParent(matrix)
    ui = open_panel.registration.ui
    ui.methodSelector.currentIndex = 4
    ui.transformSelector.setCurrentNode(node)
    ui.registerButton.click()
    np.testing.assert_allclose(shown_at(earlier_ct(open_panel), [0, 0, 0]), [0, 7, 0], atol=1e-6)
    ui.acceptButton.click()
    wait_for_job(open_panel)
    transform = open_panel.session.review.registrations[0].transform
    np.testing.assert_allclose(transform.apply(np.zeros((1, 3))), [[0.0, 7.0, 0.0]], atol=1e-9)  # 7 mm back in LPS
    assert "from elsewhere" in ui.resultLabel.text


def test_a_deformable_node_below_a_linear_one_is_sampled_point_by_point(slicer_app):
    scene = slicer_app.scene
    spline = vtk.vtkThinPlateSplineTransform()
    places, shifts = vtk.vtkPoints(), vtk.vtkPoints()
    for corner in np.array([[a, b, c] for a in (-80, 80) for b in (-80, 80) for c in (-80, 80)], dtype=float):
        places.InsertNextPoint(corner)
        shifts.InsertNextPoint(corner)
    places.InsertNextPoint(0, 0, 0)
    shifts.InsertNextPoint(6, 0, 0)
    spline.SetSourceLandmarks(places)
    spline.SetTargetLandmarks(shifts)
    spline.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformFromParent(spline)
    parent = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 3, 4.0)
    parent.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(parent.GetID())
    reference = two_courses()[1].ct.volume
    transform = transform_of_node(node, reference)
    points = np.random.default_rng(1).uniform(-50, 50, (200, 3))
    expected = [np.array(spline.TransformPoint(-x, -y, z - 4.0)) * [-1, -1, 1] for x, y, z in points]
    np.testing.assert_allclose(transform.apply(points), expected, atol=0.05)


def test_a_job_that_fails_says_why_and_leaves_the_registration(open_panel, tmp_path):
    ui = open_panel.registration.ui
    ui.methodSelector.currentIndex = 5
    ui.registerButton.click()
    assert "Choose a transform file" in open_panel.ui.messageLabel.text
    ui.transformFileEdit.currentPath = str(tmp_path / "missing.tfm")
    ui.registerButton.click()
    wait_for_job(open_panel)
    assert "missing.tfm" in open_panel.ui.messageLabel.text
    assert open_panel.session.review.registrations[0].method == "identity"


def test_a_registration_can_be_cancelled_while_the_window_lives_on(open_panel):
    import slicer

    steps = []

    def endless(progress):
        while True:
            progress(0.3, "going on")
            steps.append(1)

    open_panel.start("Registering", endless, lambda _result: pytest.fail("it was cancelled"))
    while not steps:
        slicer.app.processEvents()
    slicer.app.processEvents()
    assert not open_panel.start("Another", endless, print), "one job at a time"
    assert "still running" in open_panel.ui.messageLabel.text
    open_panel.ui.cancelButton.click()
    wait_for_job(open_panel)
    assert open_panel.session.review is not None


def test_fusion_shows_the_earlier_ct_as_strongly_as_asked(open_panel, slicer_app):
    ui = open_panel.registration.ui
    ui.checkModeSelector.currentIndex = 1
    ui.checkOpacitySlider.value = 0.25
    composite = slicer_app.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetForegroundVolumeID() == earlier_ct(open_panel).GetID()
    assert composite.GetForegroundOpacity() == 0.25
    ui.checkModeSelector.currentIndex = 0
    assert composite.GetForegroundVolumeID() == open_panel.session.nodes.composite.GetID()


def test_a_deformable_registration_is_not_moved_by_hand():
    field = Volume(np.zeros((2, 2, 2, 3)), np.eye(4))
    deformable = CourseRegistration(SpatialTransform(displacement=field), "deformable")
    with pytest.raises(ValueError, match="cannot be moved by hand"):
        adjusted(deformable, Adjustment(left_mm=1.0), np.zeros(3))


def test_every_check_shows_something_and_off_leaves_nothing_behind(open_panel, slicer_app):
    check = open_panel.registration.check
    count = slicer_app.scene.GetNumberOfNodes()
    for mode in ("checkerboard", "difference", "flicker"):
        check.setMode(mode)
        check.showNow()
        assert open_panel.registration.ui.checkLabel.text, mode
        assert not open_panel.ui.messageLabel.text
    check.setMode("off")
    assert slicer_app.scene.GetNumberOfNodes() == count
    assert open_panel.registration.ui.checkLabel.text == ""


def test_points_marked_on_both_cts_measure_the_registration(open_panel):
    ui, registration = open_panel.registration.ui, open_panel.registration
    for selector, shift in ((ui.newLandmarksSelector, 0.0), (ui.earlierLandmarksSelector, 3.0)):
        selector.addNode()
        points = selector.currentNode()
        for number in range(3):
            points.AddControlPoint(10.0 * number + shift, 0.0, 0.0, f"P{number}")
    marked = registration.landmarks.marked()
    assert set(marked) == {0, 1}
    open_panel.background.measureAgain()
    open_panel.background.workNow()
    deadline = time.monotonic() + 60.0
    while not open_panel.session.review.quality:
        slicer_events()
        assert time.monotonic() < deadline
    landmarks = open_panel.session.review.quality[0].landmarks
    assert landmarks is not None
    assert landmarks.mean_mm == pytest.approx(3.0, abs=1e-6)


def slicer_events():
    import slicer

    slicer.app.processEvents()
