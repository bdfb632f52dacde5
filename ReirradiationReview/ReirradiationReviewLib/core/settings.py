"""The user's choices that a review follows at once: nothing here needs a dose to be mapped again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

# Late-responding tissue: what the one composite picture is drawn with, and always named beside it.
DISPLAY_ALPHA_BETA_GY = 3.0
# RADAR's radius (Mechalakos 2025, PMC12928241).
SEARCH_MM = 3.0


@dataclass(frozen=True)
class Settings:
    """The user's choices.

    Parameters
    ----------
    alpha_beta_gy, repair_half_time_hours, recovery
        By structure name or TG-263 name; they win over the tables. Recovery is a fraction of EQD2, 0 to 1.
    recovery_table
        Table of recovery by organ and interval, by identifier or file; empty for no recovery but the user's.
    interval_months
        Interval from a course to the reference course, by the course's label; it wins over the dates.
    delivered, delivery, rbe
        Delivered fractions, how each fraction is given (`biology.delivery.parse_delivery`) and what is to be done about
        the RBE (`biology.rbe.parse_rbe`), by plan label or plan UID; they win over the files.
    repopulation
        What a target regains by growing, by its name; see `biology.schedule.parse_growth`.
    protocols
        Constraint sets, by identifier or file.
    display_alpha_beta_gy
        Alpha/beta of the composite that is drawn and exported.
    left_out
        Indices of courses that do not enter any sum.
    search_mm, search_within_organ
        For the range of values: how far the highest earlier dose is looked for (0: not at all), and whether only in the
        organ.
    registration_sd_mm
        For the range of values: standard deviation, per axis, of every registration's error; 0 for what is usual for
        its kind.
    """

    alpha_beta_gy: Mapping[str, float] = field(default_factory=dict)
    repair_half_time_hours: Mapping[str, float] = field(default_factory=dict)
    recovery: Mapping[str, float] = field(default_factory=dict)
    recovery_table: str = ""
    interval_months: Mapping[str, float] = field(default_factory=dict)
    delivered: Mapping[str, int] = field(default_factory=dict)
    delivery: Mapping[str, str] = field(default_factory=dict)
    rbe: Mapping[str, str] = field(default_factory=dict)
    repopulation: Mapping[str, str] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("beddok_2022",)
    display_alpha_beta_gy: float = DISPLAY_ALPHA_BETA_GY
    left_out: frozenset[int] = frozenset()
    search_mm: float = SEARCH_MM
    search_within_organ: bool = True
    registration_sd_mm: float = 0.0


def settings_record(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON-ready data, for a saved scene."""
    return {name: _plain(getattr(settings, name)) for name in _DEFAULTS}


def settings_of(record: Mapping[str, Any]) -> Settings:
    """Return the settings of a record; what it does not name (a scene of an earlier version) is at its default."""
    return Settings(**{name: type(_DEFAULTS[name])(value) for name, value in record.items() if name in _DEFAULTS})


_DEFAULTS = {field.name: getattr(Settings(), field.name) for field in fields(Settings)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
