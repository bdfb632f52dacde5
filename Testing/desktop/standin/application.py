"""Slicer's application: ``slicer.app`` and its managers, as far as the panel uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets
from ReirradiationReviewLib.scene.environment import SceneEnvironment

from .strict import StrictObject

VIEW_NAMES = ("Red", "Green", "Yellow")
_ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


class Application:
    """``slicer.app``."""

    applicationName = "Slicer"
    applicationVersion = "5.13.0 (stand-in)"
    majorVersion = 5
    minorVersion = 13

    def __init__(self, environment: SceneEnvironment, folder: Path) -> None:
        self._environment = environment
        self._layout_manager = LayoutManager(environment)
        self.temporaryPath = self.defaultScenePath = self.cachePath = str(folder)
        self.startup: list[Callable[[], None]] = []
        self.loaded_modules: dict[str, Any] = {}
        self.paused = 0

    def applicationLogic(self) -> slicer.vtkSlicerApplicationLogic:
        return self._environment.application_logic

    def mrmlScene(self) -> slicer.vtkMRMLScene:
        return self._environment.scene

    def layoutManager(self) -> StrictObject:
        return StrictObject("instance slicer.app.layoutManager()", self._layout_manager)

    def moduleManager(self) -> StrictObject:
        manager = SimpleNamespace(module=self.loaded_modules.get, modulesNames=lambda: tuple(self.loaded_modules))
        return StrictObject("instance slicer.app.moduleManager()", manager)

    def processEvents(self) -> None:
        QtCore.QCoreApplication.processEvents()

    def testingEnabled(self) -> bool:
        return True

    def topLevelWidgets(self) -> tuple[()]:
        return ()

    def setOverrideCursor(self, _shape: object) -> None:
        QtWidgets.QApplication.setOverrideCursor(QtCore.Qt.CursorShape.WaitCursor)

    def restoreOverrideCursor(self) -> None:
        QtWidgets.QApplication.restoreOverrideCursor()

    def pauseRender(self) -> None:
        self.paused += 1

    def resumeRender(self) -> None:
        assert self.paused > 0
        self.paused -= 1

    def connect(self, signal: str, slot: Callable[[], None]) -> bool:
        assert signal == "startupCompleted()", signal
        self.startup.append(slot)
        return True


class LayoutManager:
    """``slicer.app.layoutManager()`` with three slice views and one 3D view, which draw nothing."""

    plotViewCount = 1
    threeDViewCount = 1

    def __init__(self, environment: SceneEnvironment) -> None:
        self._environment = environment
        self._layout_logic = slicer.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLScene(environment.scene)
        self._slice_logics = {name: _slice_logic(environment, name) for name in VIEW_NAMES}
        self.resets: list[str] = []
        # The scene's view nodes stay when it is closed, as in Slicer.
        view = slicer.vtkMRMLViewNode()
        view.SetLayoutName("1")
        view.SetSingletonTag("1")
        environment.scene.AddNode(view)

    @property
    def layout(self) -> int:
        return self._layout_logic.GetLayoutNode().GetViewArrangement()

    def setLayout(self, layout: int) -> None:
        self._layout_logic.GetLayoutNode().SetViewArrangement(layout)

    def layoutLogic(self) -> slicer.vtkMRMLLayoutLogic:
        return self._layout_logic

    def sliceViewNames(self) -> tuple[str, ...]:
        return VIEW_NAMES

    def sliceWidget(self, name: str) -> StrictObject | None:
        logic = self._slice_logics.get(name)
        if logic is None:
            return None
        widget = SimpleNamespace(
            sliceLogic=lambda: logic,
            mrmlSliceNode=logic.GetSliceNode,
            mrmlSliceCompositeNode=logic.GetSliceCompositeNode,
            sliceView=lambda: _view(name),
            visible=True,
        )
        return StrictObject("instance slicer.app.layoutManager().sliceWidget('Red')", widget)

    def threeDWidget(self, index: int) -> object:
        assert index == 0
        return SimpleNamespace(threeDView=lambda: _view("3D"), visible=True)

    def resetThreeDViews(self) -> None:
        self.resets.append("3D")

    def resetSliceViews(self) -> None:
        self.resets.append("slices")


_annotations: dict[str, vtk.vtkCornerAnnotation] = {}


def _view(name: str) -> StrictObject:
    annotation = _annotations.setdefault(name, vtk.vtkCornerAnnotation())
    view = SimpleNamespace(objectName=name, cornerAnnotation=lambda: annotation)
    return StrictObject("instance slicer.app.layoutManager().threeDWidget(0).threeDView()", view)


def _slice_logic(environment: SceneEnvironment, name: str) -> slicer.vtkMRMLSliceLogic:
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(environment.application_logic)
    logic.SetMRMLScene(environment.scene)
    logic.AddSliceNode(name)
    # The logic makes nodes of its own; the scene's are the ones that are shown.
    logic.SetSliceNode(environment.scene.GetSingletonNode(name, "vtkMRMLSliceNode"))
    logic.GetSliceNode().SetOrientation(_ORIENTATIONS[name])
    logics = environment.application_logic.GetSliceLogics() or vtk.vtkCollection()
    logics.AddItem(logic)
    environment.application_logic.SetSliceLogics(logics)
    return logic
