"""One rule on one organ: the sum that the rule asks for, and the value and verdict that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .biology.recovery import Recovery
from .constraints import (
    Basis,
    Circumstances,
    ConstraintResult,
    ConstraintRow,
    RowDose,
    evaluate,
    evaluate_time,
    not_contoured,
)
from .dose_mapping import PlanWeight
from .linear_dose import LinearDose
from .organ_dose import BoundedDoseVolume, OrganDose

NOT_KNOWN = Circumstances()


@dataclass(frozen=True)
class RowCase:
    """A row of a protocol with an organ that it names.

    Parameters
    ----------
    protocol
        Identifier of the row's protocol.
    organ
        None where no structure is contoured that the row is about.
    alpha_beta_gy
        The row's own, else the organ's; NaN without organ.
    weights
        How each plan enters the sum that the row's basis asks for.
    undiscounted
        The same without recovery.
    relative
        How each plan enters the sum that the value is divided by; empty for a row that stands by itself.
    recovery
        What is forgiven, or is set but not counted on this basis, in words.
    circumstances
        What rows that were made for some cases only are checked against.
    """

    protocol: str
    row: ConstraintRow
    organ: OrganDose | None = None
    alpha_beta_gy: float = float("nan")
    weights: tuple[PlanWeight, ...] = ()
    undiscounted: tuple[PlanWeight, ...] = ()
    relative: tuple[PlanWeight, ...] = ()
    recovery: str = ""
    circumstances: Circumstances = NOT_KNOWN

    @property
    def is_one_dose(self) -> bool:
        """Whether the value is a figure of one dose: there is an organ, and the row is no ratio and not about time."""
        return self.organ is not None and self.row.quantity != "time" and self.row.relative_to is None

    def terms(self, alpha_beta_gy: float | None = None, weights: Sequence[PlanWeight] | None = None) -> LinearDose:
        """Return the sum in the row's quantity, by default with the alpha/beta and weights of the case."""
        assert self.organ is not None
        return self.organ.terms(self.row.quantity, weights or self.weights, alpha_beta_gy or self.alpha_beta_gy)

    def dose(self, terms: LinearDose | None = None) -> BoundedDoseVolume:
        """Return the organ's dose under a sum, by default the row's own."""
        assert self.organ is not None
        return self.organ.dose(terms or self.terms())

    def result(self) -> ConstraintResult:
        """Evaluate the row."""
        if self.organ is None:
            return not_contoured(self.protocol, self.row)
        if self.row.quantity == "time":
            return evaluate_time(self.protocol, self.row, structure=self.organ.name, circumstances=self.circumstances)
        whole = self.row.relative_to
        return evaluate(
            self.protocol,
            self.row,
            structure=self.organ.name,
            dose=self._row_dose(self.row.basis, self.weights),
            relative=self._row_dose(whole, self.relative) if whole else None,
            circumstances=self.circumstances,
        )

    def _row_dose(self, basis: Basis, weights: Sequence[PlanWeight]) -> RowDose:
        bounded = self.dose(self.terms(weights=weights))
        return RowDose(
            quantity=self.row.quantity,
            basis=basis,
            alpha_beta_gy=self.alpha_beta_gy,
            low=bounded.low,
            high=bounded.high if bounded.incomplete_percent else None,
            incomplete_percent=bounded.incomplete_percent,
            recovery=self.recovery,
        )


def recovery_sentence(basis: Basis, courses: Sequence[str], recoveries: Sequence[Recovery]) -> str:
    """Return what is forgiven of the courses on a basis, or that nothing is though something is set."""
    forgiven = [
        f"{recovery.fraction:.0%} of {course} ({recovery.source}, {recovery.status})"
        for course, recovery in zip(courses, recoveries, strict=True)
        if recovery.fraction > 0
    ]
    if basis == "discounted_vs_first":
        if forgiven:
            return f"Recovery counted: {', '.join(forgiven)}."
        reasons = ", ".join(dict.fromkeys(recovery.source for recovery in recoveries if recovery.source))
        nothing = f"Nothing is forgiven ({reasons})" if reasons else "No recovery is set for this organ"
        return f"{nothing}: the whole sum is held against the limit of a first course."
    if forgiven and basis == "cumulative_undiscounted":
        return "The recovery set for this organ is not counted here: cumulative limits are for the undiscounted sum."
    return ""
