"""What a figure of registration quality is held against, where that comes from, and the verdict that follows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "caution", "do not use", "unknown"]
Status = Literal["verified", "unverified", "own"]

_TG132_MEAN = (
    'TG-132: "2 mm average and 5 mm maximum", as quoted by Latifi 2018 (PMC6036411); that a mean beyond that maximum '
    "rules a registration out is this software's own rule"
)
_TG132_MAX = 'TG-132: "2 mm average and 5 mm maximum", as quoted by Latifi 2018 (PMC6036411)'
_TG132 = "TG-132 (Brock 2017); the number itself was not checked against the report"
_TG132_AND_OWN = f"caution: {_TG132}; do not use: this software's own bound"
_FOLDS = "a fold maps two places to one (TG-132; EQD2Viewer's DirQualityReport fails any fold)"
_OWN = "this software's own bound; no threshold is agreed on (Nenoff 2023, doi 10.1088/1361-6560/ad0d8a)"


@dataclass(frozen=True)
class Limit:
    """One figure's bounds.

    Parameters
    ----------
    metric
        Key of the figure, with its unit.
    words
        What it is called.
    caution, unusable
        From where on the figure asks for caution, and rules the registration out; None where it never does. Beyond
        means above, or below where ``more_is_better``.
    status
        ``verified``: the source says so; ``unverified``: quoted from memory of the source; ``own``: chosen here.
    """

    metric: str
    words: str
    caution: float | None
    unusable: float | None
    source: str
    status: Status
    more_is_better: bool = False

    def check(self, value: float | None) -> Check:
        """Return the verdict on a value; None and NaN are unknown."""
        if value is None or math.isnan(value):
            return Check(self, None, "unknown")
        if self._beyond(value, self.unusable):
            return Check(self, value, "do not use")
        return Check(self, value, "caution" if self._beyond(value, self.caution) else "good")

    def _beyond(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return False
        return value < bound if self.more_is_better else value > bound


@dataclass(frozen=True)
class Check:
    """A figure held against its limit."""

    limit: Limit
    value: float | None
    verdict: Verdict

    @property
    def reason(self) -> str:
        """Why the verdict is not good, in words; empty if it is."""
        if self.verdict not in ("caution", "do not use"):
            return ""
        bound = self.limit.unusable if self.verdict == "do not use" else self.limit.caution
        side = "below" if self.limit.more_is_better else "above"
        return f"{self.limit.words} {self.value:.3g} is {side} {bound:g}"


# Whole registration.
LANDMARKS_MEAN = Limit("landmarks_mean_mm", "mean landmark error (mm)", 2.0, 5.0, _TG132_MEAN, "verified")
LANDMARKS_MAX = Limit("landmarks_max_mm", "largest landmark error (mm)", 5.0, None, _TG132_MAX, "verified")
# Right pairs 0.85 (rigid, with real deformation left) and 0.99; the same pairs 5 mm off 0.59, 10 mm off 0.37, mirrored
# or of another place below 0.26. Scans of different years and contrast agree less than these.
CORRELATION = Limit("correlation", "correlation of the images", 0.75, 0.4, _OWN, "own", more_is_better=True)
# Of the field and its numerical inverse, not of a second registration the other way round.
INVERSE_MAX = Limit(
    "inverse_consistency_max_mm", "largest error of going there and back (mm)", 3.0, None, _TG132, "unverified"
)
FOLDED_ANYWHERE = Limit("folded_percent", "share of the field that is folded (%)", 0.0, None, _FOLDS, "unverified")

# One organ.
MEAN_DISTANCE = Limit("mean_distance_mm", "mean distance to agreement (mm)", 3.0, 5.0, _TG132_AND_OWN, "unverified")
DICE = Limit("dice", "Dice similarity", 0.8, 0.5, _TG132_AND_OWN, "unverified", more_is_better=True)
FOLDED = Limit("folded_percent", "share of the organ that is folded (%)", None, 0.0, _FOLDS, "unverified")
EXTREME_JACOBIAN = Limit(
    "jacobian_extreme_percent",
    "share with a Jacobian outside 0.2 to 2 (%)",
    1.0,
    None,
    "EQD2Viewer's DirQualityReport: extreme Jacobians in more than 1 % ask for caution",
    "unverified",
)
JACOBIAN_LOW = Limit("jacobian_percentile_1", "1st percentile of the Jacobian", 0.5, None, _OWN, "own", True)
JACOBIAN_HIGH = Limit("jacobian_percentile_99", "99th percentile of the Jacobian", 2.0, None, _OWN, "own")
COVERED = Limit("covered_percent", "share of it inside the earlier CT (%)", 95.0, 50.0, _OWN, "own", True)
LOCAL_CORRELATION = Limit("local_correlation", "local correlation of the images", 0.5, None, _OWN, "own", True)

_RANK: tuple[Verdict, ...] = ("unknown", "good", "caution", "do not use")


def worst(checks: Iterable[Check]) -> Verdict:
    """Return the worst of some verdicts; what is unknown counts only where nothing else is known."""
    return max((check.verdict for check in checks), key=_RANK.index, default="unknown")
