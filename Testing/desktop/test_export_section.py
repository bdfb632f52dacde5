"""Export: every button writes what it says, into the chosen folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import wait_for_job


@pytest.fixture
def folder(open_panel, tmp_path):
    folder = tmp_path / "out"
    open_panel.export.ui.folderButton.directory = str(folder)
    return folder


def listed(panel):
    files = panel.export.ui.filesList
    return [Path(files.item(row).text()) for row in range(files.count)]


def press(panel, button):
    getattr(panel.export.ui, button).click()
    wait_for_job(panel)
    assert panel.ui.messageLabel.text == ""
    assert all(path.is_file() for path in listed(panel))
    return {path.name for path in listed(panel)}


def test_the_current_views_carry_patient_assumptions_and_purpose(open_panel, folder):
    assert press(open_panel, "viewsButton") == {
        "view_axial.png",
        "view_coronal.png",
        "view_sagittal.png",
        "view_3d.png",
    }
    written = (folder / "view_axial.png").read_text(encoding="utf-8")  # the stand-in writes the corner's words
    for word in ("Test Person", "ID-1", "alpha/beta 3 Gy", "Research use only"):
        assert word in written


def test_the_standard_views_go_through_hot_spot_and_target_and_leave_the_layout(open_panel, folder, slicer_app):
    manager = slicer_app.app._layout_manager
    manager.setLayout(6)
    names = press(open_panel, "standardViewsButton")
    assert len(names) == 8
    assert {name.rsplit("_", 1)[0] for name in names} == {"hot_spot", "target"}
    assert manager.layout == 6


def test_the_numbers_are_those_of_the_command_line(open_panel, folder):
    from ReirradiationReviewLib.core.results.document import review_document

    press(open_panel, "dataButton")
    written = json.loads((folder / "review.json").read_text(encoding="utf-8"))
    expected = json.loads(json.dumps(review_document(open_panel.session.review)))
    for key in ("courses", "structures", "constraints"):
        assert written[key] == expected[key]


def test_the_composite_is_written_as_rtdose_with_its_registration(open_panel, folder):
    import pydicom

    names = press(open_panel, "doseButton")
    assert {"composite_eqd2_ab3.dcm", "course1.tfm"} <= names
    dose = pydicom.dcmread(folder / "composite_eqd2_ab3.dcm")
    assert (dose.Modality, dose.DoseType, dose.DoseUnits) == ("RTDOSE", "EFFECTIVE", "GY")
    assert np.max(dose.pixel_array) * dose.DoseGridScaling == pytest.approx(72.0, abs=0.01)


def test_the_transforms_are_written(open_panel, folder):
    assert press(open_panel, "transformsButton") == {"course1.tfm"}


def test_the_report_is_one_page_with_the_pictures(open_panel, folder, monkeypatch):
    from ReirradiationReviewLib.desktop import export_section

    seen = {}

    def write_report(path, document, curves, pictures):
        seen.update(document=document, pictures=pictures, curves=curves)
        path.write_text("page", encoding="utf-8")

    monkeypatch.setattr(export_section, "write_report", write_report)
    assert {"report.html", "review.json"} <= press(open_panel, "reportButton")
    assert len(seen["pictures"]) == 8
    assert len(seen["curves"]) == 4
    assert seen["document"]["patient"]["id"] == "ID-1"


def test_the_report_is_disabled_with_the_reason_where_its_packages_are_missing(open_panel, slicer_app, monkeypatch):
    import slicer
    from ReirradiationReviewLib.desktop import capabilities

    monkeypatch.setattr(capabilities, "find_spec", lambda name: None)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda question: True)
    open_panel.update()
    button = open_panel.export.ui.reportButton
    assert not button.enabled
    assert "jinja2" in button.toolTip
    install = open_panel.about.ui.installReportButton
    install.click()
    assert slicer_app.installed_packages == ["jinja2 matplotlib"]


def test_the_scene_is_saved_with_what_was_changed_last(open_panel, folder):
    open_panel.biology.ui.displayAlphaBetaSlider.value = 7.0
    assert press(open_panel, "sceneButton") == {"review.mrb"}


def test_a_folder_that_cannot_be_written_is_a_plain_sentence(open_panel, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    open_panel.export.ui.folderButton.directory = str(tmp_path / "file")
    open_panel.export.ui.dataButton.click()
    assert "cannot write" in open_panel.ui.messageLabel.text
