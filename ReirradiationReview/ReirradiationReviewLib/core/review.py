"""The review: courses, registrations and settings in; organ doses, composite and constraint results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .biology import check_schedule, load_alpha_beta_table, load_repair_table
from .biology.recovery import NO_RECOVERY, load_recovery_table, organ_recovery
from .composite import CompositeGrid
from .constraints import Basis, Circumstances, ConstraintResult, ConstraintRow
from .courses import Course, Plan, Structure
from .dose_mapping import PlanWeight
from .errors import Notice, Progress, ReirradiationError, no_progress
from .headroom import Headroom, headroom
from .intervals import Interval, course_intervals, shortest_interval_months
from .mapped_doses import PAIRED_ORGANS, SampledOrgan, map_doses
from .organ_dose import OrganDose
from .plan_given import PlanGiven, plans_given
from .protocols import Protocol, load_protocol
from .recovery_checks import recovery_notices
from .registration.course import CourseRegistration
from .registration.transform import SpatialTransform
from .review_checks import check_courses, cross_course_notices
from .row_cases import RowCase, recovery_sentence
from .same_fraction import merge_same_fraction
from .settings import Settings
from .settings_checks import check_structure_names
from .uncertainty import RowRange, UncertaintySettings, measured_errors_mm, row_ranges, uncertainty_settings

if TYPE_CHECKING:
    from .registration.qa.quality import RegistrationQuality


class Review:
    """Everything that follows from the courses, their registrations and the settings.

    Parameters
    ----------
    courses
        Oldest first.
    registrations
        One per course: reference point to course point; the identity for the reference course.
    reference_index
        The course whose CT, structures and frame the review is made in: normally the last, the new plan.

    Raises
    ------
    ReirradiationError
        If the courses cannot be reviewed together: a plan without its number of fractions, a dose given twice, a
        reference course without CT or dose.
    """

    def __init__(
        self,
        courses: Sequence[Course],
        registrations: Sequence[CourseRegistration],
        settings: Settings | None = None,
        reference_index: int = -1,
        progress: Progress = no_progress,
    ) -> None:
        self.courses = tuple(courses)
        self.registrations = tuple(registrations)
        self.reference_index = range(len(self.courses))[reference_index]
        check_courses(self.courses, self.reference_index)
        self.mapped = map_doses(self.courses, self.registrations, self.reference_index, progress)
        # What later steps (export, pictures) have to say is added here.
        self.notices: list[Notice] = cross_course_notices(self.courses, self.reference_index)
        self.notices += [notice for organ in self.mapped.organs for notice in organ.notices]
        # By the course's index: transforms to compare with in the ranges of values; empty for the rigid parts.
        self.compared: Mapping[int, SpatialTransform] = {}
        # By the course's index; empty until it is measured for these registrations and structures.
        self.quality: Mapping[int, RegistrationQuality] = {}
        self._follow(settings or Settings())

    def _follow(self, settings: Settings) -> None:
        """Derive what hangs on the settings."""
        self.settings = settings
        self.protocols: tuple[Protocol, ...] = tuple(load_protocol(name) for name in settings.protocols)
        if settings.left_out >= set(range(len(self.courses))):
            raise ReirradiationError("every course is left out, so there is nothing to sum: keep at least one")
        # What the ranges of values are worked out for.
        self.range_settings: UncertaintySettings = uncertainty_settings(settings)
        self.given: tuple[PlanGiven, ...] = plans_given(self.courses, self.reference_index, settings)
        self.intervals: tuple[Interval, ...] = course_intervals(self.courses, self.reference_index, settings)
        self.recovery_table = load_recovery_table(settings.recovery_table) if settings.recovery_table else None
        self.organs: tuple[OrganDose, ...] = tuple(self._organ_dose(organ) for organ in self.mapped.organs)
        # Both sides of a paired organ as one, where only the sides are contoured.
        self.wholes: tuple[OrganDose, ...] = tuple(map(self._whole, self.mapped.wholes))
        check_structure_names(settings, self.organs)

    def with_settings(self, settings: Settings) -> Review:
        """Return the review under other settings, at once: it shares all mapped doses with this one.

        Raises
        ------
        ReirradiationError
            If the settings name a structure or protocol that does not exist, or hold a value out of range.
        """
        changed = copy(self)
        changed.notices = list(self.notices)
        changed._follow(settings)
        return changed

    def with_fractions(self, fractions: Mapping[str, int]) -> Review:
        """Return the review with user-entered numbers of fractions by plan label; the plans say who entered them.

        Raises
        ------
        ReirradiationError
            If there is no plan of this label, or a number is not a whole one of at least 1.
        """
        labels = {plan.label for _, plan in self.plans}
        for label, number in fractions.items():
            if label not in labels:
                raise ReirradiationError(f"there is no plan {label!r}; there are {', '.join(sorted(labels))}")
            check_schedule(number, self.settings.display_alpha_beta_gy)
        changed = copy(self)
        changed.courses = tuple(
            replace(course, plans=tuple(_with_fractions(plan, fractions) for plan in course.plans))
            for course in self.courses
        )
        changed._follow(self.settings)
        return changed

    def with_registrations(
        self, registrations: Sequence[CourseRegistration], progress: Progress = no_progress
    ) -> Review:
        """Return the review under other registrations: all doses are mapped anew."""
        return Review(self.courses, registrations, self.settings, self.reference_index, progress)

    def with_same_fraction(self, groups: Sequence[Sequence[str]], progress: Progress = no_progress) -> Review:
        """Return the review with plans that were given in the same fractions made one: all doses are mapped anew.

        Parameters
        ----------
        groups
            Plan labels or UIDs; see `core.same_fraction.merge_same_fraction`.
        """
        courses = merge_same_fraction(self.courses, groups)
        return Review(courses, self.registrations, self.settings, self.reference_index, progress)

    def with_quality(self, quality: Mapping[int, RegistrationQuality]) -> Review:
        """Return the review with what was measured of its registrations, by the course's index."""
        changed = copy(self)
        changed.notices = list(self.notices)
        changed.quality = dict(quality)
        return changed

    def with_comparison(self, registrations: Sequence[CourseRegistration]) -> Review:
        """Return the review whose ranges hold what other registrations, one per course, would give."""
        changed = copy(self)
        changed.notices = list(self.notices)
        changed.compared = {
            index: registration.transform
            for index, registration in enumerate(registrations)
            if index != self.reference_index
        }
        return changed

    def with_structures(self, structures: Sequence[Structure], progress: Progress = no_progress) -> Review:
        """Return the review on other structures of the reference course; those that are the very same are kept."""
        reference = replace(self.reference, structures=tuple(structures))
        courses = list(self.courses)
        courses[self.reference_index] = reference
        changed = copy(self)
        changed.courses = tuple(courses)
        changed.mapped = self.mapped.with_structures(structures, progress)
        changed.quality = {}
        of_organs = {notice for organ in self.mapped.organs for notice in organ.notices}
        changed.notices = [notice for notice in self.notices if notice not in of_organs]
        changed.notices += [notice for organ in changed.mapped.organs for notice in organ.notices]
        changed._follow(self.settings)
        return changed

    @property
    def composite(self) -> CompositeGrid:
        """All plans' dose moments on one grid in reference space."""
        return self.mapped.composite

    @property
    def reference(self) -> Course:
        """The course the review is made in."""
        return self.courses[self.reference_index]

    @property
    def plans(self) -> tuple[tuple[int, Plan], ...]:
        """All plans with the index of their course, in the order of every list of moments and weights."""
        return tuple((index, plan) for index, course in enumerate(self.courses) for plan in course.plans)

    @property
    def circumstances(self) -> Circumstances:
        """What rows that were made for some cases only are checked against."""
        new = [given for (index, _), given in zip(self.plans, self.given, strict=True) if index == self.reference_index]
        months = shortest_interval_months(self.intervals, self.reference_index, self.settings.left_out)
        return Circumstances(months, sum(given.fractions for given in new))

    def settings_notices(self) -> list[Notice]:
        """Return what the user must know of how the plans are counted under the present settings."""
        return [notice for given in self.given for notice in given.notices()] + recovery_notices(self)

    def weights(
        self, course_indices: Sequence[int] | None = None, recovery: float | Sequence[float] = 0.0
    ) -> list[PlanWeight]:
        """Return how each plan enters a sum.

        Parameters
        ----------
        course_indices
            Courses to sum; by default all that the settings do not leave out.
        recovery
            Fraction of the EQD2 of every course but the reference that is forgiven, one for all or one per course.
        """
        chosen = set(range(len(self.courses))) - self.settings.left_out if course_indices is None else course_indices
        fractions = [recovery] * len(self.courses) if isinstance(recovery, int | float) else recovery
        result = []
        for (index, _), given in zip(self.plans, self.given, strict=True):
            share = 1.0 if index == self.reference_index else 1.0 - fractions[index]
            result.append(given.weight(share if index in chosen else 0.0))
        return result

    def organ(self, name: str) -> OrganDose:
        """Return the organ of this structure name; KeyError if there is none."""
        return next(organ for organ in self.organs if organ.name == name)

    def hot_spot_lps(self) -> NDArray[np.float64]:
        """Return the voxel centre with the highest composite EQD2, LPS mm, shape ``(3,)``."""
        total = self.composite.eqd2(self.weights(), self.settings.display_alpha_beta_gy).array
        k, j, i = np.unravel_index(int(np.nanargmax(total)), total.shape)
        return self.composite.grid.to_lps(np.array([[i, j, k]], dtype=np.float64))[0]

    def row_cases(self) -> list[RowCase]:
        """Return every row of every protocol with every organ that it names, in the order of the protocols."""
        organs = [(organ.match.tg263, organ) for organ in (*self.organs, *self.wholes) if organ.match.is_the_organ]
        circumstances = self.circumstances
        cases: list[RowCase] = []
        for protocol in self.protocols:
            for row in protocol.rows:
                named = [organ for name, organ in organs if name in row.organs]
                cases += self._cases_of(protocol.id, row, named, circumstances)
        return cases

    def constraints(self) -> list[ConstraintResult]:
        """Evaluate every row of every protocol on every organ it names."""
        return [case.result() for case in self.row_cases()]

    def headroom(self) -> list[Headroom | None]:
        """Return what every row leaves, in the order of `constraints`; see `core.headroom`."""
        new_plans = np.array([index == self.reference_index for index, _ in self.plans])
        return [headroom(case, new_plans) for case in self.row_cases()]

    def uncertainty(self, settings: UncertaintySettings | None = None) -> list[RowRange | None]:
        """Return the range of every row's value, in the order of `constraints`; see `core.uncertainty`.

        Parameters
        ----------
        settings
            What the ranges are worked out for; by default what the review's settings say.
        """
        course_of = [index for index, _ in self.plans]
        settings = settings or replace(self.range_settings, other_transforms=self.compared or None)
        return row_ranges(
            self.row_cases(),
            self.mapped.fields,
            course_of,
            self.reference_index,
            settings,
            measured_mm=measured_errors_mm(self.quality),
        )

    def _cases_of(
        self, protocol: str, row: ConstraintRow, organs: Sequence[OrganDose], circumstances: Circumstances
    ) -> list[RowCase]:
        """Pair a row with the sum that its basis asks for: the one place where they are paired."""
        if not organs:
            return [RowCase(protocol, row)]
        undiscounted = self._basis_weights(row.basis)
        relative = self._basis_weights(row.relative_to) if row.relative_to else ()
        labels = [course.label for course in self.courses]
        cases = []
        for organ in organs:
            is_discounted = row.basis == "discounted_vs_first" and any(organ.recovery)
            weights = self._basis_weights(row.basis, organ.recovery) if is_discounted else undiscounted
            alpha_beta_gy = row.alpha_beta_gy or organ.alpha_beta_gy
            said = recovery_sentence(row.basis, labels, organ.recoveries)
            cases.append(
                RowCase(protocol, row, organ, alpha_beta_gy, weights, undiscounted, relative, said, circumstances)
            )
        return cases

    def _basis_weights(self, basis: Basis, recovery: Sequence[float] = ()) -> tuple[PlanWeight, ...]:
        """Return the sum that a basis stands for; recovery is counted where the basis asks for it."""
        courses = [self.reference_index] if basis == "current_only" else None
        return tuple(self.weights(courses, recovery if recovery and basis == "discounted_vs_first" else 0.0))

    def _whole(self, sampled: SampledOrgan) -> OrganDose:
        """Return a whole with the biology of its first part: parts come from the same table entry."""
        sides = PAIRED_ORGANS[sampled.match.tg263 or ""]
        first = next(organ for organ in self.organs if organ.match.tg263 in sides and organ.match.is_the_organ)
        return replace(first, sampled=sampled)

    def _organ_dose(self, sampled: SampledOrgan) -> OrganDose:
        match, name = sampled.match, sampled.structure.name
        alpha_beta = load_alpha_beta_table().find(match, name, self.settings.alpha_beta_gy)
        half_time = load_repair_table().find(match, name, self.settings.repair_half_time_hours)
        months = [interval.months for interval in self.intervals]
        recoveries = list(organ_recovery(match, name, months, self.recovery_table, self.settings.recovery))
        recoveries[self.reference_index] = NO_RECOVERY
        return OrganDose(sampled, alpha_beta, half_time, tuple(recoveries))


def _with_fractions(plan: Plan, fractions: Mapping[str, int]) -> Plan:
    number = fractions.get(plan.label)
    return plan if number in (None, plan.fractions) else replace(plan, fractions=number, fractions_source="user")
