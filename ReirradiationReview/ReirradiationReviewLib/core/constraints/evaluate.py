"""Whether a dose keeps a constraint: value, limit, verdict, headroom and what the user must know.

A row says what its limit is about: a quantity (EQD2, BED, physical dose, time), a basis (what is summed, with or
without recovery), an organ and a metric. The dose that is handed in carries the same labels, and one of another kind is
refused, because most wrong verdicts come from there: a discounted sum held against a cumulative limit counts recovery
twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ReirradiationError
from ..organs.dvh import metric
from .case import Circumstances, RowDose
from .messages import Verdict, dose_message, not_contoured_message, time_message
from .rows import Basis, ConstraintRow, Direction, Quantity, Status

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
    conditions_met
        The interval and the fractionation are those the row was made for; None where one is not known.
    """

    protocol: str
    id: str
    organs: str
    structure: str | None
    metric: str
    quantity: Quantity
    basis: Basis
    relative_to: Basis | None
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
    conditions_met: bool | None
    source: str
    status: Status
    message: str


def evaluate(
    protocol: str,
    row: ConstraintRow,
    *,
    structure: str,
    dose: RowDose,
    circumstances: Circumstances,
    relative: RowDose | None = None,
) -> ConstraintResult:
    """Evaluate one rule about dose on one structure.

    Verdicts: ``fail`` where the limit is broken; ``near`` within the source's band or the protocol's margin, and where
    the rule stands for a maximum that the point maximum breaks; ``pass``; ``unknown`` where the value is, or where the
    two bounds lead to different verdicts; ``note`` for a disputed rule, which never passes or fails. A rule that was
    made for another interval cannot pass; one made for another fractionation neither passes nor fails.

    Parameters
    ----------
    protocol
        Identifier of the row's protocol.
    structure
        Name of the structure.
    dose
        Of the row's quantity, basis and alpha/beta.
    relative
        The same on the basis that the row is relative to; None for a row that stands by itself.

    Raises
    ------
    ReirradiationError
        If a dose is not of the row's quantity, basis or alpha/beta.
    """
    bounds = value_bounds(protocol, row, dose, relative)
    verdict = _in_its_case(row, circumstances, _verdict(row, bounds, [part.dmax_gy for part in dose.bounds]))
    return _result(
        protocol,
        row,
        structure,
        circumstances,
        alpha_beta_gy=None if row.quantity == "physical" else dose.alpha_beta_gy,
        bounds=bounds,
        range=_range(bounds, dose.incomplete_percent),
        verdict=verdict,
        outside_dose_grid_percent=dose.incomplete_percent,
        message=dose_message(row, verdict, bounds, dose, circumstances),
    )


def evaluate_time(
    protocol: str, row: ConstraintRow, *, structure: str, circumstances: Circumstances
) -> ConstraintResult:
    """Evaluate one rule about the interval between the courses; unknown where it is not known."""
    months = math.nan if circumstances.interval_months is None else circumstances.interval_months
    verdict = _verdict(row, (months,), [])
    return _result(
        protocol,
        row,
        structure,
        circumstances,
        alpha_beta_gy=None,
        bounds=(months,),
        range=None,
        verdict=verdict,
        outside_dose_grid_percent=0.0,
        message=time_message(row, verdict, months),
    )


def not_contoured(protocol: str, row: ConstraintRow) -> ConstraintResult:
    """Return the result of a rule whose organ has no structure: unknown, and said so."""
    return _result(
        protocol,
        row,
        None,
        Circumstances(),
        alpha_beta_gy=row.alpha_beta_gy,
        bounds=(math.nan,),
        range=None,
        verdict="unknown",
        outside_dose_grid_percent=math.nan,
        message=not_contoured_message(row),
    )


