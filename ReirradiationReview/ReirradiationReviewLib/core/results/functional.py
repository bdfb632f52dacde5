"""Function-weighted dose-volume figures beside the plain ones, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..functional_maps import WeightedOrgan
from ..organs.functional import FunctionalDose
from ..review import Review
from .structures import dose_metrics


def functional_entries(review: Review, weighted: Sequence[WeightedOrgan]) -> list[dict[str, Any]]:
    """Return every organ that a functional map was given for."""
    return [_entry(review, each) for each in weighted]


def _entry(review: Review, each: WeightedOrgan) -> dict[str, Any]:
    composite, courses = each.composite_eqd2, review.courses
    return {
        "structure": each.organ.name,
        "map": each.map.name,
        "map_unit": each.map.unit or None,
        "map_registration": each.map.method,
        "mean_function": composite.mean_function,
        "outside_map_percent": composite.unknown_percent,
        "alpha_beta_gy": each.organ.alpha_beta_gy,
        "doses": [
            *(
                _dose(course.label, "physical", dose)
                for course, dose in zip(review.courses, each.physical, strict=True)
            ),
            *(_dose(course.label, "EQD2", dose) for course, dose in zip(courses, each.eqd2, strict=True)),
            _dose("composite", "EQD2", composite),
        ],
    }


def _dose(what: str, quantity: str, dose: FunctionalDose) -> dict[str, Any]:
    return {
        "course": what,
        "quantity": quantity,
        "plain": dose_metrics(dose.plain),
        "weighted": dose_metrics(dose.weighted),
    }
