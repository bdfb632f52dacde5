"""From core's LPS grids and transforms to MRML's RAS nodes: the only place where the two meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..core.errors import ReirradiationError
from ..core.registration.transform import SpatialTransform
from ..core.volume import Volume

# DICOM's L and P against Slicer's R and A; its own inverse.
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def to_ras(points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return points in RAS mm of points in LPS mm, shape ``(..., 3)``."""
    return np.asarray(points_lps, dtype=np.float64) * np.diag(RAS_FROM_LPS)[:3]


def vtk_matrix(matrix: NDArray[np.float64]) -> vtk.vtkMatrix4x4:
    """Return a VTK matrix of the same numbers, shape ``(4, 4)``."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=np.float64).ravel().tolist())
    return result


def ijk_to_ras(volume: Volume) -> vtk.vtkMatrix4x4:
    """Return the matrix from voxel indices ``(i, j, k)`` to RAS mm."""
    return vtk_matrix(RAS_FROM_LPS @ volume.index_to_lps)


def image_of(array: NDArray[Any]) -> vtk.vtkImageData:
    """Return a copy as VTK image with unit spacing; array of shape ``(K, J, I)`` or ``(K, J, I, 3)``."""
    image = vtk.vtkImageData()
    k, j, i = array.shape[:3]
    image.SetDimensions(i, j, k)
    values = np.ascontiguousarray(array).reshape(k * j * i, *array.shape[3:])
    image.GetPointData().SetScalars(numpy_to_vtk(values, deep=True))
    return image


def array_of(image: vtk.vtkImageData) -> NDArray[Any]:
    """Return a view of a scalar VTK image's values, shape ``(K, J, I)``."""
    i, j, k = image.GetDimensions()
    values: NDArray[Any] = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i)
    return values


def add_volume_node(scene: slicer.vtkMRMLScene, name: str, volume: Volume) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a scalar volume node with a copy of the values."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(ijk_to_ras(volume))
    node.SetAndObserveImageData(image_of(volume.array))
    return node


def set_values(node: slicer.vtkMRMLScalarVolumeNode, volume: Volume) -> None:
    """Replace a volume node's values, and its grid where that has changed."""
    image = node.GetImageData()
    same_type = image is not None and array_of(image).dtype == volume.array.dtype
    if same_type and image.GetDimensions() == volume.shape_ijk:
        array_of(image)[...] = volume.array
        image.GetPointData().GetScalars().Modified()
        image.Modified()
    else:
        node.SetAndObserveImageData(image_of(volume.array))
    node.SetIJKToRASMatrix(ijk_to_ras(volume))
    # Views look at the node, not at its image: without this they keep the old picture.
    node.Modified()


def volume_of(node: slicer.vtkMRMLScalarVolumeNode, frame_of_reference_uid: str = "") -> Volume:
    """Return a copy of a volume node's values on its own grid, without what a parent transform makes of it."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return Volume(array_of(node.GetImageData()).copy(), RAS_FROM_LPS @ numpy_matrix(matrix), frame_of_reference_uid)


def numpy_matrix(matrix: vtk.vtkMatrix4x4) -> NDArray[np.float64]:
    """Return the numbers of a VTK matrix, shape ``(4, 4)``."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def add_transform_nodes(
    scene: slicer.vtkMRMLScene, name: str, transform: SpatialTransform
) -> tuple[slicer.vtkMRMLTransformNode, ...]:
    """Add nodes that bring what is below them from the course's patient space to reference space.

    ``transform`` maps reference points to course points, which is the direction that MRML calls "from parent": it is
    stored as it is and nothing is inverted. A deformable transform ``x -> A (x + u(x))`` becomes two nodes, the
    linear ``A`` below the displacement ``u``.

    Returns
    -------
    tuple of vtkMRMLTransformNode
        The course's nodes go below the first; the last one's parent is the reference space (world).
    """
    linear = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", f"{name} (rigid)")
    set_linear(linear, transform)
    if transform.displacement is None:
        linear.SetName(name)
        return (linear,)
    deformable = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", f"{name} (deformable)")
    deformable.SetAndObserveTransformFromParent(_grid_transform(transform.displacement))
    linear.SetAndObserveTransformNodeID(deformable.GetID())
    return linear, deformable


def set_linear(node: slicer.vtkMRMLLinearTransformNode, transform: SpatialTransform) -> None:
    """Give a transform node the linear part of a transform, as `add_transform_nodes` does."""
    node.SetMatrixTransformFromParent(vtk_matrix(RAS_FROM_LPS @ transform.matrix_lps @ RAS_FROM_LPS))


def transform_of(nodes: Sequence[slicer.vtkMRMLTransformNode]) -> SpatialTransform:
    """Return the transform that nodes made by `add_transform_nodes` hold: reference point to course point, LPS mm.

    Raises
    ------
    ReirradiationError
        If the nodes are not one linear transform, alone or below one displacement grid.
    """
    linear, *rest = nodes
    if not linear.IsLinear() or len(rest) > 1 or any(not node.IsA("vtkMRMLGridTransformNode") for node in rest):
        raise ReirradiationError(
            f"the transform {linear.GetName()!r} is not a linear one, alone or below one displacement grid: "
            "register the course again"
        )
    matrix = vtk.vtkMatrix4x4()
    linear.GetMatrixTransformFromParent(matrix)
    matrix_lps = RAS_FROM_LPS @ numpy_matrix(matrix) @ RAS_FROM_LPS
    return SpatialTransform(matrix_lps, _displacement_of(rest[0]) if rest else None)


def _displacement_of(node: slicer.vtkMRMLGridTransformNode) -> Volume:
    grid = node.GetTransformFromParentAs("vtkOrientedGridTransform")
    image = grid.GetDisplacementGrid()
    i, j, k = image.GetDimensions()
    vectors_ras = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k, j, i, 3)
    directions = grid.GetGridDirectionMatrix()
    axes = np.eye(3) if directions is None else numpy_matrix(directions)[:3, :3]
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    padded = Volume(to_ras(vectors_ras), RAS_FROM_LPS @ matrix)
    # Without the border of zeros that `_grid_transform` puts around.
    matrix_lps = padded.index_to_lps.copy()
    matrix_lps[:3, 3] = padded.to_lps(np.ones((1, 3)))[0]
    return Volume(padded.array[1:-1, 1:-1, 1:-1].copy(), matrix_lps)


def _grid_transform(displacement: Volume) -> slicer.vtkOrientedGridTransform:
    # VTK goes on with the edge's displacement beyond the grid, core and ITK with zero: hence a border of zeros.
    border = ((1, 1), (1, 1), (1, 1), (0, 0))
    vectors_ras = np.pad(to_ras(displacement.array), border)
    image = image_of(vectors_ras)
    directions = np.eye(4)
    directions[:3, :3] = RAS_FROM_LPS[:3, :3] @ displacement.index_to_lps[:3, :3] / displacement.spacing_mm
    image.SetSpacing(displacement.spacing_mm.tolist())
    image.SetOrigin(to_ras(displacement.to_lps(np.full((1, 3), -1.0)))[0].tolist())
    grid = slicer.vtkOrientedGridTransform()
    grid.SetDisplacementGridData(image)
    grid.SetGridDirectionMatrix(vtk_matrix(directions))
    grid.SetInterpolationModeToLinear()
    return grid
