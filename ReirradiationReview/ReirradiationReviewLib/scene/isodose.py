"""Isodose surfaces, their colours, and the dose wash's colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from ..core.volume import Volume
from .content import IsodoseLevel
from .hierarchy import remove_node
from .surfaces import level_surface

ISODOSE_ATTRIBUTE = "DicomRtImport.IsodoseModel"  # as SlicerRT names it
_WASH_COLOURS = 256


def add_isodose_models(
    scene: slicer.vtkMRMLScene, composite: Volume, levels: Sequence[IsodoseLevel]
) -> tuple[slicer.vtkMRMLModelNode, ...]:
    """Add a model for each level, named by its dose, visible as a line in slice views."""
    return tuple(_add_model(scene, level, level_surface(composite, level.dose_gy)) for level in levels)


def add_plan_isodose_models(
    scene: slicer.vtkMRMLScene, dose: Volume, levels: Sequence[IsodoseLevel], course: str
) -> tuple[slicer.vtkMRMLModelNode, ...]:
    """Add a model for each level of one course's own dose, hidden at first beside the composite's."""
    nodes = add_isodose_models(scene, dose, levels)
    for node in nodes:
        node.SetName(f"{node.GetName()}, {course} alone")
        node.GetDisplayNode().SetVisibility(False)
    return nodes


def set_isodose_models(
    scene: slicer.vtkMRMLScene,
    nodes: Sequence[slicer.vtkMRMLModelNode],
    composite: Volume,
    levels: Sequence[IsodoseLevel],
) -> tuple[slicer.vtkMRMLModelNode, ...]:
    """Renew the isodose models: a level that has one keeps its node with its display settings.

    Returns
    -------
    tuple of vtkMRMLModelNode
        One for each level. Nodes of levels that are not wanted any more are removed from the scene.
    """
    known = {node.GetName(): node for node in nodes}
    wanted = {level.label for level in levels}
    for name, node in known.items():
        if name not in wanted:
            remove_node(scene, node)
    result = []
    for level in levels:
        surface = level_surface(composite, level.dose_gy)
        node = known.get(level.label)
        if node is None:
            node = _add_model(scene, level, surface)
        else:
            node.SetAndObservePolyData(surface)
            node.GetDisplayNode().SetColor(*(part / 255 for part in level.colour))
        result.append(node)
    return tuple(result)


def set_surfaces(nodes: Sequence[slicer.vtkMRMLModelNode], dose: Volume, levels: Sequence[IsodoseLevel]) -> None:
    """Renew the surfaces of models that belong to the same levels, one each; none where there are no nodes."""
    for node, level in zip(nodes, levels, strict=bool(nodes)):
        node.SetAndObservePolyData(level_surface(dose, level.dose_gy))


def _add_model(scene: slicer.vtkMRMLScene, level: IsodoseLevel, surface: vtk.vtkPolyData) -> slicer.vtkMRMLModelNode:
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", level.label)
    node.SetAndObservePolyData(surface)
    node.SetAttribute(ISODOSE_ATTRIBUTE, "1")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*(part / 255 for part in level.colour))
    display.SetVisibility2D(True)
    display.SetVisibility3D(False)
    display.SetSliceIntersectionThickness(2)
    display.SetOpacity(0.35)
    display.BackfaceCullingOff()
    return node


def add_isodose_colours(
    scene: slicer.vtkMRMLScene, name: str, levels: Sequence[IsodoseLevel]
) -> slicer.vtkMRMLColorTableNode:
    """Add the table of levels: one colour each, its name the dose in Gy as SlicerRT's Isodose module has it."""
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
    set_isodose_colours(node, levels)
    return node


def set_isodose_colours(node: slicer.vtkMRMLColorTableNode, levels: Sequence[IsodoseLevel]) -> None:
    """Renew the table of levels."""
    node.SetTypeToUser()
    node.SetNumberOfColors(len(levels))
    for index, level in enumerate(levels):
        node.SetColor(index, f"{level.dose_gy:g}", *(part / 255 for part in level.colour), 1.0)


def isodose_levels(node: slicer.vtkMRMLColorTableNode) -> tuple[IsodoseLevel, ...]:
    """Return the levels of a table."""
    levels = []
    for index in range(node.GetNumberOfColors()):
        colour = [0.0] * 4
        node.GetColor(index, colour)
        red, green, blue = (round(255 * part) for part in colour[:3])
        levels.append(IsodoseLevel(float(node.GetColorName(index)), (red, green, blue)))
    return tuple(levels)


def add_wash_colours(
    scene: slicer.vtkMRMLScene, name: str, levels: Sequence[IsodoseLevel]
) -> slicer.vtkMRMLColorTableNode:
    """Add the dose wash's table: from 0 to the highest level, in the isodose lines' colours at their doses."""
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
    set_wash_colours(node, levels)
    return node


def set_wash_colours(node: slicer.vtkMRMLColorTableNode, levels: Sequence[IsodoseLevel]) -> None:
    """Renew the dose wash's table."""
    node.SetTypeToUser()
    node.SetNumberOfColors(_WASH_COLOURS)
    doses = np.linspace(0.0, levels[-1].dose_gy, _WASH_COLOURS)
    for index, (dose, colour) in enumerate(zip(doses, _wash(doses, levels), strict=True)):
        node.SetColor(index, f"{dose:.1f}", *colour.tolist(), 1.0)


def _wash(doses_gy: NDArray[np.float64], levels: Sequence[IsodoseLevel]) -> NDArray[np.float64]:
    known = [level.dose_gy for level in levels]
    colours = np.array([level.colour for level in levels]) / 255
    return np.stack([np.interp(doses_gy, known, colours[:, channel]) for channel in range(3)], axis=1)
