"""Which kind of re-irradiation this is, after the consensus of ESTRO and EORTC.

Andratschke 2022 (Lancet Oncol. 23:e469) tells re-irradiation type 1 (the irradiated volumes overlap) from type 2 (they
do not, but the cumulative dose raises concern about toxicity), and these from repeat organ irradiation and from repeat
irradiation (neither overlap nor concern). It names no isodose that bounds an irradiated volume and no measure of
concern: those are this software's, stated in `RULE`. The definitions were read in abstracts and reviews (Ann. Palliat.
Med. 2024, apm-24-4), not in the paper itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..constraints import ConstraintResult
from ..review import Review
from .courses import course_dose, prescription_gy
from .regions import volume_where_cc

Kind = Literal["type 1", "type 2", "repeat organ irradiation", "repeat irradiation", "unknown"]

# The isodose, in percent of the prescription, that bounds an irradiated volume.
OVERLAP_PERCENT = 50.0
# Volumes that only touch share some voxels by interpolation.
_TOUCHING_CC = 0.1
# An organ counts as irradiated by a course whose dose to its hottest 0.03 cc reaches this share of the prescription.
ORGAN_PERCENT = 10.0
_NEAR_MAXIMUM_CC = 0.03

RULE = (
    f"type 1: the volumes inside the {OVERLAP_PERCENT:g} % isodoses of an earlier and of the new prescription overlap "
    f"by more than {_TOUCHING_CC:g} cc; type 2: they do not, but a constraint on the cumulative dose of a contoured "
    f"organ is failed or near; repeat organ irradiation: neither, but an organ's hottest {_NEAR_MAXIMUM_CC:g} cc "
    f"receives at least {ORGAN_PERCENT:g} % of the prescription from an earlier and from the new course; else repeat "
    "irradiation. Kinds after Andratschke 2022 (ESTRO and EORTC), which names neither an isodose nor a measure of "
    "concern: those are this software's choice"
)


@dataclass(frozen=True)
class Classification:
    """The kind of re-irradiation and what it rests on.

    Parameters
    ----------
    overlap_cc
        By course index: overlap of the volumes inside the ``OVERLAP_PERCENT`` isodoses of that and the new course; only
        courses whose prescription is known.
    """

    kind: Kind
    reason: str
    overlap_cc: dict[int, float]


def classify(review: Review, results: Sequence[ConstraintResult]) -> Classification:
    """Return the kind of re-irradiation by `RULE`.

    Parameters
    ----------
    results
        All constraints of the review.
    """
    earlier = [i for i in range(len(review.courses)) if i not in {review.reference_index, *review.settings.left_out}]
    prescriptions = {index: prescription_gy(review, index) for index in (*earlier, review.reference_index)}
    missing = [review.courses[index].label for index, dose_gy in prescriptions.items() if not dose_gy]
    overlaps = _overlaps(review, earlier, prescriptions)
    met = [index for index, volume_cc in overlaps.items() if volume_cc > _TOUCHING_CC]
    if met:
        words = ", ".join(f"{overlaps[index]:.1f} cc with {review.courses[index].label}" for index in met)
        return Classification("type 1", f"the {OVERLAP_PERCENT:g} % isodoses overlap: {words}", overlaps)
    if missing:
        text = f"the prescription of {' and '.join(missing)} is not known, so overlap cannot be excluded"
        return Classification("unknown", text, overlaps)
    return _without_overlap(review, results, earlier, prescriptions, overlaps)


def _without_overlap(
    review: Review,
    results: Sequence[ConstraintResult],
    earlier: Sequence[int],
    prescriptions: dict[int, float | None],
    overlaps: dict[int, float],
) -> Classification:
    cumulative = [r for r in results if r.structure is not None and r.basis != "current_only"]
    concern = [r for r in cumulative if r.verdict in ("fail", "near")]
    if concern:
        words = ", ".join(dict.fromkeys(f"{r.structure} {r.metric} ({r.verdict})" for r in concern))
        return Classification("type 2", f"no overlap, but the cumulative dose is of concern: {words}", overlaps)
    if not cumulative or any(r.verdict == "unknown" for r in cumulative):
        text = "no overlap; whether the cumulative dose is of concern is not known, since organs or doses are missing"
        return Classification("unknown", text, overlaps)
    organs = _organs_of_both(review, earlier, prescriptions)
    if organs:
        return Classification(
            "repeat organ irradiation", f"no overlap, no concern; both reach {', '.join(organs)}", overlaps
        )
    return Classification("repeat irradiation", "no overlap, no concern, no organ that both reach", overlaps)


def _overlaps(review: Review, earlier: Sequence[int], prescriptions: dict[int, float | None]) -> dict[int, float]:
    new_gy = prescriptions[review.reference_index]
    if not new_gy:
        return {}
    new = course_dose(review, review.reference_index)
    share = OVERLAP_PERCENT / 100.0
    return {
        index: volume_where_cc([course_dose(review, index), new], [share * earlier_gy, share * new_gy])
        for index in earlier
        if (earlier_gy := prescriptions[index])
    }


def _organs_of_both(review: Review, earlier: Sequence[int], prescriptions: dict[int, float | None]) -> list[str]:
    """Return the organs that the new and an earlier course reach, wherever in the organ."""

    def reached(index: int) -> set[str]:
        weights, least_gy = review.weights([index]), ORGAN_PERCENT / 100.0 * (prescriptions[index] or 0.0)
        organs = [organ for organ in review.organs if not organ.match.is_target and organ.match.tg263 != "External"]
        return {o.name for o in organs if o.physical(weights).low.dose_at_volume_cc(_NEAR_MAXIMUM_CC) >= least_gy}

    of_new = reached(review.reference_index)
    return sorted(of_new & {name for index in earlier for name in reached(index)})
