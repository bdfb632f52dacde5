"""A scene and Slicer's own logics without the Slicer application."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import slicer
import vtk

from ..core.errors import ReirradiationError
from .messages import vtk_messages_in_log

RENDERING_REMEDY = "apt-get install --no-install-recommends libegl1 libgl1-mesa-dri"

_RENDER_ONCE = "import vtk; w = vtk.vtkRenderWindow(); w.SetOffScreenRendering(1); w.Render()"


@contextmanager
def one_batch(scene: slicer.vtkMRMLScene) -> Iterator[None]:
    """Hold back what follows from changes of nodes, views included, until the context ends."""
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    try:
        yield
    finally:
        scene.EndState(slicer.vtkMRMLScene.BatchProcessState)


@dataclass(frozen=True)
class SceneEnvironment:
    """What the scene code works in; the desktop hands in its own scene and application logic.

    Parameters
    ----------
    scene
        The MRML scene.
    application_logic
        The application logic of that scene.
    logics
        Module logics that have to live as long as the scene; none where the application owns them.
    one_change
        What many changes of nodes at once are made in. The desktop, where the end of a batch makes every widget read
        the whole scene anew, only holds back the views.
    """

    scene: slicer.vtkMRMLScene
    application_logic: slicer.vtkSlicerApplicationLogic
    logics: tuple[slicer.vtkMRMLAbstractLogic, ...] = ()
    one_change: Callable[[slicer.vtkMRMLScene], AbstractContextManager[None]] = one_batch


def headless_environment() -> SceneEnvironment:
    """Return an empty scene with colours, orientations and the logics that the review's nodes need."""
    scene = slicer.vtkMRMLScene()
    application_logic = slicer.vtkSlicerApplicationLogic()
    with vtk_messages_in_log():
        application_logic.SetMRMLScene(scene)
        application_logic.GetColorLogic().SetMRMLScene(scene)
        application_logic.GetColorLogic().AddDefaultColorNodes()
        _prepare_views(scene, application_logic)
        logics = tuple(
            _register(logic, name, scene, application_logic)
            for name, logic in (
                # Under this very name, or the volumes logic does not find it.
                ("Colors", slicer.vtkSlicerColorLogic()),
                ("Volumes", slicer.vtkSlicerVolumesLogic()),
                ("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic()),
                ("SubjectHierarchy", slicer.vtkSlicerSubjectHierarchyModuleLogic()),
            )
        )
    return SceneEnvironment(scene, application_logic, logics)


def _prepare_views(scene: slicer.vtkMRMLScene, application_logic: slicer.vtkSlicerApplicationLogic) -> None:
    application_logic.SetSliceLogics(vtk.vtkCollection())
    application_logic.SetViewLogics(vtk.vtkCollection())
    slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(application_logic)
    slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(application_logic)
    patient_right_is_screen_left = True
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, patient_right_is_screen_left)
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)


def _register(
    logic: slicer.vtkSlicerModuleLogic,
    name: str,
    scene: slicer.vtkMRMLScene,
    application_logic: slicer.vtkSlicerApplicationLogic,
) -> slicer.vtkSlicerModuleLogic:
    logic.SetMRMLApplicationLogic(application_logic)
    logic.SetMRMLScene(scene)
    application_logic.SetModuleLogic(name, logic)
    return logic


def check_rendering() -> None:
    """Try to render in a process of its own, because a missing system library ends the process.

    Raises
    ------
    ReirradiationError
        Pictures cannot be rendered on this machine; the message says what to install.
    """
    tried = subprocess.run([sys.executable, "-c", _RENDER_ONCE], capture_output=True, check=False, timeout=120)
    if tried.returncode != 0:
        message = (
            "Pictures cannot be rendered here: the system libraries for off-screen OpenGL are missing or too old. "
            f"On Debian or Ubuntu, install them with: {RENDERING_REMEDY}"
        )
        raise ReirradiationError(message)
