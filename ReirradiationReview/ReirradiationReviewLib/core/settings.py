"""The user's choices that a review follows at once: nothing here needs a dose to be mapped again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Late-responding tissue: what the one composite picture is drawn with, and always named beside it.
DISPLAY_ALPHA_BETA_GY = 3.0


@dataclass(frozen=True)
class Settings:
    """The user's choices.

    Parameters
    ----------
    alpha_beta_gy, repair_half_time_hours, recovery
        By structure name or TG-263 name; they win over the tables. Recovery is a fraction of EQD2, 0 to 1.
    protocols
        Constraint sets, by identifier or file.
    display_alpha_beta_gy
        Alpha/beta of the composite that is drawn and exported.
    left_out
        Indices of courses that do not enter any sum.
    """

    alpha_beta_gy: Mapping[str, float] = field(default_factory=dict)
    repair_half_time_hours: Mapping[str, float] = field(default_factory=dict)
    recovery: Mapping[str, float] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("beddok_2022",)
    display_alpha_beta_gy: float = DISPLAY_ALPHA_BETA_GY
    left_out: frozenset[int] = frozenset()
