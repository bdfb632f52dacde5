"""The target: contoured in the Segment Editor without harm to other structures, evaluated while it is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from ReirradiationReviewLib.scene.geometry import add_volume_node, ijk_to_ras, image_of


def test_targets_are_listed_with_what_each_course_gives_them(open_panel):
    table = open_panel.target.ui.targetsTable
    row = [table.item(0, column).text() for column in range(table.columnCount)]
    assert row[0] == "PTV_new"
    assert row[2:] == ["20.0 Gy", "20.0 Gy", "40.0 Gy"]


def test_a_new_target_is_a_red_segment_that_takes_nothing_from_the_others(open_panel, slicer_app, editor):
    import slicer

    open_panel.target.ui.targetNameEdit.text = "GTV_rec"
    open_panel.target.ui.contourButton.click()
    segmentation = open_panel.session.nodes.segmentation
    segment = segmentation.GetSegmentation().GetSegment(editor.segment_id)
    assert (segment.GetName(), segment.GetColor()) == ("GTV_rec", (1.0, 0.0, 0.0))
    assert editor.segmentation is segmentation
    assert editor.node.GetOverwriteMode() == slicer.vtkMRMLSegmentEditorNode.OverwriteNone
    assert slicer_app.selected_modules == ["SegmentEditor"]
    assert editor.source is open_panel.session.nodes.reference_ct


def test_the_source_is_laid_over_the_ct_which_stays(open_panel, slicer_app, editor):
    image = add_volume_node(slicer_app.scene, "an MR", open_panel.session.review.reference.ct.volume)
    open_panel.target.ui.sourceSelector.setCurrentNode(image)
    open_panel.target.ui.contourButton.click()
    assert editor.source is image
    assert editor.shown_while_set is False, "the editor would replace the CT by it"
    assert editor.autoShowSourceVolumeNode is True
    view = slicer_app.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert view.GetBackgroundVolumeID() == open_panel.session.nodes.reference_ct.GetID()
    assert view.GetForegroundVolumeID() == image.GetID()
    assert all(node.GetDisplayNode().GetVisibility2D() for node in open_panel.session.nodes.isodoses)


def test_the_same_name_is_the_same_segment(open_panel, editor):
    segmentation = open_panel.session.nodes.segmentation.GetSegmentation()
    for _ in range(2):
        open_panel.target.ui.contourButton.click()
    assert segmentation.GetNumberOfSegments() == 5


@pytest.mark.parametrize("name", ["", "   "])
def test_a_target_needs_a_name(open_panel, editor, name):
    open_panel.target.ui.targetNameEdit.text = name
    open_panel.target.ui.contourButton.click()
    assert "name" in open_panel.ui.messageLabel.text


def test_what_is_drawn_becomes_a_target_with_its_doses(open_panel, editor):
    import slicer

    open_panel.target.ui.contourButton.click()
    ct = open_panel.session.review.reference.ct.volume
    inside = np.linalg.norm(ct.centres_lps() - [0.0, 20.0, 0.0], axis=1) <= 12.0
    segment = open_panel.session.nodes.segmentation.GetSegmentation().GetSegment(editor.segment_id)
    labelmap = slicer.vtkOrientedImageData()
    labelmap.ShallowCopy(image_of(inside.reshape(ct.array.shape).astype(np.uint8) * segment.GetLabelValue()))
    labelmap.SetGeometryFromImageToWorldMatrix(ijk_to_ras(ct))
    segment.AddRepresentation("Binary labelmap", labelmap)
    open_panel.sceneWatch.followSegments()
    table = open_panel.target.ui.targetsTable
    drawn = [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)][1]
    assert drawn[0] == "GTV_new"
    assert float(drawn[1]) == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.1)
    assert drawn[2:] == ["20.0 Gy", "20.0 Gy", "40.0 Gy"]
