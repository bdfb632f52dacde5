"""The review as plain data: what review.json holds and the report prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import numpy as np

from .. import __version__
from .courses import ImageSeries
from .errors import Notice
from .organ_dose import BoundedDoseVolume, OrganDose
from .organs.dvh import DoseVolume
from .review import Review
from .review_checks import interval_months

SCHEMA = "reirradiation-review/1"
NEAR_MAXIMUM_CC = 0.03

LIMITS = (
    "This is a review aid for research; it is not a medical device, and its numbers need independent checks.",
    "Decision-making on reirradiation based solely on dosimetric criteria is not an option (Beddok 2022, "
    "doi 10.1016/j.critrevonc.2022.103655).",
    "Dose is mapped point by point through the registration; its error is not yet part of the values shown.",
    "EQD2 follows the linear-quadratic model with complete repair between fractions; each plan is taken as given in "
    "fractions of its own.",
    "Published cumulative limits come from few patients, mostly without a stated alpha/beta or definition of Dmax.",
)


def review_document(
    review: Review, files: dict[str, Any] | None = None, images: Sequence[ImageSeries] = ()
) -> dict[str, Any]:
    """Return the review as JSON-ready data, units in the keys; unknown values are None.

    Parameters
    ----------
    files
        What was written, by name.
    images
        PET and MR series read beside the courses.
    """
    constraints = review.constraints()
    patient = review.reference.patient
    return _plain(
        {
            "schema": SCHEMA,
            "software": {"name": "ReirradiationReview", "version": __version__},
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "patient": asdict(patient),
            "reference_course": review.reference.label,
            "courses": [_course(review, index) for index in range(len(review.courses))],
            "images": [_image(review, image) for image in images],
            "registrations": [_registration(review, index) for index in range(len(review.courses))],
            "structures": [_structure(review, organ) for organ in review.organs],
            "constraints": [asdict(result) for result in constraints],
            "hot_spots": [_hot_spot(review, organ) for organ in review.organs],
            "targets": [_target(review, organ) for organ in review.organs if organ.match.is_target],
            "assumptions": _assumptions(review),
            "not_covered": _not_covered(review, constraints),
            "limits": list(LIMITS),
            "warnings": [asdict(notice) for notice in [*all_notices(review), *_image_notices(review, images)]],
            "files": files or {},
        }
    )


def all_notices(review: Review) -> list[Notice]:
    """Return every notice of the review once, in order."""
    found = [*review.notices, *(n for registration in review.registrations for n in registration.notices)]
    return list(dict.fromkeys(found))


def _image_notices(review: Review, images: Sequence[ImageSeries]) -> list[Notice]:
    notices = []
    for image in images:
        name = f"{image.modality} {image.description}".strip()
        notices.append(Notice("image-listed-only", f"{name} was read and is listed, but no value here uses it", name))
        if image.patient.id != review.reference.patient.id:
            text = f"PatientID (0010,0020) of {name} differs from that of {review.reference.label}"
            notices.append(Notice("patient-mismatch", text, name))
    return notices


def dose_metrics(dose: DoseVolume) -> dict[str, float]:
    """Return the dose-volume figures that are reported for every structure, unit in the key."""
    figures = {"Dmin_gy": dose.dmin_gy, "Dmean_gy": dose.dmean_gy, "Dmax_gy": dose.dmax_gy}
    figures |= {f"D{x:g}cc_gy": dose.dose_at_volume_cc(x) for x in (0.03, 0.1, 1.0, 2.0)}
    figures |= {f"D{p:g}%_gy": dose.dose_at_volume_percent(p) for p in (2.0, 50.0, 95.0, 98.0)}
    figures |= {f"V{g:g}Gy_percent": dose.volume_percent_at_dose(g) for g in (5.0, 20.0, 40.0, 60.0)}
    figures |= {f"CV{g:g}Gy_cc": dose.spared_volume_cc_at_dose(g) for g in (15.0,)}
    return figures


def _bounded_metrics(bounded: BoundedDoseVolume) -> dict[str, Any]:
    return {**dose_metrics(bounded.low), "outside_dose_grid_percent": bounded.incomplete_percent}


def _course(review: Review, index: int) -> dict[str, Any]:
    course = review.courses[index]
    months = interval_months(course.date, review.reference.date)
    return {
        "label": course.label,
        "date": course.date or None,
        "interval_to_reference_months": None if months is None else round(months, 2),
        "patient_id": course.patient.id,
        "plans": [
            {
                "label": plan.label,
                "fractions": plan.fractions,
                "fractions_source": plan.fractions_source,
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
            for plan in course.plans
        ],
    }


def _image(review: Review, image: ImageSeries) -> dict[str, Any]:
    uid = image.volume.frame_of_reference_uid
    return {
        "modality": image.modality,
        "description": image.description,
        "date": image.date or None,
        "series_uid": image.series_uid,
        "units": image.units or None,
        "in_reference_frame": bool(uid) and uid == review.reference.frame_of_reference_uid,
        "patient_id": image.patient.id,
    }


def _registration(review: Review, index: int) -> dict[str, Any]:
    registration = review.registrations[index]
    return {
        "course": review.courses[index].label,
        "method": registration.method,
        "matrix_lps": registration.transform.matrix_lps.tolist(),
        "deformable": registration.transform.displacement is not None,
        "qa": registration.qa,
        "seconds": round(registration.seconds, 2),
    }


def _structure(review: Review, organ: OrganDose) -> dict[str, Any]:
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
        "recovery": organ.recovery,
        "outside_dose_grid_percent": composite.incomplete_percent,
        "physical": [_of_course(review, i, organ.physical(review.weights([i]))) for i in each],
        "eqd2": [_of_course(review, i, organ.eqd2(review.weights([i]))) for i in each],
        "composite_eqd2": dose_metrics(composite.low),
        "composite_eqd2_upper": dose_metrics(composite.high),
        "composite_eqd2_recovered": dose_metrics(organ.eqd2(review.weights(recovery=organ.recovery)).low),
    }


def _of_course(review: Review, index: int, bounded: BoundedDoseVolume) -> dict[str, Any]:
    return {"course": review.courses[index].label, **_bounded_metrics(bounded)}


def _hot_spot(review: Review, organ: OrganDose) -> dict[str, Any]:
    """Return where the organ's composite EQD2 is highest, and what each course gives there."""
    weights = review.weights()
    point = int(np.argmax(organ.eqd2_at_points(weights, organ.alpha_beta_gy).low_gy))
    shares = []
    for index, course in enumerate(review.courses):
        total = organ.eqd2_at_points(review.weights([index]), organ.alpha_beta_gy)
        shares.append({"course": course.label, "dose_gy": float(total.low_gy[point]) if total.known[point] else None})
    return {
        "structure": organ.name,
        "metric": "Dmax of composite EQD2",
        "position_lps_mm": organ.samples.points_lps[point].tolist(),
        "dose_gy": float(organ.eqd2_at_points(weights, organ.alpha_beta_gy).low_gy[point]),
        "shares": shares,
    }


