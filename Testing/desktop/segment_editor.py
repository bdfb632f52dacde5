"""What Slicer's Segment Editor was told, for the tests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from standin.strict import StrictObject


class Editor:
    """Stands in for the Segment Editor's widget."""

    def __init__(self, scene):
        import slicer

        self.autoShowSourceVolumeNode = True
        self.shown_while_set = None
        self.node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.effect = SimpleNamespace(parameters={})
        self.effect.setParameter = self.effect.parameters.__setitem__
        assert self.node.GetOverwriteMode() == slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments

    def mrmlSegmentEditorNode(self):
        return self.node

    def setSegmentationNode(self, node):
        self.segmentation = node

    def setSourceVolumeNode(self, node):
        self.source, self.shown_while_set = node, self.autoShowSourceVolumeNode

    def setCurrentSegmentID(self, segment_id):
        self.segment_id = segment_id

    def effectByName(self, name):
        assert name == "Threshold"
        return self.effect


@pytest.fixture
def editor(slicer_app, monkeypatch):
    """The Segment Editor of a running Slicer."""
    import slicer

    editor = Editor(slicer_app.scene)
    strict = StrictObject("slicer.qMRMLSegmentEditorWidget", editor)
    monkeypatch.setattr(slicer.modules, "SegmentEditorWidget", SimpleNamespace(editor=strict), raising=False)
    return editor
