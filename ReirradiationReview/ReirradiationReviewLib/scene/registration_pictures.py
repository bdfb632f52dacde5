"""Pictures of how an earlier course's CT lies on the reference's: checkerboard, difference, Jacobian, deformed grid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .annotations import blank_figure, draw_header, draw_image, draw_letters, draw_scale
from .build import ReviewNodes
from .content import SceneContent
from .environment import SceneEnvironment
from .geometry import to_ras
from .messages import vtk_messages_in_log
from .pictures import Picture
from .registration_views import CheckMode, show_registration_check
from .views import SliceImage, SliceRenderer, direction_letters, wash_layers

_VIEW_SIZE = (400, 400)
_GAP = 4
_HEADER_HEIGHT = 78
_FIELD_OF_VIEW_MM = 300.0
_LINEAR: tuple[CheckMode, ...] = ("blend", "checkerboard", "difference")
_DEFORMABLE: tuple[CheckMode, ...] = ("checkerboard", "difference", "jacobian", "grid")
_ORIENTATIONS = ("Axial", "Coronal")
_WORDS = {
    "blend": "both blended",
    "checkerboard": "checkerboard",
    "difference": "difference",
    "jacobian": "Jacobian",
    "grid": "deformed grid",
}


def render_registration_pictures(
    environment: SceneEnvironment, nodes: ReviewNodes, content: SceneContent, folder: Path
) -> list[Picture]:
    """Draw each earlier course's registration through the target, else the hot spot, one PNG for each course.

    Returns
    -------
    list of Picture
        Without courses that have no CT.
    """
    point_lps = content.target_lps if content.target_lps is not None else content.hot_spot_lps
    if point_lps is None or nodes.reference_ct is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with vtk_messages_in_log(), _without_isodoses(nodes):
        drawing = _Drawing(environment, nodes, content, to_ras(point_lps[None])[0])
        drawn = [
            drawing.draw(index, folder)
            for index, course in enumerate(nodes.courses)
            if index != nodes.reference_index and course.ct is not None
        ]
        drawing.renderer.close()
    return drawn


class _Drawing:
    """One review's pictures, through one point."""

    def __init__(
        self, environment: SceneEnvironment, nodes: ReviewNodes, content: SceneContent, point_ras: NDArray[np.float64]
    ) -> None:
        self._environment = environment
        self._nodes = nodes
        self._content = content
        self._point_ras = point_ras
        self.renderer = SliceRenderer(environment, wash_layers(nodes), _VIEW_SIZE, "Registration")
        for orientation in _ORIENTATIONS:
            self._render(orientation)  # makes the view, which a check then finds in the scene

    def draw(self, index: int, folder: Path) -> Picture:
        modes = _DEFORMABLE if len(self._nodes.courses[index].transforms) > 1 else _LINEAR
        width, height = (side + _GAP for side in _VIEW_SIZE)
        figure = blank_figure(len(modes) * width - _GAP, len(_ORIENTATIONS) * height - _GAP + _HEADER_HEIGHT)
        for column, mode in enumerate(modes):
            words = show_registration_check(self._environment, self._nodes, index, mode)
            for row, orientation in enumerate(reversed(_ORIENTATIONS)):
                image = self._render(orientation)
                axes = draw_image(figure, image.rgb, column * width, row * height)
                draw_letters(axes, direction_letters(image))
                axes.text(8, 26, words, color="white", fontsize=7.5, va="top")
                if column == 0:
                    draw_scale(axes, image.pixel_mm)
        show_registration_check(self._environment, self._nodes, index, "off")
        course, reference = self._content.courses[index].course.label, self._content.reference.label
        caption = f"{course} on {reference}, axial and coronal: {', '.join(_WORDS[mode] for mode in modes)}"
        draw_header(figure, self._content.patient, caption)
        path = folder / f"registration_course{index + 1}.png"
        figure.savefig(path, facecolor="black")
        return Picture(path, caption)

    def _render(self, orientation: str) -> SliceImage:
        return self.renderer.render(orientation, self._point_ras, self._point_ras, _FIELD_OF_VIEW_MM)


@contextmanager
def _without_isodoses(nodes: ReviewNodes) -> Iterator[None]:
    """Hide isodose lines, which would cover what is compared, for as long as the context lasts."""
    displays = [node.GetDisplayNode() for node in (*nodes.isodoses, *nodes.plan_isodoses)]
    before = [display.GetVisibility() for display in displays]
    for display in displays:
        display.SetVisibility(False)
    try:
        yield
    finally:
        for display, visible in zip(displays, before, strict=True):
            display.SetVisibility(visible)
