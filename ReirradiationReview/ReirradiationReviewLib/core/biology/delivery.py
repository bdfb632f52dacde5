"""How the fractions of a plan are given, and the quadratic factor that follows for a repair half-time.

`Fractions` a day apart are the default. Everything here enters the moments of the dose as one factor on ``S = W[D^2]``
(`biology.lq`), so a change of delivery, repair half-time or alpha/beta needs no new warp.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import Notice, ReirradiationError
from .brachytherapy import continuous_factor, permanent_factor, pulsed_factor
from .checks import check_positive
from .repair import SHORTEST_USUAL_INTERVAL_HOURS, check_day, incomplete_repair_factor


class Delivery(ABC):
    """How each fraction (or brachytherapy application) of a plan is given."""

    @abstractmethod
    def quadratic_factor(self, repair_half_time_hours: float) -> float:
        """Return ``q`` of the dose of one fraction, for mono-exponential repair."""

    @abstractmethod
    def text(self) -> str:
        """Return the delivery in words."""

    @property
    def depends_on_repair(self) -> bool:
        """Whether ``q`` depends on the repair half-time, so that LQ-L does not apply."""
        return True

    def notices(self, plan: str) -> list[Notice]:
        """Return what the user must know of a plan given in this way."""
        del plan
        return []


@dataclass(frozen=True)
class Fractions(Delivery):
    """Acute fractions: external beams, or HDR brachytherapy.

    Parameters
    ----------
    interval_hours
        Between the fractions of a day; needed with two or three a day.
    """

    per_day: int = 1
    interval_hours: float | None = None
    is_hdr: bool = False

    def __post_init__(self) -> None:
        """Refuse a day that the model of incomplete repair does not hold for."""
        check_day(self.per_day, self.interval_hours)

    def quadratic_factor(self, repair_half_time_hours: float) -> float:
        """See `biology.repair`."""
        return incomplete_repair_factor(self.per_day, self.interval_hours, repair_half_time_hours)

    def text(self) -> str:
        """Return the delivery in words."""
        kind = "HDR brachytherapy" if self.is_hdr else "fractions"
        if self.per_day == 1:
            return f"{kind}, repair complete between them"
        return f"{kind}, {self.per_day} a day {self.interval_hours:g} h apart, incomplete repair between them"

    @property
    def depends_on_repair(self) -> bool:
        """Whether there is more than one fraction a day."""
        return self.per_day > 1

    def notices(self, plan: str) -> list[Notice]:
        """Warn of an interval shorter than usual, and of the dose next to an HDR source."""
        found = []
        if self.interval_hours is not None and self.per_day > 1 and self.interval_hours < SHORTEST_USUAL_INTERVAL_HOURS:
            text = (
                f"plan {plan!r}: {self.interval_hours:g} h between the fractions of a day is less than the usual "
                f"minimum of {SHORTEST_USUAL_INTERVAL_HOURS:g} h; check it"
            )
            found.append(Notice("short-interval", text, plan))
        if self.is_hdr:
            text = f"plan {plan!r}: next to the source the dose per fraction is large, and LQ overestimates its effect"
            found.append(Notice("hdr-near-source", text, plan))
        return found


@dataclass(frozen=True)
class LowDoseRate(Delivery):
    """Temporary brachytherapy at a constant rate; ``hours`` for each application."""

    hours: float

    def __post_init__(self) -> None:
        """Refuse a time that is not above 0."""
        check_positive(self.hours, "the time of the application", "h")

    def quadratic_factor(self, repair_half_time_hours: float) -> float:
        """See `biology.brachytherapy`."""
        return continuous_factor(self.hours, repair_half_time_hours)

    def text(self) -> str:
        """Return the delivery in words."""
        return f"LDR brachytherapy, {self.hours:g} h at a constant rate"


@dataclass(frozen=True)
class PulsedDoseRate(Delivery):
    """Pulsed brachytherapy: pulses of each application, their length, and from one start to the next."""

    pulses: int
    pulse_minutes: float
    period_minutes: float

    def __post_init__(self) -> None:
        """Refuse pulses that overlap, or are none."""
        if self.pulses != int(self.pulses) or self.pulses < 1:
            raise ReirradiationError(f"{self.pulses:g} pulses: give a whole number of 1 or more")
        check_positive(self.pulse_minutes, "the length of a pulse", "min")
        check_positive(self.period_minutes, "the time from pulse to pulse", "min")
        if self.period_minutes < self.pulse_minutes:
            raise ReirradiationError(
                f"pulses of {self.pulse_minutes:g} min cannot start every {self.period_minutes:g} min: the period is "
                "counted from the start of one pulse to the start of the next"
            )

    def quadratic_factor(self, repair_half_time_hours: float) -> float:
        """See `biology.brachytherapy`."""
        return pulsed_factor(self.pulses, self.pulse_minutes / 60, self.period_minutes / 60, repair_half_time_hours)

    def text(self) -> str:
        """Return the delivery in words."""
        return (
            f"PDR brachytherapy, {self.pulses} pulses of {self.pulse_minutes:g} min, one every "
            f"{self.period_minutes:g} min"
        )


@dataclass(frozen=True)
class PermanentImplant(Delivery):
    """Permanent sources, dose to complete decay."""

    source_half_life_days: float

    def __post_init__(self) -> None:
        """Refuse a half-life that is not above 0."""
        check_positive(self.source_half_life_days, "the half-life of the source", "days")

    def quadratic_factor(self, repair_half_time_hours: float) -> float:
        """See `biology.brachytherapy`."""
        return permanent_factor(self.source_half_life_days, repair_half_time_hours)

    def text(self) -> str:
        """Return the delivery in words."""
        return f"permanent implant, half-life {self.source_half_life_days:g} days, dose to complete decay"


DAILY = Fractions()
# How a user writes a delivery: kind, then key=value pairs, all of them needed.
_KINDS: dict[str, tuple[str, ...]] = {
    "daily": (),
    "hyperfractionated": ("per-day", "interval-hours"),
    "hdr": (),
    "ldr": ("hours",),
    "pdr": ("pulses", "pulse-minutes", "period-minutes"),
    "permanent": ("half-life-days",),
}
DELIVERY_FORMS = ", ".join(
    kind + (":" + ",".join(f"{key}=N" for key in keys) if keys else "") for kind, keys in _KINDS.items()
)


def parse_delivery(text: str) -> Delivery:
    """Return the delivery that a text such as ``"pdr:pulses=60,pulse-minutes=10,period-minutes=60"`` describes.

    Raises
    ------
    ReirradiationError
        If the text has another form, or the numbers are out of range.
    """
    kind, _, rest = text.strip().lower().partition(":")
    if kind not in _KINDS:
        raise ReirradiationError(f"{text!r} is no delivery: write one of {DELIVERY_FORMS}")
    values = _values(text, rest, _KINDS[kind])
    if kind == "hyperfractionated":
        return Fractions(_whole(text, values["per-day"]), values["interval-hours"])
    if kind == "ldr":
        return LowDoseRate(values["hours"])
    if kind == "pdr":
        return PulsedDoseRate(_whole(text, values["pulses"]), values["pulse-minutes"], values["period-minutes"])
    if kind == "permanent":
        return PermanentImplant(values["half-life-days"])
    return Fractions(is_hdr=kind == "hdr")


def _values(text: str, rest: str, keys: tuple[str, ...]) -> Mapping[str, float]:
    values: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        try:
            values[key.strip()] = float(value)
        except ValueError as error:
            raise ReirradiationError(f"{text!r}: {value!r} of {key.strip()!r} is no number") from error
    if set(values) != set(keys):
        needed = ", ".join(keys) or "no further numbers"
        raise ReirradiationError(f"{text!r}: this delivery takes {needed}; write one of {DELIVERY_FORMS}")
    return values


def _whole(text: str, value: float) -> int:
    if value != round(value):
        raise ReirradiationError(f"{text!r}: {value:g} is not a whole number")
    return round(value)
