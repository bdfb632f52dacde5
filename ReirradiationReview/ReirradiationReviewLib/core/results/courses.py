"""Courses, images and registrations, as data."""

from __future__ import annotations

from typing import Any

from ..courses import Plan
from ..images import PlacedImage
from ..plan_given import PlanGiven
from ..review import Review


def course_entry(review: Review, index: int) -> dict[str, Any]:
    """Return one course and its plans."""
    course = review.courses[index]
    interval = review.intervals[index]
    given = [given for (of, _), given in zip(review.plans, review.given, strict=True) if of == index]
    return {
        "label": course.label,
        "date": course.date or None,
        "last_treatment_date": course.end_date or None,
        "interval_to_reference_months": None if interval.months is None else round(interval.months, 2),
        "interval_source": interval.source,
        "patient_id": course.patient.id,
        "plans": [_plan_entry(plan, how) for plan, how in zip(course.plans, given, strict=True)],
    }


def _plan_entry(plan: Plan, given: PlanGiven) -> dict[str, Any]:
    return {
        "label": plan.label,
        "fractions": given.fractions,
        "fractions_source": given.source,
        "same_fraction_plans": [label for label, *_ in plan.parts],
        "fractions_planned": given.planned_fractions,
        "delivery": given.delivery.text(),
        "rbe": given.rbe.text(),
        "dose_type": plan.dose_type,
        "dose_summation_type": plan.dose_summation_type,
        "dose_max_gy": float(plan.dose.array.max()),
        "prescription_gy": plan.prescription_gy,
        "plan_uid": plan.plan_uid,
        "dose_uid": plan.dose_uids[0] if plan.dose_uids else "",
        "dose_uids": list(plan.dose_uids),
        "modality": plan.modality,
        "date": plan.date or None,
    }


def image_entry(review: Review, image: PlacedImage) -> dict[str, Any]:
    """Return one series beside the courses: how it was placed, and how its SUV came about."""
    series = image.series
    uid = series.volume.frame_of_reference_uid
    return {
        "name": image.name,
        "modality": series.modality,
        "description": series.description,
        "date": series.date or None,
        "series_uid": series.series_uid,
        "units": image.unit or None,
        "in_reference_frame": bool(uid) and uid == review.reference.frame_of_reference_uid,
        "patient_id": series.patient.id,
        "registration": {
            "method": image.method,
            "matrix_lps": image.transform.matrix_lps.tolist(),
            "deformable": image.transform.displacement is not None,
            "qa": dict(image.qa),
        },
        "suv": dict(image.suv) or None,
    }