def value_bounds(
    protocol: str, row: ConstraintRow, dose: RowDose, relative: RowDose | None = None
) -> tuple[float, ...]:
    """Return the value from the known dose, then the ends of its range where a part of the dose is not known.

    Raises
    ------
    ReirradiationError
        If a dose is not of the row's quantity, basis or alpha/beta, or the one that it is relative to is missing.
    """
    dose.refuse_mix(protocol, row, row.basis)
    measure = metric(row.metric)
    values = tuple(measure(part) for part in dose.bounds)
    if row.relative_to is None:
        return values
    if relative is None:
        raise ReirradiationError(f"{protocol}, row {row.id!r} needs the dose that it is relative to")
    relative.refuse_mix(protocol, row, row.relative_to)
    wholes = tuple(measure(part) for part in relative.bounds)
    known = _ratio(values[0], wholes[0])
    if len(values) == len(wholes) == 1:
        return (known,)
    # The whole is nowhere less than its part.
    return known, _ratio(values[0], wholes[-1]), _ratio(values[-1], max(wholes[0], values[-1]))


def _ratio(part: float, whole: float) -> float:
    """Return part over whole; 0 where no dose is given at all."""
    return part / whole if whole != 0 else 0.0


def _result(
    protocol: str,
    row: ConstraintRow,
    structure: str | None,
    circumstances: Circumstances,
    *,
    alpha_beta_gy: float | None,
    bounds: tuple[float, ...],
    range: ValueRange | None,
    verdict: Verdict,
    outside_dose_grid_percent: float,
    message: str,
) -> ConstraintResult:
    states = {circumstances.interval_is(row), circumstances.fractionation_is(row)}
    return ConstraintResult(
        protocol=protocol,
        id=row.id,
        organs=f"{row.label} ({', '.join(row.organs)})",
        structure=structure,
        metric=row.metric,
        quantity=row.quantity,
        basis=row.basis,
        relative_to=row.relative_to,
        alpha_beta_gy=alpha_beta_gy,
        value=bounds[0],
        range=range,
        direction=row.direction,
        limit=row.limit,
        near_limit=row.near_limit,
        unit=row.unit,
        headroom=math.nan if verdict == "note" else _headroom(row, bounds),
        verdict=verdict,
        outside_dose_grid_percent=outside_dose_grid_percent,
        conditions_met=False if "not met" in states else None if "unknown" in states else True,
        source=row.source,
        status=row.status,
        message=message,
    )


def _verdict(row: ConstraintRow, bounds: tuple[float, ...], point_maxima_gy: list[float]) -> Verdict:
    if row.status == "disputed":
        return "note"
    if any(math.isnan(bound) for bound in bounds):
        return "unknown"
    verdicts = {verdict_at(row, bound) for bound in bounds}
    if len(verdicts) > 1:
        return "unknown"
    verdict = verdicts.pop()
    if verdict == "pass" and row.stands_for and not all(row.holds(dose_gy) for dose_gy in point_maxima_gy):
        return "near"
    return verdict


def verdict_at(row: ConstraintRow, value: float) -> Verdict:
    """Return the verdict on a known value alone: ``fail``, ``near`` or ``pass``."""
    if not row.holds(value):
        return "fail"
    return "pass" if row.is_clear(value) else "near"


def _in_its_case(row: ConstraintRow, circumstances: Circumstances, verdict: Verdict) -> Verdict:
    """Take back a verdict that the row cannot give in this case."""
    if verdict == "note" or circumstances.fractionation_is(row) == "not met":
        return "note"
    if verdict in ("fail", "unknown"):
        return verdict
    if circumstances.interval_is(row) == "not met":
        return "note"
    if "unknown" in (circumstances.interval_is(row), circumstances.fractionation_is(row)):
        return "unknown"
    return verdict


def _range(bounds: tuple[float, ...], incomplete_percent: float) -> ValueRange | None:
    if any(math.isnan(bound) for bound in bounds) or min(bounds) == max(bounds):
        return None
    why = f"{incomplete_percent:.1f} % of the volume lies outside at least one dose grid; {_EDGE_RULE}"
    return ValueRange(min(bounds), max(bounds), why)


def _headroom(row: ConstraintRow, bounds: tuple[float, ...]) -> float:
    if any(math.isnan(bound) for bound in bounds):
        return math.nan
    return row.limit - max(bounds) if row.is_upper_limit else min(bounds) - row.limit
