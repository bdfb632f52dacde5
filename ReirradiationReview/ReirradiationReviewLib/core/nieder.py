"""The risk score of myelopathy after re-irradiation of the spinal cord (Nieder 2005, 2006).

Nieder C. et al. 2006, Int. J. Radiat. Oncol. Biol. Phys. 66, 1446-1449 (PMID 17084560): the cumulative BED, the highest
BED of any course and the interval make three groups, with myelopathy in 3, 25 and 90 %; the risk appears small up to a
cumulative 135.5 Gy2 where the interval is at least 6 months and no course exceeds 98 Gy2 (no case up to 120 Gy2). These
were read in the abstract. The points themselves were not: they are unverified.

Alpha/beta is 2 Gy for the cervical and thoracic cord and 4 Gy for the lumbar cord, as in the paper.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .organ_dose import OrganDose
from .organs.dvh import metric

if TYPE_CHECKING:
    from .review import Review

Risk = Literal["low", "intermediate", "high", "unknown"]

ALPHA_BETA_GY = {"SpinalCord": 2.0, "SpinalCord_Cerv": 2.0, "SpinalCord_Thor": 2.0, "SpinalCord_Lum": 4.0}
SOURCE = "Nieder 2005 and 2006, Int. J. Radiat. Oncol. Biol. Phys. 66, 1446-1449 (PMID 17084560)"
# One point for each of these cumulative BED that is exceeded, in Gy2: <= 120 none, then steps of 10 up to 200.
_CUMULATIVE_STEPS_GY = tuple(range(120, 201, 10))
_SHORT_INTERVAL_MONTHS, _LARGE_COURSE_GY, _EXTRA_POINTS = 6.0, 102.0, 4.5
_RISK_PERCENT: dict[Risk, float] = {"low": 3.0, "intermediate": 25.0, "high": 90.0}
# The region of small risk, read in the abstract.
_SMALL_CUMULATIVE_GY, _SMALL_COURSE_GY, _NO_CASE_GY = 135.5, 98.0, 120.0
# The paper does not say which dose of the cord; the near maximum is taken.
METRIC = "D0.03cc"


@dataclass(frozen=True)
class NiederScore:
    """The score of one cord.

    Parameters
    ----------
    cumulative_bed_gy, highest_course_bed_gy
        Near maximum of the cord, upper bound where a dose grid ends.
    interval_months
        Shortest between an earlier course and the new one; None where not known.
    points, points_if_unknown
        The score; where the interval is not known, without its points and with them. NaN where dose is not known.
    risk, risk_percent
        Group and share of patients with myelopathy; the worse one where the interval is not known.
    in_region_of_small_risk
        Interval, courses and sum are within the limits of the abstract; None where not known.
    """

    structure: str
    alpha_beta_gy: float
    cumulative_bed_gy: float
    highest_course_bed_gy: float
    interval_months: float | None
    points: float
    points_if_unknown: float
    risk: Risk
    risk_percent: float
    in_region_of_small_risk: bool | None
    source: str
    status: Literal["unverified"]
    message: str


def points(cumulative_bed_gy: float, highest_course_bed_gy: float, interval_months: float) -> float:
    """Return the score: 0 to 9 for the sum, 4.5 for an interval below 6 months, 4.5 for a course of 102 Gy2 or more."""
    if math.isnan(cumulative_bed_gy) or math.isnan(highest_course_bed_gy):
        return math.nan
    # The steps are given to a tenth of a gray (120.1 to 130, 130.1 to 140).
    score = float(bisect_left(_CUMULATIVE_STEPS_GY, round(cumulative_bed_gy, 1)))
    score += _EXTRA_POINTS * (interval_months < _SHORT_INTERVAL_MONTHS)
    return score + _EXTRA_POINTS * (highest_course_bed_gy >= _LARGE_COURSE_GY)


def risk_of(score: float) -> Risk:
    """Return the risk group: low up to 3 points, intermediate up to 6, high above."""
    if math.isnan(score):
        return "unknown"
    return "low" if score <= 3 else "intermediate" if score <= 6 else "high"


def score_cord(
    structure: str,
    alpha_beta_gy: float,
    cumulative_bed_gy: float,
    highest_course_bed_gy: float,
    interval_months: float | None,
) -> NiederScore:
    """Return the score of a cord from its doses and the interval."""
    sum_and_course = (cumulative_bed_gy, highest_course_bed_gy)
    best = points(*sum_and_course, _SHORT_INTERVAL_MONTHS if interval_months is None else interval_months)
    worst = points(*sum_and_course, 0.0 if interval_months is None else interval_months)
    risk = risk_of(worst)
    return NiederScore(
        structure=structure,
        alpha_beta_gy=alpha_beta_gy,
        cumulative_bed_gy=cumulative_bed_gy,
        highest_course_bed_gy=highest_course_bed_gy,
        interval_months=interval_months,
        points=best,
        points_if_unknown=worst,
        risk=risk,
        risk_percent=_RISK_PERCENT.get(risk, math.nan),
        in_region_of_small_risk=_is_small(*sum_and_course, interval_months),
        source=SOURCE,
        status="unverified",
        message=_message(best, worst, cumulative_bed_gy, interval_months),
    )


def nieder_scores(review: Review) -> list[NiederScore]:
    """Return the score of every contoured spinal cord; a canal or thecal sac is another structure and has none."""
    cords = [organ for organ in review.organs if organ.match.is_the_organ and organ.match.tg263 in ALPHA_BETA_GY]
    return [_of_organ(review, organ) for organ in cords]


def _of_organ(review: Review, organ: OrganDose) -> NiederScore:
    alpha_beta_gy = ALPHA_BETA_GY[organ.match.tg263 or ""]
    counted = [index for index in range(len(review.courses)) if index not in review.settings.left_out]
    courses = [_near_maximum_bed_gy(review, organ, [index], alpha_beta_gy) for index in counted]
    return score_cord(
        organ.name,
        alpha_beta_gy,
        _near_maximum_bed_gy(review, organ, counted, alpha_beta_gy),
        max(courses),
        review.circumstances.interval_months,
    )


def _near_maximum_bed_gy(review: Review, organ: OrganDose, courses: list[int], alpha_beta_gy: float) -> float:
    bounded = organ.dose(organ.terms("BED", review.weights(courses), alpha_beta_gy))
    known, highest = metric(METRIC)(bounded.low), metric(METRIC)(bounded.high)
    return math.nan if math.isnan(known) else highest


def _is_small(cumulative_bed_gy: float, course_bed_gy: float, interval_months: float | None) -> bool | None:
    if cumulative_bed_gy > _SMALL_CUMULATIVE_GY or course_bed_gy > _SMALL_COURSE_GY:
        return False
    if interval_months is None or math.isnan(cumulative_bed_gy):
        return None
    return interval_months >= _SHORT_INTERVAL_MONTHS


def _message(best: float, worst: float, cumulative_bed_gy: float, interval_months: float | None) -> str:
    if math.isnan(worst):
        return "Not known: no dose is known in this cord."
    risk = risk_of(worst)
    percent = _RISK_PERCENT[risk]
    first = f"{worst:g} points: {risk} risk; myelopathy in {percent:g} % of such patients."
    if interval_months is None:
        first = (
            f"{best:g} points if the interval is 6 months or more, else {worst:g}; it is not known here, so the worse "
            f"is shown: {risk} risk."
        )
    none_seen = "" if cumulative_bed_gy > _NO_CASE_GY else " No case was reported up to a cumulative 120 Gy2."
    return (
        f"{first}{none_seen} The points were not read in the paper: unverified. The score is for two courses of "
        "fractionated irradiation; the near maximum of the cord is used."
    )
