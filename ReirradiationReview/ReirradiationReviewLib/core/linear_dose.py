"""Sums of plans as linear combinations of their dose moments: what makes a review follow its settings at once.

EQD2, BED and physical dose of a plan are ``a P + b S`` (and three terms more with LETd), with numbers that hold for all
points (`dose_mapping`). The numbers are read off the sums themselves, so that the model is written in one place only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .biology.rbe import LetMoments
from .dose_mapping import DoseMoments, PlanWeight, sum_eqd2, sum_physical

# The power of the dose in each moment: P, S, and those with LETd.
_POWERS = (1, 2, 1, 2, 2)
_WITHOUT_LET = 2


@dataclass(frozen=True)
class LinearDose:
    """A dose that is a linear combination of the plans' moments.

    Parameters
    ----------
    coefficients
        Factors on the moments of all plans, plan by plan, shape ``(F,)``.
    powers
        The power of the dose in each moment, shape ``(F,)``.
    plan_of
        Which plan each moment belongs to, shape ``(F,)``.
    active
        Which plans enter the sum, shape ``(K,)``.
    """

    coefficients: NDArray[np.float64]
    powers: NDArray[np.int64]
    plan_of: NDArray[np.int64]
    active: NDArray[np.bool_]

    def times(self, factor: float) -> LinearDose:
        """Return the dose times a number."""
        return replace(self, coefficients=self.coefficients * factor)

    def with_scaled(self, plans: NDArray[np.bool_], scale: float) -> LinearDose:
        """Return the sum with the dose of some plans, shape ``(K,)``, scaled and the number of fractions kept."""
        factors = np.where(plans[self.plan_of], float(scale) ** self.powers, 1.0)
        return replace(self, coefficients=self.coefficients * factors)

    def only(self, plans: NDArray[np.bool_]) -> LinearDose:
        """Return the part of the sum that some plans, shape ``(K,)``, give."""
        kept = np.where(plans[self.plan_of], self.coefficients, 0.0)
        return replace(self, coefficients=kept, active=self.active & plans)


def features(moments: DoseMoments) -> tuple[NDArray[np.float64], ...]:
    """Return a plan's moments, each of shape ``(N,)``, in the order of the coefficients."""
    let = moments.let
    with_let = () if let is None else (let.dl, let.d2l, let.d2l2)
    return (moments.p_gy, moments.s_gy2, *with_let)


def eqd2_terms(
    moments: Sequence[DoseMoments], weights: Sequence[PlanWeight], alpha_beta_gy: float, repair_half_time_hours: float
) -> LinearDose:
    """Return the weighted EQD2 sum as a linear combination; arguments as for `dose_mapping.sum_eqd2`."""
    return _linear_dose(
        [
            _eqd2_of_unit(weight, moment.let is not None, alpha_beta_gy, repair_half_time_hours)
            for moment, weight in zip(moments, weights, strict=True)
        ]
    )


def physical_terms(moments: Sequence[DoseMoments], weights: Sequence[PlanWeight]) -> LinearDose:
    """Return the sum of physical dose as a linear combination; see `dose_mapping.sum_physical`."""
    return _linear_dose(
        [_physical_of_unit(weight, moment.let is not None) for moment, weight in zip(moments, weights, strict=True)]
    )


def _linear_dose(of_plans: Sequence[tuple[float, ...]]) -> LinearDose:
    plan_of = np.repeat(np.arange(len(of_plans)), [len(of_plan) for of_plan in of_plans])
    powers = np.array([power for of_plan in of_plans for power in _POWERS[: len(of_plan)]])
    active = np.array([any(of_plan) for of_plan in of_plans])
    return LinearDose(np.concatenate(of_plans), powers, plan_of, active)


def _unit_moments(has_let: bool) -> DoseMoments:
    """Return points of which each has one moment of 1, and all others 0."""
    count = len(_POWERS) if has_let else _WITHOUT_LET
    unit = np.eye(count)
    let = LetMoments(*unit[_WITHOUT_LET:]) if has_let else None
    return DoseMoments(unit[0], unit[1], np.ones(count, dtype=bool), let)


@lru_cache(maxsize=4096)
def _eqd2_of_unit(
    weight: PlanWeight, has_let: bool, alpha_beta_gy: float, repair_half_time_hours: float
) -> tuple[float, ...]:
    total = sum_eqd2([_unit_moments(has_let)], [weight], alpha_beta_gy, repair_half_time_hours)
    return tuple(total.low_gy.tolist())


@lru_cache(maxsize=4096)
def _physical_of_unit(weight: PlanWeight, has_let: bool) -> tuple[float, ...]:
    return tuple(sum_physical([_unit_moments(has_let)], [weight]).low_gy.tolist())
