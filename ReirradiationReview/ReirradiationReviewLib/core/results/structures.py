"""Structures, as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..organ_dose import BoundedDoseVolume, OrganDose
from ..organs.dvh import DoseFigures, metric
from ..review import Review

# The figures that are reported for every structure: in Gy, in % of the organ, in cc.
_DOSES = ("Dmin", "Dmean", "Dmax", "D0.03cc", "D0.1cc", "D1cc", "D2cc", "D2%", "D50%", "D95%", "D98%")
_PERCENTAGES, _VOLUMES = (5.0, 20.0, 40.0, 60.0), (15.0,)


def dose_metrics(dose: DoseFigures) -> dict[str, float]:
    """Return the dose-volume figures that are reported for every structure, unit in the key."""
    figures = {f"{name}_gy": metric(name)(dose) for name in _DOSES}
    figures |= {f"V{dose_gy:g}Gy_percent": metric(f"V{dose_gy:g}Gy%")(dose) for dose_gy in _PERCENTAGES}
    figures |= {f"CV{dose_gy:g}Gy_cc": metric(f"CV{dose_gy:g}Gycc")(dose) for dose_gy in _VOLUMES}
    return figures


def structure_entry(review: Review, organ: OrganDose) -> dict[str, Any]:
    """Return one structure with its figures per course and of the composite."""
    each = range(len(review.courses))
    composite = organ.eqd2(review.weights())
    return {
        "name": organ.name,
        "tg263": organ.match.tg263,
        "course": review.reference.label,
        "is_target": organ.match.is_target,
        "colour": list(organ.structure.colour),
        "volume_cc": organ.samples.volume_cc,
        "alpha_beta_gy": organ.alpha_beta_gy,
        "alpha_beta_source": organ.alpha_beta_source,
        "alpha_beta_status": organ.alpha_beta.status,
        "repair_half_time_hours": organ.repair_half_time.value,
        "repair_half_time_source": organ.repair_half_time.source,
        "repair_half_time_status": organ.repair_half_time.status,
        "recovery": min(fraction for index, fraction in enumerate(organ.recovery) if index != review.reference_index),
        "recovery_by_course": [
            {"course": course.label, **asdict(recovery)}
            for course, recovery in zip(review.courses, organ.recoveries, strict=True)
            if course is not review.reference
        ],
        "outside_dose_grid_percent": composite.incomplete_percent,
        "physical": [_of_course(review, i, organ.physical(review.weights([i]))) for i in each],
        "eqd2": [_of_course(review, i, organ.eqd2(review.weights([i]))) for i in each],
        "composite_eqd2": dose_metrics(composite.low),
        "composite_eqd2_upper": dose_metrics(composite.high),
        "composite_eqd2_recovered": dose_metrics(organ.eqd2(review.weights(recovery=organ.recovery)).low),
    }


def bounded_metrics(bounded: BoundedDoseVolume) -> dict[str, Any]:
    """Return the figures of the known dose, and how much of the structure it leaves out."""
    return {**dose_metrics(bounded.low), "outside_dose_grid_percent": bounded.incomplete_percent}


def _of_course(review: Review, index: int, bounded: BoundedDoseVolume) -> dict[str, Any]:
    return {"course": review.courses[index].label, **bounded_metrics(bounded)}
