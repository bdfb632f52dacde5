"""How a brachytherapy plan (RTPLAN with the Brachy Application Setups module, PS3.3 C.8.8.15) is given."""

from __future__ import annotations

from ..errors import Notice
from .objects import DicomFile, Item

_SECONDS_PER_HOUR = 3600.0
# Channels of one implant are loaded together; their times agree but for rounding.
_SAME_TIME = 0.01


def read_brachytherapy(file: DicomFile) -> str:
    """Return the delivery as `biology.delivery.parse_delivery` reads it; empty where the file does not tell all of it.

    HDR; a permanent implant whose sources have one half-life; LDR whose channels have one time. The length of a pulse
    is not stated by the standard (Channel Total Time may be of one pulse or of all), so PDR has to be entered.
    """
    kind = file.code("BrachyTreatmentType")
    if file.code("BrachyTreatmentTechnique") == "PERMANENT":
        days = {source.number("SourceIsotopeHalfLife") for source in file.items("SourceSequence")}
        half_life = days.pop() if len(days) == 1 else None
        return f"permanent:half-life-days={half_life:g}" if half_life else ""
    if kind == "HDR":
        return "hdr"
    if kind == "LDR":
        times = [time for channel in _channels(file) if (time := channel.number("ChannelTotalTime"))]
        if times and max(times) <= min(times) * (1 + _SAME_TIME):
            return f"ldr:hours={max(times) / _SECONDS_PER_HOUR:g}"
    return ""


def brachytherapy_notices(file: DicomFile, label: str, delivery: str) -> list[Notice]:
    """Return how a brachytherapy plan is taken, or that it cannot be told and is taken as acute fractions."""
    kind, technique = file.code("BrachyTreatmentType"), file.code("BrachyTreatmentTechnique")
    if not kind and technique != "PERMANENT":
        return []
    what = technique if technique == "PERMANENT" else f"BrachyTreatmentType (300A,0202) {kind}"
    if delivery:
        text = f"plan {label!r} is brachytherapy, {what}; its delivery is taken from the plan: {delivery}"
        return [Notice("plan-brachytherapy", text, label)]
    text = (
        f"plan {label!r} is brachytherapy, {what}, but the plan does not say all about its times; it is converted as "
        f"acute fractions, which overestimates the effect of protracted irradiation; enter it with "
        f"--delivery {label!r}={_form(file, kind, technique)}"
    )
    return [Notice("plan-protracted", text, label)]


def _form(file: DicomFile, kind: str, technique: str) -> str:
    """Return what the user has to enter, with what the plan does say filled in."""
    if technique == "PERMANENT":
        return "permanent:half-life-days=N"
    if kind == "PDR":
        channels = _channels(file)
        pulses = next((n for channel in channels if (n := channel.integer("NumberOfPulses"))), None)
        seconds = next((s for channel in channels if (s := channel.number("PulseRepetitionInterval"))), None)
        period = f"{seconds / 60:g}" if seconds else "N"
        return f"pdr:pulses={pulses or 'N'},pulse-minutes=N,period-minutes={period}"
    return "ldr:hours=N"


def _channels(file: DicomFile) -> list[Item]:
    return [channel for setup in file.items("ApplicationSetupSequence") for channel in setup.items("ChannelSequence")]
