"""One organ of the reference course with the doses of all plans, evaluated with its alpha/beta and recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .biology import Parameter
from .biology.recovery import Recovery
from .constraints import Quantity
from .courses import Structure
from .dose_blocks import BlockDose
from .dose_mapping import DoseMoments, PlanWeight, SummedDose, sum_eqd2, sum_physical
from .linear_dose import LinearDose, eqd2_terms, physical_terms
from .mapped_doses import SampledOrgan
from .organs.names import OrganMatch
from .organs.sampling import OrganSamples


@dataclass(frozen=True)
class BoundedDoseVolume:
    """A dose-volume relation and its upper bound.

    Parameters
    ----------
    low
        From the known contributions alone: the value that is shown.
    high
        With unknown contributions bounded by the dose at the nearest edge of their grid.
    incomplete_percent
        Share of the organ's volume where at least one contribution is unknown.
    """

    low: BlockDose
    high: BlockDose
    incomplete_percent: float


@dataclass(frozen=True)
class OrganDose:
    """A sampled organ with the biology it is evaluated with.

    Parameters
    ----------
    alpha_beta, repair_half_time
        In Gy and in hours, with where they come from.
    recoveries
        What discounted rules forgive of each course's EQD2; nothing of the reference course.
    """

    sampled: SampledOrgan
    alpha_beta: Parameter
    repair_half_time: Parameter
    recoveries: tuple[Recovery, ...]

    @property
    def recovery(self) -> tuple[float, ...]:
        """Fraction that discounted rules forgive of each course, 0 to 1: what `Review.weights` takes."""
        return tuple(recovery.fraction for recovery in self.recoveries)

    @property
    def name(self) -> str:
        """The structure's own name."""
        return self.sampled.structure.name

    @property
    def alpha_beta_gy(self) -> float:
        """Alpha/beta in Gy."""
        return self.alpha_beta.value

    @property
    def alpha_beta_source(self) -> str:
        """Where the alpha/beta comes from, in words."""
        return self.alpha_beta.source

    @property
    def structure(self) -> Structure:
        """The structure."""
        return self.sampled.structure

    @property
    def match(self) -> OrganMatch:
        """The organ that the structure's name stands for."""
        return self.sampled.match

    @property
    def samples(self) -> OrganSamples:
        """The sample points."""
        return self.sampled.samples

    @property
    def moments(self) -> tuple[DoseMoments, ...]:
        """One per plan, in the order of the courses and their plans."""
        return self.sampled.moments

    def eqd2_at_points(self, weights: Sequence[PlanWeight], alpha_beta_gy: float) -> SummedDose:
        """Return the weighted EQD2 sum in Gy at the sample points."""
        return sum_eqd2(self.moments, weights, alpha_beta_gy, self.repair_half_time.value)

    def physical_at_points(self, weights: Sequence[PlanWeight]) -> SummedDose:
        """Return the summed physical dose in Gy at the sample points."""
        return sum_physical(self.moments, weights)

    def eqd2(self, weights: Sequence[PlanWeight], alpha_beta_gy: float | None = None) -> BoundedDoseVolume:
        """Return the EQD2 dose-volume relation, by default with the organ's own alpha/beta."""
        return self.dose(self.terms("EQD2", weights, alpha_beta_gy or self.alpha_beta_gy))

    def physical(self, weights: Sequence[PlanWeight]) -> BoundedDoseVolume:
        """Return the dose-volume relation of the summed physical dose."""
        return self.dose(physical_terms(self.moments, weights))

    def terms(self, quantity: Quantity, weights: Sequence[PlanWeight], alpha_beta_gy: float) -> LinearDose:
        """Return a sum of plans in a quantity; alpha/beta does not matter to physical dose."""
        if quantity == "physical":
            return physical_terms(self.moments, weights)
        eqd2 = eqd2_terms(self.moments, weights, alpha_beta_gy, self.repair_half_time.value)
        return eqd2.times(1 + 2 / alpha_beta_gy) if quantity == "BED" else eqd2

    def dose(self, terms: LinearDose) -> BoundedDoseVolume:
        """Return the dose-volume relation of a sum of plans."""
        blocks = self.sampled.blocks
        low = blocks.dose(terms.coefficients, terms.active)
        incomplete_cc = blocks.incomplete_cc(terms.active)
        high = blocks.dose(terms.coefficients, terms.active, assume_unknown=True) if incomplete_cc else low
        return BoundedDoseVolume(low, high, incomplete_cc / blocks.volume_cc * 100.0)
