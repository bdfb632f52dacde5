"""Organs' surfaces against their size in closed form."""

import numpy as np
import pytest
import slicer
import vtk
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.volume import Volume
from ReirradiationReviewLib.scene.content import SceneOrgan
from ReirradiationReviewLib.scene.segmentation import add_segmentation

# An image like a planning CT's: fine, so that a patient's outline has more voxels than a surface is made from.
SPACING_MM, SHAPE_KJI, GAP_MM = 0.9, (40, 512, 512), 3.0


def a_cylinder(radius_mm: float, planes: int) -> Structure:
    angle = np.linspace(0.0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([radius_mm * np.cos(angle) + 230.0, radius_mm * np.sin(angle) + 230.0], axis=1)
    contours = tuple(np.column_stack([circle, np.full(400, GAP_MM * (2 + plane))]) for plane in range(planes))
    return Structure(number=1, name="BODY", interpreted_type="EXTERNAL", contours_lps=contours)


@pytest.mark.parametrize("radius_mm", [20.0, 200.0])
def test_an_organ_has_a_surface_of_its_size_however_many_voxels_it_has(radius_mm):
    image = Volume(np.zeros(SHAPE_KJI, dtype=np.int16), np.diag([SPACING_MM, SPACING_MM, GAP_MM, 1.0]))
    organ = SceneOrgan("BODY", "External", (255, 0, 0), a_cylinder(radius_mm, 30))
    node = add_segmentation(slicer.vtkMRMLScene(), "structures", [organ], image, None)
    surface = vtk.vtkPolyData()
    node.GetClosedSurfaceRepresentation("roi_1", surface)
    properties = vtk.vtkMassProperties()
    properties.SetInputData(surface)
    assert properties.GetVolume() == pytest.approx(np.pi * radius_mm**2 * 30 * GAP_MM, rel=0.02)
    assert surface.GetBounds()[1] == pytest.approx(-230.0 + radius_mm, abs=1.0)
