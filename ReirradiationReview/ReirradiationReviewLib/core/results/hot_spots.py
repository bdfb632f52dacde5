"""Where each structure is hottest, as data."""

from __future__ import annotations

import math
from typing import Any

from ..hot_spots import HOT_CC, HotSpot, hot_spot
from ..organ_dose import OrganDose
from ..review import Review


def hot_spot_entry(review: Review, organ: OrganDose) -> dict[str, Any]:
    """Return where the organ's composite EQD2 is highest, and what each course and plan gives there."""
    entry: dict[str, Any] = {"structure": organ.name, "metric": f"composite EQD2, hottest {HOT_CC:g} cc"}
    spot = hot_spot(review, organ)
    if spot is None:
        return {**entry, "position_lps_mm": None, "dose_gy": None, "shares": [], "plans": []}
    return {
        **entry,
        "volume_cc": spot.volume_cc,
        "position_lps_mm": spot.centre_lps.tolist(),
        "elsewhere_cc": spot.elsewhere_cc,
        "dose_gy": spot.mean_gy,
        "lowest_gy": spot.lowest_gy,
        "shares": [_of_course(review, spot, index) for index in range(len(review.courses))],
        "plans": [
            {
                "course": review.courses[share.course_index].label,
                "plan": share.plan,
                "dose_gy": share.eqd2_gy,
                "distance_to_grid_edge_mm": share.edge_mm,
            }
            for share in spot.shares
        ],
        "registration": _registration(review, organ),
    }


def _registration(review: Review, organ: OrganDose) -> list[dict[str, Any]]:
    """Return how good each registration was found to be at the organ; nothing where it was not measured."""
    return [
        {"course": review.courses[index].label, "verdict": found.verdict, "uncertainty_mm": found.uncertainty_mm}
        for index, quality in review.quality.items()
        for found in quality.organs
        if found.structure == organ.name
    ]


def _of_course(review: Review, spot: HotSpot, index: int) -> dict[str, Any]:
    known = [s.eqd2_gy for s in spot.shares if s.course_index == index and not math.isnan(s.eqd2_gy)]
    return {"course": review.courses[index].label, "dose_gy": sum(known) if known else None}
