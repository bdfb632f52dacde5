"""Slicer's slice and 3D views, rendered off screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from .build import ReviewNodes
from .environment import SceneEnvironment

if TYPE_CHECKING:
    from trame_slicer.views import AbstractView

# Rendered this many times larger and averaged down: software rendering has no smooth lines of its own.
OVERSAMPLING = 2
_WASH_OPACITY = 0.35
_LINE_THICKNESS = {"isodose": 3, "segmentation": 4}  # in oversampled pixels

# Slicer's names for its standard slice views, so that a saved scene opens there as it was rendered.
_VIEW_OF = {"Axial": "Red", "Sagittal": "Yellow", "Coronal": "Green"}


@dataclass(frozen=True)
class SliceImage:
    """One rendered slice.

    Parameters
    ----------
    rgb
        uint8, shape ``(height, width, 3)``, top row first.
    pixel_to_ras
        From ``(x, y, 0, 1)``, pixels from the top left corner, to RAS mm; shape ``(4, 4)``.
    """

    rgb: NDArray[np.uint8]
    pixel_to_ras: NDArray[np.float64]

    def to_pixel(self, points_ras: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return pixels ``(x, y)``, shape ``(N, 2)``, of points, shape ``(N, 3)``, projected onto the slice."""
        inverse = np.linalg.inv(self.pixel_to_ras)
        return np.asarray(points_ras @ inverse[:3, :3].T + inverse[:3, 3])[:, :2]

    @property
    def pixel_mm(self) -> float:
        """Pixel size in mm."""
        return float(np.linalg.norm(self.pixel_to_ras[:3, 0]))

    def lines_of(self, surface: vtk.vtkPolyData) -> list[NDArray[np.float64]]:
        """Return where a surface (RAS mm) cuts the slice, as lines of pixels ``(x, y)``, each of shape ``(N, 2)``."""
        plane = vtk.vtkPlane()
        plane.SetOrigin(self.pixel_to_ras[:3, 3].tolist())
        plane.SetNormal(self.pixel_to_ras[:3, 2].tolist())
        cutter = vtk.vtkPlaneCutter()
        cutter.SetPlane(plane)
        cutter.SetInputData(surface)
        stripper = vtk.vtkStripper()
        stripper.SetInputData(_merged(cutter))
        stripper.JoinContiguousSegmentsOn()
        stripper.Update()
        return self._polylines(stripper.GetOutput())

    def _polylines(self, lines: vtk.vtkPolyData) -> list[NDArray[np.float64]]:
        if lines.GetNumberOfLines() == 0:
            return []
        pixels = self.to_pixel(vtk_to_numpy(lines.GetPoints().GetData()).astype(np.float64))
        offsets = vtk_to_numpy(lines.GetLines().GetOffsetsArray())
        members = vtk_to_numpy(lines.GetLines().GetConnectivityArray())
        return [pixels[members[start:end]] for start, end in pairwise(offsets)]


def _merged(cutter: vtk.vtkPlaneCutter) -> vtk.vtkPolyData:
    cutter.Update()
    append = vtk.vtkAppendPolyData()
    output = cutter.GetOutputDataObject(0)
    parts = [output] if isinstance(output, vtk.vtkPolyData) else _leaves(output)
    for part in parts:
        append.AddInputData(part)
    clean = vtk.vtkCleanPolyData()
    clean.SetInputConnection(append.GetOutputPort())
    clean.Update()
    return clean.GetOutput()


def _leaves(collection: vtk.vtkDataObject) -> list[vtk.vtkPolyData]:
    iterator = collection.NewIterator()
    leaves = []
    while not iterator.IsDoneWithTraversal():
        leaves.append(iterator.GetCurrentDataObject())
        iterator.GoToNextItem()
    return leaves


