"""The module's panel and logic outside Slicer: Qt is stood in for, so this proves the wiring, not the look."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import pytest
from ReirradiationReviewLib.core.errors import Cancelled, ReirradiationError

MODULE_FILE = Path(__file__).resolve().parents[2] / "ReirradiationReview" / "ReirradiationReview.py"


class FakeWidget(SimpleNamespace):
    """Keeps what is set on it; calls go nowhere."""

    def __init__(self, *_arguments: object) -> None:
        super().__init__(directoryList=(), signals={})

    def connect(self, signal: str, slot: object) -> None:
        self.signals[signal] = slot

    def __getattr__(self, name: str) -> MagicMock:
        return MagicMock(name=name)


class ShownErrors(list):
    """Stands in for slicer.util.tryWithErrorDisplay: keeps the errors that the user would see."""

    @contextmanager
    def display(self, message: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as Slicer's own
            self.append(f"{message} {error}")


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> ShownErrors:
    """Install stand-ins for Slicer's Qt modules; return the list of errors shown."""
    shown = ShownErrors()
    slicer = ModuleType("slicer")
    slicer.qSlicerDirectoryListView = FakeWidget
    slicer.app = MagicMock()
    slicer.util = SimpleNamespace(tryWithErrorDisplay=shown.display)
    widgets = dict.fromkeys(("QWidget", "QPushButton", "QProgressBar", "QLabel", "QFormLayout"), FakeWidget)
    for name, module in {
        "slicer": slicer,
        "slicer.i18n": SimpleNamespace(tr=str),
        "qt": SimpleNamespace(**widgets, QLayout=FakeWidget),
        "ctk": SimpleNamespace(ctkDirectoryButton=FakeWidget),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "ReirradiationReviewLib.desktop.panel", raising=False)
    return shown


def a_panel(run: MagicMock) -> SimpleNamespace:
    panel = importlib.import_module("ReirradiationReviewLib.desktop.panel").ReviewPanel(MagicMock(), run)
    sys.modules.pop("ReirradiationReviewLib.desktop.panel")
    return panel


def add(panel: SimpleNamespace, *folders: str) -> None:
    panel.setCourseFolders([Path(folder) for folder in folders])
    panel.courses.signals["directoryListChanged()"]()


def test_run_waits_for_two_courses_and_says_so(errors: ShownErrors) -> None:
    panel = a_panel(MagicMock())
    add(panel, "first")
    assert not panel.runButton.enabled
    assert "two courses" in panel.runButton.toolTip
    add(panel, "first", "second")
    assert panel.runButton.enabled


def test_run_hands_over_the_folders_in_order(errors: ShownErrors) -> None:
    run = MagicMock(return_value=Path("out/review.json"))
    panel = a_panel(run)
    add(panel, "first", "second")
    panel.output.directory = "out"
    panel.runButton.signals["clicked()"]()
    run.assert_called_once_with(["first", "second"], "out", panel.onProgress)
    assert "review.json" in panel.status.text
    assert panel.runButton.enabled
    assert not errors


def test_a_refusal_is_shown_and_the_panel_can_be_used_again(errors: ShownErrors) -> None:
    panel = a_panel(MagicMock(side_effect=ReirradiationError("DoseGridScaling (3004,000E) is missing")))
    add(panel, "first", "second")
    panel.onRun()
    assert errors == ["The review could not be made. DoseGridScaling (3004,000E) is missing"]
    assert panel.runButton.enabled
    assert "not made" in panel.status.text


def test_cancel_stops_at_the_next_progress_and_is_no_error(errors: ShownErrors) -> None:
    def run(_courses: object, _output: str, progress: object) -> Path:
        progress(0.1, "reading")
        panel.cancelButton.signals["clicked()"]()
        progress(0.2, "registering")
        raise AssertionError("went on after Cancel")

    panel = a_panel(MagicMock(side_effect=run))
    add(panel, "first", "second")
    panel.onRun()
    assert not errors
    assert "Cancelled" in panel.status.text
    with pytest.raises(Cancelled):
        panel.onProgress(0.3, "late")


def the_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the module file with stand-ins for the Python layer that Slicer's wheel lacks."""
    bases = ("ScriptedLoadableModule", "Widget", "Logic", "Test")
    names = [bases[0], *(bases[0] + base for base in bases[1:])]
    layer = SimpleNamespace(**{name: type(name, (), {}) for name in names})
    monkeypatch.setitem(sys.modules, "slicer.ScriptedLoadableModule", layer)
    translation = SimpleNamespace(tr=str, translate=lambda _context, text: text)
    monkeypatch.setitem(sys.modules, "slicer.i18n", translation)
    specification = importlib.util.spec_from_file_location("ReirradiationReview", MODULE_FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
