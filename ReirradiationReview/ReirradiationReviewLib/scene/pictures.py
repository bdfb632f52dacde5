"""Annotated pictures of the review: slices through the hot spot and the target, and a 3D view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from numpy.typing import NDArray

from .annotations import (
    blank_figure,
    draw_cross,
    draw_header,
    draw_image,
    draw_letters,
    draw_scale,
    label_line,
    rgb_of,
    short,
    wrapped,
)
from .build import ReviewNodes
from .content import SceneContent
from .environment import SceneEnvironment
from .geometry import to_ras
from .messages import vtk_messages_in_log
from .views import (
    SliceImage,
    SliceRenderer,
    direction_letters,
    grab,
    lines_for_pictures,
    prepare,
    surfaces_visible,
    wash_layers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ORIENTATIONS = ("Axial", "Coronal", "Sagittal")
_VIEW_SIZE = (720, 700)
_PANEL_WIDTH = 280
_HEADER_HEIGHT = 56
_FIELD_OF_VIEW_MM = 340.0
# The highest isodoses are what a re-irradiation is about; more shells would hide what lies within.
_SURFACES_IN_3D = 2


@dataclass(frozen=True)
class Picture:
    """A picture file, and what it shows in words."""

    path: Path
    caption: str


def render_pictures(
    environment: SceneEnvironment, nodes: ReviewNodes, content: SceneContent, folder: Path
) -> list[Picture]:
    """Draw axial, coronal and sagittal slices through each point of interest, and a 3D view, as PNG files.

    Returns
    -------
    list of Picture
        In the order in which a report shows them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    with vtk_messages_in_log(), lines_for_pictures(nodes):
        renderer = SliceRenderer(environment, wash_layers(nodes), _VIEW_SIZE)
        for key, title, point_lps in _points_of_interest(content):
            point_ras = to_ras(point_lps[None])[0]
            for orientation in ORIENTATIONS:
                image = renderer.render(orientation, point_ras, point_ras, _FIELD_OF_VIEW_MM)
                caption = f"{orientation} slice through the {title}"
                path = folder / f"{key}_{orientation.lower()}.png"
                _save_slice(path, image, point_ras, caption, nodes=nodes, content=content)
                pictures.append(Picture(path, caption))
        renderer.close()
        path = folder / "view_3d.png"
        shown = nodes.isodoses[-_SURFACES_IN_3D:]
        surfaces = " and ".join(node.GetName() for node in shown)
        caption = f"3D view from the front: structures, and the isodose surfaces of {surfaces}"
        with surfaces_visible(shown):
            rgb = _three_d(environment)
        _save(path, rgb, caption, content, lambda _axes: None)
        pictures.append(Picture(path, caption))
    return pictures


def _points_of_interest(content: SceneContent) -> list[tuple[str, str, NDArray[np.float64]]]:
    points = (
        ("hot_spot", "hot spot of the composite EQD2", content.hot_spot_lps),
        ("target", "target of the new plan", content.target_lps),
    )
    return [(key, title, point) for key, title, point in points if point is not None]


def _save_slice(
    path: Path,
    image: SliceImage,
    point_ras: NDArray[np.float64],
    caption: str,
    *,
    nodes: ReviewNodes,
    content: SceneContent,
) -> None:
    def annotate(axes: Axes) -> None:
        draw_cross(axes, image.to_pixel(point_ras[None])[0])
        draw_letters(axes, direction_letters(image))
        draw_scale(axes, image.pixel_mm)
        for number, (level, node) in enumerate(zip(content.levels, nodes.isodoses, strict=True)):
            label_line(axes, image.lines_of(node.GetPolyData()), level.label, level.colour, number)

    left, posterior, superior = point_ras * np.array([-1.0, -1.0, 1.0])
    place = f"{caption} (L {left:.1f}, P {posterior:.1f}, S {superior:.1f} mm)"
    _save(path, image.rgb, place, content, annotate)


def _save(path: Path, image: NDArray[np.uint8], caption: str, content: SceneContent, annotate: Any) -> None:
    height, width = image.shape[:2]
    figure = blank_figure(width + _PANEL_WIDTH, height + _HEADER_HEIGHT)
    annotate(draw_image(figure, image, 0))
    draw_header(figure, content.patient, caption)
    _draw_panel(figure, content, width / (width + _PANEL_WIDTH), height / (height + _HEADER_HEIGHT))
    figure.savefig(path, facecolor="black")


def _draw_panel(figure: Figure, content: SceneContent, left: float, top: float) -> None:
    lines: list[tuple[str, Any, str]] = [("Isodose lines, composite EQD2", "white", "bold")]
    lines += [(f"\u2501  {level.label}", rgb_of(level.colour), "normal") for level in reversed(content.levels)]
    lines.append(("", "white", "normal"))
    lines.append(("Structures of " + content.reference.label, "white", "bold"))
    lines += [(f"\u25a0  {short(organ.name)}", rgb_of(organ.colour), "normal") for organ in content.organs]
    lines.append(("", "white", "normal"))
    lines.append(("Assumptions", "white", "bold"))
    lines += [(part, "#cccccc", "normal") for text in content.assumptions for part in wrapped(text)]
    step = min(0.026, top / (len(lines) + 1))
    for number, (text, colour, weight) in enumerate(lines):
        figure.text(left + 0.012, top - 0.02 - number * step, text, color=colour, fontsize=8, weight=weight, va="top")


def _three_d(environment: SceneEnvironment) -> NDArray[np.uint8]:
    from trame_slicer.views import NoScheduleRendering, ThreeDView

    view = ThreeDView(
        environment.scene, environment.application_logic, "1", scheduled_render_strategy=NoScheduleRendering()
    )
    prepare(view, _VIEW_SIZE)
    node = view.get_view_node()
    node.SetBoxVisible(False)
    node.SetAxisLabelsVisible(False)
    node.SetBackgroundColor(0.0, 0.0, 0.0)
    node.SetBackgroundColor2(0.0, 0.0, 0.0)
    node.SetOrientationMarkerType(slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeAxes)
    view.reset_view()
    view.renderer().GetActiveCamera().Zoom(1.25)
    view.renderer().ResetCameraClippingRange()
    view.render()
    rgb = grab(view, _VIEW_SIZE)
    view.finalize()
    return rgb
