"""Shows a review's nodes as figure 1 of Beddok 2022 does: planning CT, PET in colour, target in red, isodoses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import slicer

from .build import ReviewNodes
from .environment import SceneEnvironment
from .figure1_preset import FIGURE1
from .images import ImageNodes
from .views import SliceLayers

# The new plan's own dose, as in the paper, or the EQD2 of all courses.
FigureDose = Literal["plan", "composite"]


def figure1_pet(nodes: ReviewNodes) -> ImageNodes | None:
    """Return the first PET of the review; None where it has none."""
    return next((image for image in nodes.images if image.modality == "PT"), None)


def figure1_layers(nodes: ReviewNodes, fused: bool = True) -> SliceLayers:
    """Return the planning CT, with the PET over it where there is one and it is wanted."""
    pet = figure1_pet(nodes) if fused else None
    volume = pet.volume if pet is not None else None
    return SliceLayers(nodes.reference_ct, volume, FIGURE1.fused_opacity, added=True)


def target_segments(segmentation: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """Return the IDs of the segments to draw as the target: all GTVs, else all CTVs, else all PTVs, by their names."""
    segments = segmentation.GetSegmentation()
    names = {key: segments.GetSegment(key).GetName().upper() for key in segments.GetSegmentIDs()}
    by_type = ([key for key, name in names.items() if name.startswith(kind)] for kind in FIGURE1.target_types)
    return next((keys for keys in by_type if keys), [])


def doubtful_segments(segmentation: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """Return the IDs of the segments that only one modality shows."""
    segments = segmentation.GetSegmentation()
    start = FIGURE1.doubtful_name
    return [key for key in segments.GetSegmentIDs() if segments.GetSegment(key).GetName().startswith(start)]


def apply_figure1_preset(
    environment: SceneEnvironment, nodes: ReviewNodes, dose: FigureDose = "plan", fused: bool = True
) -> Callable[[], None]:
    """Show the review as the figure does, in every slice view of the scene.

    Parameters
    ----------
    dose
        Whose isodoses are drawn.
    fused
        Whether the PET is shown over the CT.

    Returns
    -------
    callable
        What brings back how everything was shown before.
    """
    changes = _Changes()
    if nodes.reference_ct is not None:
        display = nodes.reference_ct.GetDisplayNode()
        changes.set(display, "AutoWindowLevel", 0)
        changes.set(display, "Window", FIGURE1.ct_window_hu)
        changes.set(display, "Level", FIGURE1.ct_level_hu)
    shown, hidden = nodes.plan_isodoses, nodes.isodoses
    if dose == "composite" or not nodes.plan_isodoses:
        shown, hidden = hidden, shown
    for models, visible in ((shown, 1), (hidden, 0)):
        for model in models:
            changes.set(model.GetDisplayNode(), "Visibility", visible)
    _show_target(nodes.segmentation, changes)
    _set_slice_views(environment.scene, figure1_layers(nodes, fused), changes)
    return changes.undo


class _Changes:
    """Properties of nodes that were set, with what they were before."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def set(self, node: Any, name: str, value: Any, *key: Any) -> None:
        """Set a property of a node, or of one of its parts that a key names."""
        before = getattr(node, f"Get{name}")(*key)
        setter = getattr(node, f"Set{name}")
        setter(*key, value)
        self._undo.append(lambda: setter(*key, before))

    def afterwards(self, undo: Callable[[], None]) -> None:
        """Have something done when all is brought back."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Bring everything back, last change first; once."""
        while self._undo:
            self._undo.pop()()


def _show_target(segmentation: slicer.vtkMRMLSegmentationNode, changes: _Changes) -> None:
    display = segmentation.GetDisplayNode()
    colours = dict.fromkeys(doubtful_segments(segmentation), FIGURE1.doubtful_colour)
    colours |= dict.fromkeys(target_segments(segmentation), FIGURE1.target_colour)
    changes.set(display, "Visibility", 1)
    changes.set(display, "Visibility2DOutline", 1)
    for key in segmentation.GetSegmentation().GetSegmentIDs():
        changes.set(display, "SegmentVisibility", key in colours, key)
    for key, colour in colours.items():
        _set_override(display, key, tuple(part / 255 for part in colour), changes)


def _set_override(
    display: slicer.vtkMRMLSegmentationDisplayNode, key: str, colour: tuple[float, ...], changes: _Changes
) -> None:
    before = tuple(display.GetSegmentOverrideColor(key))
    display.SetSegmentOverrideColor(key, *colour)
    if min(before) < 0:  # Slicer's way to say that there was none
        changes.afterwards(lambda: display.UnsetSegmentOverrideColor(key))
    else:
        changes.afterwards(lambda: display.SetSegmentOverrideColor(key, *before))


def _set_slice_views(scene: slicer.vtkMRMLScene, layers: SliceLayers, changes: _Changes) -> None:
    views = scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    for index in range(views.GetNumberOfItems()):
        view = views.GetItemAsObject(index)
        for name, value in layers.properties().items():
            changes.set(view, name, value)
