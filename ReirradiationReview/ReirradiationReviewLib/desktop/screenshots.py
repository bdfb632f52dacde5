"""Pictures of Slicer's views, with patient and assumptions written into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from ..core.review import Review
from ..scene.from_review import assumption_lines
from ..session import ReviewSession

_THREE_D = "3D"


@dataclass(frozen=True)
class Screenshot:
    """A picture that was written, and what it shows."""

    path: Path
    caption: str


def captureViews(session: ReviewSession, folder: Path, prefix: str, what: str) -> list[Screenshot]:
    """Write a picture of each view that is visible now.

    Parameters
    ----------
    prefix
        Begin of the files' names.
    what
        What the views show, for the captions.
    """
    import ScreenCapture

    capture = ScreenCapture.ScreenCaptureLogic()
    lines = _lines(session.review)
    pictures = []
    for name, view in _visibleViews():
        path = folder / f"{prefix}_{name.lower()}.png"
        with _written(view, lines):
            capture.captureImageFromView(view, str(path))
        pictures.append(Screenshot(path, _("{view} view: {what}").format(view=name, what=what)))
    return pictures


def captureStandardViews(session: ReviewSession, folder: Path) -> list[Screenshot]:
    """Write pictures through the composite's hot spot and through the target, in the four-up layout."""
    points = [("hot_spot", _("hot spot of the composite EQD2"), session.review.hot_spot_lps())]
    target = session.target_point()
    if target is not None:
        points.append(("target", _("target"), target))
    manager = slicer.app.layoutManager()
    before = manager.layout
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    pictures = []
    try:
        for prefix, what, point in points:
            session.jump_to(np.asarray(point))
            pictures += captureViews(session, folder, prefix, what)
    finally:
        manager.setLayout(before)
    return pictures


def _visibleViews() -> Iterator[tuple[str, Any]]:
    manager = slicer.app.layoutManager()
    for name in manager.sliceViewNames():
        widget = manager.sliceWidget(name)
        if widget is not None and widget.visible:
            yield widget.mrmlSliceNode().GetOrientation() or name, widget.sliceView()
    for index in range(manager.threeDViewCount):
        widget = manager.threeDWidget(index)
        if widget is not None and widget.visible:
            yield _THREE_D, widget.threeDView()


def _lines(review: Review) -> Sequence[str]:
    patient = review.reference.patient
    identity = ", ".join(part for part in (patient.name, patient.id) if part) or _("unknown patient")
    return (identity, *assumption_lines(review), _("Research use only"))


@contextmanager
def _written(view: Any, lines: Sequence[str]) -> Iterator[None]:
    """Write lines into a view's corner for as long as the context lasts."""
    corner = vtk.vtkCornerAnnotation.UpperLeft
    annotation = view.cornerAnnotation()
    before = annotation.GetText(corner) or ""
    annotation.SetText(corner, "\n".join(lines))
    try:
        yield
    finally:
        annotation.SetText(corner, before)
