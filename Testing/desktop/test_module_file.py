"""The module file: what Slicer sees, the sample data, reload."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import RESOURCES

MODULE_FILE = RESOURCES.parent / "ReirradiationReview.py"


@pytest.fixture
def module(slicer_app, monkeypatch):
    specification = importlib.util.spec_from_file_location("ReirradiationReview", MODULE_FILE)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "ReirradiationReview", module)
    before = set(sys.modules)
    specification.loader.exec_module(module)
    loaded = {name.split(".")[0] for name in set(sys.modules) - before}
    assert not loaded & {"pydicom", "ReirradiationReviewLib", "DICOMLib"}, "loading the file runs nothing"
    return module


@pytest.fixture
def widget(module, monkeypatch):
    import qt
    import slicer

    parent = qt.QWidget()
    qt.QVBoxLayout(parent)
    widget = module.ReirradiationReviewWidget(parent)
    widget.resourcePath = lambda name: str(RESOURCES / name)
    monkeypatch.setattr(slicer.util, "getModuleWidget", lambda name: widget)
    widget.setup()
    yield widget
    widget.cleanup()


def test_the_metadata_is_complete_and_hides_the_module_from_nobody(module, slicer_app):
    parent = SimpleNamespace()
    module.ReirradiationReview(parent)
    assert parent.title == "Re-irradiation Review"
    assert parent.categories == ["Radiotherapy"]
    assert parent.dependencies == []
    assert "not a medical device" in parent.helpText
    assert "10.1016/j.critrevonc.2022.103655" in parent.acknowledgementText
    assert len(slicer_app.app.startup) == 1


def test_the_demo_case_is_offered_as_sample_data_with_a_picture(module, slicer_app):
    module.registerSampleData()
    [entry] = slicer_app.sample_data
    assert entry["sampleName"] == "ReirradiationReviewDemo"
    assert Path(entry["thumbnailFileName"]).is_file()
    assert entry["uris"] == "", "nothing is downloaded"
    assert entry["customDownloader"] is module.openDemoCase


def test_the_sample_is_loaded_into_the_panel(module, widget, monkeypatch):
    loaded = []
    monkeypatch.setattr(widget.panel.courses, "loadDemoCase", lambda: loaded.append(True))
    module.openDemoCase()
    assert loaded == [True]


def test_entering_the_module_shows_what_others_changed(widget):
    widget.enter()
    assert widget.panel.ui.patientLabel.text == "No review is open"


def test_cleaning_up_twice_or_before_setup_is_harmless(module, widget):
    import qt

    widget.cleanup()
    widget.cleanup()
    parent = qt.QWidget()
    qt.QVBoxLayout(parent)
    module.ReirradiationReviewWidget(parent).cleanup()


def test_reload_reads_the_library_anew(widget):
    assert any(name.startswith("ReirradiationReviewLib") for name in sys.modules)
    kept = {name: loaded for name, loaded in sys.modules.items() if name.startswith("ReirradiationReviewLib")}
    widget.onReload()
    assert not any(name.startswith("ReirradiationReviewLib") for name in sys.modules)
    sys.modules.update(kept)  # the other tests go on with what they have imported


def test_a_script_can_review_without_the_panel(module, made_up_review, slicer_app, monkeypatch):
    from ReirradiationReviewLib import run

    asked = []

    def make_review(inputs, progress):
        asked.extend(inputs.courses)
        return made_up_review, run.Beside()

    monkeypatch.setattr(run, "make_review", make_review)
    session = module.ReirradiationReviewLogic().openReview(["earlier", "new"])
    assert asked == [Path("earlier"), Path("new")]
    assert slicer_app.scene.GetFirstNodeByName(session.nodes.composite.GetName()) is not None