@dataclass(frozen=True)
class SliceLayers:
    """The volumes that slice views show; None for an empty layer.

    Parameters
    ----------
    added
        The foreground's colours are added to the background's instead of covering them: black leaves it as it is.
    """

    background: slicer.vtkMRMLScalarVolumeNode | None
    foreground: slicer.vtkMRMLScalarVolumeNode | None
    foreground_opacity: float
    added: bool = False

    def properties(self) -> dict[str, Any]:
        """Return what a slice composite node's properties have to be."""
        node_class = slicer.vtkMRMLSliceCompositeNode
        return {
            "BackgroundVolumeID": self.background.GetID() if self.background is not None else None,
            "ForegroundVolumeID": self.foreground.GetID() if self.foreground is not None else None,
            "ForegroundOpacity": self.foreground_opacity,
            "Compositing": node_class.Add if self.added else node_class.Alpha,
        }


def wash_layers(nodes: ReviewNodes) -> SliceLayers:
    """Return the reference CT with the composite as a wash over it."""
    return SliceLayers(nodes.reference_ct, nodes.composite, _WASH_OPACITY)


class SliceRenderer:
    """Three slice views of one scene, with volumes, isodoses and contours.

    Parameters
    ----------
    own_views
        Name of a set of views that are made for these pictures and taken out of the scene afterwards; empty for
        Slicer's standard views, whose nodes stay and of which a scene can have only one set.
    """

    def __init__(
        self, environment: SceneEnvironment, layers: SliceLayers, size: tuple[int, int], own_views: str = ""
    ) -> None:
        self._environment = environment
        self._layers = layers
        self._size = size
        self._own_views = own_views
        self._views: dict[str, Any] = {}

    def show(self, layers: SliceLayers) -> None:
        """Change the volumes of all views."""
        self._layers = layers
        for view in self._views.values():
            self._set_layers(view)

    def _set_layers(self, view: Any) -> None:
        composite = _composite_node(view)
        for name, value in self._layers.properties().items():
            getattr(composite, f"Set{name}")(value)

    def render(
        self, orientation: str, point_ras: NDArray[np.float64], centre_ras: NDArray[np.float64], height_mm: float
    ) -> SliceImage:
        """Render the slice through a point.

        Parameters
        ----------
        orientation
            ``"Axial"``, ``"Coronal"`` or ``"Sagittal"``.
        point_ras
            The slice goes through here, shape ``(3,)``.
        centre_ras
            What lies in the middle of the picture (projected onto the slice), shape ``(3,)``.
        height_mm
            What the picture's height stands for.
        """
        view = self._view(orientation)
        node = view.get_view_node()
        width, height = self._size
        node.JumpSliceByCentering(*centre_ras.tolist())
        node.JumpSlice(*point_ras.tolist())
        node.SetFieldOfView(height_mm * width / height, height_mm, node.GetFieldOfView()[2])
        view.render()
        rgb = grab(view, self._size)
        return SliceImage(rgb, _pixel_to_ras(node, height))

    def _view(self, orientation: str) -> Any:
        if orientation not in self._views:
            self._views[orientation] = self._make_view(orientation)
        return self._views[orientation]

    def _make_view(self, orientation: str) -> Any:
        from trame_slicer.views import NoScheduleRendering, SliceView

        view = SliceView(
            self._environment.scene,
            self._environment.application_logic,
            f"{self._own_views} {_VIEW_OF[orientation]}".strip(),
            scheduled_render_strategy=NoScheduleRendering(),
        )
        prepare(view, self._size)
        view._update_slice_size()  # the window has no event loop that would do it
        view.set_orientation(orientation)
        self._set_layers(view)
        return view

    def close(self) -> None:
        """Release the windows."""
        for view in self._views.values():
            logic, node, composite = view._logic, view.get_view_node(), _composite_node(view)
            view.finalize()
            if self._own_views:
                self._remove(logic, node, composite)

    def _remove(
        self,
        logic: slicer.vtkMRMLSliceLogic,
        node: slicer.vtkMRMLSliceNode,
        composite: slicer.vtkMRMLSliceCompositeNode,
    ) -> None:
        scene, application_logic = self._environment.scene, self._environment.application_logic
        plane = (logic.GetSliceModelDisplayNode(), logic.GetSliceModelTransformNode(), logic.GetSliceModelNode())
        # A logic that still watches the scene would make its nodes anew.
        logic.SetMRMLScene(None)
        application_logic.GetSliceLogics().RemoveItem(logic)
        for each in (*plane, composite, node):
            scene.RemoveNode(each)


