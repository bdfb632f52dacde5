"""Courses: found, loaded, corrected, started."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import wait_for_job
from made_up_review import a_course, a_grid, four_structures, two_courses
from slicerrt_scene import add_as_slicerrt


def rows(panel):
    table = panel.courses.ui.coursesTable
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def put_courses_into_the_scene(slicer_app, **options):
    earlier, new = two_courses()
    earlier = replace(earlier, ct=replace(earlier.ct, series_uid="s1"), structures=four_structures()[:1])
    new = replace(new, ct=replace(new.ct, series_uid="s2"))
    add_as_slicerrt(slicer_app.scene, new, study_uid="1.2", study_date="20220101", **options)
    add_as_slicerrt(slicer_app.scene, earlier, study_uid="1.1", study_date="20200101", **options)


def type_fractions(panel, row, text):
    panel.courses.ui.coursesTable.item(row, 3).setText(text)


def test_the_review_cannot_start_without_two_courses_and_the_button_says_so(panel):
    button = panel.courses.ui.startButton
    assert not button.enabled
    assert "two courses" in button.toolTip


def test_courses_of_the_scene_are_listed_oldest_first_and_wait_for_their_fractions(panel, slicer_app):
    put_courses_into_the_scene(slicer_app)
    panel.courses.ui.findButton.click()
    wait_for_job(panel)
    assert [(row[1], row[2], row[3]) for row in rows(panel)] == [
        ("2020-01-01", "30: RTDOSE: plan of course 1", ""),
        ("2022-01-01", "30: RTDOSE: plan of course 2", ""),
    ]
    assert "number of fractions" in panel.courses.ui.startButton.toolTip
    type_fractions(panel, 0, "20")
    type_fractions(panel, 1, "4")
    assert panel.courses.ui.startButton.enabled
    assert "entered by the user" in panel.courses.ui.coursesTable.item(0, 3).toolTip()


def test_what_was_found_is_reviewed_with_the_numbers_that_follow_by_hand(panel, slicer_app):
    put_courses_into_the_scene(slicer_app)
    panel.courses.ui.findButton.click()
    wait_for_job(panel)
    type_fractions(panel, 0, "20")
    type_fractions(panel, 1, "4")
    panel.courses.ui.startButton.click()
    wait_for_job(panel)
    assert panel.ui.messageLabel.text == ""
    # 40 Gy in 20 is 40 Gy EQD2; 20 Gy in 4 at alpha/beta 2 is 35 Gy: see made_up_review.
    dose = panel.session.review.organ("Cord").eqd2(panel.session.review.weights()).low
    assert dose.dmean_gy == pytest.approx(75.0, abs=0.01)
    assert panel.session.review.registrations[0].method == "identity", "both share their frame of reference"


def test_stored_numbers_are_refused_with_what_to_do(panel, slicer_app):
    put_courses_into_the_scene(slicer_app, with_slicerrt=False)
    panel.courses.ui.findButton.click()
    assert "stored numbers" in panel.ui.messageLabel.text
    assert "DICOM folder" in panel.ui.messageLabel.text
    assert rows(panel) == []


def test_an_empty_scene_says_that_there_is_nothing(panel):
    panel.courses.ui.findButton.click()
    assert "no dose in the scene" in panel.ui.messageLabel.text
    panel.ui.dismissButton.click()
    assert panel.ui.messageLabel.text == ""


def test_a_folder_without_dicom_is_a_plain_sentence(panel, tmp_path):
    (tmp_path / "empty").mkdir()
    panel.courses.loadFolder(str(tmp_path / "empty"))
    wait_for_job(panel)
    assert "no DICOM files" in panel.ui.messageLabel.text
    assert "Traceback" not in panel.ui.messageLabel.text


@pytest.mark.parametrize("nonsense", ["", "0", "-3", "2.5", "many", "²"])
def test_nonsense_is_no_number_of_fractions(panel, nonsense):
    panel.courses.setCourses(two_courses())
    type_fractions(panel, 0, nonsense)
    assert "whole number" in panel.ui.messageLabel.text
    assert rows(panel)[0][3] == "20"


def test_a_plan_is_moved_to_another_course_and_left_out_of_all(panel):
    boost = a_course("course 2", "2020-02-01", a_grid(10.0), 5)
    earlier, new = two_courses()
    panel.courses.add([earlier, boost, replace(new, label="course 3")])
    table = panel.courses.ui.coursesTable
    assert table.cellWidget(1, 0).currentText == "course 2"
    panel.courses.onAssign(1, 0, 0)
    assert [row[0] for row in rows(panel)] == ["course 1", "course 1", "course 2"]
    panel.courses.onAssign(0, 1, 3)
    assert [row[2] for row in rows(panel)] == ["plan of course 1", "plan of course 2"]


def test_the_choice_beside_a_plan_is_what_moves_it(panel):
    panel.courses.setCourses(two_courses())
    choice = panel.courses.ui.coursesTable.cellWidget(0, 0)
    assert [choice.itemText(row) for row in range(choice.count)] == ["course 1", "course 2", "new course", "leave out"]
    choice._object.activated.emit(3)  # as if chosen with the mouse
    assert [row[2] for row in rows(panel)] == ["plan of course 2"]


def test_the_same_dose_is_not_listed_twice(panel):
    panel.courses.add(two_courses())
    panel.courses.add(two_courses()[:1])
    assert len(rows(panel)) == 2
    assert "was not added again" in panel.ui.messageLabel.text


def test_a_course_is_taken_off_the_list(panel):
    panel.courses.add(two_courses())
    panel.courses.ui.coursesTable.selectRow(0)
    panel.courses.ui.removeButton.click()
    assert [row[2] for row in rows(panel)] == ["plan of course 2"]


def test_fractions_entered_during_the_review_change_its_numbers_at_once(open_panel):
    before = open_panel.session.review.organ("Cord").eqd2(open_panel.session.review.weights()).low.dmean_gy
    type_fractions(open_panel, 1, "2")
    review = open_panel.session.review
    after = review.organ("Cord").eqd2(review.weights()).low.dmean_gy
    # 20 Gy in 2 at alpha/beta 2: 20 (10 + 2) / 4 = 60 Gy instead of 35.
    assert (before, after) == pytest.approx((75.0, 100.0), abs=0.01)
    assert review.plans[1][1].fractions_source == "user"
    composite = np.nanmax(open_panel.session.live.nodes.composite.GetImageData().GetScalarRange())
    assert composite == pytest.approx(40.0 + 20 * (10 + 3) / 5, abs=0.01)


def test_files_of_the_scene_come_from_the_dicom_database(panel, slicer_app, monkeypatch, tmp_path):
    import slicer
    from ReirradiationReviewLib.desktop.dicom_database import filesOf
    from ReirradiationReviewLib.scene.found import find_courses
    from standin.strict import StrictObject

    class Database:
        isOpen = True

        def fileForInstance(self, uid):
            return {"d-course 1": "/dose1", "p-course 1": "/plan1"}.get(uid, "")

        def seriesForStudy(self, uid):
            return {"1.1": ("dose series", "s1")}.get(uid, ())

        def filesForSeries(self, uid):
            return {"dose series": ("/dose1",), "s1": ("/ct1", "/ct2")}[uid]

    put_courses_into_the_scene(slicer_app)
    database = StrictObject("instance slicer.dicomDatabase", Database())
    monkeypatch.setattr(slicer, "dicomDatabase", database)
    first, second = find_courses(slicer_app.scene)
    assert [str(path) for path in filesOf(first)] == ["/dose1", "/ct1", "/ct2", "/plan1"]
    assert filesOf(second) == [], "the database does not know its dose"
    assert panel.capabilities.dicomDatabase.available
