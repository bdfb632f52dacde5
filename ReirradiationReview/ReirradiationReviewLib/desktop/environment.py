"""The application's scene for the scene code to work in."""

from __future__ import annotations

from contextlib import AbstractContextManager

import slicer

from ..scene.environment import SceneEnvironment


def desktopEnvironment() -> SceneEnvironment:
    """Return the application's scene and logic; many changes at once hold back the views, nothing else."""
    return SceneEnvironment(slicer.mrmlScene, slicer.app.applicationLogic(), one_change=_heldViews)


def _heldViews(_scene: slicer.vtkMRMLScene) -> AbstractContextManager[None]:
    return slicer.util.RenderBlocker()
