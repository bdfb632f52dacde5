"""What a user must know of a verdict, in words."""

from __future__ import annotations

import math
import re
from typing import Literal

from .case import Circumstances, RowDose
from .rows import ConstraintRow

Verdict = Literal["pass", "near", "fail", "unknown", "note"]

_NEAR_MAXIMUM = re.compile(r"D([\d.]+)cc")


def dose_message(
    row: ConstraintRow, verdict: Verdict, bounds: tuple[float, ...], dose: RowDose, circumstances: Circumstances
) -> str:
    """Return the message of a rule about dose."""
    sentences = [
        _verdict_sentence(row, verdict, bounds),
        *circumstances.sentences(row),
        _point_maximum_sentence(row, dose.low.dmax_gy),
        _outside_sentence(verdict, dose.incomplete_percent),
        _volume_sentence(row, dose),
        dose.recovery,
        *_source_sentences(row),
    ]
    return " ".join(filter(None, sentences))


def time_message(row: ConstraintRow, verdict: Verdict, months: float) -> str:
    """Return the message of a rule about the interval between the courses."""
    if math.isnan(months):
        first = "Not known: the date of a course is missing, so the interval between the courses is not known."
    else:
        first = _verdict_sentence(row, verdict, (months,))
    return " ".join(filter(None, [first, *_source_sentences(row)]))


def not_contoured_message(row: ConstraintRow) -> str:
    """Return the message of a rule whose organ has no structure."""
    return f"{row.label}: no structure of this name in the reference course, so the rule is not evaluated."


def _source_sentences(row: ConstraintRow) -> list[str]:
    return [
        row.caution,
        f"Corrected against the print ({row.printed}): {row.correction}" if row.correction else "",
        *(f"Made for: {condition}." for condition in row.made_for()),
    ]


def _verdict_sentence(row: ConstraintRow, verdict: Verdict, bounds: tuple[float, ...]) -> str:
    if math.isnan(bounds[0]):
        return "Not known: no dose is known anywhere in this structure."
    what = f"{row.metric} relative to that of all courses" if row.relative_to else row.metric
    shown, limit = f"{what} is {bounds[0]:.2f}{row.unit_text}", f"the limit {row.limit_text()}"
    near = (
        "its point maximum does not"
        if row.is_clear(bounds[0])
        else f"is near it (from {row.near_limit:g}{row.unit_text})"
    )
    ends = f"{min(bounds):.2f} and {max(bounds):.2f}{row.unit_text}"
    undecided = f"Not known: {what} lies between {ends}, and that decides about {limit}."
    if min(bounds) == max(bounds):
        undecided = f"{shown}, but whether {limit} applies is not known."
    return {
        "pass": f"{shown} and keeps {limit}.",
        "near": f"{shown} and keeps {limit}, but {near}.",
        "fail": f"{shown} and breaks {limit}.",
        "unknown": undecided,
        "note": f"{shown}. The limit {row.limit_text()} {_why_note(row)}, so it neither passes nor fails.",
    }[verdict]


def _why_note(row: ConstraintRow) -> str:
    return "is disputed" if row.status == "disputed" else "was not made for this case"


def _outside_sentence(verdict: Verdict, incomplete_percent: float) -> str:
    if not incomplete_percent:
        return ""
    rests = (
        "" if verdict in ("unknown", "note") else "; the verdict rests on the dose not rising beyond the grid's edge"
    )
    return f"{incomplete_percent:.1f} % of the volume lies outside at least one dose grid{rests}."


def _point_maximum_sentence(row: ConstraintRow, point_maximum_gy: float) -> str:
    if not row.stands_for or math.isnan(point_maximum_gy):
        return ""
    beyond = "" if row.holds(point_maximum_gy) else ", beyond the limit"
    return (
        f"The source says {row.stands_for} without defining it, read here as {row.metric}; "
        f"the point maximum is {point_maximum_gy:.2f} Gy{beyond}."
    )


def _volume_sentence(row: ConstraintRow, dose: RowDose) -> str:
    """Say where the structure is too small for the metric."""
    low, near_maximum = dose.low, _NEAR_MAXIMUM.fullmatch(row.metric)
    if near_maximum and low.known_volume_cc < float(near_maximum[1]):
        part = "The structure" if low.unknown_volume_cc == 0 else "The part with known dose"
        return f"{part} is smaller ({low.known_volume_cc:.3f} cc) than {near_maximum[1]} cc: its minimum dose is shown."
    if row.metric.startswith("CV") and row.unit == "cc" and low.total_volume_cc < row.limit:
        return (
            f"The whole contour holds {low.total_volume_cc:.0f} cc, less than the {row.limit:g} cc to be spared: the "
            "rule cannot be kept whatever the dose, or the contour shows only a part of the organ."
        )
    return ""
