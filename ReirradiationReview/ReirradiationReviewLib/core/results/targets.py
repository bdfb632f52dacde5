"""Targets in the context of all courses, as data: earlier dose, kind of recurrence, coverage by the new plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..images import PlacedImage
from ..organ_dose import OrganDose
from ..review import Review
from ..targets.coverage import COVERAGE_PERCENT, conformity, coverage
from ..targets.make import Target
from ..targets.organs_entered import EnteredOrgan
from ..targets.recurrence import RULE, RULE_STATUS, delivered_prescription_gy, field_overlap
from ..volume import Volume
from .seen import seen_in_images
from .structures import bounded_metrics
from .target_relations import entered_entries


def target_entries(
    review: Review,
    images: Sequence[PlacedImage] = (),
    new_targets: Sequence[Target] = (),
    entered: Mapping[str, Sequence[EnteredOrgan]] | None = None,
) -> list[dict[str, Any]]:
    """Return every target of the reference course: what the images show in it, and what the courses give it.

    Parameters
    ----------
    entered
        Organs that a target enters, by its name.
    """
    targets = [organ for organ in review.organs if organ.match.is_target]
    if not targets:
        return []
    plan_dose = review.composite.physical(review.weights([review.reference_index]))
    made = {target.structure.name: target for target in new_targets}
    return [
        {
            **_target_entry(review, organ, plan_dose),
            **seen_in_images(organ.structure, images, made.get(organ.name)),
            "organs_entered": entered_entries((entered or {}).get(organ.name, ())),
        }
        for organ in targets
    ]


def _target_entry(review: Review, organ: OrganDose, plan_dose: Volume) -> dict[str, Any]:
    new = organ.physical(review.weights([review.reference_index]))
    earlier = [i for i in range(len(review.courses)) if i != review.reference_index]
    return {
        "name": organ.name,
        "method": "contour of the structure set",
        "volume_cc": organ.samples.volume_cc,
        "suv_max": None,
        "new_plan_physical": bounded_metrics(new),
        "earlier_eqd2": bounded_metrics(organ.eqd2(review.weights(earlier))),
        "composite_eqd2": bounded_metrics(organ.eqd2(review.weights())),
        "alpha_beta_gy": organ.alpha_beta_gy,
        "earlier_courses": [_earlier_course(review, organ, index) for index in earlier],
        "coverage": _coverage(review, organ, plan_dose),
    }


def _earlier_course(review: Review, organ: OrganDose, index: int) -> dict[str, Any]:
    physical = organ.physical(review.weights([index]))
    overlap = field_overlap(physical, _prescription_gy(review, index))
    return {
        "course": review.courses[index].label,
        "prescription_gy": overlap.prescription_gy,
        "recurrence": overlap.kind,
        "recurrence_rule": RULE,
        "recurrence_rule_status": RULE_STATUS,
        "recurrence_message": overlap.message,
        "isodoses": [
            {
                "prescription_percent": isodose.prescription_percent,
                "dose_gy": isodose.dose_gy,
                "inside_percent": isodose.low_percent,
                "inside_upper_percent": isodose.high_percent,
            }
            for isodose in overlap.isodoses
        ],
        "physical": bounded_metrics(physical),
        "eqd2": bounded_metrics(organ.eqd2(review.weights([index]))),
    }


def _coverage(review: Review, organ: OrganDose, plan_dose: Volume) -> dict[str, Any]:
    """Return how the new plan covers a target; how its isodoses fit only where that is asked of it, at a PTV."""
    dose = organ.physical(review.weights([review.reference_index])).low
    prescription_gy = _prescription_gy(review, review.reference_index)
    found = coverage(dose, prescription_gy)
    entry: dict[str, Any] = {
        "prescription_gy": found.prescription_gy,
        "V95%_percent": found.v95_percent,
        "V100%_percent": found.v100_percent,
        "D98%_gy": found.d98_gy,
        "D95%_gy": found.d95_gy,
        "D50%_gy": found.d50_gy,
        "D2%_gy": found.d2_gy,
        "homogeneity_index": found.homogeneity_index,
        "conformity": [],
    }
    if prescription_gy and organ.name.upper().startswith("PTV"):
        entry["conformity"] = [
            {"prescription_percent": percent, **asdict(conformity(dose, plan_dose, percent / 100.0 * prescription_gy))}
            for percent in (100.0, COVERAGE_PERCENT)
        ]
    return entry


def _prescription_gy(review: Review, index: int) -> float | None:
    plans = [plan for course, plan in review.plans if course == index]
    weights = [w for (course, _), w in zip(review.plans, review.weights([index]), strict=True) if course == index]
    return delivered_prescription_gy(plans, weights)
