"""What VTK and Slicer have to say goes to Python's logging, and what is known to mean nothing is left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import vtk

logger = logging.getLogger(__name__)

# The first two are said on every machine without an X server, by views that work all the same through EGL.
_MEANINGLESS = (
    "bad X server connection",
    "WindowResizeEvent will not be generated",
    # Slicer's colour files belong to its application; the built-in tables are all that is used.
    "FindDefaultColorFiles failed",
)

_LEVELS = {"ErrorEvent": logging.ERROR, "WarningEvent": logging.WARNING}


@contextmanager
def vtk_messages_in_log() -> Iterator[list[str]]:
    """Send VTK's warnings and errors to this module's logger instead of the terminal while the context lasts.

    Yields
    ------
    list of str
        The errors so far, so that a caller can tell a failure that VTK reports in no other way.
    """
    errors: list[str] = []
    previous = vtk.vtkOutputWindow.GetInstance()
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    window = vtk.vtkOutputWindow()
    window.SetDisplayModeToNever()
    for event, level in _LEVELS.items():
        window.AddObserver(event, _observer(level, errors))
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    vtk.vtkOutputWindow.SetInstance(window)
    try:
        yield errors
    finally:
        vtk.vtkOutputWindow.SetInstance(previous)
        vtk.vtkLogger.SetStderrVerbosity(verbosity)


def _observer(level: int, errors: list[str]) -> Callable[[Any, str, str], None]:
    def log(_window: Any, _event: str, text: str) -> None:
        if any(known in text for known in _MEANINGLESS):
            return
        logger.log(level, "%s", text.strip())
        if level == logging.ERROR:
            errors.append(text.strip())

    log.CallDataType = vtk.VTK_STRING  # type: ignore[attr-defined]
    return log
