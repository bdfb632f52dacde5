"""One rule on one organ: the sum that the rule asks for, and the value and verdict that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .constraint_rows import ConstraintRow
from .constraints import ConstraintResult, evaluate, not_contoured
from .dose_mapping import PlanWeight
from .linear_dose import LinearDose
from .organ_dose import BoundedDoseVolume, OrganDose


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
    """

    protocol: str
    row: ConstraintRow
    organ: OrganDose | None = None
    alpha_beta_gy: float = float("nan")
    weights: tuple[PlanWeight, ...] = ()
    undiscounted: tuple[PlanWeight, ...] = ()

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
        bounded = self.dose()
        return evaluate(
            self.protocol,
            self.row,
            structure=self.organ.name,
            low=bounded.low,
            high=bounded.high if bounded.incomplete_percent else None,
            incomplete_percent=bounded.incomplete_percent,
            alpha_beta_gy=self.alpha_beta_gy,
        )
