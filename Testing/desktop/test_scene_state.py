"""The scene holds everything: saved, closed, loaded, mixed with others."""

from __future__ import annotations

import zipfile

import pytest
from conftest import RESOURCES, settle, wait_for_job
from made_up_review import a_review, two_courses
from ReirradiationReviewLib.scene.messages import vtk_messages_in_log
from ReirradiationReviewLib.scene.save import load_scene, save_scene


def numbers(panel):
    return [(r.id, r.structure, r.verdict, f"{r.value:.6f}") for r in panel.session.constraints()]


@pytest.fixture
def saved(open_panel, slicer_app, tmp_path):
    """A saved scene with choices in every section, its numbers, and the panel after the scene was closed."""
    panel = open_panel
    panel.biology.ui.biologyTable.selectRow(0)
    panel.biology.ui.alphaBetaSlider.value = 3.5
    panel.biology.ui.displayAlphaBetaSlider.value = 6.0
    panel.display.ui.surfacesCheckBox.checked = True
    panel.display.ui.overlayOpacitySlider.value = 0.65
    panel.display.onIsodoses(1)
    panel.constraints.ui.showDvhButton.click()
    settle(panel)
    panel.catchUp()
    before = numbers(panel)
    save_scene(slicer_app.environment, tmp_path / "review.mrb")
    slicer_app.scene.Clear(0)
    return tmp_path / "review.mrb", before


def load(panel, slicer_app, path):
    load_scene(slicer_app.environment, path)
    wait_for_job(panel)


def add(panel, slicer_app, path):
    """Load a scene beside what is there, as Slicer's Add data does."""
    folder = path.with_suffix("")
    zipfile.ZipFile(path).extractall(folder)
    [scene_file] = folder.rglob("*.mrml")
    slicer_app.scene.SetURL(str(scene_file))
    slicer_app.scene.SetRootDirectory(str(scene_file.parent))
    with vtk_messages_in_log():
        assert slicer_app.scene.Import()
    wait_for_job(panel)


def test_a_closed_scene_leaves_an_empty_panel(open_panel, saved):
    assert open_panel.session.review is None
    assert open_panel.ui.patientLabel.text == "No review is open"
    assert open_panel.courses.ui.coursesTable.rowCount == 0
    assert open_panel.constraints.ui.constraintsTable.rowCount == 0
    assert not open_panel.biology.widget.enabled


def test_a_loaded_scene_opens_with_the_same_panel_and_numbers(open_panel, slicer_app, saved):
    path, before = saved
    load(open_panel, slicer_app, path)
    assert open_panel.ui.messageLabel.text == ""
    assert numbers(open_panel) == before
    assert open_panel.courses.ui.coursesTable.rowCount == 2
    assert open_panel.biology.ui.biologyTable.item(0, 2).text() == "3.5"
    assert open_panel.biology.ui.displayAlphaBetaSlider.value == 6.0
    display = open_panel.display.ui
    assert display.surfacesCheckBox.checked
    assert display.overlayOpacitySlider.value == pytest.approx(0.65)
    assert display.isodoseSelector.currentIndex == 1
    assert [node.GetName() for node in open_panel.session.nodes.isodoses] == ["5 Gy", "20 Gy", "40 Gy", "60 Gy"]
    settle(open_panel)
    open_panel.biology.ui.displayAlphaBetaSlider.value = 3.0
    settle(open_panel)
    open_panel.catchUp()
    assert len(open_panel.session.nodes.isodoses) == 4, "the chosen set stays when the review goes on"


def test_a_scene_without_a_review_leaves_the_open_one(open_panel, slicer_app, tmp_path):
    from ReirradiationReviewLib.scene.environment import headless_environment

    other = headless_environment()
    other.scene.AddNewNodeByClass("vtkMRMLTextNode", "something else")
    save_scene(other, tmp_path / "other.mrb")
    before = numbers(open_panel)
    add(open_panel, slicer_app, tmp_path / "other.mrb")
    assert slicer_app.scene.GetFirstNodeByName("something else") is not None
    assert numbers(open_panel) == before


@pytest.mark.parametrize("how", [load, add])
def test_another_review_that_is_loaded_takes_the_place_of_the_open_one(open_panel, slicer_app, tmp_path, how):
    from dataclasses import replace

    from ReirradiationReviewLib.scene.environment import headless_environment
    from ReirradiationReviewLib.session import ReviewSession

    earlier, new = two_courses()
    stranger = ReviewSession(headless_environment())
    other = a_review([replace(earlier, date="2015-05-05"), new], alpha_beta_gy={"Cord": 4.0})
    stranger.open(other)
    save_scene(stranger._environment, tmp_path / "other.mrb")
    how(open_panel, slicer_app, tmp_path / "other.mrb")
    assert open_panel.session.review.courses[0].date == "2015-05-05"
    assert open_panel.session.review.organ("Cord").alpha_beta_gy == 4.0
    assert open_panel.courses.courses[0].date == "2015-05-05"


def test_a_job_that_runs_when_the_scene_is_closed_is_forgotten(open_panel, slicer_app):
    import time

    def slow(progress):
        while True:
            progress(0.5, "working")
            time.sleep(0.01)

    open_panel.start("Working", slow, lambda _result: pytest.fail("its scene is closed"))
    slicer_app.scene.Clear(0)
    wait_for_job(open_panel)
    assert open_panel.session.review is None


def test_the_panel_can_be_taken_away_and_made_anew_on_the_same_scene(open_panel, slicer_app):
    import qt
    from ReirradiationReviewLib.desktop.panel import ReviewPanel

    before = numbers(open_panel)
    open_panel.close()
    frame = qt.QWidget()
    again = ReviewPanel(qt.QVBoxLayout(frame), lambda name: str(RESOURCES / name))
    wait_for_job(again)
    assert numbers(again) == before
    again.close()
