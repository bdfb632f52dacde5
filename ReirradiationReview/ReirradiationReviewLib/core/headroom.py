"""What a constraint leaves: in EQD2, as a scale of the new plan, and as further dose in so many fractions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .biology import dose_of_bed_gy
from .constraints import ConstraintRow
from .linear_dose import LinearDose
from .organs.dvh import DoseFigures, Metric, metric
from .row_cases import RowCase

# The schedules that a further dose is worked out for.
FRACTIONS = (1, 3, 5, 10, 15, 25, 30)
# A row that even so much more of the new plan does not break does not limit it.
LARGEST_SCALE = 10.0


@dataclass(frozen=True)
class Headroom:
    """What a row leaves on one organ, judged by the less favorable bound where a dose grid ends.

    Parameters
    ----------
    left_gy
        Dose, in the row's quantity, that could be added everywhere in the organ before the row breaks; negative where
        it is broken, minus infinity where no dose could keep it, infinity where none can break it, NaN where it is
        not known.
    new_plan_scale
        The largest factor on the new plan's dose, its fractions kept, with which the row holds; 0 where it is broken
        without the new plan, infinity where ``LARGEST_SCALE`` does not break it.
    further_gy
        By number of fractions: total physical dose, uniform where the organ is hottest, that may be given on top.
    instead_gy
        The same in place of the new plan.
    """

    left_gy: float
    new_plan_scale: float
    further_gy: Mapping[int, float]
    instead_gy: Mapping[int, float]


def headroom(case: RowCase, new_plans: NDArray[np.bool_]) -> Headroom | None:
    """Return what a row leaves.

    Parameters
    ----------
    new_plans
        Which plans are the new course's, shape ``(K,)``.

    Returns
    -------
    Headroom or None
        None where the organ is not contoured, the row is a ratio or about time, or more dose does not speak against it.
    """
    row = case.row
    if not case.is_one_dose or not worsens_with_dose(row):
        return None
    terms = case.terms()
    left_gy = _left_gy(case, terms)
    without_gy = _left_gy(case, terms.with_scaled(new_plans, 0.0))
    return Headroom(
        left_gy, _largest_scale(case, terms, new_plans), _schedules(case, left_gy), _schedules(case, without_gy)
    )


def first_to_bind(headrooms: Sequence[Headroom | None], rows: Sequence[ConstraintRow]) -> int | None:
    """Return which row stops the new plan from being scaled up first; None where none does.

    A disputed row never binds: it neither passes nor fails.
    """
    scales = [
        math.inf if found is None or row.status == "disputed" or math.isnan(found.new_plan_scale)
        else found.new_plan_scale
        for found, row in zip(headrooms, rows, strict=True)
    ]  # fmt: skip
    smallest = min(scales, default=math.inf)
    return None if math.isinf(smallest) else scales.index(smallest)


def worsens_with_dose(row: ConstraintRow) -> bool:
    """Return whether more dose can only move the value towards and beyond the limit."""
    return row.is_upper_limit != (metric(row.metric).kind == "CV")


def dose_left_gy(measure: Metric, limit: float, dose: DoseFigures) -> float:
    """Return the uniform dose that moves a metric to its limit, Gy; negative beyond it.

    A volume at a dose ``x`` is at its limit ``v`` once the hottest ``v`` reach ``x``.
    """
    if measure.kind not in ("V", "CV"):
        return limit - measure(dose)
    limit_cc = measure.in_cc(limit, dose)
    receiving_cc = limit_cc if measure.kind == "V" else dose.known_volume_cc - limit_cc
    if receiving_cc < 0:
        return -math.inf
    if receiving_cc >= dose.known_volume_cc > 0:
        return math.inf
    return measure.level - dose.dose_at_volume_cc(receiving_cc)


def _left_gy(case: RowCase, terms: LinearDose) -> float:
    bounded, measure = case.dose(terms), metric(case.row.metric)
    left = [dose_left_gy(measure, case.row.limit, dose) for dose in (bounded.low, bounded.high)]
    # What lies beyond a dose grid decides whether the row is broken, so nothing is known.
    return min(left) if min(left) >= 0 or max(left) < 0 else math.nan


def _schedules(case: RowCase, left_gy: float) -> dict[int, float]:
    """Return the total physical dose that makes up ``left_gy`` in the row's quantity, by number of fractions."""
    if not left_gy < math.inf:
        return dict.fromkeys(FRACTIONS, left_gy)
    left_gy = max(left_gy, 0.0)
    if case.row.quantity == "physical":
        return dict.fromkeys(FRACTIONS, left_gy)
    bed_gy = left_gy * (1.0 if case.row.quantity == "BED" else 1 + 2 / case.alpha_beta_gy)
    return {fractions: dose_of_bed_gy(bed_gy, fractions, case.alpha_beta_gy) for fractions in FRACTIONS}


def _largest_scale(case: RowCase, terms: LinearDose, new_plans: NDArray[np.bool_]) -> float:
    excess = _excess_at_scale(case, terms, new_plans)
    without, whole = excess(0.0), excess(1.0)
    if math.isnan(whole[0]) or (max(without) >= 0) != (min(without) >= 0):
        return math.nan
    if max(without) >= 0:
        return 0.0
    if max(excess(LARGEST_SCALE)) < 0:
        return math.inf
    from scipy.optimize import brentq

    return float(brentq(lambda scale: max(excess(scale)), 0.0, LARGEST_SCALE, xtol=1e-12, rtol=1e-12))


def _excess_at_scale(
    case: RowCase, terms: LinearDose, new_plans: NDArray[np.bool_]
) -> Callable[[float], tuple[float, float]]:
    """Return the function from the new plan's scale to how far both bounds are beyond the limit, in its unit."""
    measure, row = metric(case.row.metric), case.row
    sense = 1.0 if row.is_upper_limit else -1.0

    def excess(scale: float) -> tuple[float, float]:
        bounded = case.dose(terms.with_scaled(new_plans, scale))
        low = sense * (measure(bounded.low) - row.limit)
        return low, low if bounded.high is bounded.low else sense * (measure(bounded.high) - row.limit)

    return excess
