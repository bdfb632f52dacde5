"""Ways to look at a registration in the slice views: blend, checkerboard, difference, flicker, Jacobian, grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import slicer

from ..core.errors import ReirradiationError
from ..core.registration.qa.jacobian import jacobian_map
from ..core.registration.resampling import checkerboard, difference, resample_image, viewing_grid
from ..core.registration.transform import SpatialTransform
from ..core.volume import Volume
from .build import ReviewNodes
from .doses import display_of
from .environment import SceneEnvironment
from .geometry import add_volume_node, set_values, transform_of, volume_of
from .views import SliceLayers, wash_layers

CheckMode = Literal["blend", "checkerboard", "difference", "flicker", "jacobian", "grid", "off"]
CHECK_MODES: tuple[CheckMode, ...] = ("blend", "checkerboard", "difference", "flicker", "jacobian", "grid", "off")

CHECK_ATTRIBUTE = "ReirradiationReview.RegistrationCheck"
# A view of this many voxels is made in about a second; a finer CT is thinned for the check, and only for it.
_MOST_VOXELS = 16_000_000
_DIFFERENCE_HU = 300.0
_JACOBIAN_RANGE = (0.0, 2.0)
_GRID_MM, _GRID_RESOLUTION_MM = 15.0, 3.0
_FOREGROUND = {"blend": 0.5, "flicker": 1.0, "jacobian": 1.0}

# Colours by the share of a table's range, 0 to 255.
_DIFFERENCE_COLOURS = ((0.0, (0, 120, 255)), (0.5, (0, 0, 0)), (1.0, (255, 150, 0)))
# Added to the CT: black, where volume is kept, leaves it as it is.
_JACOBIAN_COLOURS = (
    (0.0, (255, 0, 255)),  # folded
    (0.01, (0, 60, 255)),
    (0.5, (0, 0, 0)),
    (1.0, (255, 110, 0)),
)
_Colours = Sequence[tuple[float, tuple[int, int, int]]]


def show_registration_check(
    environment: SceneEnvironment, nodes: ReviewNodes, course_index: int, mode: CheckMode
) -> str:
    """Show in every slice view how a course's CT lies on the reference's.

    Calling ``flicker`` again changes from one image to the other; ``off`` brings the composite dose back and takes out
    of the scene what was made for the check. Nothing of it is saved with the scene.

    Returns
    -------
    str
        What is seen, for the user.

    Raises
    ------
    ReirradiationError
        If the course is the reference, one of the two has no CT, or the registration has no deformation to show.
    """
    if mode not in CHECK_MODES:
        raise ReirradiationError(f"{mode!r} is no registration check; choose one of {', '.join(CHECK_MODES)}")
    check = _Check(environment, nodes, course_index)
    if mode == "off":
        _set_layers(environment.scene, wash_layers(nodes))  # first: a view gives what it shows a display of its own
        check.remove()
        return ""
    check.require_images()
    check.show_grid(mode == "grid")
    layers, words = check.layers(mode)
    _set_layers(environment.scene, layers)
    return words


def _set_layers(scene: slicer.vtkMRMLScene, layers: SliceLayers) -> None:
    views = scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    for index in range(views.GetNumberOfItems()):
        for name, value in layers.properties().items():
            getattr(views.GetItemAsObject(index), f"Set{name}")(value)


class _Check:
    """One course's registration, and the nodes that show it."""

    def __init__(self, environment: SceneEnvironment, nodes: ReviewNodes, course_index: int) -> None:
        self._scene = environment.scene
        self._nodes = nodes
        self._index = course_index
        self._course = nodes.courses[course_index]

    def require_images(self) -> None:
        if self._index == self._nodes.reference_index:
            raise ReirradiationError("the reference course is not registered to another one; choose an earlier course")
        if self._course.ct is None or self._nodes.reference_ct is None:
            raise ReirradiationError(
                "a registration is looked at on the CTs of both courses, and one of them is missing"
            )

    def layers(self, mode: CheckMode) -> tuple[SliceLayers, str]:
        """Return what the views show in a mode, and its words."""
        ct = self._nodes.reference_ct
        if mode == "checkerboard":
            return SliceLayers(
                self._volume(mode, self._checkerboard), None, 0.0
            ), "cubes of 25 mm from either CT by turns"
        if mode == "difference":
            node = self._volume(mode, self._difference)
            words = f"earlier CT less the reference, {-_DIFFERENCE_HU:g} (blue) to {_DIFFERENCE_HU:g} HU (orange)"
            return SliceLayers(node, None, 0.0), words
        if mode == "jacobian":
            node = self._volume(mode, self._jacobian)
            return SliceLayers(
                ct, node, _FOREGROUND[mode], added=True
            ), "Jacobian: blue shrinks, orange grows, magenta is folded"
        if mode == "grid":
            return SliceLayers(ct, None, 0.0), f"a grid of {_GRID_MM:g} mm, as the registration deforms it"
        node = self._volume("blend", self._resampled)
        opacity = _FOREGROUND[mode]
        if mode == "flicker" and _shown_opacity(self._scene, node) == opacity:
            opacity = 0.0
        words = {"blend": "both CTs, half and half", "flicker": "the earlier CT" if opacity else "the reference CT"}
        return SliceLayers(ct, node, opacity), words[mode]

    def show_grid(self, shown: bool) -> None:
        """Show the deformation of the course's transform as a grid, or hide it."""
        deformable = [node for node in self._course.transforms if node.IsA("vtkMRMLGridTransformNode")]
        if shown and not deformable:
            raise ReirradiationError("this registration is linear: it moves space as a whole and bends no grid")
        for node in deformable:
            display = node.GetDisplayNode()
            if shown and display is None:
                display = self._grid_display(node)
            if display is not None:
                display.SetVisibility(shown)
                display.SetVisibility2D(shown)

    def _grid_display(self, node: slicer.vtkMRMLGridTransformNode) -> slicer.vtkMRMLTransformDisplayNode:
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetVisualizationMode(slicer.vtkMRMLTransformDisplayNode.VIS_MODE_GRID)
        display.SetGridSpacingMm(_GRID_MM)
        display.SetGridResolutionMm(_GRID_RESOLUTION_MM)
        display.SetGridLineDiameterMm(0.5)
        display.SetVisibility3D(False)
        display.SetAttribute(CHECK_ATTRIBUTE, "grid")
        display.SaveWithSceneOff()
        return display

    def remove(self) -> None:
        """Take out of the scene what was made for checks, of any course."""
        for display in self._marked("vtkMRMLTransformDisplayNode"):
            colours = display.GetColorNode()  # of its own, made when it was first shown
            self._scene.RemoveNode(display)
            if colours is not None:
                self._scene.RemoveNode(colours)
        for volume in self._marked("vtkMRMLScalarVolumeNode"):
            self._scene.RemoveNode(volume.GetDisplayNode())
            self._scene.RemoveNode(volume)
        for table in self._marked("vtkMRMLColorTableNode"):
            self._scene.RemoveNode(table)

    def _marked(self, class_name: str) -> list[slicer.vtkMRMLNode]:
        """Return the nodes of a class that were made for checks."""
        found = self._scene.GetNodesByClass(class_name)
        members = [found.GetItemAsObject(index) for index in range(found.GetNumberOfItems())]
        return [node for node in members if node.GetAttribute(CHECK_ATTRIBUTE)]

    def _volume(self, mode: str, make: Callable[[], Volume]) -> slicer.vtkMRMLScalarVolumeNode:
        """Return the volume of a mode: made anew where the registration or an image has changed since."""
        state = "/".join(str(node.GetMTime()) for node in (self._nodes.reference_ct, self._course.ct))
        state += "".join(f"/{node.GetTransformFromParent().GetMTime()}" for node in self._course.transforms)
        name = f"Registration check, course {self._index + 1}: {mode}"
        node = next((n for n in self._marked("vtkMRMLScalarVolumeNode") if n.GetName() == name), None)
        if node is not None and node.GetAttribute(CHECK_ATTRIBUTE) == state:
            return node
        values = make()
        if node is None:
            node = add_volume_node(self._scene, name, values)
            node.SaveWithSceneOff()
            self._colour(node, mode)
            node.GetDisplayNode().SaveWithSceneOff()
        else:
            set_values(node, values)
        node.SetAttribute(CHECK_ATTRIBUTE, state)
        return node

    def _colour(self, node: slicer.vtkMRMLScalarVolumeNode, mode: str) -> None:
        if mode == "difference":
            display = display_of(node, self._table("Difference", _DIFFERENCE_COLOURS).GetID())
            display.SetWindowLevelMinMax(-_DIFFERENCE_HU, _DIFFERENCE_HU)
        elif mode == "jacobian":
            display = display_of(node, self._table("Jacobian", _JACOBIAN_COLOURS).GetID())
            display.SetWindowLevelMinMax(*_JACOBIAN_RANGE)
        else:
            ct = self._nodes.reference_ct.GetDisplayNode()
            display = display_of(node, "vtkMRMLColorTableNodeGrey")
            display.SetWindowLevel(ct.GetWindow(), ct.GetLevel())
        # What is unknown (NaN), beyond the earlier CT, is within no bounds, and so is clear.
        display.SetThreshold(-1e6, 1e6)
        display.SetApplyThreshold(1)

    def _table(self, name: str, colours: _Colours) -> slicer.vtkMRMLColorTableNode:
        node = self._scene.AddNewNodeByClass("vtkMRMLColorTableNode", f"{name}_ColorTable_Review")
        node.SetAttribute(CHECK_ATTRIBUTE, "colours")
        node.SaveWithSceneOff()
        node.SetTypeToUser()
        node.SetNumberOfColors(256)
        shares = np.linspace(0.0, 1.0, 256)
        parts = np.array([colour for _, colour in colours]) / 255.0
        rgb = np.stack([np.interp(shares, [share for share, _ in colours], part) for part in parts.T], axis=1)
        for index, colour in enumerate(rgb.tolist()):
            node.SetColor(index, f"{index}", *colour, 1.0)
        return node

    def _grid(self) -> Volume:
        return viewing_grid(volume_of(self._nodes.reference_ct), _MOST_VOXELS)

    def _transform(self) -> SpatialTransform:
        return transform_of(self._course.transforms)

    def _resampled(self) -> Volume:
        return resample_image(volume_of(self._course.ct), self._transform(), self._grid())

    def _checkerboard(self) -> Volume:
        return checkerboard(self._grid(), self._resampled())

    def _difference(self) -> Volume:
        return difference(self._grid(), self._resampled())

    def _jacobian(self) -> Volume:
        # The field is smooth: its own pitch, some millimetres, is enough to look at.
        return jacobian_map(self._transform(), viewing_grid(volume_of(self._nodes.reference_ct), 1_000_000))


def _shown_opacity(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLScalarVolumeNode) -> float | None:
    """Return the opacity that a volume is shown with in the first slice view that has it in front; None elsewhere."""
    views = scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    members = [views.GetItemAsObject(index) for index in range(views.GetNumberOfItems())]
    return next((v.GetForegroundOpacity() for v in members if v.GetForegroundVolumeID() == node.GetID()), None)
