"""Plan doses brought to points of the reference image, ready for any alpha/beta.

For a plan with dose ``D`` on its own grid and the transform ``T`` from reference to course points, two numbers are
kept at each point ``x``: ``P = W[D](T x)`` and ``S = W[D^2](T x)``, ``W`` being linear interpolation. Then

    W[EQD2](T x) = (ab P + S / n) / (2 + ab)

exactly, for every alpha/beta ``ab`` and number of fractions ``n``: dose is converted on its own grid and only then
warped, and a change of alpha/beta needs no second warp (linearity of ``W``). How a plan was given (delivered fractions,
repair, RBE) enters as factors on the two; a variable RBE brings three more moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .biology import eqd2_from_moments
from .biology.delivery import DAILY, Delivery
from .biology.rbe import CONSTANT_RBE, LetMoments, VariableRbe
from .biology.tissue import LATE_REPAIR_HALF_TIME_HOURS
from .errors import ReirradiationError
from .registration.transform import SpatialTransform
from .volume import Volume, affine, interpolate


@dataclass(frozen=True)
class DoseMoments:
    """First and second moment of one plan's dose at N points.

    Parameters
    ----------
    p_gy
        ``W[D]``, Gy, shape ``(N,)``. Beyond the dose grid: the value at the grid's nearest edge.
    s_gy2
        ``W[D^2]``, Gy^2, shape ``(N,)``, likewise.
    inside
        False where the point lies beyond the dose grid, so that the dose is not known, shape ``(N,)``.
    let
        Moments of dose and LETd, where the plan has an LETd volume.
    """

    p_gy: NDArray[np.float64]
    s_gy2: NDArray[np.float64]
    inside: NDArray[np.bool_]
    let: LetMoments | None = None

    def where(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> DoseMoments:
        """Return the moments of some of the points, given by a mask or by their indices."""
        let = None if self.let is None else LetMoments(self.let.dl[kept], self.let.d2l[kept], self.let.d2l2[kept])
        return DoseMoments(self.p_gy[kept], self.s_gy2[kept], self.inside[kept], let)


def joined(parts: Sequence[DoseMoments]) -> DoseMoments:
    """Return one plan's moments at several sets of points, one after another."""
    return DoseMoments(
        np.concatenate([part.p_gy for part in parts]),
        np.concatenate([part.s_gy2 for part in parts]),
        np.concatenate([part.inside for part in parts]),
        _joined_let([part.let for part in parts]),
    )


def _joined_let(parts: Sequence[LetMoments | None]) -> LetMoments | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return LetMoments(*(np.concatenate([getattr(part, name) for part in known]) for name in ("dl", "d2l", "d2l2")))


@dataclass(frozen=True)
class PlanWeight:
    """How one plan enters a sum.

    Parameters
    ----------
    fractions
        Number of fractions that the plan's dose stands for.
    weight
        Factor on its EQD2: ``1 - recovery`` of the organ, 0 to leave the plan out.
    delivered_share
        Delivered fractions over ``fractions``: with the dose per fraction unchanged, EQD2 and physical dose both scale
        with it.
    dose_factor
        Factor on the dose of each fraction: a constant RBE, or a plan scaled up or down.
    rbe_model
        Variable RBE in EQD2 and BED, for moments with LETd; ``dose_factor`` then leads to the physical proton dose.
    delivery
        How each fraction is given.
    """

    fractions: int
    weight: float = 1.0
    delivered_share: float = 1.0
    dose_factor: float = 1.0
    rbe_model: VariableRbe | None = None
    delivery: Delivery = DAILY

    @property
    def dose_scale(self) -> float:
        """Factor from the dose as read to the delivered, RBE-weighted dose; 0 for a plan that is left out."""
        rbe = CONSTANT_RBE if self.rbe_model else 1.0
        return float(self.weight > 0) * self.delivered_share * self.dose_factor * rbe


@dataclass(frozen=True)
class SummedDose:
    """A sum over plans at N points, bounded from both sides where a dose grid ends.

    Parameters
    ----------
    low_gy
        Sum of the known contributions, shape ``(N,)``: what is not known is left out.
    high_gy
        The same with every unknown contribution replaced by the dose at the nearest edge of its grid: an upper bound
        as long as dose does not rise beyond the grid.
    known
        At least one contribution is known, shape ``(N,)``.
    complete
        All contributions are known, shape ``(N,)``.
    """

    low_gy: NDArray[np.float64]
    high_gy: NDArray[np.float64]
    known: NDArray[np.bool_]
    complete: NDArray[np.bool_]


