"""Plan doses brought to points of the reference image, ready for any alpha/beta.

For a plan with dose ``D`` on its own grid and the transform ``T`` from reference to course points, two numbers are
kept at each point ``x``: ``P = W[D](T x)`` and ``S = W[D^2](T x)``, ``W`` being linear interpolation. Then

    W[EQD2](T x) = (ab P + S / n) / (2 + ab)

exactly, for every alpha/beta ``ab`` and number of fractions ``n``: dose is converted on its own grid and only then
warped, and a change of alpha/beta needs no second warp (linearity of ``W``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .biology import eqd2_from_moments
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
    """

    p_gy: NDArray[np.float64]
    s_gy2: NDArray[np.float64]
    inside: NDArray[np.bool_]

    def where(self, kept: NDArray[np.bool_]) -> DoseMoments:
        """Return the moments of some of the points."""
        return DoseMoments(self.p_gy[kept], self.s_gy2[kept], self.inside[kept])


def joined(parts: Sequence[DoseMoments]) -> DoseMoments:
    """Return one plan's moments at several sets of points, one after another."""
    return DoseMoments(
        np.concatenate([part.p_gy for part in parts]),
        np.concatenate([part.s_gy2 for part in parts]),
        np.concatenate([part.inside for part in parts]),
    )


@dataclass(frozen=True)
class PlanWeight:
    """How one plan enters a sum.

    Parameters
    ----------
    fractions
        Number of fractions the plan's dose was given in.
    weight
        Factor on its EQD2: ``1 - recovery`` of the organ, 0 to leave the plan out.
    """

    fractions: int
    weight: float = 1.0


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
    """

    dose: Volume
    transform: SpatialTransform

    @cached_property
    def _squared(self) -> NDArray[np.float64]:
        return np.square(self.dose.array, dtype=np.float64)

    def moments(self, points_lps: NDArray[np.floating[Any]]) -> DoseMoments:
        """Return the dose moments at reference points, shape ``(N, 3)``, LPS mm."""
        index = self._index(points_lps)
        inside = self.dose.index_inside(index)
        return DoseMoments(interpolate(self.dose.array, index), interpolate(self._squared, index), inside)

    def _index(self, points_lps: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        if self.transform.displacement is not None:
            return self.dose.to_index(self.transform.apply(points_lps))
        # Both steps are linear: one matrix serves for millions of points.
        return affine(np.linalg.inv(self.dose.index_to_lps) @ self.transform.matrix_lps, points_lps)


def dose_moments(dose: Volume, transform: SpatialTransform, points_lps: NDArray[np.floating[Any]]) -> DoseMoments:
    """Return a plan's dose moments at one set of reference points; see `PlanField`."""
    return PlanField(dose, transform).moments(points_lps)


def sum_eqd2(moments: Sequence[DoseMoments], weights: Sequence[PlanWeight], alpha_beta_gy: float) -> SummedDose:
    """Return the weighted sum of the plans' EQD2 in Gy (LQ, plans given in different fractions)."""
    terms = [
        eqd2_from_moments(m.p_gy, m.s_gy2, w.fractions, alpha_beta_gy) for m, w in zip(moments, weights, strict=True)
    ]
    return _sum(terms, moments, weights)


def sum_physical(moments: Sequence[DoseMoments], weights: Sequence[PlanWeight]) -> SummedDose:
    """Return the sum of the plans' physical dose in Gy; a weight other than 0 counts as 1 (no recovery of dose)."""
    return _sum([m.p_gy for m in moments], moments, [PlanWeight(w.fractions, float(w.weight > 0)) for w in weights])


def _sum(
    terms: Sequence[NDArray[np.float64]], moments: Sequence[DoseMoments], weights: Sequence[PlanWeight]
) -> SummedDose:
    size = len(moments[0].p_gy)
    low, high = np.zeros(size), np.zeros(size)
    known, complete = np.zeros(size, dtype=bool), np.ones(size, dtype=bool)
    for term, moment, plan in zip(terms, moments, weights, strict=True):
        if plan.weight == 0.0:
            continue
        weighted = plan.weight * term
        low += np.where(moment.inside, weighted, 0.0)
        high += weighted
        known |= moment.inside
        complete &= moment.inside
    return SummedDose(low, high, known, complete)
