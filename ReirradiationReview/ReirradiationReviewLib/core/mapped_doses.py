"""All doses brought to the reference's organs and grid: what stays while biology and constraints change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .composite import CompositeGrid, composite_grid
from .courses import Course, Structure
from .dose_blocks import DoseBlocks, dose_blocks
from .dose_mapping import DoseMoments, PlanField, joined
from .errors import Notice, Progress, no_progress
from .linear_dose import features
from .organs.names import OrganMatch, match_organ
from .organs.sampling import OrganSamples, sample_organ
from .registration.course import CourseRegistration

# Large organs are sampled coarsely inside; the hottest part of this size is sampled finely again.
_HOT_VOLUME_CC = 2.0
_COARSE_ORGAN_CC = 50.0
# Organs that are often contoured in parts, whose constraint is about the whole.
PAIRED_ORGANS = {"Lungs": ("Lung_L", "Lung_R"), "Kidneys": ("Kidney_L", "Kidney_R")}


@dataclass(frozen=True)
class SampledOrgan:
    """A structure of the reference course with each plan's dose moments at its sample points.

    Parameters
    ----------
    moments
        One per plan, in the order of the courses and their plans.
    """

    structure: Structure
    match: OrganMatch
    samples: OrganSamples
    moments: tuple[DoseMoments, ...]

    @cached_property
    def blocks(self) -> DoseBlocks:
        """The moments in the order that answers questions about dose and volume at once."""
        return dose_blocks(
            [features(m) for m in self.moments], [m.inside for m in self.moments], self.samples.volumes_cc
        )

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user must know of the contours and the name."""
        return (*self.samples.notices, *self.match.notices(self.structure.name))


@dataclass(frozen=True)
class MappedDoses:
    """What follows from courses and registrations alone, and is costly.

    Parameters
    ----------
    fields
        One per plan, in the order of the courses and their plans.
    slice_thickness_mm
        Of the reference CT; None where there is none.
    """

    fields: tuple[PlanField, ...]
    composite: CompositeGrid
    organs: tuple[SampledOrgan, ...]
    slice_thickness_mm: float | None

    @cached_property
    def wholes(self) -> tuple[SampledOrgan, ...]:
        """Left and right joined, where only the parts are contoured and each once."""
        named: dict[str, list[SampledOrgan]] = {}
        for organ in self.organs:
            if organ.match.is_the_organ and organ.match.tg263:
                named.setdefault(organ.match.tg263, []).append(organ)
        joined_organs = []
        for whole, sides in PAIRED_ORGANS.items():
            parts = [organ for side in sides for organ in named.get(side, [])]
            if whole not in named and tuple(part.match.tg263 for part in parts) == sides:
                joined_organs.append(_join_parts(whole, parts))
        return tuple(joined_organs)

    def with_structures(self, structures: Sequence[Structure], progress: Progress = no_progress) -> MappedDoses:
        """Return the same doses on other structures; an organ whose structure is the very same is kept as it is."""
        known = {id(organ.structure): organ for organ in self.organs}
        drawn = [structure for structure in structures if structure.contours_lps]
        organs = []
        for number, structure in enumerate(drawn):
            organ = known.get(id(structure))
            if organ is None:
                progress(number / len(drawn), f"sampling {structure.name}")
                organ = sampled_organ(structure, self.fields, self.slice_thickness_mm)
            organs.append(organ)
        return replace(self, organs=tuple(organs))


def map_doses(
    courses: Sequence[Course],
    registrations: Sequence[CourseRegistration],
    reference_index: int,
    progress: Progress = no_progress,
) -> MappedDoses:
    """Map all plans onto the composite's grid, and sample the reference's organs."""
    fields = tuple(
        PlanField(plan.dose, registration.transform, plan.letd_kev_um)
        for course, registration in zip(courses, registrations, strict=True)
        for plan in course.plans
    )
    reference = courses[reference_index]
    thickness_mm = float(reference.ct.volume.spacing_mm[2]) if reference.ct else None
    composite = composite_grid(courses, fields, reference_index, progress)
    return MappedDoses(fields, composite, (), thickness_mm).with_structures(reference.structures, progress)


def sampled_organ(structure: Structure, fields: Sequence[PlanField], slice_thickness_mm: float | None) -> SampledOrgan:
    """Sample an organ and read all plans there; the hottest part again where the organ's size made points coarse."""
    match = match_organ(structure.name, structure.interpreted_type)
    samples = sample_organ(structure, slice_thickness_mm=slice_thickness_mm)
    moments = tuple(field.moments(samples.points_lps) for field in fields)
    if samples.volume_cc < _COARSE_ORGAN_CC:
        return SampledOrgan(structure, match, samples, moments)
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
    finer_moments = tuple(
        joined([coarse.where(~hot), field.moments(points)]) for coarse, field in zip(moments, fields, strict=True)
    )
    return SampledOrgan(structure, match, finer, finer_moments)


def _join_parts(tg263: str, parts: Sequence[SampledOrgan]) -> SampledOrgan:
    moments = tuple(joined(of_plan) for of_plan in zip(*(part.moments for part in parts), strict=True))
    samples = OrganSamples(
        np.concatenate([part.samples.points_lps for part in parts]),
        np.concatenate([part.samples.volumes_cc for part in parts]),
        (),
    )
    structure = replace(parts[0].structure, name=" + ".join(part.structure.name for part in parts))
    return SampledOrgan(structure, replace(parts[0].match, tg263=tg263), samples, moments)
