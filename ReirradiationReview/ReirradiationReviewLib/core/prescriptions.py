"""What the courses prescribed to the tumor, in EQD2, and whether the new one is as high as the first.

Beddok 2022, "Dose and fractionation": the dose used for curative re-irradiation "should be at least as high (in
biological equivalent if the particle or fractionation is changed) as the dose used for the first irradiation".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .biology import load_repair_table
from .biology.rbe import CONSTANT_RBE
from .biology.schedule import parse_growth
from .dose_mapping import DoseMoments, PlanWeight, sum_eqd2
from .organ_dose import OrganDose
from .review import Review

TUMOR_ALPHA_BETA_GY = 10.0


@dataclass(frozen=True)
class CoursePrescription:
    """What one course prescribed.

    Parameters
    ----------
    eqd2_gy
        Sum over the course's plans, each with its own fractions as delivered, alpha/beta 10 Gy; NaN where a plan's
        prescription is not known.
    """

    course: str
    eqd2_gy: float


@dataclass(frozen=True)
class TargetDose:
    """What the new course gives to a target, in EQD2 with alpha/beta 10 Gy, beside the first course's prescription.

    Parameters
    ----------
    share_of_first
        ``d50_gy`` over the first course's prescription; NaN where that is not known.
    repopulation_gy
        EQD2 that the user says growth takes away from these doses; it is not subtracted from them.
    """

    target: str
    d95_gy: float
    d50_gy: float
    dmean_gy: float
    share_of_first: float
    repopulation_gy: float = 0.0


def course_prescriptions(review: Review) -> list[CoursePrescription]:
    """Return the prescription of every course, oldest first."""
    weights = review.weights(range(len(review.courses)))
    totals = [0.0] * len(review.courses)
    for (index, plan), weight in zip(review.plans, weights, strict=True):
        dose = np.array([math.nan if plan.prescription_gy is None else plan.prescription_gy])
        there = DoseMoments(dose, dose**2, np.array([True]))
        half_time_hours = load_repair_table().target.value
        total = sum_eqd2([there], [_with_constant_rbe(weight)], TUMOR_ALPHA_BETA_GY, half_time_hours)
        totals[index] += float(total.low_gy[0])
    return [CoursePrescription(course.label, total) for course, total in zip(review.courses, totals, strict=True)]


def _with_constant_rbe(weight: PlanWeight) -> PlanWeight:
    """Return how a prescription is converted: it is in Gy(RBE), whatever RBE the dose is evaluated with."""
    if weight.rbe_model is None:
        return weight
    return replace(weight, rbe_model=None, dose_factor=weight.dose_factor * CONSTANT_RBE)


def target_doses(review: Review) -> list[TargetDose]:
    """Return what the new course gives to each target of its structure set."""
    first_gy = course_prescriptions(review)[0].eqd2_gy
    return [_target_dose(review, organ, first_gy) for organ in review.organs if organ.match.is_target]


def _target_dose(review: Review, organ: OrganDose, first_gy: float) -> TargetDose:
    dose = organ.eqd2(review.weights([review.reference_index]), TUMOR_ALPHA_BETA_GY).low
    cc_at = dose.total_volume_cc / 100.0
    d95_gy, d50_gy = dose.dose_at_volume_cc(95.0 * cc_at), dose.dose_at_volume_cc(50.0 * cc_at)
    share = d50_gy / first_gy if first_gy else math.nan
    text = review.settings.repopulation.get(organ.name)
    loss_gy = parse_growth(text).eqd2_loss_gy(TUMOR_ALPHA_BETA_GY) if text else 0.0
    return TargetDose(organ.name, d95_gy, d50_gy, dose.dmean_gy, share, loss_gy)
