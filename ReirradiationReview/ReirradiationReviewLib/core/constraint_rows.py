"""One rule of a constraint set: what its limit is about, and where it breaks."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Quantity = Literal["EQD2", "BED", "physical"]
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
        See `core.organs.dvh.metric`.
    stands_for
        ``"Dmax"`` where the source names a maximum without defining it and ``metric`` is this project's reading of
        it; else empty.
    alpha_beta_gy
        The alpha/beta that the limit was derived with; None where the source does not say: the organ's is used.
    limit
        Where the rule breaks.
    near_limit
        Where it begins to be near: the other end of the source's band, or a margin of the protocol.
    unit
        Of ``limit``: ``"Gy"``, ``"cc"`` or ``"%"``.
    conditions
        Interval and technique that the rule was made for, in words.
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

    def limit_text(self) -> str:
        """Return the limit with its sense and unit, e.g. ``"< 57 Gy"``."""
        return f"{self.direction} {self.limit:g} {self.unit}"
