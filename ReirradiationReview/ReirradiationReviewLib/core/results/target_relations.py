"""How targets agree with each other, and which organs the planning targets enter, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..constraints import ConstraintResult
from ..errors import Notice
from ..review import Review
from ..targets.combine import agreements
from ..targets.derived import regions_by_name
from ..targets.make import Target
from ..targets.margin_recipe import CONSENSUS_MINIMUM_MM, CONSENSUS_SOURCE, RECIPE, SmallestMargin
from ..targets.organs_entered import EnteredOrgan, organs_entered
from ..targets.region import Region


def agreement_entries(review: Review, new_targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Return how the targets seen in images agree with each other and with the contoured GTVs, two by two."""
    seen = [target.region for target in new_targets if target.region.modality and "margin_mm" not in target.facts]
    if not seen:
        return []
    names = {region.name for region in seen}
    drawn = [
        organ.name
        for organ in review.organs
        if organ.match.is_target and organ.name.upper().startswith("GTV") and organ.name not in _names(new_targets)
    ]
    regions = [*seen, *regions_by_name((), review.reference.structures, drawn)]
    found = [pair for pair in agreements(regions) if names & {pair.first, pair.second}]
    return [
        {
            "first": pair.first,
            "second": pair.second,
            "dice": pair.dice,
            "mean_distance_mm": pair.mean_distance_mm,
            "hausdorff_95_mm": pair.hausdorff_95_mm,
            "centroid_shift_mm": float(np.linalg.norm(pair.centroid_shift_mm)),
            "centroid_shift_lps_mm": pair.centroid_shift_mm.tolist(),
            "first_cc": pair.first_cc,
            "second_cc": pair.second_cc,
            "common_cc": pair.common_cc,
            "first_only_cc": pair.first_cc - pair.common_cc,
            "second_only_cc": pair.second_cc - pair.common_cc,
        }
        for pair in found
    ]


def entered_by_target(
    review: Review, new_targets: Sequence[Target], constraints: Sequence[ConstraintResult]
) -> dict[str, list[EnteredOrgan]]:
    """Return the organs that each PTV, and each target with a margin made here, enters."""
    made = {target.structure.name: target.region for target in new_targets if "margin_mm" in target.facts}
    drawn = [
        organ.name
        for organ in review.organs
        if organ.match.is_target and organ.name.upper().startswith("PTV") and organ.name not in _names(new_targets)
    ]
    regions: list[Region] = [*made.values(), *regions_by_name((), review.reference.structures, drawn)]
    organs = [organ for organ in review.organs if organ.name not in _names(new_targets)]
    return {region.name: organs_entered(region, organs, constraints) for region in regions}


def entered_entries(entered: Sequence[EnteredOrgan]) -> list[dict[str, Any]]:
    """Return the organs that a target enters, with the room that the tightest rule leaves."""
    return [
        {
            "organ": each.organ,
            "overlap_cc": each.overlap_cc,
            "overlap_percent": each.overlap_percent,
            "near_its_limit": each.is_near_its_limit,
            **_rule(each.tightest),
        }
        for each in entered
    ]


def entered_notices(entered: dict[str, list[EnteredOrgan]]) -> list[Notice]:
    """Return what the user must know: targets that enter an organ near its limit."""
    return [each.notice(target) for target, organs in entered.items() for each in organs if each.is_near_its_limit]


def margin_entry(margin: SmallestMargin) -> dict[str, Any]:
    """Return the smallest margin from CTV to PTV with everything it follows from."""
    return {
        **asdict(margin),
        "recipe": RECIPE,
        "consensus_minimum_mm": CONSENSUS_MINIMUM_MM,
        "consensus_source": CONSENSUS_SOURCE,
    }


def _rule(row: ConstraintResult | None) -> dict[str, Any]:
    if row is None:
        return dict.fromkeys(("protocol", "metric", "value", "limit", "unit", "headroom", "verdict"))
    return {
        "protocol": row.protocol,
        "metric": row.metric,
        "value": row.value,
        "limit": row.limit,
        "unit": row.unit,
        "headroom": row.headroom,
        "verdict": row.verdict,
    }


def _names(targets: Sequence[Target]) -> set[str]:
    return {target.structure.name for target in targets}
