"""One rule of a constraint set: what its limit is about, and where it breaks."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Quantity = Literal["EQD2", "BED", "physical", "time"]
Basis = Literal["cumulative_undiscounted", "discounted_vs_first", "current_only"]
Direction = Literal["<", "<=", ">", ">="]
Status = Literal["verified", "unverified", "disputed"]

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Span:
    """A range with both ends in it; None where an end is open."""

    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        """Return whether a value lies in the range."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def text(self) -> str:
        """Return the range in words, e.g. ``"at least 5"``, ``"6 to 12"``, ``"3"``."""
        if self.high is None:
            return f"at least {self.low:g}"
        if self.low is None:
            return f"at most {self.high:g}"
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class ConstraintRow:
    """One rule of a protocol.

    Parameters
    ----------
    id
        Unique within the protocol.
    label
        The organ in words.
    organs
        TG-263 names of the structures that the rule is evaluated on, each by itself.
    metric
        See `core.organs.dvh.metric`; ``"interval"`` for a rule about time.
    stands_for
        ``"Dmax"`` where the source names a maximum without defining it and ``metric`` is this project's reading of
        it; else empty.
    quantity
        ``"time"`` for a rule about the interval between courses.
    alpha_beta_gy
        The alpha/beta that the limit was derived with; None where the source does not say: the organ's is used.
    limit
        Where the rule breaks.
    near_limit
        Where it begins to be near: the other end of the source's band, or a margin of the protocol.
    unit
        Of ``limit``: ``"Gy"``, ``"cc"``, ``"%"``, ``"months"``, or ``"ratio"``.
    relative_to
        The value is divided by that of the same metric on this basis; None for a value that stands by itself.
    interval_months, new_course_fractions
        Interval and fractionation of the new course that the row was made for; None where the source sets none.
    conditions
        What else the row was made for, in words.
    printed
        The row as it stands in the source.
    correction
        What was changed against the print, and why; empty if nothing.
    caution
        What a reader of the verdict must know; for a disputed row, why there is no verdict.
    """

    id: str
    label: str
    organs: tuple[str, ...]
    metric: str
    stands_for: str
    quantity: Quantity
    alpha_beta_gy: float | None
    direction: Direction
    limit: float
    near_limit: float
    unit: str
    basis: Basis
    relative_to: Basis | None
    interval_months: Span | None
    new_course_fractions: Span | None
    conditions: tuple[str, ...]
    source: str
    evidence: str
    status: Status
    printed: str
    correction: str
    caution: str

    def holds(self, value: float) -> bool:
        """Return whether a value keeps the limit."""
        return _HOLDS[self.direction](value, self.limit)

    def is_clear(self, value: float) -> bool:
        """Return whether a value keeps the limit with room to spare."""
        return _HOLDS[self.direction](value, self.near_limit)

    @property
    def is_upper_limit(self) -> bool:
        """Whether lower values are better."""
        return self.direction in ("<", "<=")

    @property
    def unit_text(self) -> str:
        """The unit as written behind a number; empty for a ratio."""
        return "" if self.unit == "ratio" else f" {self.unit}"

    def limit_text(self) -> str:
        """Return the limit with its sense and unit, e.g. ``"< 57 Gy"``."""
        return f"{self.direction} {self.limit:g}{self.unit_text}"

    def made_for(self) -> list[str]:
        """Return what the row was made for, in words."""
        found = list(self.conditions)
        if self.interval_months:
            found.append(f"an interval of {self.interval_months.text()} months")
        if self.new_course_fractions:
            found.append(f"a new course in {self.new_course_fractions.text()} fractions")
        return found
