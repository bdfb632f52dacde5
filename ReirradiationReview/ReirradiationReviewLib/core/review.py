"""The review: courses, registrations and settings in; organ doses, composite and constraint results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .biology import AlphaBetaTable, load_alpha_beta_table
from .composite import CompositeGrid, composite_grid
from .constraints import ConstraintResult, ConstraintRow, evaluate, not_contoured
from .courses import Course, Plan, Structure
from .dose_mapping import DoseMoments, PlanField, PlanWeight, joined
from .errors import Notice, Progress, ReirradiationError, no_progress
from .organ_dose import BoundedDoseVolume, OrganDose
from .organs.names import OrganMatch, match_organ
from .organs.sampling import OrganSamples, sample_organ
from .protocols import Protocol, load_protocol
from .registration.course import CourseRegistration
from .review_checks import check_courses, cross_course_notices

# Late-responding tissue: what the one composite picture is drawn with, and always named beside it.
DISPLAY_ALPHA_BETA_GY = 3.0
# Organs that are often contoured in parts, whose constraint is about the whole.
PAIRED_ORGANS = {"Lungs": ("Lung_L", "Lung_R"), "Kidneys": ("Kidney_L", "Kidney_R")}
# Large organs are sampled coarsely inside; the hottest part of this size is sampled finely again.
_HOT_VOLUME_CC = 2.0
_COARSE_ORGAN_CC = 50.0


@dataclass(frozen=True)
class Settings:
    """The user's choices.

    Parameters
    ----------
    alpha_beta_gy, recovery
        By structure name or TG-263 name; they win over the tables. Recovery is a fraction of EQD2, 0 to 1.
    protocols
        Constraint sets, by identifier or file.
    """

    alpha_beta_gy: Mapping[str, float] = field(default_factory=dict)
    recovery: Mapping[str, float] = field(default_factory=dict)
    protocols: tuple[str, ...] = ("beddok_2022",)
    display_alpha_beta_gy: float = DISPLAY_ALPHA_BETA_GY


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
        self.settings = settings or Settings()
        self.reference_index = range(len(self.courses))[reference_index]
        check_courses(self.courses, self.reference_index)
        self.protocols: tuple[Protocol, ...] = tuple(load_protocol(name) for name in self.settings.protocols)
        self.notices: list[Notice] = cross_course_notices(self.courses, self.reference_index)
        self._fields = tuple(PlanField(plan.dose, self.registrations[index].transform) for index, plan in self.plans)
        self.composite: CompositeGrid = composite_grid(self.courses, self._fields, self.reference_index, progress)
        self.organs: tuple[OrganDose, ...] = self._sample_organs(progress)
        self._note_unused_settings()

    @property
    def reference(self) -> Course:
        """The course the review is made in."""
        return self.courses[self.reference_index]

    @property
    def plans(self) -> tuple[tuple[int, Plan], ...]:
        """All plans with the index of their course, in the order of every list of moments and weights."""
        return tuple((index, plan) for index, course in enumerate(self.courses) for plan in course.plans)

    def weights(self, course_indices: Sequence[int] | None = None, recovery: float = 0.0) -> list[PlanWeight]:
        """Return how each plan enters a sum.

        Parameters
        ----------
        course_indices
            Courses to sum; all by default.
        recovery
            Fraction of the EQD2 of every course but the reference that is forgiven.
        """
        chosen = range(len(self.courses)) if course_indices is None else course_indices
        result = []
        for index, plan in self.plans:
            share = 1.0 if index == self.reference_index else 1.0 - recovery
            assert plan.fractions is not None  # check_courses refused it
            result.append(PlanWeight(plan.fractions, share if index in chosen else 0.0))
        return result

    def organ(self, name: str) -> OrganDose:
        """Return the organ of this structure name; KeyError if there is none."""
        return next(organ for organ in self.organs if organ.name == name)

    def hot_spot_lps(self) -> NDArray[np.float64]:
        """Return the voxel centre with the highest composite EQD2, LPS mm, shape ``(3,)``."""
        total = self.composite.summed_eqd2(self.weights(), self.settings.display_alpha_beta_gy)
        return self.composite.grid.centres_lps()[int(np.argmax(total.low_gy))]

    def constraints(self) -> list[ConstraintResult]:
        """Evaluate every row of every protocol on every organ it names."""
        return [
            result
            for protocol in self.protocols
            for row in protocol.rows
            for result in self._row_results(protocol, row)
        ]

    def _row_results(self, protocol: Protocol, row: ConstraintRow) -> list[ConstraintResult]:
        organs = [organ for organ in self.organs if organ.match.is_the_organ and organ.match.tg263 in row.organs]
        organs += [whole for whole in map(self._whole_of_parts, row.organs) if whole is not None]
        if not organs:
            return [not_contoured(protocol.id, row)]
        results = []
        for organ in organs:
            alpha_beta_gy = row.alpha_beta_gy or organ.alpha_beta_gy
            bounded = self._basis_dose(organ, row, alpha_beta_gy)
            results.append(
                evaluate(
                    protocol.id,
                    row,
                    structure=organ.name,
                    low=bounded.low,
                    high=bounded.high,
                    incomplete_percent=bounded.incomplete_percent,
                    alpha_beta_gy=alpha_beta_gy,
                )
            )
        return results

    def _basis_dose(self, organ: OrganDose, row: ConstraintRow, alpha_beta_gy: float) -> BoundedDoseVolume:
        """Return the sum that the row's basis and quantity ask for: the one place where they are paired."""
        courses = [self.reference_index] if row.basis == "current_only" else None
        recovery = organ.recovery if row.basis == "discounted_vs_first" else 0.0
        weights = self.weights(courses, recovery)
        if row.quantity == "physical":
            return organ.physical(weights)
        if row.quantity == "BED":
            return organ.bed(weights, alpha_beta_gy)
        return organ.eqd2(weights, alpha_beta_gy)

    def _whole_of_parts(self, tg263: str) -> OrganDose | None:
        """Return left and right joined where only the parts are contoured."""
        if tg263 not in PAIRED_ORGANS or any(o.match.tg263 == tg263 and o.match.is_the_organ for o in self.organs):
            return None
        parts = [
            o for part in PAIRED_ORGANS[tg263] for o in self.organs if o.match.is_the_organ and o.match.tg263 == part
        ]
        if [part.match.tg263 for part in parts] != list(PAIRED_ORGANS[tg263]):
            return None
        return join_parts(" + ".join(part.name for part in parts), tg263, parts)

    def _sample_organs(self, progress: Progress) -> tuple[OrganDose, ...]:
        table = load_alpha_beta_table()
        structures = [s for s in self.reference.structures if s.contours_lps]
        organs = []
        for number, structure in enumerate(structures):
            progress(number / len(structures), f"sampling {structure.name}")
            organs.append(self._sample_organ(structure, table))
        return tuple(organs)

    def _sample_organ(self, structure: Structure, table: AlphaBetaTable) -> OrganDose:
        match = match_organ(structure.name, structure.interpreted_type)
        samples, moments = self._samples_and_moments(structure)
        entry = table.find(match, structure.name, self.settings.alpha_beta_gy)
        recovery = 0.0 if match.is_target else _user_value(self.settings.recovery, structure, match)
        self.notices += [*samples.notices, *match.notices(structure.name)]
        return OrganDose(structure, match, samples, moments, entry.alpha_beta_gy, entry.source, recovery)

    def _samples_and_moments(self, structure: Structure) -> tuple[OrganSamples, tuple[DoseMoments, ...]]:
        """Sample an organ, its hottest part finely again where its size made the points coarse."""
        thickness = float(self.reference.ct.volume.spacing_mm[2]) if self.reference.ct else None
        samples = sample_organ(structure, slice_thickness_mm=thickness)
        moments = tuple(field.moments(samples.points_lps) for field in self._fields)
        if samples.volume_cc < _COARSE_ORGAN_CC:
            return samples, moments
        dose_gy = np.sum([m.p_gy for m in moments], axis=0)
        hottest_first = np.argsort(-dose_gy)
        reached = int(np.searchsorted(np.cumsum(samples.volumes_cc[hottest_first]), _HOT_VOLUME_CC)) + 1
        hot = np.zeros(len(dose_gy), dtype=bool)
        hot[hottest_first[:reached]] = True
        points, volumes = samples.split(hot)
        finer = OrganSamples(
            np.concatenate([samples.points_lps[~hot], points]),
            np.concatenate([samples.volumes_cc[~hot], volumes]),
            samples.notices,
        )
        return finer, tuple(
            joined([coarse.where(~hot), field.moments(points)])
            for coarse, field in zip(moments, self._fields, strict=True)
        )

    def _note_unused_settings(self) -> None:
        known = {organ.name for organ in self.organs} | {organ.match.tg263 for organ in self.organs}
        for option, values in (("alpha-beta", self.settings.alpha_beta_gy), ("recovery", self.settings.recovery)):
            for name in set(values) - known:
                raise ReirradiationError(
                    f"--{option} names {name!r}, but the reference course has no such structure; it has: "
                    + ", ".join(sorted(organ.name for organ in self.organs))
                )


def join_parts(name: str, tg263: str, parts: Sequence[OrganDose]) -> OrganDose:
    """Return one organ made of disjoint parts, e.g. both lungs.

    Its alpha/beta and recovery are the first part's; parts come from the same table entry.
    """
    moments = tuple(joined(of_plan) for of_plan in zip(*(part.moments for part in parts), strict=True))
    samples = OrganSamples(
        np.concatenate([part.samples.points_lps for part in parts]),
        np.concatenate([part.samples.volumes_cc for part in parts]),
        (),
    )
    first = parts[0]
    return replace(
        first,
        structure=replace(first.structure, name=name),
        match=replace(first.match, tg263=tg263),
        samples=samples,
        moments=moments,
    )


def _user_value(values: Mapping[str, float], structure: Structure, match: OrganMatch) -> float:
    return float(values.get(structure.name, values.get(match.tg263 or "", 0.0)))