def _target(review: Review, organ: OrganDose) -> dict[str, Any]:
    new = organ.physical(review.weights([review.reference_index]))
    earlier = [i for i in range(len(review.courses)) if i != review.reference_index]
    return {
        "name": organ.name,
        "method": "contour of the structure set",
        "volume_cc": organ.samples.volume_cc,
        "suv_max": None,
        "new_plan_physical": _bounded_metrics(new),
        "earlier_eqd2": _bounded_metrics(organ.eqd2(review.weights(earlier))),
        "alpha_beta_gy": organ.alpha_beta_gy,
    }


def _assumptions(review: Review) -> list[str]:
    lines = [
        "EQD2 by the LQ model, voxel by voxel on each plan's own grid with its own number of fractions, then mapped "
        "to the reference and summed; nothing is summed in physical dose first.",
        "Organs are the contours of " + review.reference.label + "; metrics come from sample points of 1 mm or finer "
        "near the surface and at the hot spot.",
        "Values count known dose only. Where a dose grid ends, the verdict is given only if the dose at the grid's "
        "nearest edge could not change it.",
        "Dmax in a constraint is read as the dose to the hottest 0.03 cc unless its row says otherwise.",
        f"The composite pictures are drawn with alpha/beta {review.settings.display_alpha_beta_gy:g} Gy everywhere, "
        "without recovery.",
    ]
    for _, plan in review.plans:
        rbe = "RBE already in the dose" if plan.dose_type == "EFFECTIVE" else "physical dose, no RBE applied"
        lines.append(f"{plan.label}: {plan.fractions} fractions ({plan.fractions_source}), {plan.dose_type}: {rbe}.")
    recovered = [f"{organ.name} {organ.recovery:.0%}" for organ in review.organs if organ.recovery > 0]
    lines.append("Recovery: " + (", ".join(recovered) if recovered else "none") + ".")
    return lines


def _not_covered(review: Review, constraints: Sequence[Any]) -> list[str]:
    missing = [f"{c.protocol}: {c.organs} is not contoured" for c in constraints if c.structure is None]
    partly = [
        f"{organ.name}: {incomplete:.1f} % of the volume lies outside at least one course's dose grid"
        for organ in review.organs
        if (incomplete := organ.eqd2(review.weights()).incomplete_percent) > 0
    ]
    return [*dict.fromkeys(missing), *partly]


def _plain(value: Any) -> Any:
    """Return JSON-ready data: NaN and infinities become None, numpy scalars become numbers."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
