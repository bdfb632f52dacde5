"""Dose-volume histograms as drawings inside the report."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COMPOSITE = "composite"

# Middle tones that stand out on white and on dark paper alike, told apart by their dashes too (SVG stroke-dasharray).
_COURSE_STYLES = (("#2b7bd0", "7 3"), ("#d9711c", "2 2.5"), ("#3d9a50", "9 2.5 2 2.5"), ("#b0559c", "4 2 4 6"))
_INK = "#010203"  # replaced by the page's own text colour
_SVG_ATTRIBUTES = 'aria-hidden="true" focusable="false" style="stroke-linejoin: round; stroke-linecap: butt"'
_SIZE_INCHES = (3.3, 2.3)
_AXES_PLACE = (0.145, 0.18, 0.81, 0.795)  # left, bottom, width, height: room for the ticks' labels


@dataclass(frozen=True)
class StructureCurves:
    """Cumulative DVHs of one structure.

    Parameters
    ----------
    structure
        Name as in the review.
    curves
        ``(label, dose_gy, volume_percent)``: EQD2 in Gy against percent of the structure's volume, both of shape
        ``(N,)``. The label ``"composite"`` is drawn as the solid line, every other one dashed. A curve that is empty
        or holds NaN is unknown: it is not drawn, and the legend says so.
    colour
        Of the structure, 0 to 255.
    alpha_beta_gy
        Of the curves; None for that of the structure of this name.
    """

    structure: str
    curves: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]]
    colour: tuple[int, int, int] = (128, 128, 128)
    alpha_beta_gy: float | None = None


@dataclass(frozen=True)
class LineStyle:
    """How one curve is drawn, in plot and legend."""

    label: str
    colour: str
    dashes: str
    width: float
    known: bool = True


def line_styles(curves: StructureCurves) -> list[LineStyle]:
    """Return a style per curve in the page's text colour or a course's own, the same in every plot of a review."""
    courses = [label for label, _, _ in curves.curves if label != COMPOSITE]
    styles = []
    for label, dose_gy, volume_percent in curves.curves:
        known = _is_known(dose_gy) and _is_known(volume_percent)
        if label == COMPOSITE:
            styles.append(LineStyle(label, "currentColor", "", 2.0, known))
        else:
            colour, dashes = _COURSE_STYLES[courses.index(label) % len(_COURSE_STYLES)]
            styles.append(LineStyle(label, colour, dashes, 1.5, known))
    return styles


def _is_known(values: NDArray[np.float64]) -> bool:
    return bool(np.size(values) and np.all(np.isfinite(values)))


def dvh_svg(curves: StructureCurves, identifier: str) -> str:
    """Draw one structure's DVHs as an SVG element to be put into HTML.

    Parameters
    ----------
    identifier
        Prefix of all ids in the drawing, unique within the page: letters and digits.

    Returns
    -------
    str
        ``<svg ...>``, text as outlines so that it looks the same everywhere, axes in the page's text colour. It holds
        none of the review's texts: names and legend belong into the page, where they are escaped.

    Raises
    ------
    ReirradiationError
        If a curve's doses and volumes differ in number.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": identifier, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=_SIZE_INCHES)
        _draw(figure.add_axes(_AXES_PLACE), curves)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _for_page(buffer.getvalue(), identifier)


def _draw(axes: Axes, curves: StructureCurves) -> None:
    highest_gy = 0.0
    for (label, dose_gy, volume_percent), style in zip(curves.curves, line_styles(curves), strict=True):
        if np.ndim(dose_gy) != 1 or np.shape(dose_gy) != np.shape(volume_percent):
            raise ReirradiationError(
                f"the DVH of {curves.structure}, {label}: doses and volumes differ in number; recompute it"
            )
        if style.known:
            highest_gy = max(highest_gy, float(np.max(dose_gy)))
            axes.plot(dose_gy, volume_percent, **_line(style))
    axes.set_xlim(0, highest_gy * 1.04 or 1.0)
    axes.set_ylim(0, 102)
    axes.set_xlabel("EQD2 (Gy)", fontsize=8, color=_INK)
    axes.set_ylabel("Volume (%)", fontsize=8, color=_INK)
    axes.tick_params(labelsize=7.5, colors=_INK, width=0.6, length=3)
    axes.grid(visible=True, color=_INK, alpha=0.14, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=_INK, linewidth=0.6)


def _line(style: LineStyle) -> dict[str, Any]:
    """Return the style in matplotlib's words; its dashes count in line widths."""
    dashes = (0, tuple(float(length) / style.width for length in style.dashes.split())) if style.dashes else "-"
    colour = _INK if style.colour == "currentColor" else style.colour
    return {
        "color": colour,
        "linestyle": dashes,
        "linewidth": style.width,
        # Dashes on top, so that a course stays in sight where it is nearly the whole composite.
        "zorder": 2 if style.label == COMPOSITE else 3,
    }


def _for_page(document: str, identifier: str) -> str:
    """Return the svg element alone, its ids made unique and its ink the page's text colour."""
    svg = document[document.index("<svg") :]
    # A style element would hold for the whole page; what it says goes onto the svg element.
    svg = re.sub(r"<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{identifier}-', svg)
    svg = svg.replace("url(#", f"url(#{identifier}-").replace('href="#', f'href="#{identifier}-')
    svg = svg.replace("<svg ", f"<svg {_SVG_ATTRIBUTES} ", 1)
    return svg.replace(_INK, "currentColor")
