"""Annotated pictures of the review: slices through the hot spot and the target, and a 3D view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from numpy.typing import NDArray

from .build import ReviewNodes
from .content import SceneContent
from .environment import SceneEnvironment
from .geometry import to_ras
from .messages import vtk_messages_in_log
from .views import SliceImage, SliceRenderer, direction_letters, grab, lines_for_pictures, prepare, surfaces_visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ORIENTATIONS = ("Axial", "Coronal", "Sagittal")
RESEARCH_USE = "Research use only - not a medical device"
_VIEW_SIZE = (720, 700)
_PANEL_WIDTH = 280
_HEADER_HEIGHT = 56
_FIELD_OF_VIEW_MM = 340.0
_DOTS_PER_INCH = 100
_SCALE_BAR_MM = 50.0
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
        renderer = SliceRenderer(environment, nodes, _VIEW_SIZE)
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
        _draw_cross(axes, image.to_pixel(point_ras[None])[0])
        _draw_letters(axes, direction_letters(image))
        _draw_scale(axes, image.pixel_mm)
        for number, (level, node) in enumerate(zip(content.levels, nodes.isodoses, strict=True)):
            _label_line(axes, image.lines_of(node.GetPolyData()), level.label, level.colour, number)

    left, posterior, superior = point_ras * np.array([-1.0, -1.0, 1.0])
    place = f"{caption} (L {left:.1f}, P {posterior:.1f}, S {superior:.1f} mm)"
    _save(path, image.rgb, place, content, annotate)


def _save(path: Path, rgb: NDArray[np.uint8], caption: str, content: SceneContent, annotate: Any) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height, width = rgb.shape[:2]
    total = (width + _PANEL_WIDTH, height + _HEADER_HEIGHT)
    figure = Figure(figsize=(total[0] / _DOTS_PER_INCH, total[1] / _DOTS_PER_INCH), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    figure.set_facecolor("black")
    axes = figure.add_axes((0, 0, width / total[0], height / total[1]))
    axes.imshow(rgb, interpolation="none", aspect="auto", extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axes.set_axis_off()
    axes.autoscale(False)
    annotate(axes)
    _draw_header(figure, caption, content)
    _draw_panel(figure, content, width / total[0], height / total[1])
    figure.savefig(path, facecolor="black")


def _draw_header(figure: Figure, caption: str, content: SceneContent) -> None:
    patient = content.patient
    who = f"{patient.name or 'name unknown'}   ID {patient.id or 'unknown'}   born {patient.birth_date or 'unknown'}"
    figure.text(0.01, 0.985, who, color="white", fontsize=10, weight="bold", va="top")
    figure.text(0.01, 0.955, caption, color="white", fontsize=9, va="top")
    figure.text(0.99, 0.985, RESEARCH_USE, color="#ffd24d", fontsize=8, va="top", ha="right")


def _draw_panel(figure: Figure, content: SceneContent, left: float, top: float) -> None:
    lines: list[tuple[str, Any, str]] = [("Isodose lines, composite EQD2", "white", "bold")]
    lines += [(f"\u2501  {level.label}", _colour(level.colour), "normal") for level in reversed(content.levels)]
    lines.append(("", "white", "normal"))
    lines.append(("Structures of " + content.reference.label, "white", "bold"))
    lines += [(f"\u25a0  {_short(organ.name)}", _colour(organ.colour), "normal") for organ in content.organs]
    lines.append(("", "white", "normal"))
    lines.append(("Assumptions", "white", "bold"))
    lines += [(part, "#cccccc", "normal") for text in content.assumptions for part in _wrapped(text)]
    step = min(0.026, top / (len(lines) + 1))
    for number, (text, colour, weight) in enumerate(lines):
        figure.text(left + 0.012, top - 0.02 - number * step, text, color=colour, fontsize=8, weight=weight, va="top")


def _draw_cross(axes: Axes, pixel: NDArray[np.float64], gap: float = 6.0, arm: float = 16.0) -> None:
    x, y = pixel
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        axes.plot([x + dx * gap, x + dx * arm], [y + dy * gap, y + dy * arm], color="cyan", linewidth=1.2, scalex=False)


def _draw_letters(axes: Axes, letters: dict[str, str]) -> None:
    places = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.975), "bottom": (0.5, 0.025)}
    for edge, (x, y) in places.items():
        axes.text(
            x, y, letters[edge], transform=axes.transAxes, color="white", fontsize=14, weight="bold",
            ha="center", va="center",
        )  # fmt: skip


def _draw_scale(axes: Axes, pixel_mm: float) -> None:
    length = _SCALE_BAR_MM / pixel_mm
    _, right = axes.get_xlim()
    bottom, _ = axes.get_ylim()
    start, y = right - 20 - length, bottom - 20
    axes.plot([start, start + length], [y, y], color="white", linewidth=2)
    axes.text(start + length / 2, y - 6, f"{_SCALE_BAR_MM:g} mm", color="white", fontsize=8, ha="center", va="bottom")


def _label_line(
    axes: Axes, lines: Sequence[NDArray[np.float64]], label: str, colour: tuple[int, int, int], number: int
) -> None:
    """Write a level's label on its longest line, each level at another angle so that labels do not meet."""
    width, height = axes.get_xlim()[1], axes.get_ylim()[0]
    visible = [
        line[(line[:, 0] > 25) & (line[:, 0] < width - 60) & (line[:, 1] > 40) & (line[:, 1] < height - 40)]
        for line in lines
    ]
    longest = max(visible, key=len, default=np.empty((0, 2)))
    if len(longest) < 8:
        return
    angle = np.radians(200.0 + 67.0 * number)
    away = (longest - longest.mean(axis=0)) @ np.array([np.cos(angle), np.sin(angle)])
    x, y = longest[int(np.argmax(away))]
    box = {"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 1.0}
    axes.text(x, y, label, color=_colour(colour), fontsize=8, weight="bold", ha="center", va="center", bbox=box)


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


def _colour(colour: tuple[int, int, int]) -> tuple[float, float, float]:
    return (colour[0] / 255, colour[1] / 255, colour[2] / 255)


def _short(name: str, limit: int = 34) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "\u2026"


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 42)
