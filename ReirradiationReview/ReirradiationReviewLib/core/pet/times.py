"""The time that PET values stand for, and the time of the injection.

The order of the sources follows the IBSI manual for SUV computation (oncoray/suv_computation) and the QIBA
vendor-neutral pseudo-code.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from ..errors import Notice
from .facts import PetFacts, SliceTimes

# Stated injection times are believed if the uptake lasted from -1 hour to two half-lives; for nuclides of less than
# 11.5 hours the date can be told from the time of day (IBSI manual; pyCERR).
_EARLIEST_UPTAKE_S = -3600.0
_MOST_HALF_LIVES = 2.0
_SHORT_LIVED_S = 41400.0
# Where only a time of day is known: with a longer uptake hardly any activity is left, so the time must be wrong.
_MOST_HALF_LIVES_OF_DAYTIME = 4.0


def average_time_s(duration_s: float, half_life_s: float) -> float:
    """Return when, after the beginning of a frame, the activity equals the frame's mean (PS3.3 C.8.9.4.1.5)."""
    x = math.log(2) * duration_s / half_life_s
    if x < 1e-9:
        return duration_s / 2
    return -math.log(-math.expm1(-x) / x) * half_life_s / math.log(2)


def value_time(facts: PetFacts, times: SliceTimes, half_life_s: float) -> tuple[datetime, str]:
    """Return the time that a slice's values stand for, and how it is known.

    Raises
    ------
    ReirradiationError
        If it cannot be known.
    """
    if facts.decay_correction == "NONE":
        return _measured(facts, times, half_life_s), "middle of each frame: the values are not decay-corrected"
    if facts.stated_reference is not None:
        return facts.stated_reference
    first = min((s.acquired for s in facts.slices.values() if s.acquired is not None), default=None)
    if first is not None and first == facts.series_at:
        return first, "SeriesTime (0008,0031), at which the first acquisition began"
    if times.acquired is not None and times.frame_reference_s is not None:
        if _is_ge(facts):
            return (
                times.acquired - timedelta(seconds=times.frame_reference_s),
                "AcquisitionTime (0008,0032) less FrameReferenceTime (0054,1300), as GE counts it",
            )
        if times.duration_s:
            ahead_s = average_time_s(times.duration_s, half_life_s) - times.frame_reference_s
            return (
                times.acquired + timedelta(seconds=ahead_s),
                "AcquisitionTime (0008,0032), FrameReferenceTime (0054,1300) and ActualFrameDuration (0018,1242)",
            )
    if facts.series_at is None:
        raise facts.missing(
            "neither SeriesTime (0008,0031) nor AcquisitionTime (0008,0032) with FrameReferenceTime (0054,1300) says "
            "which time its values are decay-corrected to",
            "--pet-decay-reference",
        )
    return facts.series_at, "SeriesTime (0008,0031) alone, which may be that of a later processing"


def injection_time(facts: PetFacts, values_at: datetime, half_life_s: float) -> tuple[datetime, list[Notice]]:
    """Return when the tracer was injected.

    Raises
    ------
    ReirradiationError
        If nothing says it, or what does cannot be right.
    """
    stated = facts.injected_at
    if stated is not None and _EARLIEST_UPTAKE_S <= _uptake_s(stated, values_at) < _MOST_HALF_LIVES * half_life_s:
        return stated, _before_injection(facts, stated, values_at)
    time_of_day_s = facts.injected_time_s
    if time_of_day_s is None and stated is not None:
        time_of_day_s = _uptake_s(stated.replace(hour=0, minute=0, second=0, microsecond=0), stated)
    if time_of_day_s is None:
        raise facts.missing(
            "RadiopharmaceuticalStartDateTime (0018,1078) and RadiopharmaceuticalStartTime (0018,1072) are missing",
            "--pet-injection",
        )
    if half_life_s >= _SHORT_LIVED_S or any(word.startswith("injection =") for word in facts.entered):
        raise facts.missing(
            f"the injection at {stated or 'an unknown date'} does not fit the values' time {values_at}",
            "--pet-injection",
        )
    injected = values_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(seconds=time_of_day_s)
    if _uptake_s(injected, values_at) < _EARLIEST_UPTAKE_S:
        injected -= timedelta(days=1)
    uptake_s = _uptake_s(injected, values_at)
    if uptake_s > _MOST_HALF_LIVES_OF_DAYTIME * half_life_s:
        raise facts.missing(
            f"the injection at {injected:%H:%M:%S} (RadiopharmaceuticalStartTime (0018,1072)) would be "
            f"{uptake_s / 3600:.1f} hours before the values' time {values_at}, which cannot be right",
            "--pet-injection",
        )
    why = "differs from the scan's" if stated is not None else "is missing"
    text = f"the date of the injection {why}; by its time of day it was {injected} (uptake {uptake_s / 60:.0f} minutes)"
    return injected, [Notice("pet-injection-date", text, facts.name), *_before_injection(facts, injected, values_at)]


def _measured(facts: PetFacts, times: SliceTimes, half_life_s: float) -> datetime:
    if times.acquired is None or not times.duration_s:
        what = "AcquisitionTime (0008,0032)" if times.acquired is None else "ActualFrameDuration (0018,1242)"
        raise facts.missing(
            f"DecayCorrection (0054,1102) is NONE and {what} is missing", "--pet-decay-correction if it is wrong"
        )
    return times.acquired + timedelta(seconds=average_time_s(times.duration_s, half_life_s))


def _uptake_s(injected: datetime, values_at: datetime) -> float:
    return (values_at - injected).total_seconds()


def _before_injection(facts: PetFacts, injected: datetime, values_at: datetime) -> list[Notice]:
    if injected <= values_at:
        return []
    text = f"the injection ({injected}) is later than the time of the values ({values_at}); check both"
    return [Notice("pet-injection-after-scan", text, facts.name)]


def _is_ge(facts: PetFacts) -> bool:
    return "GE" in facts.manufacturer.upper().replace("-", " ").split()
