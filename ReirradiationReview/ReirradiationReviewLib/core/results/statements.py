"""What the numbers rest on, what they leave out, and what the user must know."""

from __future__ import annotations

from collections.abc import Sequence

from ..biology.delivery import DAILY
from ..constraints import ConstraintResult
from ..courses import Plan
from ..errors import Notice
from ..plan_given import PlanGiven
from ..review import Review

LIMITS = (
    "This is a review aid for research; it is not a medical device, and its numbers need independent checks.",
    "Decision-making on reirradiation based solely on dosimetric criteria is not an option (Beddok 2022, "
    "doi 10.1016/j.critrevonc.2022.103655).",
    "Dose is mapped point by point through the registration. Its error is not known; the ranges assume one that is "
    "usual for its kind, and vary one cause at a time.",
    "EQD2 follows the linear-quadratic model, with complete repair between fractions unless a plan's line says "
    "otherwise; each plan is taken as given in fractions of its own.",
    "Published cumulative limits come from few patients, mostly without a stated alpha/beta or definition of Dmax.",
)


def assumptions(review: Review) -> list[str]:
    """Return what the numbers rest on, one sentence each."""
    lines = [
        "EQD2 by the LQ model, voxel by voxel on each plan's own grid with its own number of fractions, then mapped "
        "to the reference and summed; nothing is summed in physical dose first.",
        "Organs are the contours of " + review.reference.label + "; metrics come from sample points of 1 mm or finer "
        "near the surface and at the hot spot.",
        "Values count known dose only. Where a dose grid ends, the verdict is given only if the dose at the grid's "
        "nearest edge could not change it.",
        "Dmax in a constraint is read as the dose to the hottest 0.03 cc unless its row says otherwise.",
        f"The composite pictures are drawn with alpha/beta {review.settings.display_alpha_beta_gy:g} Gy everywhere, "
        "without recovery.",
    ]
    for (_, plan), given in zip(review.plans, review.given, strict=True):
        lines.append(_plan_line(plan, given))
    for index in sorted(review.settings.left_out):
        lines.append(f"{review.courses[index].label} is left out of every sum.")
    lines += [_interval_line(review, index) for index in range(len(review.courses)) if index != review.reference_index]
    recovered = [
        f"{organ.name} {recovery.fraction:.0%} of {course.label}"
        for organ in review.organs
        for course, recovery in zip(review.courses, organ.recoveries, strict=True)
        if recovery.fraction > 0
    ]
    lines.append("Recovery: " + (", ".join(recovered) if recovered else "none") + ".")
    return lines


def _plan_line(plan: Plan, given: PlanGiven) -> str:
    rbe = "RBE already in the dose" if plan.dose_type == "EFFECTIVE" else "physical dose, no RBE applied"
    rbe = given.rbe.text() if given.rbe.entered else rbe
    count = (
        f"{given.fractions}"
        if given.fractions == given.planned_fractions
        else (f"{given.fractions} of {given.planned_fractions} planned")
    )
    how = "" if given.delivery == DAILY else f" {given.delivery.text()};"
    return f"{plan.label}: {count} fractions ({given.source}),{how} {plan.dose_type}: {rbe}."


def _interval_line(review: Review, index: int) -> str:
    interval, label = review.intervals[index], review.courses[index].label
    if interval.months is None:
        return f"{label}: the interval to {review.reference.label} is not known."
    basis = {
        "records": "from its last treatment by the records",
        "dates": "from its date (its last treatment is not known, so the time since then is shorter)",
        "user": "as entered by the user",
        "unknown": "",
    }[interval.source]
    return f"{label}: {interval.months:.1f} months to {review.reference.label}, {basis}."


def not_covered(review: Review, constraints: Sequence[ConstraintResult]) -> list[str]:
    """Return what no number of this review speaks of."""
    missing = [f"{c.protocol}: {c.organs} is not contoured" for c in constraints if c.structure is None]
    partly = [
        f"{organ.name}: {incomplete:.1f} % of the volume lies outside at least one course's dose grid"
        for organ in review.organs
        if (incomplete := organ.eqd2(review.weights()).incomplete_percent) > 0
    ]
    return [*dict.fromkeys(missing), *partly]


def all_notices(review: Review) -> list[Notice]:
    """Return every notice of the review once, in order."""
    found = [
        *review.notices,
        *review.settings_notices(),
        *(n for registration in review.registrations for n in registration.notices),
        *(n for quality in review.quality.values() for n in quality.notices),
    ]
    return list(dict.fromkeys(found))
