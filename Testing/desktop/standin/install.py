"""Puts the stand-in where the module's code looks for Slicer's own Python."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
import slicer
import slicer.util
from PySide6 import QtCore, QtGui, QtWidgets
from ReirradiationReviewLib.scene.environment import SceneEnvironment, headless_environment
from ReirradiationReviewLib.scene.save import load_scene, save_scene

from . import mrml_widgets, slicer_widgets
from .application import Application
from .proxy import PythonQtClass, slot_errors
from .scripted import scripted_module_classes
from .strict import StrictObject
from .ui_loader import load_ui

_PYTHONQT = {"qt": (QtWidgets, QtGui, QtCore), "ctk": (slicer_widgets,), "slicer": (mrml_widgets, slicer_widgets)}


@dataclass
class StandIn:
    """What a test may look at.

    Parameters
    ----------
    selected_modules
        Modules that the panel asked Slicer to show.
    """

    environment: SceneEnvironment
    app: Application
    selected_modules: list[str] = field(default_factory=list)
    installed_packages: list[str] = field(default_factory=list)
    sample_data: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scene(self) -> slicer.vtkMRMLScene:
        return self.environment.scene


class _Space(ModuleType):
    """``qt`` or ``ctk``: classes by name, made when they are first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "Qt":
            return QtCore.Qt
        kind = next((found for space in _PYTHONQT[self.__name__] if (found := getattr(space, name, None))), None)
        if kind is None:
            raise NotImplementedError(f"the stand-in does not implement {self.__name__}.{name}")
        made = PythonQtClass(f"{self.__name__}.{name}", kind)
        setattr(self, name, made)
        return made


def _plots_logic(environment: SceneEnvironment) -> StrictObject:
    logic = slicer.vtkSlicerPlotsLogic()
    logic.SetMRMLApplicationLogic(environment.application_logic)
    logic.SetMRMLScene(environment.scene)
    return StrictObject("instance slicer.modules.plots.logic()", logic)


class _ScreenCaptureLogic:
    """Writes the words in the view's corner instead of a picture of it."""

    def captureImageFromView(self, view: Any, filename: str) -> None:
        Path(filename).write_text(view.cornerAnnotation().GetText(2), encoding="utf-8")


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> StandIn:
    """Make ``qt``, ``ctk`` and Slicer's application importable for as long as the monkeypatch lasts."""
    QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    slot_errors.clear()
    environment = headless_environment()
    standin = StandIn(environment, Application(environment, folder))
    plots = _plots_logic(environment)
    spaces = {name: _Space(name) for name in ("qt", "ctk")}
    for name, module in spaces.items():
        monkeypatch.setitem(sys.modules, name, module)
    translations = SimpleNamespace(tr=lambda text: text, translate=lambda _context, text: text)
    monkeypatch.setitem(sys.modules, "slicer.i18n", translations)
    monkeypatch.setitem(sys.modules, "slicer.ScriptedLoadableModule", scripted_module_classes())
    for name, value in {
        "mrmlScene": environment.scene,
        "app": StrictObject("instance slicer.app", standin.app),
        "modules": SimpleNamespace(
            plots=SimpleNamespace(logic=lambda: plots),
            segmentations=SimpleNamespace(logic=lambda: environment.application_logic.GetModuleLogic("Segmentations")),
            volumes=SimpleNamespace(logic=lambda: environment.application_logic.GetModuleLogic("Volumes")),
        ),
        "dicomDatabase": None,
    }.items():
        monkeypatch.setattr(slicer, name, value, raising=False)
    for name, value in {
        "loadUI": load_ui,
        "selectModule": standin.selected_modules.append,
        "pip_install": standin.installed_packages.append,
        "saveScene": lambda path: save_scene(environment, Path(path)) or True,
        "loadScene": lambda path: load_scene(environment, Path(path)) or True,
    }.items():
        monkeypatch.setattr(slicer.util, name, value)
    sample_data = SimpleNamespace(registerCustomSampleDataSource=lambda **entry: standin.sample_data.append(entry))
    monkeypatch.setitem(sys.modules, "SampleData", SimpleNamespace(SampleDataLogic=sample_data))
    capture = SimpleNamespace(ScreenCaptureLogic=_ScreenCaptureLogic)
    monkeypatch.setitem(sys.modules, "ScreenCapture", capture)
    for name in [name for name in sys.modules if name.startswith("ReirradiationReviewLib.desktop")]:
        monkeypatch.delitem(sys.modules, name)
    return standin
