"""An organ's dose under random registration errors, on the samples that matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dose_mapping import PlanField
from ..organs.dvh import Metric
from ..volume import affine
from .organ_sums import OrganSum, dose_on_grid, figures_of_many
from .registration_error import ErrorSamples

# The samples that are followed lie the denser, the higher the dose that an error may bring: so many in the part of so
# many cc (or of this share of the organ, if larger) that may become the hottest.
_STRATA = ((700, 2.0, 0.0), (600, 10.0, 0.0), (500, 40.0, 0.2), (600, np.inf, 1.0))
# How far dose is expected to come from, in mean errors.
_REACH = 1.5
_FIT_POINTS = 3000
_RANKS = 4096


@dataclass(frozen=True)
class MovedDoses:
    """Doses of an organ under random errors.

    Parameters
    ----------
    nominal_gy
        Without error, shape ``(M,)``.
    moved_gy
        Under each error, shape ``(S, M)``.
    volumes_cc
        What the samples stand for, shape ``(M,)``.
    """

    nominal_gy: NDArray[np.float64]
    moved_gy: NDArray[np.float64]
    volumes_cc: NDArray[np.float64]
    unknown_cc: float

    def shifts(self, measure: Metric) -> NDArray[np.float64]:
        """Return by how much each error changes a metric, shape ``(S,)``.

        The change from the same samples without error is nearly free of what the choice of samples does.
        """
        all_gy = np.concatenate([self.nominal_gy[None], self.moved_gy])
        figures = figures_of_many(measure, all_gy, self.volumes_cc, self.unknown_cc)
        return figures[1:] - figures[0]


def moved_doses(
    organ_sum: OrganSum, fields: Sequence[PlanField], errors_of: Callable[[int], ErrorSamples], mean_error_mm: float
) -> MovedDoses:
    """Read the earlier courses' doses where an organ's samples may really lie; the reference course does not move.

    Parameters
    ----------
    fields
        One per plan.
    errors_of
        By course index; every course has errors of its own.
    mean_error_mm
        How far dose has to be looked for.
    """
    samples = organ_sum.sampled.samples
    chosen, volumes = _samples_that_matter(organ_sum, fields, _REACH * mean_error_mm)
    points = samples.points_lps[chosen]
    centre = np.average(samples.points_lps, axis=0, weights=samples.volumes_cc)[None]
    nominal = organ_sum.of_reference_gy[chosen]
    moved = np.zeros((1, len(chosen)))
    for course in organ_sum.earlier_courses:
        plans = organ_sum.plans_of(course)
        transform = fields[plans[0]].transform
        at_course = transform.apply(points)
        errors, centre_there = errors_of(course), transform.apply(centre)[0]
        for plan in plans:
            field, coefficients = fields[plan], organ_sum.coefficients_of(plan)
            index = errors.moved(at_course, centre_there, np.linalg.inv(field.dose.index_to_lps))
            moved = moved + _read(field, coefficients, index) * organ_sum.sampled.moments[plan].inside[chosen]
    moved += nominal
    return MovedDoses(moved[0], moved[1:], volumes, organ_sum.unknown_cc)


def _read(field: PlanField, coefficients: NDArray[np.float64], index_ijk: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a plan's linear dose at indices, shape ``(3, S, M)``; beyond its grid, the edge's."""
    from scipy.ndimage import map_coordinates

    flat = index_ijk.reshape(3, -1)
    values, first = dose_on_grid(field, coefficients, flat.min(axis=1), flat.max(axis=1))
    flat -= first[:, None].astype(np.float32)
    read: NDArray[np.float64] = map_coordinates(values, flat[::-1], order=1, mode="nearest", output=np.float64)
    return read.reshape(index_ijk.shape[1:])


def _samples_that_matter(
    organ_sum: OrganSum, fields: Sequence[PlanField], reach_mm: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Choose samples, densely where an error may bring the highest dose; return their indices and volumes in cc."""
    samples = organ_sum.sampled.samples
    known = np.flatnonzero(organ_sum.known)
    volumes = samples.volumes_cc[known]
    if len(known) <= sum(count for count, _, _ in _STRATA):
        return known, volumes
    highest = organ_sum.of_reference_gy[known]
    for course in organ_sum.earlier_courses:
        for plan in organ_sum.plans_of(course):
            highest = highest + _highest_around(organ_sum, fields[plan], plan, known, reach_mm)
    rank, edges = _rank(highest, volumes)
    chosen, stands_for, below = [], [], 0
    for count, most_cc, share in _STRATA:
        reached = int(np.searchsorted(edges, max(most_cc, share * float(volumes.sum())))) + 1
        part = np.flatnonzero((rank >= below) & (rank < reached))
        below = max(below, reached)
        index, volume = _thinned(part, volumes[part], count)
        chosen.append(known[index])
        stands_for.append(volume)
    return np.concatenate(chosen), np.concatenate(stands_for)


def _rank(
    dose_gy: NDArray[np.float64], volumes_cc: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which of many steps of falling dose each sample is in, and the volume down to each step, cc."""
    low, high = float(dose_gy.min()), float(dose_gy.max())
    steps = (high - dose_gy) * (_RANKS / max(high - low, 1e-9))
    rank = np.minimum(steps.astype(np.int64), _RANKS - 1)
    return rank, np.cumsum(np.bincount(rank, weights=volumes_cc, minlength=_RANKS))


def _highest_around(
    organ_sum: OrganSum, field: PlanField, plan: int, known: NDArray[np.int64], reach_mm: float
) -> NDArray[np.float32]:
    """Return about the highest dose of a plan near each sample: in a box, on the plan's voxels."""
    from scipy.ndimage import maximum_filter

    points = organ_sum.sampled.samples.points_lps[known]
    to_index = np.linalg.inv(field.dose.index_to_lps) @ _nearly_affine(field, points)
    index = np.ascontiguousarray(affine(to_index, points).T)
    reach_ijk = reach_mm / field.dose.spacing_mm
    low, high = index.min(axis=1) - reach_ijk, index.max(axis=1) + reach_ijk
    values, first = dose_on_grid(field, organ_sum.coefficients_of(plan), low, high)
    highest = maximum_filter(values, size=(2 * np.ceil(reach_ijk[::-1]) + 1).astype(int), mode="nearest")
    last = np.array(values.shape[::-1])[:, None] - 1
    i, j, k = np.clip(np.rint(index).astype(np.int64) - first[:, None], 0, last)
    result: NDArray[np.float32] = highest[k, j, i]
    return result


def _nearly_affine(field: PlanField, points_lps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine map, shape ``(4, 4)``, that comes closest to the transform at some points."""
    if field.transform.displacement is None:
        return field.transform.matrix_lps
    some = points_lps[:: max(1, len(points_lps) // _FIT_POINTS)]
    homogeneous = np.column_stack([some, np.ones(len(some))])
    fit, *_ = np.linalg.lstsq(homogeneous, field.transform.apply(some), rcond=None)
    return np.vstack([fit.T, [0.0, 0.0, 0.0, 1.0]])


def _thinned(
    index: NDArray[np.int64], volumes_cc: NDArray[np.float64], most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Take samples at equal steps of volume (they lie in order of space), each to stand for one step."""
    if len(index) <= most:
        return index, volumes_cc
    reached = np.cumsum(volumes_cc)
    step_cc = float(reached[-1]) / most
    places = np.searchsorted(reached, (np.arange(most) + 0.5) * step_cc)
    return index[np.minimum(places, len(index) - 1)], np.full(most, step_cc)
