"""Surfaces of a level in a volume, in RAS."""

from __future__ import annotations

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtkIdTypeArray, vtk_to_numpy

from ..core.volume import Volume
from .geometry import ijk_to_ras, image_of


def level_surface(volume: Volume, level: float) -> vtk.vtkPolyData:
    """Return the surface where linear interpolation of the volume equals the level; higher values lie inside.

    Where the volume is NaN its value is unknown, and the surface ends there instead of closing.

    Parameters
    ----------
    volume
        Scalar grid, shape ``(K, J, I)``.

    Returns
    -------
    vtkPolyData
        Triangles with normals, RAS mm; empty where the level is not reached.
    """
    unknown = np.isnan(volume.array)
    contour = vtk.vtkFlyingEdges3D()
    # What stands for the unknown values makes no difference: the triangles it leads to are left out.
    contour.SetInputData(image_of(np.where(unknown, level - 1.0, volume.array).astype(np.float32)))
    contour.SetValue(0, level)
    contour.ComputeNormalsOn()
    contour.ComputeScalarsOff()
    contour.Update()
    surface = contour.GetOutput()
    if unknown.any() and surface.GetNumberOfCells():
        surface = _known_part(surface, unknown)
    return _to_ras(surface, volume)


def _known_part(surface: vtk.vtkPolyData, unknown: NDArray[np.bool_]) -> vtk.vtkPolyData:
    """Return the triangles (points in voxel indices) between eight known voxels."""
    corners = vtk_to_numpy(surface.GetPoints().GetData())
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    cell = np.floor(corners[triangles].mean(axis=1, dtype=np.float64)).astype(int)
    cell = np.clip(cell, 0, np.array(unknown.shape[::-1]) - 2)
    kept = triangles[~_touches(unknown)[tuple(cell.T[::-1])]]
    cells = vtk.vtkCellArray()
    offsets = np.arange(len(kept) + 1, dtype=np.int64) * 3
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(kept.ravel(), deep=True))
    result = vtk.vtkPolyData()
    result.ShallowCopy(surface)
    result.SetPolys(cells)
    unused_left_out = vtk.vtkCleanPolyData()
    unused_left_out.PointMergingOff()
    unused_left_out.SetInputData(result)
    unused_left_out.Update()
    return unused_left_out.GetOutput()


def _touches(unknown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells, each between eight voxels, have an unknown one."""
    result = unknown
    for axis in range(3):
        count = result.shape[axis]
        result = np.take(result, range(count - 1), axis) | np.take(result, range(1, count), axis)
    return result


def _to_ras(surface: vtk.vtkPolyData, volume: Volume) -> vtk.vtkPolyData:
    transform = vtk.vtkTransform()
    transform.SetMatrix(ijk_to_ras(volume))
    placed = vtk.vtkTransformPolyDataFilter()
    placed.SetTransform(transform)
    placed.SetInputData(surface)
    placed.Update()
    if np.linalg.det(volume.index_to_lps[:3, :3]) > 0:
        return placed.GetOutput()
    # A grid that runs the other way turns the triangles inside out; their normals are right already.
    turned = vtk.vtkReverseSense()
    turned.SetInputConnection(placed.GetOutputPort())
    turned.ReverseCellsOn()
    turned.ReverseNormalsOff()
    turned.Update()
    return turned.GetOutput()
