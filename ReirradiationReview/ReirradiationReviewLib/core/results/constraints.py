"""Constraints with what they leave and how sure they are, as data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..constraints import ConstraintResult
from ..headroom import FRACTIONS, LARGEST_SCALE, Headroom, first_to_bind
from ..review import Review
from ..uncertainty import RowRange, error_of


def constraint_entries(review: Review, results: Sequence[ConstraintResult]) -> list[dict[str, Any]]:
    """Return every row's result with its headroom and range, in the order of the results."""
    headrooms, ranges = review.headroom(), review.uncertainty()
    first = first_to_bind(headrooms, [case.row for case in review.row_cases()])
    return [
        {**asdict(result), **_headroom_entry(found), "binds_first": number == first, **_range_entry(result, span)}
        for number, (result, found, span) in enumerate(zip(results, headrooms, ranges, strict=True))
    ]


def _headroom_entry(found: Headroom | None) -> dict[str, Any]:
    if found is None:
        return {"dose_left_gy": None, "new_plan_scale": None, "new_plan_scale_text": "", "further_doses": []}
    return {
        "dose_left_gy": found.left_gy,
        "new_plan_scale": found.new_plan_scale,
        "new_plan_scale_text": _scale_text(found.new_plan_scale),
        "further_doses": [
            {
                "fractions": fractions,
                "on_top_gy": found.further_gy[fractions],
                "instead_of_new_plan_gy": found.instead_gy[fractions],
            }
            for fractions in FRACTIONS
        ],
    }


def _scale_text(scale: float) -> str:
    if math.isnan(scale):
        return "not known"
    if math.isinf(scale):
        return f"not limited up to {LARGEST_SCALE:g} times"
    return f"{scale:.2f} times" if scale > 0 else "broken without the new plan"


def _range_entry(result: ConstraintResult, span: RowRange | None) -> dict[str, Any]:
    """Return the range of the whole; where there is none, that of the dose grids stays."""
    if span is None:
        return {"range_sources": [], "verdict_range": None, "verdict_is_firm": None}
    entry: dict[str, Any] = {
        "range": {"low": span.low, "high": span.high, "why": span.why},
        "range_sources": [asdict(source) for source in span.sources],
        "verdict_range": span.verdicts,
        "verdict_is_firm": span.is_firm,
    }
    if span.is_firm is False and span.verdicts is not None:
        best, worst = span.verdicts
        entry["message"] = f"{result.message} The verdict is not firm: within the range it goes from {best} to {worst}."
    return entry


def uncertainty_entry(review: Review) -> dict[str, Any]:
    """Return what the ranges were worked out for; the registration's error where none was measured at the organ."""
    settings = review.range_settings
    errors = []
    for index, course in enumerate(review.courses):
        if index != review.reference_index:
            assumed = error_of(settings, review.registrations[index].transform)
            mean_mm = assumed.error.mean_error_mm
            errors.append(
                {"course": course.label, **asdict(assumed.error), "mean_error_mm": mean_mm, "basis": assumed.basis}
            )
    return {
        "search_mm": settings.search_mm,
        "search_within_organ": settings.search_within_organ,
        "registration_errors": errors,
        "samples": settings.samples,
        "percentiles": settings.percentiles,
        "seed": settings.seed,
    }
