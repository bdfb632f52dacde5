"""Whether a dose keeps a constraint: value, limit, verdict, headroom and what the user must know.

A row says what its limit is about: a quantity (EQD2, BED, physical dose), a basis (what is summed, with or without
recovery), an organ and a metric. A value of another kind is refused, because most wrong verdicts come from there: a
discounted sum held against a cumulative limit counts recovery twice.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from .constraint_rows import Basis, ConstraintRow, Direction, Quantity, Status
from .errors import ReirradiationError
from .organs.dvh import DoseFigures, metric

__all__ = ["ConstraintResult", "ConstraintRow", "ValueRange", "Verdict", "evaluate", "not_contoured"]

Verdict = Literal["pass", "near", "fail", "unknown", "note"]

_NEAR_MAXIMUM = re.compile(r"D([\d.]+)cc")
_EDGE_RULE = "there the upper bound takes the dose at the grid's nearest edge, which holds if dose falls outwards"


@dataclass(frozen=True)
class ValueRange:
    """The lowest and highest value that the metric can have, and why it is not one number."""

    low: float
    high: float
    why: str


@dataclass(frozen=True)
class ConstraintResult:
    """One rule evaluated on one structure; NaN where a number is not known.

    Parameters
    ----------
    organs
        The organ in words, with the TG-263 names that the rule looks for.
    structure
        Name of the structure; None where the organ is not contoured.
    value
        From the known dose.
    headroom
        Distance to the limit in the metric's unit, from the less favorable end of the range; negative beyond it.
    outside_dose_grid_percent
        Share of the structure's volume that lies outside at least one dose grid.
    """

    protocol: str
    id: str
    organs: str
    structure: str | None
    metric: str
    quantity: Quantity
    basis: Basis
    alpha_beta_gy: float | None
    value: float
    range: ValueRange | None
    direction: Direction
    limit: float
    near_limit: float
    unit: str
    headroom: float
    verdict: Verdict
    outside_dose_grid_percent: float
    source: str
    status: Status
    message: str


def evaluate(
    protocol: str,
    row: ConstraintRow,
    *,
    structure: str,
    low: DoseFigures,
    alpha_beta_gy: float,
    high: DoseFigures | None = None,
    incomplete_percent: float = 0.0,
    quantity: Quantity | None = None,
    basis: Basis | None = None,
) -> ConstraintResult:
    """Evaluate one rule on one structure.

    Verdicts: ``fail`` where the limit is broken; ``near`` within the source's band or the protocol's margin, and where
    the rule stands for a maximum that the point maximum breaks; ``pass``; ``unknown`` where the value is, or where the
    two bounds lead to different verdicts; ``note`` for a disputed rule, which never passes or fails.

    Parameters
    ----------
    protocol
        Identifier of the row's protocol.
    structure
        Name of the structure.
    low
        Dose (of the row's quantity) from the known contributions alone.
    alpha_beta_gy
        What ``low`` and ``high`` were computed with, Gy.
    high
        The same with unknown contributions bounded from above; None where all is known.
    incomplete_percent
        Share of the volume where at least one contribution is not known.
    quantity, basis
        What ``low`` and ``high`` are; None where the caller made them from the row's own quantity and basis.

    Raises
    ------
    ReirradiationError
        If the dose is not of the row's quantity, basis or alpha/beta.
    """
    _refuse_mix(protocol, row, quantity, basis, alpha_beta_gy)
    measure = metric(row.metric)
    value = measure(low)
    bounds = (value,) if high is None else (value, measure(high))
    verdict = _verdict(row, bounds, [dose.dmax_gy for dose in (low, high) if dose is not None])
    value_range = _range(bounds, incomplete_percent)
    return ConstraintResult(
        protocol=protocol,
        id=row.id,
        organs=_organs_text(row),
        structure=structure,
        metric=row.metric,
        quantity=row.quantity,
        basis=row.basis,
        alpha_beta_gy=None if row.quantity == "physical" else alpha_beta_gy,
        value=value,
        range=value_range,
        direction=row.direction,
        limit=row.limit,
        near_limit=row.near_limit,
        unit=row.unit,
        headroom=math.nan if verdict == "note" else _headroom(row, bounds),
        verdict=verdict,
        outside_dose_grid_percent=incomplete_percent,
        source=row.source,
        status=row.status,
        message=_message(row, verdict, bounds, low, incomplete_percent),
    )


def not_contoured(protocol: str, row: ConstraintRow) -> ConstraintResult:
    """Return the result of a rule whose organ has no structure: unknown, and said so."""
    return ConstraintResult(
        protocol=protocol,
        id=row.id,
        organs=_organs_text(row),
        structure=None,
        metric=row.metric,
        quantity=row.quantity,
        basis=row.basis,
        alpha_beta_gy=row.alpha_beta_gy,
        value=math.nan,
        range=None,
        direction=row.direction,
        limit=row.limit,
        near_limit=row.near_limit,
        unit=row.unit,
        headroom=math.nan,
        verdict="unknown",
        outside_dose_grid_percent=math.nan,
        source=row.source,
        status=row.status,
        message=f"{row.label}: no structure of this name in the reference course, so the rule is not evaluated.",
    )


def _refuse_mix(
    protocol: str, row: ConstraintRow, quantity: Quantity | None, basis: Basis | None, alpha_beta_gy: float
) -> None:
    rule = f"{protocol}, row {row.id!r}"
    if quantity is not None and quantity != row.quantity:
        raise ReirradiationError(f"{rule} is about {row.quantity}, but the dose handed in is {quantity}: do not mix")
    if basis is not None and basis != row.basis:
        raise ReirradiationError(
            f"{rule} holds for the basis {row.basis}, but the dose handed in is {basis}: recovery would be counted "
            "twice or not at all"
        )
    if row.alpha_beta_gy is not None and not math.isclose(row.alpha_beta_gy, alpha_beta_gy):
        raise ReirradiationError(
            f"{rule} was derived with alpha/beta {row.alpha_beta_gy:g} Gy, but the dose handed in was computed with "
            f"{alpha_beta_gy:g} Gy"
        )


def _verdict(row: ConstraintRow, bounds: tuple[float, ...], point_maxima_gy: list[float]) -> Verdict:
    if row.status == "disputed":
        return "note"
    if any(math.isnan(bound) for bound in bounds):
        return "unknown"
    verdicts = {_verdict_of(row, bound) for bound in bounds}
    if len(verdicts) > 1:
        return "unknown"
    verdict = verdicts.pop()
    if verdict == "pass" and row.stands_for and not all(row.holds(dose_gy) for dose_gy in point_maxima_gy):
        return "near"
    return verdict


def _verdict_of(row: ConstraintRow, value: float) -> Verdict:
    if not row.holds(value):
        return "fail"
    return "pass" if row.is_clear(value) else "near"


def _range(bounds: tuple[float, ...], incomplete_percent: float) -> ValueRange | None:
    if any(math.isnan(bound) for bound in bounds) or min(bounds) == max(bounds):
        return None
    why = f"{incomplete_percent:.1f} % of the volume lies outside at least one dose grid; {_EDGE_RULE}"
    return ValueRange(min(bounds), max(bounds), why)


def _headroom(row: ConstraintRow, bounds: tuple[float, ...]) -> float:
    if any(math.isnan(bound) for bound in bounds):
        return math.nan
    return row.limit - max(bounds) if row.is_upper_limit else min(bounds) - row.limit


def _organs_text(row: ConstraintRow) -> str:
    return f"{row.label} ({', '.join(row.organs)})"


def _message(
    row: ConstraintRow, verdict: Verdict, bounds: tuple[float, ...], low: DoseFigures, incomplete_percent: float
) -> str:
    sentences = [
        _verdict_sentence(row, verdict, bounds),
        _point_maximum_sentence(row, low),
        _outside_sentence(verdict, incomplete_percent),
        _volume_sentence(row, low),
        row.caution,
        f"Corrected against the print ({row.printed}): {row.correction}" if row.correction else "",
        *(f"Made for: {condition}." for condition in row.conditions),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _verdict_sentence(row: ConstraintRow, verdict: Verdict, bounds: tuple[float, ...]) -> str:
    if math.isnan(bounds[0]):
        return "Not known: no dose is known anywhere in this structure."
    shown, limit = f"{row.metric} is {bounds[0]:.2f} {row.unit}", f"the limit {row.limit_text()}"
    near = (
        "its point maximum does not" if row.is_clear(bounds[0]) else f"is near it (from {row.near_limit:g} {row.unit})"
    )
    return {
        "pass": f"{shown} and keeps {limit}.",
        "near": f"{shown} and keeps {limit}, but {near}.",
        "fail": f"{shown} and breaks {limit}.",
        "unknown": f"Not known: {row.metric} lies between {min(bounds):.2f} and {max(bounds):.2f} {row.unit}, and that "
        f"decides about {limit}.",
        "note": f"{shown}. The limit {row.limit_text()} is disputed, so it neither passes nor fails.",
    }[verdict]


def _outside_sentence(verdict: Verdict, incomplete_percent: float) -> str:
    if not incomplete_percent:
        return ""
    rests = (
        "" if verdict in ("unknown", "note") else "; the verdict rests on the dose not rising beyond the grid's edge"
    )
    return f"{incomplete_percent:.1f} % of the volume lies outside at least one dose grid{rests}."


def _point_maximum_sentence(row: ConstraintRow, low: DoseFigures) -> str:
    if not row.stands_for or math.isnan(low.dmax_gy):
        return ""
    beyond = "" if row.holds(low.dmax_gy) else ", beyond the limit"
    return (
        f"The source says {row.stands_for} without defining it, read here as {row.metric}; "
        f"the point maximum is {low.dmax_gy:.2f} Gy{beyond}."
    )


def _volume_sentence(row: ConstraintRow, low: DoseFigures) -> str:
    """Say where the structure is too small for the metric."""
    near_maximum = _NEAR_MAXIMUM.fullmatch(row.metric)
    if near_maximum and low.known_volume_cc < float(near_maximum[1]):
        part = "The structure" if low.unknown_volume_cc == 0 else "The part with known dose"
        return f"{part} is smaller ({low.known_volume_cc:.3f} cc) than {near_maximum[1]} cc: its minimum dose is shown."
    if row.metric.startswith("CV") and row.unit == "cc" and low.total_volume_cc < row.limit:
        return (
            f"The whole contour holds {low.total_volume_cc:.0f} cc, less than the {row.limit:g} cc to be spared: the "
            "rule cannot be kept whatever the dose, or the contour shows only a part of the organ."
        )
    return ""
