"""How much the model matters: the composite by LQ-L beside the one by LQ. A view only; no limit is held against it.

LQ-L is not linear in the moments of the dose, so each plan is converted on its own grid and warped for every alpha/beta
(`biology.lq_l`). It differs from LQ only where a dose per fraction exceeds twice the alpha/beta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .biology import LQL_TRANSITION_ALPHA_BETAS, eqd2_gy
from .dose_mapping import PlanField, PlanWeight
from .organ_dose import OrganDose
from .organs.dvh import DoseVolume, dose_volume

if TYPE_CHECKING:
    from .review import Review


@dataclass(frozen=True)
class LqlView:
    """The composite EQD2 of one organ by LQ-L, or why there is none.

    Parameters
    ----------
    dose
        From the known contributions alone; None where LQ-L equals LQ or is not defined.
    why
        In words, why there is none, or what the value means.
    """

    dose: DoseVolume | None
    why: str


def lql_view(review: Review, organ: OrganDose) -> LqlView:
    """Return the composite of an organ by LQ-L, with its alpha/beta and without recovery."""
    weights = review.weights()
    undefined = _undefined(review, weights)
    if undefined:
        return LqlView(None, undefined)
    alpha_beta_gy = organ.alpha_beta_gy
    transition_gy = LQL_TRANSITION_ALPHA_BETAS * alpha_beta_gy
    largest_gy = [_largest_fraction_gy(m.p_gy, w) for m, w in zip(organ.moments, weights, strict=True)]
    if max(largest_gy) <= transition_gy * (1 + 1e-9):
        return LqlView(None, f"no dose per fraction above {transition_gy:g} Gy in this structure: LQ-L equals LQ")
    points, volumes = organ.samples.points_lps, organ.samples.volumes_cc
    total, known = np.zeros(len(points)), np.zeros(len(points), dtype=bool)
    for field, moment, weight in zip(review.mapped.fields, organ.moments, weights, strict=True):
        if weight.weight > 0:
            total += np.where(moment.inside, _warped_eqd2(field, points, weight, alpha_beta_gy), 0.0)
            known |= moment.inside
    dose = dose_volume(total[known], volumes[known], float(volumes[~known].sum()))
    return LqlView(dose, "a view on the model's influence; limits are LQ and are not compared with it")


def _undefined(review: Review, weights: Sequence[PlanWeight]) -> str:
    for given, weight in zip(review.given, weights, strict=True):
        if weight.weight > 0 and (weight.delivery.depends_on_repair or weight.rbe_model is not None):
            return f"LQ-L is not defined for {given.label}: {given.delivery.text()}; {given.rbe.text()}"
    return ""


def _largest_fraction_gy(dose_gy: NDArray[np.float64], weight: PlanWeight) -> float:
    """Return the largest dose per fraction that a plan gives at points; interpolation may hide a little more."""
    return float(weight.weight > 0) * weight.dose_factor * float(dose_gy.max(initial=0.0)) / weight.fractions


def _warped_eqd2(
    field: PlanField, points_lps: NDArray[np.float64], weight: PlanWeight, alpha_beta_gy: float
) -> NDArray[np.float64]:
    dose_gy = weight.dose_factor * field.dose.array
    converted = eqd2_gy(dose_gy, weight.fractions, alpha_beta_gy, "lql")
    return weight.delivered_share * field.warp(converted, points_lps)
