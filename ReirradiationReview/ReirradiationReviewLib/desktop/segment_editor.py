"""Slicer's Segment Editor, opened on one segment without harm to the others."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..core.errors import ReirradiationError


def contour(segmentation: Any, segmentId: str, source: Any, threshold: float | None) -> None:
    """Open the Segment Editor on a segment.

    Parameters
    ----------
    source
        The volume that is contoured on.
    threshold
        What the Threshold effect starts from, in the volume's unit; None to leave it.

    Raises
    ------
    ReirradiationError
        If this Slicer has no Segment Editor.
    """
    slicer.util.selectModule("SegmentEditor")
    module = getattr(slicer.modules, "SegmentEditorWidget", None)
    if module is None:
        raise ReirradiationError(_("The Segment Editor could not be opened."))
    editor = module.editor
    node = editor.mrmlSegmentEditorNode()
    # By default a new segment takes its voxels away from all others.
    node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
    shown = editor.autoShowSourceVolumeNode
    editor.autoShowSourceVolumeNode = False  # the planning CT stays in the background, the source is laid over it
    editor.setSegmentationNode(segmentation)
    editor.setSourceVolumeNode(source)
    editor.setCurrentSegmentID(segmentId)
    editor.autoShowSourceVolumeNode = shown
    effect = editor.effectByName("Threshold") if threshold is not None else None
    if effect is not None:
        effect.setParameter("MinimumThreshold", str(threshold))
        effect.setParameter("MaximumThreshold", str(source.GetImageData().GetScalarRange()[1]))


def segmentNamed(segmentation: Any, name: str, color: tuple[float, float, float]) -> str:
    """Return the ID of the segment of that name, added where there is none."""
    segments = segmentation.GetSegmentation()
    known = segments.GetSegmentIdBySegmentName(name)
    return known or segments.AddEmptySegment("", name, color)
