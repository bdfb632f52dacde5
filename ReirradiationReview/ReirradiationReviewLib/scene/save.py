"""The scene as one file that Slicer opens, and back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import ReirradiationError
from .environment import SceneEnvironment
from .messages import vtk_messages_in_log


def save_scene(environment: SceneEnvironment, path: Path) -> None:
    """Write the scene as a medical reality bundle (.mrb).

    Raises
    ------
    ReirradiationError
        If the file cannot be written.
    """
    scene = environment.scene
    with tempfile.TemporaryDirectory() as scratch, vtk_messages_in_log():
        # Without a URL of its own, a scene that never was a file ends the process when it is bundled.
        before = scene.GetURL(), scene.GetRootDirectory()
        scene.SetURL(str(Path(scratch) / "review.mrml"))
        scene.SetRootDirectory(scratch)
        written = scene.WriteToMRB(str(path))
        scene.SetURL(before[0] or "")
        scene.SetRootDirectory(before[1] or "")
    if not written or not path.is_file():
        raise ReirradiationError(f"the scene could not be saved as {path.name}: is the disk full or write-protected?")


def load_scene(environment: SceneEnvironment, path: Path) -> None:
    """Add what a medical reality bundle (.mrb) holds to the scene.

    Raises
    ------
    ReirradiationError
        If the file cannot be read as a scene.
    """
    loaded = False
    if path.is_file():
        with tempfile.TemporaryDirectory() as scratch, _here(), vtk_messages_in_log():
            loaded = environment.application_logic.OpenSlicerDataBundle(str(path), scratch)
    if not loaded:
        raise ReirradiationError(f"{path.name} cannot be read as a Slicer scene (.mrb): choose another file")


@contextmanager
def _here() -> Iterator[None]:
    """Come back to the present folder: Slicer's unpacking enters another, and stays there when it fails."""
    before = Path.cwd()
    try:
        yield
    finally:
        os.chdir(before)