@dataclass(frozen=True)
class PlanField:
    """A plan's dose and where it lies, ready to be read at many sets of points.

    Parameters
    ----------
    dose
        Total dose of the plan in Gy on its own grid, in the course's patient space.
    transform
        Reference point to course point, LPS mm.
    letd_kev_um
        Dose-averaged LET on the dose's grid, shape of its array; None where not given.
    """

    dose: Volume
    transform: SpatialTransform
    letd_kev_um: NDArray[np.float64] | None = None

    @cached_property
    def _squared(self) -> NDArray[np.float64]:
        return np.square(self.dose.array, dtype=np.float64)

    @cached_property
    def _with_let(self) -> tuple[NDArray[np.float64], ...]:
        """``D L``, ``D^2 L`` and ``D^2 L^2`` on the dose's grid; empty without LETd."""
        let = self.letd_kev_um
        return () if let is None else (self.dose.array * let, self._squared * let, self._squared * let**2)

    def moments(self, points_lps: NDArray[np.floating[Any]]) -> DoseMoments:
        """Return the dose moments at reference points, shape ``(N, 3)``, LPS mm."""
        index = self._index(points_lps)
        inside = self.dose.index_inside(index)
        let = LetMoments(*(interpolate(array, index) for array in self._with_let)) if self._with_let else None
        return DoseMoments(interpolate(self.dose.array, index), interpolate(self._squared, index), inside, let)

    def warp(self, array: NDArray[Any], points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return another array on the dose's grid, of its shape, at reference points as the dose is read there."""
        return interpolate(array, self._index(points_lps))

    def _index(self, points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        if self.transform.displacement is not None:
            return self.dose.to_index(self.transform.apply(points_lps))
        # Both steps are linear: one matrix serves for millions of points.
        return affine(np.linalg.inv(self.dose.index_to_lps) @ self.transform.matrix_lps, points_lps)


def dose_moments(dose: Volume, transform: SpatialTransform, points_lps: NDArray[np.floating[Any]]) -> DoseMoments:
    """Return a plan's dose moments at one set of reference points; see `PlanField`."""
    return PlanField(dose, transform).moments(points_lps)


def sum_eqd2(
    moments: Sequence[DoseMoments],
    weights: Sequence[PlanWeight],
    alpha_beta_gy: float,
    repair_half_time_hours: float = LATE_REPAIR_HALF_TIME_HOURS,
) -> SummedDose:
    """Return the weighted sum of the plans' EQD2 in Gy (LQ, plans given in different fractions).

    Parameters
    ----------
    repair_half_time_hours
        Matters only to plans given in several fractions a day or protracted.

    Raises
    ------
    ReirradiationError
        If a variable RBE is asked of a plan without LETd, or alpha/beta is out of range.
    """
    terms = [
        _eqd2(moment, plan, alpha_beta_gy, repair_half_time_hours)
        for moment, plan in zip(moments, weights, strict=True)
    ]
    return _sum(terms, moments, [w.weight * w.delivered_share * w.dose_factor for w in weights])


def _eqd2(
    moment: DoseMoments, plan: PlanWeight, alpha_beta_gy: float, repair_half_time_hours: float
) -> NDArray[np.float64]:
    """Return the EQD2 of a plan over ``delivered_share * dose_factor``."""
    p_gy, s_gy2 = moment.p_gy, moment.s_gy2
    if plan.rbe_model is not None:
        if moment.let is None:
            raise ReirradiationError(
                f"the RBE model {plan.rbe_model.name} needs the LETd of its plan: give it with --let"
            )
        p_gy, s_gy2 = plan.rbe_model.effective_moments(p_gy, s_gy2, moment.let, alpha_beta_gy)
    factor = plan.delivery.quadratic_factor(repair_half_time_hours) * plan.dose_factor
    return eqd2_from_moments(p_gy, s_gy2, plan.fractions, alpha_beta_gy, quadratic_factor=factor)


def sum_physical(moments: Sequence[DoseMoments], weights: Sequence[PlanWeight]) -> SummedDose:
    """Return the sum of the plans' delivered dose in Gy, or Gy(RBE); recovery does not lower it."""
    return _sum([m.p_gy for m in moments], moments, [w.dose_scale for w in weights])


def _sum(terms: Sequence[NDArray[np.float64]], moments: Sequence[DoseMoments], factors: Sequence[float]) -> SummedDose:
    size = len(moments[0].p_gy)
    low, high = np.zeros(size), np.zeros(size)
    known, complete = np.zeros(size, dtype=bool), np.ones(size, dtype=bool)
    for term, moment, factor in zip(terms, moments, factors, strict=True):
        if factor == 0.0:
            continue
        weighted = factor * term
        low += np.where(moment.inside, weighted, 0.0)
        high += weighted
        known |= moment.inside
        complete &= moment.inside
    return SummedDose(low, high, known, complete)
