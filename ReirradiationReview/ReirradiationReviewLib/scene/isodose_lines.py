"""Isodose lines drawn on top of a slice view, straight from the dose volume: quick enough to follow a slider.

Only a renderer and the view's slice node are needed, so the same lines serve Slicer's views and the browser's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtkIdTypeArray, vtk_to_numpy

from .content import IsodoseLevel
from .geometry import array_of

_LINE_WIDTH = 2.0
_LABEL_SIZE = 12
# Stands for an unknown dose while lines are sought; those that lead to it are left out again.
_UNKNOWN_GY = -1e3
# Labels are put where their line reaches farthest in this direction (radians), each level in its own.
_LABEL_ANGLES = np.linspace(0.3, 0.3 + 2 * np.pi, 9)[:-1]


class IsodoseLines:
    """The isodose lines of one slice view.

    Parameters
    ----------
    renderer
        Where the lines are drawn, in display coordinates.
    slice_node
        The view's slice node.
    """

    def __init__(self, renderer: vtk.vtkRenderer, slice_node: slicer.vtkMRMLSliceNode) -> None:
        self._renderer = renderer
        self._slice_node = slice_node
        self._dose: slicer.vtkMRMLScalarVolumeNode | None = None
        self._levels: tuple[IsodoseLevel, ...] = ()
        self._lines: list[_Line] = []
        self._drawn_from: tuple[object, ...] = ()
        self._reslice = vtk.vtkImageReslice()
        self._reslice.SetInterpolationModeToLinear()
        self._reslice.SetBackgroundLevel(_UNKNOWN_GY)
        self._reslice.SetOutputSpacing(1, 1, 1)
        self._reslice.SetOutputOrigin(0, 0, 0)

    def show(self, dose: slicer.vtkMRMLScalarVolumeNode | None, levels: Sequence[IsodoseLevel]) -> None:
        """Draw the lines of a dose volume, which must not lie below a transform; None for no lines."""
        self._dose = dose
        if self._levels != tuple(levels):
            self._levels = tuple(levels)
            self._remake_lines()
        self.update()

    def update(self) -> None:
        """Follow the slice and the dose; costs nothing where neither has changed."""
        if self._dose is None or self._dose.GetImageData() is None:
            self._hide()
            return
        state = self._state(self._dose)
        if state == self._drawn_from:
            return
        self._drawn_from = state
        image = self._slice_of(self._dose)
        for line, level in zip(self._lines, self._levels, strict=True):
            line.draw(image, level.dose_gy)

    def remove(self) -> None:
        """Take the lines out of the view."""
        for line in self._lines:
            line.remove(self._renderer)
        self._lines, self._levels, self._dose = [], (), None

    def _state(self, dose: slicer.vtkMRMLScalarVolumeNode) -> tuple[object, ...]:
        return (
            dose.GetID(),
            dose.GetImageData().GetMTime(),
            dose.GetImageData().GetPointData().GetScalars().GetMTime(),
            self._levels,
            tuple(self._slice_node.GetDimensions()),
            tuple(self._slice_node.GetXYToRAS().GetData()),
        )

    def _slice_of(self, dose: slicer.vtkMRMLScalarVolumeNode) -> vtk.vtkImageData:
        """Return the dose at every pixel of the view, Gy; what is not known is far below zero."""
        ras_to_ijk = vtk.vtkMatrix4x4()
        dose.GetRASToIJKMatrix(ras_to_ijk)
        to_ijk = vtk.vtkTransform()
        to_ijk.SetMatrix(ras_to_ijk)
        to_ijk.Concatenate(self._slice_node.GetXYToRAS())
        width, height, _ = self._slice_node.GetDimensions()
        self._reslice.SetInputData(dose.GetImageData())
        self._reslice.SetResliceTransform(to_ijk)
        self._reslice.SetOutputExtent(0, width - 1, 0, height - 1, 0, 0)
        self._reslice.Update()
        image = self._reslice.GetOutput()
        values = array_of(image)
        np.nan_to_num(values, copy=False, nan=_UNKNOWN_GY)
        return image

    def _remake_lines(self) -> None:
        for line in self._lines:
            line.remove(self._renderer)
        self._lines = [
            _Line(self._renderer, level, _LABEL_ANGLES[index % len(_LABEL_ANGLES)])
            for index, level in enumerate(self._levels)
        ]
        self._drawn_from = ()

    def _hide(self) -> None:
        self._drawn_from = ()
        for line in self._lines:
            line.hide()


class _Line:
    """One level's line and label."""

    def __init__(self, renderer: vtk.vtkRenderer, level: IsodoseLevel, label_angle: float) -> None:
        colour = [part / 255 for part in level.colour]
        self._towards = np.array([np.cos(label_angle), np.sin(label_angle)])
        self._contour = vtk.vtkFlyingEdges2D()
        self._contour.ComputeScalarsOff()
        self._mapper = vtk.vtkPolyDataMapper2D()
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetColor(colour)
        self._actor.GetProperty().SetLineWidth(_LINE_WIDTH)
        self._label = vtk.vtkTextActor()
        self._label.SetInput(f"{level.dose_gy:g}")
        text = self._label.GetTextProperty()
        text.SetFontSize(_LABEL_SIZE)
        text.SetColor(colour)
        text.SetJustificationToCentered()
        text.SetVerticalJustificationToCentered()
        text.SetBackgroundColor(0, 0, 0)
        text.SetBackgroundOpacity(0.6)
        renderer.AddViewProp(self._actor)
        renderer.AddViewProp(self._label)

    def draw(self, image: vtk.vtkImageData, dose_gy: float) -> None:
        self._contour.SetInputData(image)
        self._contour.SetValue(0, dose_gy)
        self._contour.Update()
        lines = vtk.vtkPolyData()
        lines.ShallowCopy(self._contour.GetOutput())
        points = _keep_known(lines, array_of(image)[0])
        self._mapper.SetInputData(lines)
        self._actor.SetVisibility(len(points) > 0)
        self._label.SetVisibility(len(points) > 0)
        if len(points):
            self._label.SetPosition(*points[int(np.argmax(points @ self._towards))].tolist())

    def hide(self) -> None:
        self._actor.SetVisibility(False)
        self._label.SetVisibility(False)

    def remove(self, renderer: vtk.vtkRenderer) -> None:
        renderer.RemoveViewProp(self._actor)
        renderer.RemoveViewProp(self._label)


def _keep_known(lines: vtk.vtkPolyData, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Leave out segments that end at an unknown pixel, and return the points of the rest, pixels, shape ``(N, 2)``."""
    if lines.GetNumberOfLines() == 0:
        return np.empty((0, 2))
    points = vtk_to_numpy(lines.GetPoints().GetData())[:, :2].astype(np.float64)
    # A point lies on the edge between two pixels.
    low, high = np.floor(points).astype(int), np.ceil(points).astype(int)
    is_known = (values[low[:, 1], low[:, 0]] > _UNKNOWN_GY / 2) & (values[high[:, 1], high[:, 0]] > _UNKNOWN_GY / 2)
    segments = vtk_to_numpy(lines.GetLines().GetConnectivityArray()).reshape(-1, 2)
    kept = segments[is_known[segments].all(axis=1)]
    cells = vtk.vtkCellArray()
    offsets = np.arange(len(kept) + 1, dtype=np.int64) * 2
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(kept.ravel(), deep=True))
    lines.SetLines(cells)
    return points[np.unique(kept)]
