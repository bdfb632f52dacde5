"""Any transform node of the scene as a registration."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..core.registration.transform import SpatialTransform
from ..core.volume import Volume
from .geometry import RAS_FROM_LPS, numpy_matrix, to_ras

# A deformable transform is sampled on a grid of this pitch: that of common displacement fields or finer.
_PITCH_MM = 3.0


def transform_of_node(node: slicer.vtkMRMLTransformNode, reference: Volume) -> SpatialTransform:
    """Return what a transform node, with all that is above it, does to an earlier course below it.

    A node brings what is below it to the world, which is the reference's space. A registration goes the other way,
    from reference points to course points.

    Parameters
    ----------
    reference
        A deformable transform is sampled over this grid, at 3 mm; beyond it, it counts as no motion.

    Returns
    -------
    SpatialTransform
        LPS, mm.
    """
    if node.IsTransformToWorldLinear():
        matrix = vtk.vtkMatrix4x4()
        slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(None, node, matrix)
        return SpatialTransform(RAS_FROM_LPS @ numpy_matrix(matrix) @ RAS_FROM_LPS)
    from_world = vtk.vtkGeneralTransform()
    node.GetTransformFromWorld(from_world)
    lattice = _lattice(reference)
    points_ras = to_ras(lattice.centres_lps())
    before = vtk.vtkPoints()
    before.SetData(numpy_to_vtk(points_ras, deep=True))
    after = vtk.vtkPoints()
    after.SetDataTypeToDouble()
    from_world.TransformPoints(before, after)
    moved_lps = to_ras(vtk_to_numpy(after.GetData()) - points_ras)
    return SpatialTransform(displacement=lattice.like(moved_lps.reshape(*lattice.array.shape, 3)))


def _lattice(reference: Volume) -> Volume:
    """Return a grid along the reference's axes that covers it."""
    size_mm = (np.array(reference.shape_ijk) - 1) * reference.spacing_mm
    shape_ijk = np.ceil(size_mm / _PITCH_MM).astype(int) + 1
    matrix = reference.index_to_lps.copy()
    matrix[:3, :3] *= _PITCH_MM / reference.spacing_mm
    return Volume(np.zeros(shape_ijk[::-1], dtype=bool), matrix)
