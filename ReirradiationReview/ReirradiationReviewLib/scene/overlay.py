"""What the slice views show over the planning CT."""

from __future__ import annotations

from collections.abc import Iterator

import slicer

from .build import ReviewNodes
from .images import MODALITY_ATTRIBUTE
from .views import SliceLayers


def slice_composites(scene: slicer.vtkMRMLScene) -> Iterator[slicer.vtkMRMLSliceCompositeNode]:
    """Yield the layers of every slice view of the scene."""
    nodes = scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    yield from (nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems()))


def show_over_ct(
    scene: slicer.vtkMRMLScene,
    nodes: ReviewNodes,
    overlay: slicer.vtkMRMLVolumeNode | None,
    opacity: float,
) -> None:
    """Show the planning CT in all slice views, and a volume blended over it.

    Parameters
    ----------
    overlay
        A dose, another image, or None for nothing.
    opacity
        0 to 1.
    """
    layers = SliceLayers(nodes.reference_ct, overlay, 0.0 if overlay is None else opacity, added=is_pet(overlay))
    for composite in slice_composites(scene):
        for name, value in layers.properties().items():
            getattr(composite, f"Set{name}")(value)


def is_pet(volume: slicer.vtkMRMLVolumeNode | None) -> bool:
    """Return whether a volume is a PET of a review: its colours are added to the CT's, since black is nothing."""
    return volume is not None and volume.GetAttribute(MODALITY_ATTRIBUTE) == "PT"


def show_isodoses(nodes: ReviewNodes, *, lines: bool, surfaces: bool) -> None:
    """Show isodoses as lines in slice views, as surfaces in 3D views, both or neither."""
    for node in nodes.isodoses:
        display = node.GetDisplayNode()
        display.SetVisibility(lines or surfaces)
        display.SetVisibility2D(lines)
        display.SetVisibility3D(surfaces)


def show_structures(nodes: ReviewNodes, visible: bool) -> None:
    """Show the structures' contours, or not."""
    nodes.segmentation.GetDisplayNode().SetVisibility(visible)


def show_legend(scene: slicer.vtkMRMLScene, volume: slicer.vtkMRMLVolumeNode | None, visible: bool) -> None:
    """Show the colour legend of the volume that is laid over the CT, and of no other."""
    chosen = None if volume is None or volume.GetDisplayNode() is None else volume.GetDisplayNode()
    legends = scene.GetNodesByClass("vtkMRMLColorLegendDisplayNode")
    for index in range(legends.GetNumberOfItems()):
        legend = legends.GetItemAsObject(index)
        legend.SetVisibility(visible and chosen is not None and legend.GetPrimaryDisplayNode() is chosen)
