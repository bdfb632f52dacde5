"""Where each structure is hottest, as data."""

from __future__ import annotations

import math
from typing import Any

from ..hot_spots import HOT_CC, HotSpot, hot_spot
from ..organ_dose import OrganDose
from ..review import Review

# Samples of one spot lie within a few mm; beyond this, its centre is the centre of several.
_ONE_SPOT_MM = 10.0


def hot_spot_entry(review: Review, organ: OrganDose) -> dict[str, Any]:
    """Return where the organ's composite EQD2 is highest, and what each course and plan gives there."""
    entry: dict[str, Any] = {"structure": organ.name, "metric": f"mean EQD2 of the hottest {HOT_CC:g} cc"}
    spot = hot_spot(review, organ)
    if spot is None:
        return {**entry, "position_lps_mm": None, "dose_gy": None, "shares": [], "plans": []}
    return {
        **entry,
        "volume_cc": spot.volume_cc,
        "position_lps_mm": spot.centre_lps.tolist(),
        "spread_mm": spot.spread_mm,
        "in_one_place": spot.spread_mm <= _ONE_SPOT_MM,
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
    }


def _of_course(review: Review, spot: HotSpot, index: int) -> dict[str, Any]:
    known = [s.eqd2_gy for s in spot.shares if s.course_index == index and not math.isnan(s.eqd2_gy)]
    return {"course": review.courses[index].label, "dose_gy": sum(known) if known else None}
