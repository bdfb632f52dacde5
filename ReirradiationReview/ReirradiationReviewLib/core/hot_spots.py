"""Where an organ's composite EQD2 is highest, what each plan gives there, and how near that is to the end of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dose_mapping import PlanField, sum_eqd2
from .organ_dose import OrganDose
from .review import Review

# The volume that near-maximum doses are read from; a ball of it has a radius of 1.9 mm.
HOT_CC = 0.03
# The hottest volume may be in several places; the one around the hottest point reaches this far from it.
_REACH_MM = 5.0


@dataclass(frozen=True)
class PlanShare:
    """What one plan gives to a hot spot.

    Parameters
    ----------
    course_index
        The course that the plan belongs to.
    eqd2_gy
        Mean over the hot spot where the plan's dose is known; NaN where it is known nowhere.
    edge_mm
        Distance of the spot's centre from the nearest face of the plan's dose grid (through its outermost voxel
        centres), in the plan's own space; negative outside.
    """

    course_index: int
    plan: str
    eqd2_gy: float
    edge_mm: float


@dataclass(frozen=True)
class HotSpot:
    """The hottest part of an organ: of its hottest ``HOT_CC``, what lies around the hottest point.

    Parameters
    ----------
    volume_cc
        At most ``HOT_CC``.
    elsewhere_cc
        The rest of the hottest ``HOT_CC``.
    mean_gy, lowest_gy
        Composite EQD2 over the spot.
    centre_lps
        Its centre of volume, LPS mm, shape ``(3,)``.
    shares
        One per plan that enters the sum.
    """

    structure: str
    volume_cc: float
    elsewhere_cc: float
    mean_gy: float
    lowest_gy: float
    centre_lps: NDArray[np.float64]
    shares: tuple[PlanShare, ...]


def hot_spot(review: Review, organ: OrganDose) -> HotSpot | None:
    """Return where an organ is hottest by composite EQD2 without recovery; None where no dose is known."""
    weights = review.weights()
    total = organ.eqd2_at_points(weights, organ.alpha_beta_gy)
    known = np.flatnonzero(total.known)
    if not len(known):
        return None
    falling = known[np.argsort(-total.low_gy[known])]
    reached = int(np.searchsorted(np.cumsum(organ.samples.volumes_cc[falling]), HOT_CC)) + 1
    hottest = falling[:reached]
    points = organ.samples.points_lps[hottest]
    hot = hottest[np.linalg.norm(points - points[0], axis=1) <= _REACH_MM]
    volumes = organ.samples.volumes_cc[hot]
    centre = np.average(organ.samples.points_lps[hot], axis=0, weights=volumes)
    shares = tuple(_share(review, organ, plan, hot, centre) for plan, weight in enumerate(weights) if weight.weight > 0)
    return HotSpot(
        organ.name,
        float(volumes.sum()),
        float(organ.samples.volumes_cc[hottest].sum() - volumes.sum()),
        float(np.average(total.low_gy[hot], weights=volumes)),
        float(total.low_gy[hot].min()),
        centre,
        shares,
    )


def _share(
    review: Review, organ: OrganDose, plan: int, hot: NDArray[np.int64], centre_lps: NDArray[np.float64]
) -> PlanShare:
    course_index, of = review.plans[plan]
    there = organ.moments[plan].where(hot)
    alone = sum_eqd2([there], [review.weights()[plan]], organ.alpha_beta_gy, organ.repair_half_time.value)
    volumes, known = organ.samples.volumes_cc[hot], alone.known
    eqd2_gy = float(np.average(alone.low_gy[known], weights=volumes[known])) if known.any() else np.nan
    return PlanShare(course_index, of.label, eqd2_gy, edge_distance_mm(review.mapped.fields[plan], centre_lps))


def edge_distance_mm(field: PlanField, point_lps: NDArray[np.float64]) -> float:
    """Return how far inside a plan's dose grid a reference point, LPS mm, shape ``(3,)``, lies; negative outside."""
    index = field.dose.to_index(field.transform.apply(point_lps[None]))[0]
    last = np.array(field.dose.shape_ijk) - 1
    inside = np.minimum(index, last - index) * field.dose.spacing_mm
    if inside.min() >= 0:
        return float(inside.min())
    return -float(np.linalg.norm(np.minimum(inside, 0.0)))
