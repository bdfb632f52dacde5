"""Dose-volume histograms as a plot chart of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk

from ..core.review import Review
from .environment import SceneEnvironment
from .hierarchy import remove_node

CHART_NAME = "Re-irradiation review DVH"
_TABLE_NAME = "Re-irradiation review DVH curves"
_POINTS = 300
# Told apart by their dashes too; the composite is the solid line.
_COURSE_LINES = ("LineStyleDash", "LineStyleDot", "LineStyleDashDot", "LineStyleDashDotDot")


def show_dvh(
    environment: SceneEnvironment,
    review: Review,
    structures: Sequence[str],
    *,
    relative_volume: bool,
    each_course: bool,
) -> slicer.vtkMRMLPlotChartNode:
    """Draw the cumulative histograms of EQD2, each organ with its own alpha/beta, from the dose that is known.

    Parameters
    ----------
    structures
        Names of the structures that are drawn.
    relative_volume
        Percent of the structure instead of cc.
    each_course
        One dashed curve per course beside the composite.

    Returns
    -------
    vtkMRMLPlotChartNode
        The review's one chart, renewed.
    """
    scene = environment.scene
    curves = _curves(review, structures, relative_volume, each_course)
    table = _named(scene, "vtkMRMLTableNode", _TABLE_NAME)
    table.RemoveAllColumns()
    chart = _named(scene, "vtkMRMLPlotChartNode", CHART_NAME)
    was_modifying = chart.StartModify()
    series = _as_many_series(scene, chart, len(curves))
    for number, (curve, node) in enumerate(zip(curves, series, strict=True)):
        for column, values in ((f"dose {number}", curve.dose_gy), (f"volume {number}", curve.volume)):
            table.AddColumn(_column(column, values))
        _show(node, table, number, curve)
    chart.SetTitle("DVH of EQD2")
    chart.SetXAxisTitle("EQD2 (Gy)")
    chart.SetYAxisTitle("Volume (%)" if relative_volume else "Volume (cc)")
    chart.SetLegendVisibility(True)
    chart.EndModify(was_modifying)
    return chart


@dataclass(frozen=True)
class _Curve:
    """One line of the chart, and how it looks."""

    name: str
    colour: tuple[int, int, int]
    line: str
    dose_gy: NDArray[np.float64]
    volume: NDArray[np.float64]


def _curves(review: Review, structures: Sequence[str], relative_volume: bool, each_course: bool) -> list[_Curve]:
    result = []
    for organ in review.organs:
        if organ.name not in structures:
            continue
        sums = [(f"{organ.name} (α/β {organ.alpha_beta_gy:g} Gy)", "LineStyleSolid", review.weights())]
        if each_course:
            sums += [
                (f"{organ.name}, {course.label}", _COURSE_LINES[index % 4], review.weights([index]))
                for index, course in enumerate(review.courses)
            ]
        for name, line, weights in sums:
            dose = organ.eqd2(weights).low
            dose_gy, volume_cc = dose.curve(_POINTS)
            if len(dose_gy):  # nothing is drawn where nothing is known
                volume = volume_cc / dose.total_volume_cc * 100.0 if relative_volume else volume_cc
                result.append(_Curve(name, organ.structure.colour, line, dose_gy, volume))
    return result


def _named(scene: slicer.vtkMRMLScene, node_class: str, name: str) -> Any:
    nodes = scene.GetNodesByClassByName(node_class, name)
    return nodes.GetItemAsObject(0) if nodes.GetNumberOfItems() else scene.AddNewNodeByClass(node_class, name)


def _column(name: str, values: NDArray[np.float64]) -> Any:
    column = numpy_to_vtk(np.ascontiguousarray(values, dtype=np.float64), deep=True)
    column.SetName(name)
    return column


def _as_many_series(scene: slicer.vtkMRMLScene, chart: slicer.vtkMRMLPlotChartNode, count: int) -> list[Any]:
    """Return the chart's series, as many as there are curves: those that are there already are used again."""
    series = [chart.GetNthPlotSeriesNode(number) for number in range(chart.GetNumberOfPlotSeriesNodes())]
    for node in series[count:]:
        chart.RemovePlotSeriesNodeID(node.GetID())
        remove_node(scene, node)
    while len(series) < count:
        series.append(scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode"))
        chart.AddAndObservePlotSeriesNodeID(series[-1].GetID())
    return series[:count]


def _show(series: Any, table: Any, number: int, curve: _Curve) -> None:
    was_modifying = series.StartModify()
    series.SetName(curve.name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(f"dose {number}")
    series.SetYColumnName(f"volume {number}")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetLineStyle(getattr(slicer.vtkMRMLPlotSeriesNode, curve.line))
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
    series.SetColor(*(part / 255 for part in curve.colour))
    series.EndModify(was_modifying)
