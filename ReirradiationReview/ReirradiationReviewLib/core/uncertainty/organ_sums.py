"""A sum of plans at an organ's samples, in parts: what the new plan gives, and what each earlier course gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..dose_mapping import DoseMoments, PlanField
from ..linear_dose import LinearDose, features
from ..mapped_doses import SampledOrgan
from ..organs.dvh import DoseVolume, Metric, dose_volume

_FEW = 128


@dataclass(frozen=True)
class OrganSum:
    """One sum on one organ. Only known contributions are counted, as in the value that is shown.

    Parameters
    ----------
    course_of
        Which course each plan belongs to, shape ``(K,)``.
    reference_index
        The course that is never moved.
    """

    sampled: SampledOrgan
    terms: LinearDose
    course_of: tuple[int, ...]
    reference_index: int

    @property
    def earlier_courses(self) -> list[int]:
        """Courses but the reference that enter the sum."""
        entering = {course for course, active in zip(self.course_of, self.terms.active, strict=True) if active}
        return sorted(entering - {self.reference_index})

    def plans_of(self, course: int) -> list[int]:
        """Return the indices of a course's plans that enter the sum."""
        entering = zip(self.course_of, self.terms.active, strict=True)
        return [plan for plan, (of, active) in enumerate(entering) if active and of == course]

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Where at least one contribution is known, shape ``(N,)``."""
        inside = [m.inside for m, active in zip(self.sampled.moments, self.terms.active, strict=True) if active]
        return np.logical_or.reduce(inside) if inside else np.zeros(len(self.sampled.samples.volumes_cc), dtype=bool)

    @cached_property
    def unknown_cc(self) -> float:
        """Volume without any known contribution."""
        return float(self.sampled.samples.volumes_cc[~self.known].sum())

    @cached_property
    def of_reference_gy(self) -> NDArray[np.float64]:
        """What the plans of the reference course give at each sample, shape ``(N,)``."""
        return self.of_course(self.reference_index)

    def of_course(self, course: int) -> NDArray[np.float64]:
        """Return what a course gives at each sample, shape ``(N,)``."""
        return self.from_moments(course, self.sampled.moments)

    def from_moments(self, course: int, moments: Sequence[DoseMoments]) -> NDArray[np.float64]:
        """Return what a course gives at other points, from all plans' moments there; what is not known is left out."""
        total = np.zeros(len(moments[0].p_gy))
        for plan in self.plans_of(course):
            for coefficient, feature in zip(self.coefficients_of(plan), features(moments[plan]), strict=True):
                total += coefficient * np.where(moments[plan].inside, feature, 0.0)
        return total

    def coefficients_of(self, plan: int) -> NDArray[np.float64]:
        """Return the factors on the moments of one plan."""
        return self.terms.coefficients[self.terms.plan_of == plan]

    def dose(self, total_gy: NDArray[np.float64]) -> DoseVolume:
        """Return the dose-volume relation of doses at all samples, shape ``(N,)``."""
        known = self.known
        return dose_volume(total_gy[known], self.sampled.samples.volumes_cc[known], self.unknown_cc)


def dose_on_grid(
    field: PlanField, coefficients: NDArray[np.float64], low_ijk: NDArray[np.float64], high_ijk: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return a plan's linear dose on its own grid, as far as it is needed.

    Parameters
    ----------
    coefficients
        On the plan's moments, in the order of `linear_dose.features`.
    low_ijk, high_ijk
        Least and greatest continuous index that will be read, shape ``(3,)``.

    Returns
    -------
    values : ndarray, shape (k, j, i)
        In single precision.
    first_ijk : ndarray, shape (3,)
        Index of the first value.
    """
    last = np.array(field.dose.shape_ijk) - 1
    first = np.clip(np.floor(low_ijk).astype(np.int64), 0, last)
    end = np.clip(np.ceil(high_ijk).astype(np.int64), 0, last) + 1
    part = (slice(first[2], end[2]), slice(first[1], end[1]), slice(first[0], end[0]))
    dose = field.dose.array[part].astype(np.float32)
    result = np.float32(coefficients[0]) * dose + np.float32(coefficients[1]) * dose**2
    if field.letd_kev_um is not None:
        let = field.letd_kev_um[part].astype(np.float32)
        dl, d2l, d2l2 = (np.float32(value) for value in coefficients[2:])
        result += dl * dose * let + d2l * dose**2 * let + d2l2 * (dose * let) ** 2
    return result, first


def figures_of_many(
    measure: Metric, totals_gy: NDArray[np.float64], volumes_cc: NDArray[np.float64], unknown_cc: float
) -> NDArray[np.float64]:
    """Return a metric of many doses on the same samples, shape ``(S,)``, by the rules of `organs.dvh`.

    Parameters
    ----------
    totals_gy
        Shape ``(S, M)``.
    volumes_cc
        Shape ``(M,)``.
    """
    if measure.kind != "D":
        return np.array([measure(dose_volume(total, volumes_cc, unknown_cc)) for total in totals_gy])
    at_cc = measure.in_cc(measure.level, dose_volume(totals_gy[0], volumes_cc, unknown_cc))
    if len(volumes_cc) > _FEW:
        # A few of the hottest samples are enough, unless they are very small.
        hottest = np.argpartition(totals_gy, -_FEW, axis=1)[:, -_FEW:]
        found, reached = _doses_at_cc(at_cc, np.take_along_axis(totals_gy, hottest, axis=1), volumes_cc[hottest])
        if reached:
            return found
    return _doses_at_cc(at_cc, totals_gy, np.broadcast_to(volumes_cc, totals_gy.shape))[0]


def _doses_at_cc(
    at_cc: float, doses_gy: NDArray[np.float64], volumes_cc: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """Return the dose at a volume of each row, and whether every row's samples hold that volume."""
    order = np.argsort(-doses_gy, axis=1)
    falling, volumes = np.take_along_axis(doses_gy, order, axis=1), np.take_along_axis(volumes_cc, order, axis=1)
    middle = np.cumsum(volumes, axis=1) - volumes / 2
    found = np.array([np.interp(at_cc, place, dose) for place, dose in zip(middle, falling, strict=True)])
    return found, bool((middle[:, -1] >= at_cc).all())
