"""What is known of a registration's quality, and the verdicts that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import Notice
from . import limits
from .contours import ContourAgreement
from .dose import DoseSlopes
from .images import ImageAgreement
from .jacobian import JacobianStatistics
from .landmarks import LandmarkErrors
from .limits import Check, Verdict, worst


@dataclass(frozen=True)
class Distances:
    """Mean and maximum of some distances, mm, and how many there are."""

    count: int
    mean_mm: float
    max_mm: float

    @classmethod
    def of(cls, values_mm: NDArray[np.float64]) -> Distances | None:
        """Return the summary; None of nothing."""
        if not len(values_mm):
            return None
        return cls(len(values_mm), float(values_mm.mean()), float(values_mm.max()))


@dataclass(frozen=True)
class OrganQuality:
    """One organ of the reference under a registration.

    Parameters
    ----------
    earlier_structure
        Name of the course's structure that it was compared with; empty where there is none.
    contours
        None where the organ is not in both structure sets.
    local_correlation
        Mean over the organ where the images have contrast; NaN where they have none, None without images.
    covered_percent
        Share of the organ that comes from inside the course's CT; None without one.
    landmarks_near
        Errors of the landmarks within 20 mm; None without such.
    inverse
        Distance of the organ's points from where they return to; None for a linear transform, which returns exactly.
    uncertainty_mm
        How far off the registration may be here: the larger of mean distance to agreement and mean error of near (else
        all) landmarks, and at least half the larger CT's largest voxel side; None where neither was measured.
    uncertainty_basis
        What it was taken from.
    resolution_mm
        Half the larger CT's largest voxel side: what lies closer together cannot be told apart.
    """

    structure: str
    tg263: str
    earlier_structure: str
    contours: ContourAgreement | None
    jacobian: JacobianStatistics
    local_correlation: float | None
    covered_percent: float | None
    landmarks_near: Distances | None
    inverse: Distances | None
    uncertainty_mm: float | None
    uncertainty_basis: str
    slopes: DoseSlopes
    resolution_mm: float

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every figure that was measured, held against its limit."""
        contours, near = self.contours, self.landmarks_near
        # Of outlines that agree as far as the images tell, Dice only says how thin the organ is.
        judged = contours is not None and contours.mean_distance_mm > self.resolution_mm
        found = [
            limits.MEAN_DISTANCE.check(contours.mean_distance_mm if contours else None),
            limits.DICE.check(contours.dice if contours and judged else None),
            limits.LANDMARKS_MEAN.check(near.mean_mm if near else None),
            limits.LANDMARKS_MAX.check(near.max_mm if near else None),
            limits.FOLDED.check(self.jacobian.folded_percent),
            limits.EXTREME_JACOBIAN.check(self.jacobian.extreme_percent),
            limits.JACOBIAN_LOW.check(self.jacobian.percentile_1),
            limits.JACOBIAN_HIGH.check(self.jacobian.percentile_99),
            limits.COVERED.check(self.covered_percent),
            limits.LOCAL_CORRELATION.check(self.local_correlation),
            limits.INVERSE_MAX.check(self.inverse.max_mm if self.inverse else None),
        ]
        return tuple(check for check in found if check.verdict != "unknown")

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks; no better than caution where the place of the organ was not measured."""
        found = worst(self.checks)
        return "caution" if found == "good" and self.uncertainty_mm is None else found

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is not good."""
        unmeasured = ("neither contours nor landmarks say where it is",) if self.uncertainty_mm is None else ()
        return (*(check.reason for check in self.checks if check.reason), *unmeasured)


@dataclass(frozen=True)
class RegistrationQuality:
    """A registration of one course to the reference.

    Parameters
    ----------
    landmarks, images
        None where there are no landmarks, or no CT of the course.
    jacobian
        At the corners of all cells of the displacement's grid.
    jacobian_high_dose
        Within 2 cm of the half of the highest composite EQD2; None where there is no such point.
    """

    landmarks: LandmarkErrors | None
    images: ImageAgreement | None
    jacobian: JacobianStatistics
    jacobian_high_dose: JacobianStatistics | None
    inverse: Distances | None
    organs: tuple[OrganQuality, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every figure over the whole that was measured, held against its limit."""
        found = [
            limits.LANDMARKS_MEAN.check(self.landmarks.mean_mm if self.landmarks else None),
            limits.LANDMARKS_MAX.check(self.landmarks.max_mm if self.landmarks else None),
            limits.CORRELATION.check(self.images.correlation if self.images else None),
            limits.FOLDED_ANYWHERE.check(self.jacobian.folded_percent),
            limits.INVERSE_MAX.check(self.inverse.max_mm if self.inverse else None),
        ]
        return tuple(check for check in found if check.verdict != "unknown")

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks; no better than caution where neither landmarks nor images were compared."""
        found = worst(self.checks)
        measured = self.landmarks is not None or self.images is not None
        return "caution" if found == "good" and not measured else found

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the verdict is not good."""
        return tuple(check.reason for check in self.checks if check.reason)
