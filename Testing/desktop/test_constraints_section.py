"""Constraints: the table says what core says, follows every change, and leads to the hot spot."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import settle
from ReirradiationReviewLib.core.report.document import VERDICTS
from ReirradiationReviewLib.scene.geometry import array_of


def results_of(panel):
    return [row.result for row in panel.constraints.rows]


def column_of(panel, column):
    table = panel.constraints.ui.constraintsTable
    return [table.item(row, column).text() for row in range(table.rowCount)]


def row_of(panel, organ):
    return next(row for row, result in enumerate(results_of(panel)) if result.structure == organ)


def where_views_look(panel):
    nodes = panel.environment.scene.GetNodesByClass("vtkMRMLSliceNode")
    found = []
    for index in range(nodes.GetNumberOfItems()):
        matrix = nodes.GetItemAsObject(index).GetSliceToRAS()
        found.append([matrix.GetElement(row, 3) for row in range(3)])
    return np.array(found)


def test_every_result_has_a_row_that_says_the_verdict_in_words_and_color(open_panel):
    results = open_panel.session.constraints()
    assert len(column_of(open_panel, 0)) == len(results)
    table = open_panel.constraints.ui.constraintsTable
    for row, result in enumerate(results_of(open_panel)):
        assert VERDICTS[result.verdict][1] in table.item(row, 0).text()
        assert result.source in table.item(row, 0).toolTip()
    severity = [list(VERDICTS).index(result.verdict) for result in results_of(open_panel)]
    assert severity == sorted(severity), "the worst come first"


def test_values_limits_and_headroom_are_those_of_core(open_panel):
    row = row_of(open_panel, "Cord")
    result = results_of(open_panel)[row]
    table = open_panel.constraints.ui.constraintsTable
    assert table.item(row, 3).text() == f"{result.value:.1f} Gy"
    assert result.value == pytest.approx(75.0, abs=0.01)
    assert table.item(row, 6).text() == f"{result.limit - 75.0:.1f} Gy"


def test_the_table_follows_biology_and_courses(open_panel):
    open_panel.biology.ui.biologyTable.selectRow(0)
    open_panel.biology.ui.alphaBetaSlider.value = 10.0
    settle(open_panel)
    cord = results_of(open_panel)[row_of(open_panel, "Cord")]
    assert cord.value < 75.0 or cord.alpha_beta_gy == 2.0, "a row with an alpha/beta of its own keeps it"
    import qt

    open_panel.constraints.ui.coursesList.item(0).setCheckState(qt.Qt.Unchecked)
    settle(open_panel)
    assert open_panel.session.review.settings.left_out == {0}
    lung = next(r for r in results_of(open_panel) if r.structure == "Lung_L + Lung_R")
    assert math.isclose(lung.value, 100.0) or lung.value < 100.0
    organ = open_panel.session.review.organ("Lung_L")
    assert organ.eqd2(open_panel.session.review.weights()).low.dmean_gy == pytest.approx(32.0, abs=0.01)


def test_leaving_every_course_out_is_refused_and_the_tick_comes_back(open_panel):
    import qt

    courses = open_panel.constraints.ui.coursesList
    for row in range(2):
        courses.item(row).setCheckState(qt.Qt.Unchecked)
    settle(open_panel)
    assert "nothing to sum" in open_panel.ui.messageLabel.text
    assert [courses.item(row).checkState() == qt.Qt.Checked for row in range(2)] == [True, True]


def test_protocols_are_chosen_by_ticking(open_panel):
    import qt

    protocols = open_panel.constraints.ui.protocolsList
    assert protocols.count > 1
    other = next(row for row in range(protocols.count) if protocols.item(row).checkState() != qt.Qt.Checked)
    before = len(column_of(open_panel, 0))
    protocols.item(other).setCheckState(qt.Qt.Checked)
    settle(open_panel)
    assert len(column_of(open_panel, 0)) > before
    assert len(set(column_of(open_panel, 7))) == 2


def test_headings_sort_and_unknown_values_stay_at_the_end(open_panel):
    for again in (False, True):
        open_panel.constraints.onSort(3)
        values = [result.value for result in results_of(open_panel)]
        known = [value for value in values if not math.isnan(value)]
        assert known == sorted(known, reverse=again)
        assert all(math.isnan(value) for value in values[len(known) :])


def test_a_click_leads_all_views_to_the_hot_spot_and_names_each_courses_share(open_panel):
    organ = open_panel.session.review.organ("Lung_L")
    row = row_of(open_panel, "Cord")
    open_panel.constraints.onRowClicked(row, 0)
    cord = open_panel.session.review.organ("Cord")
    places = where_views_look(open_panel)
    assert len(places) == 3
    # RAS of a point of the cord (radius 10 mm about the middle, 60 mm long); the lung is 20 mm off.
    assert (np.linalg.norm(places[:, :2], axis=1) <= 11.0).all()
    detail = open_panel.constraints.ui.detailLabel.text
    assert "course 1 40.0 Gy (" in detail
    assert "course 2 35.0 Gy (" in detail
    assert "mm inside its dose grid" in detail
    assert results_of(open_panel)[row].source in detail
    assert cord.name in detail
    assert organ.name not in detail


def test_a_row_without_a_structure_says_why_and_moves_nothing(open_panel):
    row = next(row for row, result in enumerate(results_of(open_panel)) if result.structure is None)
    before = where_views_look(open_panel)
    open_panel.constraints.onRowClicked(row, 0)
    np.testing.assert_array_equal(where_views_look(open_panel), before)
    assert "structure" in open_panel.constraints.ui.detailLabel.text


def test_a_contour_that_is_drawn_in_the_segment_editor_is_in_the_table(open_panel):
    nodes = open_panel.session.nodes
    segment = nodes.segmentation.GetSegmentation().GetSegment("roi_1")
    image = segment.GetRepresentation("Binary labelmap")
    array_of(image)[:, :, :11] = 0
    image.GetPointData().GetScalars().Modified()
    image.Modified()
    nodes.segmentation.GetSegmentation().InvokeEvent(nodes.segmentation.GetSegmentation().SourceRepresentationModified)
    open_panel.sceneWatch.followSegments()
    volume_cc = open_panel.session.review.organ("Cord").samples.volume_cc
    assert volume_cc == pytest.approx(9.4, rel=0.1)


def test_the_dvh_is_drawn_relative_or_absolute_per_course_or_not(open_panel, slicer_app):
    ui = open_panel.constraints.ui
    ui.showDvhButton.click()
    chart = slicer_app.scene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    drawn = chart.GetNumberOfPlotSeriesNodes()
    assert drawn == 3, "cord, and both lungs, which the protocol names"
    assert chart.GetYAxisTitle() == "Volume (%)"
    ui.dvhCoursesCheckBox.checked = True
    assert chart.GetNumberOfPlotSeriesNodes() == 3 * drawn
    ui.relativeVolumeCheckBox.checked = False
    assert chart.GetYAxisTitle() == "Volume (cc)"
    table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    volumes = table.GetColumnByName("volume 0")
    assert volumes.GetValue(0) == pytest.approx(open_panel.session.review.organ("Cord").samples.volume_cc)
    selection = slicer_app.environment.application_logic.GetSelectionNode()
    assert selection.GetActivePlotChartID() == chart.GetID()


def test_the_dvh_follows_the_slider(open_panel, slicer_app):
    open_panel.constraints.ui.showDvhButton.click()
    chart = slicer_app.scene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    series = chart.GetNthPlotSeriesNode(0)
    open_panel.biology.ui.biologyTable.selectRow(0)
    open_panel.biology.ui.alphaBetaSlider.value = 10.0
    settle(open_panel)
    highest = max(series.GetTableNode().GetTable().GetColumnByName("dose 0").GetRange())
    assert highest == pytest.approx(40.0 + 20.0 * 15 / 12, abs=0.01)
    assert chart.GetNthPlotSeriesNode(0) is series, "the line is renewed, not another one"


def wait_until(condition):
    import time

    import slicer

    deadline = time.monotonic() + 60.0
    while not condition():
        slicer.app.processEvents()
        assert time.monotonic() < deadline


def test_ranges_follow_when_the_panel_rests_and_are_those_of_core(open_panel):
    section = open_panel.constraints
    open_panel.background.workNow()
    wait_until(lambda: open_panel.background.rangesOf(open_panel.session.review) is not None)
    expected = {
        (result.id, result.structure): found
        for result, found in zip(open_panel.session.constraints(), open_panel.session.review.uncertainty(), strict=True)
    }
    table = section.ui.constraintsTable
    seen = 0
    for row, shown in enumerate(section.rows):
        found = expected[shown.result.id, shown.result.structure]
        if found is not None:
            assert table.item(row, 4).text().startswith(f"{found.low:.1f}–{found.high:.1f}")
            assert ("not firm" in table.item(row, 4).text()) == (found.is_firm is False)
            seen += 1
    assert seen
    section.ui.rangesCheckBox.checked = False
    assert all(shown.range is None for shown in section.rows)