def _composite_node(view: Any) -> slicer.vtkMRMLSliceCompositeNode:
    # By its logic: the scene does not know the nodes of a second set of standard views.
    return view._logic.GetSliceCompositeNode()


def prepare(view: AbstractView, size: tuple[int, int]) -> None:
    """Give a view its size, and no multisampling, under which software rendering loses what is transparent."""
    width, height = size
    view.render_window().SetMultiSamples(0)
    view.render_window().SetSize(width * OVERSAMPLING, height * OVERSAMPLING)
    view.interactor().UpdateSize(width * OVERSAMPLING, height * OVERSAMPLING)


def grab(view: AbstractView, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return what a view shows, averaged down to its size; uint8, shape ``(height, width, 3)``, top row first."""
    capture = vtk.vtkWindowToImageFilter()
    capture.SetInput(view.render_window())
    capture.ReadFrontBufferOff()
    capture.ShouldRerenderOff()
    capture.Update()
    image = capture.GetOutput()
    columns, rows, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1, :, :3]
    width, height = size
    blocks = pixels.reshape(height, OVERSAMPLING, width, OVERSAMPLING, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def _pixel_to_ras(node: slicer.vtkMRMLSliceNode, height: int) -> NDArray[np.float64]:
    matrix = node.GetXYToRAS()
    xy_to_ras = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    # A pixel of the picture is a block of the window's, whose rows count from the bottom.
    scale = float(OVERSAMPLING)
    half = (scale - 1) / 2
    to_window = np.array(
        [[scale, 0, 0, half], [0, -scale, 0, height * scale - 1 - half], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]
    )
    return np.asarray(xy_to_ras @ to_window)


@contextmanager
def lines_for_pictures(nodes: ReviewNodes) -> Iterator[None]:
    """Thicken isodose lines and contours to survive the averaging, for as long as the context lasts."""
    displays = [(node.GetDisplayNode(), "isodose") for node in (*nodes.isodoses, *nodes.plan_isodoses)]
    displays.append((nodes.segmentation.GetDisplayNode(), "segmentation"))
    before = [display.GetSliceIntersectionThickness() for display, _ in displays]
    for display, kind in displays:
        display.SetSliceIntersectionThickness(_LINE_THICKNESS[kind])
    try:
        yield
    finally:
        for (display, _), thickness in zip(displays, before, strict=True):
            display.SetSliceIntersectionThickness(thickness)


@contextmanager
def surfaces_visible(models: Sequence[slicer.vtkMRMLModelNode]) -> Iterator[None]:
    """Show models in 3D views for as long as the context lasts."""
    displays = [model.GetDisplayNode() for model in models]
    before = [display.GetVisibility3D() for display in displays]
    for display in displays:
        display.SetVisibility3D(True)
    try:
        yield
    finally:
        for display, visible in zip(displays, before, strict=True):
            display.SetVisibility3D(visible)


def direction_letters(image: SliceImage) -> dict[str, str]:
    """Return the patient's direction that each edge of the picture looks to, e.g. ``{"left": "R", ...}``."""
    right = image.pixel_to_ras[:3, 0]
    down = image.pixel_to_ras[:3, 1]
    return {"left": _letter(-right), "right": _letter(right), "top": _letter(-down), "bottom": _letter(down)}


def _letter(direction_ras: Sequence[float] | NDArray[np.float64]) -> str:
    axis = int(np.argmax(np.abs(direction_ras)))
    return ("RL", "AP", "SI")[axis][0 if direction_ras[axis] > 0 else 1]
