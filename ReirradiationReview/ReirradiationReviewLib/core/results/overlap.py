"""Overlap of the courses, and the kind of re-irradiation, as data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from ..constraints import ConstraintResult
from ..organ_dose import OrganDose
from ..overlap import PERCENT, RULE, classify, course_dose, prescription_gy, volume_where_cc
from ..review import Review
from ..volume import Volume

# Isodoses of an earlier course whose share of the new targets is tabulated, Gy as delivered.
_ISODOSES_GY = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0)


def overlap_entry(review: Review, results: Sequence[ConstraintResult]) -> dict[str, Any]:
    """Return the kind of re-irradiation, overlap volumes with every earlier course, and what of it lies in targets."""
    found = classify(review, results)
    new = course_dose(review, review.reference_index)
    earlier = [index for index in range(len(review.courses)) if index != review.reference_index]
    return {
        "kind": found.kind,
        "reason": found.reason,
        "rule": RULE,
        "courses": [_course_entry(review, index, new) for index in earlier],
    }


def _course_entry(review: Review, index: int, new: Volume) -> dict[str, Any]:
    here_gy, new_gy = prescription_gy(review, index), prescription_gy(review, review.reference_index)
    targets = [organ for organ in review.organs if organ.match.is_target]
    entry: dict[str, Any] = {
        "course": review.courses[index].label,
        "prescription_gy": here_gy,
        "new_prescription_gy": new_gy,
        "volumes": [],
        "targets": [_target_entry(review, organ, index) for organ in targets],
    }
    if here_gy and new_gy:
        dose = course_dose(review, index)
        for percent, new_percent in product(PERCENT, PERCENT):
            levels = (percent / 100.0 * here_gy, new_percent / 100.0 * new_gy)
            entry["volumes"].append(
                {
                    "earlier_percent": percent,
                    "earlier_gy": levels[0],
                    "new_percent": new_percent,
                    "new_gy": levels[1],
                    "volume_cc": volume_where_cc([dose, new], levels),
                }
            )
    return entry


def _target_entry(review: Review, organ: OrganDose, index: int) -> dict[str, Any]:
    """Return how much of a target of the new course lies inside isodoses of an earlier one."""
    dose = organ.physical(review.weights([index]))
    return {
        "target": organ.name,
        "inside": [
            {
                "dose_gy": level,
                "percent": 100.0 * dose.low.volume_cc_at_dose(level) / dose.low.total_volume_cc,
                "upper_percent": 100.0 * dose.high.volume_cc_at_dose(level) / dose.high.total_volume_cc,
            }
            for level in _ISODOSES_GY
        ],
    }
