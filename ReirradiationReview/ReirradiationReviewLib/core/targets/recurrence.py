"""How much of a target lies inside the isodoses of an earlier course, and what kind of recurrence that makes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..courses import Plan
from ..dose_mapping import PlanWeight
from ..organ_dose import BoundedDoseVolume

RecurrenceKind = Literal["in-field", "marginal", "out-of-field", "unknown"]

IN_FIELD_PERCENT, MARGINAL_PERCENT, FIELD_ISODOSE_PERCENT = 95.0, 20.0, 95.0
RULE = (
    f"in-field: at least {IN_FIELD_PERCENT:g} % of the target's volume inside the isodose of "
    f"{FIELD_ISODOSE_PERCENT:g} % of the earlier prescription; marginal: {MARGINAL_PERCENT:g} to {IN_FIELD_PERCENT:g} "
    f"%; out-of-field: less than {MARGINAL_PERCENT:g} % (Dawson 2000, Int J Radiat Oncol Biol Phys 46:1117; reports on "
    "glioma after Lee 1999 call it in-field from 80 % on)"
)
# The thresholds are as other works cite them; the primary paper was not read.
RULE_STATUS = "unverified"
# A sum of volumes that should be just enough may be short of it by rounding.
_ROUNDING_PERCENT = 1e-6
# Percent of the earlier prescription whose isodoses are told apart.
ISODOSES_PERCENT = (100.0, FIELD_ISODOSE_PERCENT, 80.0, 50.0, 20.0)


@dataclass(frozen=True)
class InsideIsodose:
    """What share of a target lies inside one isodose of an earlier course.

    Parameters
    ----------
    prescription_percent, dose_gy
        The isodose, in percent of the course's prescription and as its physical dose.
    low_percent, high_percent
        Share of the target's volume: known to lie inside, and at most, where a dose grid ends in the target. NaN where
        nothing is known.
    """

    prescription_percent: float
    dose_gy: float
    low_percent: float
    high_percent: float


@dataclass(frozen=True)
class FieldOverlap:
    """A target and one earlier course.

    Parameters
    ----------
    prescription_gy
        Of the course as far as it was delivered; None where no plan states it.
    isodoses
        From the highest down; empty without a prescription.
    message
        What the kind rests on, in words.
    """

    prescription_gy: float | None
    isodoses: tuple[InsideIsodose, ...]
    kind: RecurrenceKind
    message: str


def delivered_prescription_gy(plans: Sequence[Plan], weights: Sequence[PlanWeight]) -> float | None:
    """Return the sum of the plans' prescriptions, each as far as it was delivered; None where one is not stated.

    Plans of one course are taken as phases that treat the same target one after another (boosts).
    """
    total_gy = 0.0
    for plan, weight in zip(plans, weights, strict=True):
        if plan.prescription_gy is None:
            return None
        total_gy += plan.prescription_gy * weight.delivered_share
    return total_gy


def field_overlap(dose: BoundedDoseVolume, prescription_gy: float | None) -> FieldOverlap:
    """Return how a target lies to the isodoses of an earlier course.

    Parameters
    ----------
    dose
        Physical dose that the course gave to the target.
    prescription_gy
        See `delivered_prescription_gy`.
    """
    if not prescription_gy:
        text = "no plan of this course states its prescription, TargetPrescriptionDose (300A,0026): no isodose is known"
        return FieldOverlap(None, (), "unknown", text)
    isodoses = tuple(_inside(dose, percent, prescription_gy) for percent in ISODOSES_PERCENT)
    field = next(isodose for isodose in isodoses if isodose.prescription_percent == FIELD_ISODOSE_PERCENT)
    kinds = {_kind(share) for share in (field.low_percent, field.high_percent)}
    kind = kinds.pop() if len(kinds) == 1 else "unknown"
    return FieldOverlap(prescription_gy, isodoses, kind, _message(field, prescription_gy, dose.incomplete_percent))


def _inside(dose: BoundedDoseVolume, percent: float, prescription_gy: float) -> InsideIsodose:
    dose_gy = percent / 100.0 * prescription_gy
    low, high = (
        100.0 * figures.volume_cc_at_dose(dose_gy) / figures.total_volume_cc for figures in (dose.low, dose.high)
    )
    return InsideIsodose(percent, dose_gy, low, high)


def _kind(inside_percent: float) -> RecurrenceKind:
    if math.isnan(inside_percent):
        return "unknown"
    if inside_percent >= IN_FIELD_PERCENT - _ROUNDING_PERCENT:
        return "in-field"
    return "marginal" if inside_percent >= MARGINAL_PERCENT - _ROUNDING_PERCENT else "out-of-field"


def _message(field: InsideIsodose, prescription_gy: float, incomplete_percent: float) -> str:
    isodose = (
        f"the {FIELD_ISODOSE_PERCENT:g} % isodose ({field.dose_gy:.1f} Gy) of the {prescription_gy:g} Gy prescribed"
    )
    if math.isnan(field.low_percent):
        return f"no dose of this course is known in the target, so its place to {isodose} is not known"
    share = f"{field.low_percent:.1f} %"
    if field.high_percent - field.low_percent > 0.05:
        share = f"{field.low_percent:.1f} to {field.high_percent:.1f} %"
    outside = f"; {incomplete_percent:.1f} % lie outside the dose grid" if incomplete_percent > 0 else ""
    return f"{share} of the target lie inside {isodose}{outside}"
