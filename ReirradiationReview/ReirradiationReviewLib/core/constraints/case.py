"""What a rule is evaluated on: a dose that says what it is, and the circumstances of the case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import ReirradiationError
from ..organs.dvh import DoseFigures
from .rows import Basis, ConstraintRow, Quantity, Span

Met = Literal["met", "not met", "unknown"]


@dataclass(frozen=True)
class RowDose:
    """The dose of one organ, labelled: it can only be held against a row of the same quantity and basis.

    Parameters
    ----------
    alpha_beta_gy
        What it was computed with; without meaning for physical dose.
    low
        From the known contributions alone.
    high
        With unknown contributions bounded from above; None where all is known.
    incomplete_percent
        Share of the volume where at least one contribution is not known.
    recovery
        What was forgiven of earlier courses, in words, or what was set but is not counted on this basis; empty where
        there is nothing to say.
    """

    quantity: Quantity
    basis: Basis
    alpha_beta_gy: float
    low: DoseFigures
    high: DoseFigures | None = None
    incomplete_percent: float = 0.0
    recovery: str = ""

    @property
    def bounds(self) -> tuple[DoseFigures, ...]:
        """The one dose that is known, or the lower and the upper bound."""
        return (self.low,) if self.high is None else (self.low, self.high)

    def refuse_mix(self, protocol: str, row: ConstraintRow, basis: Basis) -> None:
        """Refuse to be held against a row that is about something else.

        Raises
        ------
        ReirradiationError
            If quantity, basis or alpha/beta differ from the row's.
        """
        rule = f"{protocol}, row {row.id!r}"
        if self.quantity != row.quantity:
            raise ReirradiationError(
                f"{rule} is about {row.quantity}, but the dose handed in is {self.quantity}: do not mix"
            )
        if self.basis != basis:
            raise ReirradiationError(
                f"{rule} holds for the basis {basis}, but the dose handed in is {self.basis}: recovery would be "
                "counted twice or not at all"
            )
        if row.alpha_beta_gy is not None and abs(row.alpha_beta_gy - self.alpha_beta_gy) > 1e-9:
            raise ReirradiationError(
                f"{rule} was derived with alpha/beta {row.alpha_beta_gy:g} Gy, but the dose handed in was computed "
                f"with {self.alpha_beta_gy:g} Gy"
            )


@dataclass(frozen=True)
class Circumstances:
    """What the case is, for rows that were made for some cases only; None where not known.

    Parameters
    ----------
    interval_months
        Shortest interval between an earlier course and the new one.
    new_course_fractions
        All fractions of the new course.
    """

    interval_months: float | None = None
    new_course_fractions: int | None = None

    def interval_is(self, row: ConstraintRow) -> Met:
        """Return whether the interval is one that the row was made for."""
        return _is(row.interval_months, self.interval_months)

    def fractionation_is(self, row: ConstraintRow) -> Met:
        """Return whether the new course is fractionated as the row was made for."""
        return _is(row.new_course_fractions, self.new_course_fractions)

    def sentences(self, row: ConstraintRow) -> list[str]:
        """Return where the case differs from what the row was made for."""
        return [
            *_sentences("the interval between the courses", row.interval_months, self.interval_months, "months"),
            *_sentences("the new course", row.new_course_fractions, self.new_course_fractions, "fractions"),
        ]


def _is(span: Span | None, value: float | None) -> Met:
    if span is None:
        return "met"
    if value is None:
        return "unknown"
    return "met" if span.holds(value) else "not met"


def _sentences(what: str, span: Span | None, value: float | None, unit: str) -> list[str]:
    if span is None:
        return []
    made_for = f"the row was made for {span.text()} {unit}"
    if value is None:
        return [f"Condition not checked: {made_for}, and {what} is not known."]
    if not span.holds(value):
        verb = "is" if unit == "months" else "has"
        return [f"CONDITION NOT MET: {made_for}, but {what} {verb} {value:.4g} {unit}."]
    return []
