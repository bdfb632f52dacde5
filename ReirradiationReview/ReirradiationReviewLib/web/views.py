"""Slicer's views in the page: made once, shown as the layout asks, drawn by `render.FrameScheduler`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
from numpy.typing import NDArray
from trame_rca.utils import RcaViewAdapter
from trame_server import Server
from trame_slicer.rca_view.rca_view_factory import RcaRenderStrategy
from trame_slicer.views import (
    AbstractView,
    IViewFactory,
    SliceView,
    ThreeDView,
    ViewLayoutDefinition,
    ViewProps,
    ViewType,
)

from ..scene.content import IsodoseLevel
from ..scene.isodose_lines import IsodoseLines
from .render import FrameScheduler, ViewWindow

# A view on a screen of double density is drawn with at most this many pixels.
_MOST_PIXELS = 1_400_000
_3D_BACKGROUND = ("#1f2426", "#3a4346")


@dataclass(frozen=True)
class ViewPlace:
    """A view of the page.

    Parameters
    ----------
    tag
        Slicer's name of the view, so that a saved scene opens there as it was looked at.
    kind
        ``"axial"``, ``"sagittal"``, ``"coronal"`` or ``"three_d"``.
    """

    tag: str
    label: str
    kind: str

    def definition(self) -> ViewLayoutDefinition:
        """Return the view as trame-slicer describes it."""
        if self.kind == "three_d":
            properties = ViewProps(label=self.label, background_color=_3D_BACKGROUND, box_visible=False)
            return ViewLayoutDefinition(self.tag, ViewType.THREE_D_VIEW, properties)
        return ViewLayoutDefinition(
            self.tag, ViewType.SLICE_VIEW, ViewProps(orientation=self.kind.capitalize(), label=self.label)
        )


PLACES = (
    ViewPlace("Red", "Axial", "axial"),
    ViewPlace("Yellow", "Sagittal", "sagittal"),
    ViewPlace("Green", "Coronal", "coronal"),
    ViewPlace("View1", "3D", "three_d"),
    ViewPlace("Slice4", "Earlier course", "axial"),
    ViewPlace("Slice5", "Reference", "axial"),
)
LAYOUTS = {
    "four": ("Four views", ("Red", "View1", "Green", "Yellow")),
    "axial": ("Axial", ("Red",)),
    "sagittal": ("Sagittal", ("Yellow",)),
    "coronal": ("Coronal", ("Green",)),
    "three_d": ("3D", ("View1",)),
    "courses": ("Two courses side by side", ("Slice4", "Slice5")),
}


@dataclass
class _Place:
    view: AbstractView
    scheduler: FrameScheduler
    adapter: RcaViewAdapter


class ViewFactory(IViewFactory):
    """Makes Slicer views whose frames go to the browser.

    Parameters
    ----------
    prepare
        Called with a view's tag before each of its frames.
    """

    def __init__(self, server: Server, prepare: Callable[[str], None]) -> None:
        super().__init__()
        self._server = server
        self._prepare = prepare

    def can_create_view(self, view: ViewLayoutDefinition) -> bool:
        """Return whether this kind of view can be made: all of Slicer's can."""
        return view.view_type in ViewType

    def adapters(self) -> list[RcaViewAdapter]:
        """Return what trame-rca needs to know of the views."""
        return [place.adapter for place in self._views.values()]

    def scheduler(self, tag: str) -> FrameScheduler:
        """Return what renders a view."""
        return self._views[tag].scheduler

    def _create_view(
        self, view: ViewLayoutDefinition, scene: slicer.vtkMRMLScene, app_logic: slicer.vtkMRMLApplicationLogic
    ) -> _Place:
        make = SliceView if view.view_type is ViewType.SLICE_VIEW else ThreeDView
        slicer_view = make(scene=scene, app_logic=app_logic, name=view.singleton_tag)
        slicer_view.set_view_properties(view.properties)
        if isinstance(slicer_view, ThreeDView):
            # Software rendering takes a second and more to peel transparent shells.
            slicer_view.renderer().SetUseDepthPeeling(False)
            slicer_view.renderer().SetUseDepthPeelingForVolumes(False)
            slicer_view.get_view_node().SetOrientationMarkerType(
                slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeCube
            )
        else:
            slicer_view.get_view_node().SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
        cursor = f"cursor_{view.singleton_tag}"
        self._server.state.setdefault(cursor, "default")
        window = ViewWindow(slicer_view.render_window(), state=self._server.state, active_view_cursor=cursor)
        scheduler = FrameScheduler(slicer_view, window, lambda: self._prepare(view.singleton_tag))
        adapter = RcaViewAdapter(
            window, view.singleton_tag, scheduler=scheduler, do_schedule_render_on_interaction=False
        )
        adapter.max_pixel_count = _MOST_PIXELS
        slicer_view.set_scheduled_render(RcaRenderStrategy(scheduler))
        return _Place(slicer_view, scheduler, adapter)

    def _get_slicer_view(self, view: _Place) -> AbstractView:
        return view.view


class IsodoseOverlay:
    """The isodose lines of all slice views."""

    def __init__(self) -> None:
        self._lines: dict[str, IsodoseLines] = {}
        self._dose: dict[str, slicer.vtkMRMLScalarVolumeNode | None] = {}
        self._levels: tuple[IsodoseLevel, ...] = ()

    def add(self, tag: str, view: SliceView) -> None:
        """Draw lines in a view."""
        self._lines[tag] = IsodoseLines(view._overlay_renderer, view.get_view_node())

    def show(self, tag: str, dose: slicer.vtkMRMLScalarVolumeNode | None, levels: Sequence[IsodoseLevel]) -> None:
        """Set which dose's lines a view shows; None for none."""
        self._dose[tag] = dose
        self._levels = tuple(levels)

    def prepare(self, tag: str) -> None:
        """Bring a view's lines up to date; costs nothing where nothing has changed."""
        if tag in self._lines:
            self._lines[tag].show(self._dose.get(tag), self._levels)


def edge_letters(node: slicer.vtkMRMLSliceNode) -> dict[str, str]:
    """Return the patient's direction that each edge of a slice view looks to, e.g. ``{"left": "R", ...}``."""
    matrix = node.GetSliceToRAS()
    right, up = (np.array([matrix.GetElement(row, column) for row in range(3)]) for column in (0, 1))
    return {"left": _letter(-right), "right": _letter(right), "top": _letter(up), "bottom": _letter(-up)}


def _letter(direction_ras: NDArray[np.float64]) -> str:
    axis = int(np.argmax(np.abs(direction_ras)))
    return ("RL", "AP", "SI")[axis][0 if direction_ras[axis] > 0 else 1]


def position_text(node: slicer.vtkMRMLSliceNode) -> str:
    """Return where a slice lies along the patient, e.g. ``"S 12.5 mm"``."""
    matrix = node.GetSliceToRAS()
    normal = np.array([matrix.GetElement(row, 2) for row in range(3)])
    origin = np.array([matrix.GetElement(row, 3) for row in range(3)])
    axis = int(np.argmax(np.abs(normal)))
    along_mm = float(origin[axis])
    return f"{('RL', 'AP', 'SI')[axis][0 if along_mm >= 0 else 1]} {abs(along_mm):.1f} mm"
