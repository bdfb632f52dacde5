"""Organs that a target enters, and whether one of them is near its limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..constraints import ConstraintResult
from ..errors import Notice
from ..organ_dose import OrganDose
from .region import Region, depth_at

# What a planner has to know of first.
_URGENCY = ("fail", "near", "unknown", "note", "pass")
_NEAR_ITS_LIMIT = ("fail", "near", "unknown")
_BODY = "External"
# An organ without a rule stands after all others.
_NO_RULE = (float(len(_URGENCY)), 0.0)


@dataclass(frozen=True)
class EnteredOrgan:
    """An organ that a target has in common with.

    Parameters
    ----------
    overlap_cc, overlap_percent
        What they have in common, as volume and as share of the organ.
    tightest
        The organ's constraint with the least room; None where no rule is about it.
    """

    organ: str
    overlap_cc: float
    overlap_percent: float
    tightest: ConstraintResult | None

    @property
    def is_near_its_limit(self) -> bool:
        """Whether a rule about it is broken, nearly so, or cannot be judged."""
        return self.tightest is not None and self.tightest.verdict in _NEAR_ITS_LIMIT

    def notice(self, target: str) -> Notice:
        """Return what the user must know of an organ that is near its limit."""
        assert self.tightest is not None
        row = self.tightest
        room = "is not known" if row.verdict == "unknown" else f"is {row.headroom:.2f} {row.unit}"
        text = (
            f"{target} enters {self.organ} by {self.overlap_cc:.2f} cc ({self.overlap_percent:.1f} % of it), whose "
            f"room to the limit of {row.metric} by {row.protocol} {room} ({row.verdict})"
        )
        return Notice("target-enters-organ", text, target)


def organs_entered(
    region: Region, organs: Sequence[OrganDose], constraints: Sequence[ConstraintResult]
) -> list[EnteredOrgan]:
    """Return the organs that a target enters, those with the least room first.

    Parameters
    ----------
    constraints
        Of the review: with the doses as they are now.
    """
    corners = region.depth.corners_lps()
    low, high = corners.min(axis=0), corners.max(axis=0)
    found = []
    for organ in organs:
        if organ.match.is_target or organ.match.tg263 == _BODY or organ.name == region.name:
            continue
        samples = organ.samples
        near = np.all((samples.points_lps > low) & (samples.points_lps < high), axis=1)
        inside = depth_at(region.depth, samples.points_lps[near]) > 0
        overlap_cc = float(samples.volumes_cc[near][inside].sum())
        if overlap_cc > 0:
            rows = [row for row in constraints if row.structure == organ.name]
            tightest = min(rows, key=_room, default=None)
            found.append(EnteredOrgan(organ.name, overlap_cc, 100.0 * overlap_cc / samples.volume_cc, tightest))
    return sorted(found, key=lambda entered: _NO_RULE if entered.tightest is None else _room(entered.tightest))


def _room(row: ConstraintResult) -> tuple[float, float]:
    """Return what sorts rows by the room they leave: verdict first, then headroom in units of the limit."""
    relative = row.headroom / row.limit if row.limit else row.headroom
    return float(_URGENCY.index(row.verdict)), -math.inf if math.isnan(relative) else relative
