"""The images of the page: which views are shown, what they show, and how they are moved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from trame_server import Server
from trame_slicer.core import ViewManager
from trame_slicer.views import SliceView

from ..core.review import Review
from ..scene.build import ReviewNodes
from ..scene.content import IsodoseLevel
from ..scene.environment import SceneEnvironment
from ..scene.geometry import to_ras
from .probe import probe_text
from .rows import css_colour
from .views import LAYOUTS, PLACES, IsodoseOverlay, ViewFactory, edge_letters, position_text

# Width and centre in HU.
WINDOWS = {
    "soft tissue": (400.0, 40.0),
    "lung": (1500.0, -600.0),
    "bone": (2000.0, 500.0),
    "brain": (80.0, 40.0),
}
_COURSE_VIEWS = ("Slice4", "Slice5")
_PROBE_SECONDS = 0.08


@dataclass
class StageState:
    """What the toolbar says of the images; ``background`` and ``foreground`` are node IDs."""

    layout: str = "four"
    background: str = ""
    foreground: str = ""
    opacity: float = 0.35
    isodoses: bool = True
    contours: bool = True
    crosshair: bool = False
    mode: str = "browse"
    window: str = "soft tissue"


class Stage:
    """The views and what they show.

    Parameters
    ----------
    server
        The page's state is set here; views are registered with it.
    environment
        The scene.
    """

    def __init__(self, server: Server, environment: SceneEnvironment) -> None:
        self._server = server
        self._scene = environment.scene
        self._logic = environment.application_logic
        self._overlay = IsodoseOverlay()
        self._factory = ViewFactory(server, self.prepare)
        self.manager = ViewManager(environment.scene, environment.application_logic)
        self.manager.register_factory(self._factory)
        self.state = StageState()
        self._nodes: ReviewNodes | None = None
        self._review: Review | None = None
        self._legend: dict[str, Any] = {"title": "", "levels": []}
        self._maximised_from = ""
        self._probe_task: asyncio.Task[None] | None = None
        for place in PLACES:
            view = self.manager.create_view(place.definition())
            server.state[f"slice_{place.tag}"] = {"text": "", "letters": {}, "steps": 0, "step": 0}
            if isinstance(view, SliceView):
                self._overlay.add(place.tag, view)
                view.modified.connect(lambda _view, tag=place.tag: self._tell_slice(tag))
        self._crosshair = self._logic.GetCrosshairNode() if hasattr(self._logic, "GetCrosshairNode") else None
        self._crosshair = self._crosshair or self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        self._crosshair.AddObserver(slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent, self._on_cursor)
        self.show_layout("four")

    def register(self) -> None:
        """Let the browser connect to the views; the server has to be running."""
        for adapter in self._factory.adapters():
            self._server.controller.rc_area_register(adapter)

    def slice_view(self, tag: str) -> SliceView:
        """Return a slice view."""
        return self.manager.get_view(tag)

    def prepare(self, tag: str) -> None:
        """Bring what is drawn on top of a view up to date."""
        self._overlay.prepare(tag)

    def caption(self, tag: str) -> str:
        """Return what a view shows, in words."""
        view = self.manager.get_view(tag)
        if not isinstance(view, SliceView):
            return "3D"
        names = [
            node.GetName()
            for layer in (view.get_background_volume_id(), view.get_foreground_volume_id())
            if layer and (node := self._scene.GetNodeByID(layer)) is not None
        ]
        return f"{view.get_orientation()}, {position_text(view.get_view_node())}: {', '.join(names)}"

    def shown_views(self) -> tuple[str, ...]:
        """Return the tags of the views that the layout shows."""
        return LAYOUTS[self.state.layout][1]

    @property
    def shows_courses(self) -> bool:
        """Whether a course's own EQD2 is looked at."""
        if self._nodes is None:
            return False
        of_courses = {_id(course.eqd2) for course in self._nodes.courses}
        return self.state.layout == "courses" or self.state.foreground in of_courses

    # What is shown

    def open(self, review: Review, nodes: ReviewNodes, levels: tuple[IsodoseLevel, ...]) -> None:
        """Show a review: its reference image with the composite, the views on its hot spot."""
        self._nodes = nodes
        reference = nodes.reference_ct
        self.state.background = reference.GetID() if reference is not None else ""
        self.state.foreground = nodes.composite.GetID()
        self.follow(review, nodes, levels)
        self._apply_layers()
        self.fit()
        self.jump_to(review.hot_spot_lps())

    def follow(self, review: Review, nodes: ReviewNodes, levels: tuple[IsodoseLevel, ...]) -> None:
        """Take the review's new settings into the legend and the lines."""
        self._review, self._nodes, self._levels = review, nodes, levels
        self._legend = {
            "title": f"EQD2, α/β {review.settings.display_alpha_beta_gy:g} Gy",
            "levels": [{"dose_gy": f"{level.dose_gy:g}", "colour": css_colour(level.colour)} for level in levels],
        }
        self._apply_isodoses()
        self.tell()

    def set(self, name: str, value: Any) -> None:
        """Set one choice of the toolbar; what is not a choice is ignored."""
        choices = {"background": self._images(), "foreground": {"": "", **self._overlays()}, "window": WINDOWS}
        choices["mode"] = {"browse": "", "window": ""}
        kind = type(getattr(StageState(), name, None))
        is_known = value in choices[name] if name in choices else name in asdict(self.state) and name != "layout"
        if not is_known or not isinstance(value, kind | int):
            return
        setattr(self.state, name, kind(value))
        if name == "window":
            self._apply_window()
        self._apply_layers()
        self.tell()

    def toggle(self, key: str) -> None:
        """Follow a shortcut: ``"f"`` dose wash, ``"i"`` isodoses, ``"c"`` contours."""
        if key == "f" and self._nodes is not None:
            self.set("foreground", "" if self.state.foreground else self._nodes.composite.GetID())
        elif key in ("i", "c"):
            name = {"i": "isodoses", "c": "contours"}[key]
            self.set(name, not getattr(self.state, name))

    def show_layout(self, name: str) -> None:
        """Show these views; what is no layout is ignored."""
        if name not in LAYOUTS:
            return
        self.state.layout = name
        self.manager.set_current_view_ids(list(self.shown_views()))
        if name == "courses" and self._nodes is not None:
            self._apply_layers()
            for tag in _COURSE_VIEWS:
                self.slice_view(tag).fit_view_to_content()
        self.tell()

    def maximise(self, tag: str) -> None:
        """Show one view large, or go back to the layout before."""
        alone = next((name for name, (_, tags) in LAYOUTS.items() if tags == (tag,)), None)
        if alone is None or self.state.layout == alone:
            self.show_layout(self._maximised_from or "four")
        else:
            self._maximised_from = self.state.layout
            self.show_layout(alone)

    def _apply_layers(self) -> None:
        for view in self.manager.get_slice_views():
            is_course = view.get_singleton_tag() in _COURSE_VIEWS
            background, foreground = self._course_layers(view) if is_course else self._layers()
            view.set_background_volume_id(background or None)
            view.set_foreground_volume_id(foreground or None)
            view.set_foreground_opacity(self.state.opacity)
        if self._nodes is not None:
            self._nodes.segmentation.GetDisplayNode().SetVisibility2D(self.state.contours)
        mode = (
            slicer.vtkMRMLCrosshairNode.ShowBasic if self.state.crosshair else slicer.vtkMRMLCrosshairNode.NoCrosshair
        )
        self._crosshair.SetCrosshairMode(mode)
        interaction = self._logic.GetInteractionNode()
        if interaction is not None:
            window = slicer.vtkMRMLInteractionNode.AdjustWindowLevel
            browse = slicer.vtkMRMLInteractionNode.ViewTransform
            interaction.SetCurrentInteractionMode(window if self.state.mode == "window" else browse)
        self._apply_isodoses()

    def _layers(self) -> tuple[str, str]:
        return self.state.background, self.state.foreground

    def _course_layers(self, view: SliceView) -> tuple[str, str]:
        """Return the layers of the side by side views: the first earlier course, and the reference."""
        if self._nodes is None:
            return "", ""
        reference = self._nodes.reference_index
        earlier = next((index for index in range(len(self._nodes.courses)) if index != reference), reference)
        nodes = self._nodes.courses[earlier if view.get_singleton_tag() == _COURSE_VIEWS[0] else reference]
        shows_dose = bool(self.state.foreground)
        return _id(nodes.ct), _id(nodes.eqd2) if shows_dose else ""

    def _apply_isodoses(self) -> None:
        if self._nodes is None:
            return
        for model in self._nodes.isodoses:
            # The lines are drawn from the volume, which is quicker; the models stay for 3D and for the saved scene.
            model.GetDisplayNode().SetVisibility2D(False)
        for view in self.manager.get_slice_views():
            tag = view.get_singleton_tag()
            dose = self._nodes.composite
            if tag in _COURSE_VIEWS:
                dose = self._scene.GetNodeByID(view.get_foreground_volume_id() or "") or None
            self._overlay.show(tag, dose if self.state.isodoses else None, self._levels)
            view.schedule_render()

    def _apply_window(self) -> None:
        width, centre = WINDOWS[self.state.window]
        for course in self._nodes.courses if self._nodes is not None else ():
            if course.ct is not None:
                course.ct.GetDisplayNode().SetWindowLevel(width, centre)

    def _images(self) -> Mapping[str, str]:
        """Return what can be looked at, as names by node ID."""
        if self._nodes is None:
            return {}
        nodes = [course.ct for course in self._nodes.courses] + [image.volume for image in self._nodes.images]
        return {node.GetID(): node.GetName() for node in nodes if node is not None}

    def _overlays(self) -> Mapping[str, str]:
        """Return what can be laid over an image, as names by node ID."""
        if self._nodes is None:
            return {}
        doses = [self._nodes.composite]
        doses += [node for course in self._nodes.courses for node in (course.eqd2, *course.doses) if node is not None]
        return {node.GetID(): node.GetName() for node in doses} | dict(self._images())

    # How it is moved

    def fit(self) -> None:
        """Fit all views to what they show."""
        for view in self.manager.get_views():
            view.fit_view_to_content()
            view.schedule_render()

    def jump_to(self, point_lps: NDArray[np.float64]) -> None:
        """Bring all slice views, and the crosshair, to a point in LPS mm, shape ``(3,)``."""
        point_ras = to_ras(np.asarray(point_lps)).tolist()
        self._crosshair.SetCrosshairRAS(point_ras)
        for view in self.manager.get_slice_views():
            view.get_view_node().JumpSliceByCentering(*point_ras)

    def scroll(self, tag: str, slices: int) -> None:
        """Move a view by whole slices."""
        view = self.slice_view(tag)
        low, high = view.get_slice_range()
        view.set_slice_value(min(high, max(low, view.get_slice_value() + slices * view.get_slice_step())))

    def set_slice(self, tag: str, step: int) -> None:
        """Bring a view to a slice, counted from the first."""
        view = self.slice_view(tag)
        view.set_slice_value(view.get_slice_range()[0] + step * view.get_slice_step())

    def zoom(self, tag: str, factor: float) -> None:
        """Make what a view shows larger by a factor."""
        self.slice_view(tag).zoom(1 - 1 / factor)

    # What is told

    def tell(self) -> None:
        """Tell the page what is shown."""
        state = self._server.state
        state.views = {
            **asdict(self.state),
            "shown": list(self.shown_views()),
            "layouts": [{"name": name, "label": label} for name, (label, _) in LAYOUTS.items()],
            "images": [{"id": key, "label": label} for key, label in self._images().items()],
            "overlays": [{"id": key, "label": label} for key, label in self._overlays().items()],
            "windows": list(WINDOWS),
        }
        shown = self.state.isodoses and self._nodes is not None
        state.legend = self._legend if shown else {"title": "", "levels": []}

    def _tell_slice(self, tag: str) -> None:
        view = self.slice_view(tag)
        low, high = view.get_slice_range()
        step = view.get_slice_step()
        with self._server.state as state:
            state[f"slice_{tag}"] = {
                "text": position_text(view.get_view_node()),
                "letters": edge_letters(view.get_view_node()),
                "steps": round((high - low) / step),
                "step": round((view.get_slice_value() - low) / step),
            }

    def _on_cursor(self, *_: Any) -> None:
        """Say what lies under the mouse, a little later: the mouse moves more often than one reads."""
        if self._probe_task is None or self._probe_task.done():
            self._probe_task = asyncio.get_running_loop().create_task(self._probe())

    async def _probe(self) -> None:
        await asyncio.sleep(_PROBE_SECONDS)
        position = [0.0, 0.0, 0.0]
        is_inside = self._crosshair.GetCursorPositionRAS(position)
        with self._server.state as state:
            state.probe = probe_text(self._review, position) if is_inside and self._review is not None else ""


def _id(node: vtk.vtkObject | None) -> str:
    return node.GetID() if node is not None else ""
