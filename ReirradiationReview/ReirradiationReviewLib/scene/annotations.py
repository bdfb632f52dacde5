"""What is written and drawn on pictures: identity, directions, scale, isodose labels."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.courses import Patient

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESEARCH_USE = "Research use only - not a medical device"
_SCALE_BAR_MM = 50.0
_DOTS_PER_INCH = 100


def blank_figure(width: int, height: int) -> Figure:
    """Return a black figure of this size in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DOTS_PER_INCH, height / _DOTS_PER_INCH), dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    figure.set_facecolor("black")
    return figure


def draw_image(figure: Figure, image: NDArray[np.uint8], left: int, below: int = 0) -> Axes:
    """Put an image, shape ``(height, width, 3)``, into a figure, pixel by pixel; return its axes.

    Parameters
    ----------
    left, below
        Pixels of the figure to its left and below it.
    """
    height, width = image.shape[:2]
    whole_width, whole_height = figure.get_size_inches() * _DOTS_PER_INCH
    axes = figure.add_axes((left / whole_width, below / whole_height, width / whole_width, height / whole_height))
    axes.imshow(image, interpolation="none", aspect="auto", extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    axes.set_axis_off()
    axes.autoscale(False)
    return axes


def draw_header(figure: Figure, patient: Patient, caption: str) -> None:
    """Write whose picture it is and what it shows above it."""
    who = f"{patient.name or 'name unknown'}   ID {patient.id or 'unknown'}   born {patient.birth_date or 'unknown'}"
    figure.text(0.01, 0.985, who, color="white", fontsize=10, weight="bold", va="top")
    figure.text(0.01, 0.955, caption, color="white", fontsize=9, va="top")
    figure.text(0.99, 0.985, RESEARCH_USE, color="#ffd24d", fontsize=8, va="top", ha="right")


def draw_cross(axes: Axes, pixel: NDArray[np.float64], gap: float = 6.0, arm: float = 16.0) -> None:
    """Mark a point ``(x, y)`` without covering it."""
    x, y = pixel
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        axes.plot([x + dx * gap, x + dx * arm], [y + dy * gap, y + dy * arm], color="cyan", linewidth=1.2, scalex=False)


def draw_letters(axes: Axes, letters: dict[str, str]) -> None:
    """Write the patient's directions at the edges; see `views.direction_letters`."""
    places = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.975), "bottom": (0.5, 0.025)}
    for edge, (x, y) in places.items():
        axes.text(
            x, y, letters[edge], transform=axes.transAxes, color="white", fontsize=14, weight="bold",
            ha="center", va="center",
        )  # fmt: skip


def draw_scale(axes: Axes, pixel_mm: float) -> None:
    """Draw a bar of known length into the lower right corner."""
    length = _SCALE_BAR_MM / pixel_mm
    _, right = axes.get_xlim()
    bottom, _ = axes.get_ylim()
    start, y = right - 20 - length, bottom - 20
    axes.plot([start, start + length], [y, y], color="white", linewidth=2)
    axes.text(start + length / 2, y - 6, f"{_SCALE_BAR_MM:g} mm", color="white", fontsize=8, ha="center", va="bottom")


def label_line(
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
    axes.text(x, y, label, color=rgb_of(colour), fontsize=8, weight="bold", ha="center", va="center", bbox=box)


def rgb_of(colour: tuple[int, int, int]) -> tuple[float, float, float]:
    """Return a colour of 0 to 255 as matplotlib has it."""
    return (colour[0] / 255, colour[1] / 255, colour[2] / 255)


def short(name: str, limit: int = 34) -> str:
    """Return a name, cut where it would not fit beside a picture."""
    return name if len(name) <= limit else name[: limit - 1] + "\u2026"


def wrapped(text: str, width: int = 42) -> list[str]:
    """Return a text in lines that fit beside a picture."""
    return textwrap.wrap(text, width)
