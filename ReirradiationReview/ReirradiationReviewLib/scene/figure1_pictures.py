"""Figure 1 of Beddok 2022 drawn of this review: plain and fused side by side, with legend and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.images import PlacedImage
from .annotations import (
    blank_figure,
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
from .content import IsodoseLevel, SceneContent
from .environment import SceneEnvironment
from .figure1 import (
    FigureDose,
    apply_figure1_preset,
    doubtful_segments,
    figure1_layers,
    figure1_pet,
    target_segments,
)
from .figure1_preset import FIGURE1
from .geometry import to_ras
from .images import pet_rgb
from .messages import vtk_messages_in_log
from .pictures import ORIENTATIONS, Picture
from .views import SliceImage, SliceRenderer, direction_letters, lines_for_pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VIEW_SIZE = (620, 620)
_GAP = 6
_HEADER_HEIGHT = 74
_LEGEND_WIDTH = 300
_LEAST_VIEW_MM, _MOST_VIEW_MM = 180.0, 340.0
_LEGEND_CHARACTERS = 38
_LINE = 17.0
# Grey of muscle (50 HU) in the CT's window, which the colour bar is shown upon.
_SOFT_TISSUE_GREY = 0.5 + (50.0 - FIGURE1.ct_level_hu) / FIGURE1.ct_window_hu
_PLAIN, _FUSED = "Planning CT", "Planning CT and PET"


def render_figure1(
    environment: SceneEnvironment, nodes: ReviewNodes, content: SceneContent, folder: Path
) -> list[Picture]:
    """Draw the figure axial, coronal and sagittal through the target, for the new plan's dose and for the composite.

    Returns
    -------
    list of Picture
        Empty where there is no PET or no target to draw.
    """
    pet = next((image for image in content.images if image.series.modality == "PT"), None)
    if pet is None or content.target_lps is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    with vtk_messages_in_log(), lines_for_pictures(nodes):
        renderer = SliceRenderer(environment, figure1_layers(nodes), _VIEW_SIZE, "Figure 1")
        for dose in _doses(nodes):
            drawing = _Drawing(nodes, content, pet, dose)
            undo = apply_figure1_preset(environment, nodes, dose)
            for orientation in ORIENTATIONS:
                pictures.append(drawing.draw(renderer, orientation, folder))
            undo()
        renderer.close()
    return pictures


def _doses(nodes: ReviewNodes) -> tuple[FigureDose, ...]:
    return ("plan", "composite") if nodes.plan_isodoses else ("composite",)


class _Drawing:
    """The figure for one dose."""

    def __init__(self, nodes: ReviewNodes, content: SceneContent, pet: PlacedImage, dose: FigureDose) -> None:
        self._content = content
        self._pet = pet
        self._dose = dose
        self._nodes = nodes
        self._models = nodes.plan_isodoses if dose == "plan" else nodes.isodoses
        self._levels: Sequence[IsodoseLevel] = FIGURE1.levels if dose == "plan" else content.levels
        self._view_mm = _view_mm(nodes, content)

    def draw(self, renderer: SliceRenderer, orientation: str, folder: Path) -> Picture:
        assert self._content.target_lps is not None
        point_ras = to_ras(self._content.target_lps[None])[0]
        width, height = _VIEW_SIZE
        figure = blank_figure(2 * width + _GAP + _LEGEND_WIDTH, height + _HEADER_HEIGHT)
        for number, (title, fused) in enumerate(((_PLAIN, False), (_FUSED, True))):
            renderer.show(figure1_layers(self._nodes, fused))
            image = renderer.render(orientation, point_ras, point_ras, self._view_mm)
            axes = draw_image(figure, image.rgb, number * (width + _GAP))
            self._annotate(axes, image, title)
        caption = f"{orientation} slice through the target, plain and with PET; isodoses of {self._dose_words()}"
        draw_header(figure, self._content.patient, caption)
        self._draw_legend(figure)
        path = folder / f"figure1_{self._dose}_{orientation.lower()}.png"
        figure.savefig(path, facecolor="black")
        return Picture(path, caption)

    def _dose_words(self) -> str:
        if self._dose == "plan":
            return f"{self._content.reference.label} alone as planned, {self._content.plan_dose_unit}"
        return f"the composite EQD2, alpha/beta {self._content.alpha_beta_gy:g} Gy"

    def _annotate(self, axes: Axes, image: SliceImage, title: str) -> None:
        axes.text(10, 14, title, color="white", fontsize=11, weight="bold", va="top")
        draw_letters(axes, direction_letters(image))
        draw_scale(axes, image.pixel_mm)
        for number, (level, node) in enumerate(zip(self._levels, self._models, strict=True)):
            label_line(axes, image.lines_of(node.GetPolyData()), level.label, level.colour, number)

    def _draw_legend(self, figure: Figure) -> None:
        legend = _Legend(figure, 2 * _VIEW_SIZE[0] + _GAP + 14)
        legend.write("Target", weight="bold")
        segments = self._nodes.segmentation.GetSegmentation()
        for key in target_segments(self._nodes.segmentation):
            legend.write(f"\u2501  {short(segments.GetSegment(key).GetName())}", FIGURE1.target_colour)
        for _ in doubtful_segments(self._nodes.segmentation):
            legend.write("\u2501  doubtful: one modality only", FIGURE1.doubtful_colour)
        legend.space()
        legend.write(
            f"Isodoses, {self._content.plan_dose_unit if self._dose == 'plan' else 'EQD2 in Gy'}", weight="bold"
        )
        for level in reversed(self._levels):
            legend.write(f"\u2501  {level.dose_gy:g}", level.colour)
        legend.space()
        legend.write(f"PET, {self._pet.series.units or 'unit unknown'}", weight="bold")
        legend.colour_bar(_pet_window(self._nodes))
        legend.space()
        legend.write("Provenance", weight="bold")
        for line in self._provenance():
            for part in wrapped(line, _LEGEND_CHARACTERS):
                legend.write(part, (200, 200, 200))

    def _provenance(self) -> list[str]:
        ct, series = self._content.reference.ct, self._pet.series
        assert ct is not None  # a review has no reference without one
        lines = [
            f"CT: {ct.description or 'no description'}, {ct.date or 'date unknown'}",
            f"PET: {series.description or 'no description'}, {series.date or 'date unknown'}",
            f"PET on CT: {_method_words(self._pet)}",
        ]
        if uptake := self._pet.suv.get("uptake_minutes"):
            lines.append(f"Uptake time {uptake:.0f} min")
        if not series.units.startswith("SUV"):
            lines.append("The PET is not in SUV: its colours span all its values")
        lines.append(f"Lines: {self._dose_words()}")
        plans = [f"{plan.label}, {plan.fractions} fractions" for plan in self._content.reference.plans]
        if self._dose == "plan":
            return [*lines, *(f"Plan: {plan}" for plan in plans)]
        return [*lines, *self._content.assumptions[1:]]


def _view_mm(nodes: ReviewNodes, content: SceneContent) -> float:
    """Return what the pictures' height stands for: the new plan's lowest isodose around the target, and some more."""
    assert content.target_lps is not None
    lowest = (nodes.plan_isodoses or nodes.isodoses)[0].GetPolyData()
    if not lowest.GetNumberOfPoints():
        return _MOST_VIEW_MM
    centre = np.repeat(to_ras(content.target_lps), 2)
    return float(np.clip(2.2 * np.abs(np.array(lowest.GetBounds()) - centre).max(), _LEAST_VIEW_MM, _MOST_VIEW_MM))


def _method_words(image: PlacedImage) -> str:
    return "same Frame of Reference" if image.method == "identity" else image.method


def _pet_window(nodes: ReviewNodes) -> tuple[float, float]:
    pet = figure1_pet(nodes)
    assert pet is not None
    display = pet.volume.GetDisplayNode()
    return float(display.GetWindowLevelMin()), float(display.GetWindowLevelMax())


class _Legend:
    """Lines of text beside the pictures, from the top down."""

    def __init__(self, figure: Figure, left: int) -> None:
        self._figure = figure
        self._width, self._height = figure.get_size_inches() * figure.dpi
        self._left = left
        self._top = _HEADER_HEIGHT + 6.0

    def write(self, text: str, colour: tuple[int, int, int] = (255, 255, 255), weight: str = "normal") -> None:
        """Write one line."""
        x, y = self._left / self._width, 1 - self._top / self._height
        self._figure.text(x, y, text, color=rgb_of(colour), fontsize=9, weight=weight, va="top")
        self._top += _LINE

    def space(self) -> None:
        """Leave half a line free."""
        self._top += _LINE / 2

    def colour_bar(self, window: tuple[float, float]) -> None:
        """Draw the PET's colours as they lie over a grey CT, with the values at both ends and in the middle."""
        width, height = 240.0, 16.0
        y = 1 - (self._top + 2 + height) / self._height
        axes = self._figure.add_axes((self._left / self._width, y, width / self._width, height / self._height))
        axes.imshow(_bar(), aspect="auto", extent=(*window, 0, 1))
        axes.set_yticks([])
        axes.set_xticks(np.linspace(*window, 6))
        axes.set_xticklabels([f"{value:.3g}" for value in np.linspace(*window, 6)])
        axes.tick_params(colors="white", labelsize=8, length=3)
        self._top += height + 1.6 * _LINE


def _bar() -> NDArray[np.float64]:
    return np.minimum(pet_rgb(np.linspace(0.0, 1.0, 256))[None] * FIGURE1.fused_opacity + _SOFT_TISSUE_GREY, 1.0)
