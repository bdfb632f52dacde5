"""The report as one HTML file that needs nothing else: no network, no script, no second file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ReirradiationError
from . import document as words
from .dvh_plot import LineStyle, StructureCurves, dvh_svg, line_styles

if TYPE_CHECKING:
    from jinja2 import Environment

SCHEMA = "reirradiation-review/1"
_TEMPLATES = Path(__file__).resolve().parents[3] / "Resources" / "Report"
_IMAGE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


@dataclass(frozen=True)
class ReportPicture:
    """A picture file (PNG or JPEG) and what it shows, in words that can stand for it."""

    path: Path
    caption: str


@dataclass(frozen=True)
class DvhPanel:
    """One structure's plot, ready for the page."""

    structure: str
    colour: tuple[int, int, int]
    alpha_beta_gy: Any
    svg: str
    lines: Sequence[LineStyle]


def write_report(
    path: Path,
    document: dict[str, Any],
    curves: Sequence[StructureCurves],
    pictures: Sequence[ReportPicture],
) -> None:
    """Write the report of a review.

    Parameters
    ----------
    path
        The HTML file to write.
    document
        The review's data as in review.json, schema "reirradiation-review/1". None is shown as "unknown".
    curves
        DVHs of EQD2, one panel per structure in the order given.
    pictures
        Shown in the order given; their files are copied into the report.

    Raises
    ------
    ReirradiationError
        If the data has another schema, a picture cannot be read, a curve cannot be drawn, the file cannot be written
        or jinja2 or matplotlib are not installed.
    """
    html = render_report(document, curves, pictures)
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ReirradiationError(f"{path.name} cannot be written ({error.strerror}); choose another folder") from error


def render_report(
    document: Mapping[str, Any], curves: Sequence[StructureCurves], pictures: Sequence[ReportPicture]
) -> str:
    """Return the report as HTML text; see `write_report`."""
    if document.get("schema") != SCHEMA:
        raise ReirradiationError(
            f"the review's data has the schema {document.get('schema')!r}, the report needs {SCHEMA!r}; "
            "make the review again with this version"
        )
    try:
        template = _environment().get_template("report.html.j2")
        panels = _panels(document, curves)
    except ModuleNotFoundError as error:
        raise ReirradiationError(f"the report needs the Python package {error.name}; install it with pip") from error
    return template.render(
        review=document,
        summary=_summary(document),
        protocols=_by_protocol(document.get("constraints") or []),
        metrics=words.metric_keys(document.get("structures") or []),
        panels=panels,
        pictures=[(_data_uri(picture.path), picture.caption) for picture in pictures],
    )


def _environment() -> Environment:
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader
    from markupsafe import Markup, escape

    def marked(text: str) -> Markup:
        """Escape, and set the word "unknown" apart so that it is not overlooked among numbers."""
        return Markup('<span class="unknown">unknown</span>') if text == words.UNKNOWN else escape(text)

    # A key that is absent is as unknown as one that is null: the filters below print both as the word.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def present(value: Any) -> Any:
        return None if isinstance(value, ChainableUndefined) else value

    environment.filters |= {
        "known": lambda value: words.is_known(present(value)),
        "text": lambda value: marked(words.plain_text(present(value))),
        "number": lambda value, decimals=1: marked(words.number(present(value), decimals)),
        "volume": lambda value: marked(words.volume(present(value))),
        "limit": lambda value, direction=None: marked(words.limit_text(present(value), present(direction))),
        "person": lambda value: marked(words.person_name(present(value))),
        "interval": lambda value: words.interval(present(value)),
        "moment": lambda value: marked(words.moment(present(value))),
        "label_and_unit": words.label_and_unit,
        "verdict": words.verdict_of,
        "not_contoured": words.not_contoured,
        "as_words": lambda value, table: table.get(value, present(value)),
        "rgb": _css_colour,
        "dose_rows": words.dose_rows,
    }
    environment.globals |= {
        "COMPOSITE_ROW": words.COMPOSITE_ROW,
        "VERDICTS": words.VERDICTS,
        "BASES": words.BASES,
        "FRACTIONS_SOURCES": words.FRACTIONS_SOURCES,
        "INTERVAL_SOURCES": words.INTERVAL_SOURCES,
    }
    return environment


def _summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the first page says: counts of verdicts and the rows to look at first."""
    constraints = document.get("constraints") or []
    judged = [row for row in constraints if not words.not_contoured(row)]
    return {
        "judged": len(judged),
        "partly_outside": sum((row.get("outside_dose_grid_percent") or 0) > 0 for row in judged),
        "not_firm": sum(row.get("verdict_is_firm") is False for row in judged),
        "counts": words.verdict_counts(judged),
        "not_contoured": len(constraints) - len(judged),
        "attention": [row for row in words.by_urgency(judged) if words.verdict_of(row) in words.NEEDS_ATTENTION],
    }


def _by_protocol(constraints: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the constraints by protocol; contoured organs first, most urgent first."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    ordered = words.by_urgency(constraints)
    for row in sorted(ordered, key=words.not_contoured):
        groups.setdefault(words.plain_text(row.get("protocol")), []).append(row)
    return groups


def _panels(document: Mapping[str, Any], curves: Sequence[StructureCurves]) -> list[DvhPanel]:
    alpha_beta_gy = {s.get("name"): s.get("alpha_beta_gy") for s in document.get("structures") or []}
    return [
        DvhPanel(
            each.structure,
            each.colour,
            each.alpha_beta_gy or alpha_beta_gy.get(each.structure),
            dvh_svg(each, f"dvh{number}"),
            line_styles(each),
        )
        for number, each in enumerate(curves)
    ]


def _css_colour(colour: Any) -> str:
    """Return ``(red, green, blue)``, 0 to 255, for a style attribute; a neutral grey where there is none."""
    if isinstance(colour, list | tuple) and len(colour) == 3 and all(isinstance(part, int) for part in colour):
        return "rgb({}, {}, {})".format(*colour)
    return "rgb(128, 128, 128)"


def _data_uri(path: Path) -> str:
    kind = _IMAGE_TYPES.get(path.suffix.lower())
    if kind is None:
        raise ReirradiationError(f"the picture {path.name} is neither PNG nor JPEG; save it as PNG")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReirradiationError(f"the picture {path.name} cannot be read ({error.strerror}); draw it again") from error
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
