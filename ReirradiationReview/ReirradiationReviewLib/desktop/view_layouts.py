"""Arrangements of Slicer's views for review and for contouring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from .panel import ReviewPanel

LAYOUTS = (
    ("fourUp", _("Review: four views")),
    ("fourUpPlot", _("Review: four views and DVH")),
    ("sideBySide", _("Review: earlier course beside the sum")),
    ("contouring", _("Contouring: one large axial view")),
    ("contouringPlain", _("Contouring: plain CT beside fusion")),
)
_LEFT, _RIGHT = "Red", "Yellow"


def showLayout(name: str, panel: ReviewPanel) -> None:
    """Arrange the views."""
    layout = slicer.vtkMRMLLayoutNode
    slicer.app.layoutManager().setLayout(
        {
            "fourUp": layout.SlicerLayoutFourUpView,
            "fourUpPlot": layout.SlicerLayoutFourUpPlotView,
            "sideBySide": layout.SlicerLayoutSideBySideView,
            "contouring": layout.SlicerLayoutOneUpRedSliceView,
            "contouringPlain": layout.SlicerLayoutSideBySideView,
        }[name]
    )
    isPair = name in ("sideBySide", "contouringPlain")
    manager = slicer.app.layoutManager()
    right = manager.sliceWidget(_RIGHT)
    if right is None:
        return
    right.mrmlSliceNode().SetOrientation("Axial" if isPair else "Sagittal")
    for view in (_LEFT, _RIGHT):
        manager.sliceWidget(view).mrmlSliceCompositeNode().SetLinkedControl(isPair)
    panel.display.showOverlay()
    if isPair and panel.session.review is not None:
        _showPair(name, panel)
    slicer.util.resetSliceViews()


def _showPair(name: str, panel: ReviewPanel) -> None:
    """Show something else on the left than on the right."""
    session = panel.session
    left = slicer.app.layoutManager().sliceWidget(_LEFT).mrmlSliceCompositeNode()
    # Linked views hand on what is set; the left one differs, so the link is opened for a moment.
    left.SetLinkedControl(False)
    if name == "contouringPlain":
        left.SetForegroundOpacity(0.0)
    else:
        index = panel.registration.courseIndex
        earlier = session.nodes.courses[max(index, 0)]
        shown = earlier.eqd2 if earlier.eqd2 is not None else earlier.doses[0]
        left.SetBackgroundVolumeID(None if earlier.ct is None else earlier.ct.GetID())
        left.SetForegroundVolumeID(shown.GetID())
    left.SetLinkedControl(True)
