"""What registration does to a value: the k-mm search, random errors, and another registration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..dose_mapping import PlanField
from ..organs.dvh import Metric
from ..registration.transform import SpatialTransform
from .moved_doses import MovedDoses, moved_doses
from .organ_sums import OrganSum
from .registration_error import ErrorSamples
from .search import SearchGrid
from .settings import AssumedError, RegistrationError, UncertaintySettings, error_of


@dataclass(frozen=True)
class RangeSource:
    """How far one cause moves a value.

    Parameters
    ----------
    name
        Stable: ``"alpha_beta"``, ``"search"``, ``"registration_error"``, ``"registration_method"``, ``"recovery"`` or
        ``"dose_grid"``.
    text
        What was varied, in words.
    """

    name: str
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class GeometricInputs:
    """What all rows share."""

    fields: tuple[PlanField, ...]
    course_of: tuple[int, ...]
    reference_index: int
    settings: UncertaintySettings
    other_transforms: dict[int, SpatialTransform]
    measured_mm: Mapping[tuple[int, str], float]

    def error_of(self, course: int, structure: str) -> AssumedError:
        """Return the error of a course's registration at a structure."""
        transform = self.fields[self.course_of.index(course)].transform
        return error_of(self.settings, transform, self.measured_mm.get((course, structure)))


def other_transforms(
    fields: Sequence[PlanField], course_of: Sequence[int], settings: UncertaintySettings
) -> dict[int, SpatialTransform]:
    """Return the transform to compare with, by course index; none where there is no other."""
    if settings.other_transforms is not None:
        return dict(settings.other_transforms)
    # The matrix of a deformable registration is the rigid one that it started from.
    return {
        course: SpatialTransform(field.transform.matrix_lps)
        for course, field in zip(course_of, fields, strict=True)
        if field.transform.displacement is not None
    }


class GeometricRange:
    """What registration does to one sum on one organ; rows on it share the moved doses."""

    def __init__(self, organ_sum: OrganSum, inputs: GeometricInputs) -> None:
        self.sum = organ_sum
        self.inputs = inputs
        self.earlier = {course: organ_sum.of_course(course) for course in organ_sum.earlier_courses}
        structure = organ_sum.sampled.structure.name
        self.errors = {course: inputs.error_of(course, structure) for course in self.earlier}
        self.searched_gy = self._searched() if inputs.settings.search_mm and self.earlier else None
        self.moved = self._moved() if inputs.settings.samples and self.earlier else None
        self.other_gy = self._other()

    def sources(self, measure: Metric, value: float) -> Iterator[RangeSource]:
        """Yield what registration does to a metric; ``value`` is that of the registration in use."""
        settings = self.inputs.settings
        if self.searched_gy is not None:
            found = measure(self.sum.dose(self.searched_gy))
            where = "in the organ" if settings.search_within_organ else "anywhere"
            text = f"highest earlier dose within {settings.search_mm:g} mm {where}"
            yield RangeSource("search", min(value, found), max(value, found), text)
        if self.moved is not None:
            low, high = value + np.percentile(self.moved.shifts(measure), settings.percentiles)
            assumed = [f"{each.error.mean_error_mm:.1f} mm on average ({each.basis})" for each in self.errors.values()]
            text = (
                f"registration error of {' and '.join(dict.fromkeys(assumed))}, "
                f"{settings.percentiles[0]:g} to {settings.percentiles[1]:g} % of {settings.samples} samples"
            )
            yield RangeSource("registration_error", max(float(low), 0.0), float(high), text)
        if self.other_gy is not None:
            found = measure(self.sum.dose(self.other_gy))
            text = (
                "this registration or the one to compare with"
                if settings.other_transforms
                else "deformable or its rigid part"
            )
            yield RangeSource("registration_method", min(value, found), max(value, found), text)

    def _searched(self) -> NDArray[np.float64]:
        settings, samples = self.inputs.settings, self.sum.sampled.samples
        grid = SearchGrid.around(samples.points_lps, settings.search_mm)
        centres = None if settings.search_within_organ else grid.centres_mm(grid.near_cells)
        total = self.sum.of_reference_gy.copy()
        for course, here in self.earlier.items():
            around = None if centres is None else self._earlier_at(course, centres)
            total += grid.highest(here, around)
        return total

    def _earlier_at(self, course: int, points_lps: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.sum.from_moments(course, [field.moments(points_lps) for field in self.inputs.fields])

    def _moved(self) -> MovedDoses:
        settings = self.inputs.settings

        def errors_of(course: int) -> ErrorSamples:
            return _errors(self.errors[course].error, settings.samples, settings.seed + course)

        farthest = max(each.error.mean_error_mm for each in self.errors.values())
        return moved_doses(self.sum, self.inputs.fields, errors_of, farthest)

    def _other(self) -> NDArray[np.float64] | None:
        if not any(course in self.inputs.other_transforms for course in self.earlier):
            return None
        total = self.sum.of_reference_gy.copy()
        for course, here in self.earlier.items():
            other = self.inputs.other_transforms.get(course)
            total += here if other is None else self._under(course, other)
        return total

    def _under(self, course: int, transform: SpatialTransform) -> NDArray[np.float64]:
        """Return what a course gives at the samples under another transform."""
        points = self.sum.sampled.samples.points_lps
        moments = list(self.sum.sampled.moments)
        for plan in self.sum.plans_of(course):
            moments[plan] = replace(self.inputs.fields[plan], transform=transform).moments(points)
        return self.sum.from_moments(course, moments)


@lru_cache(maxsize=8)
def _errors(error: RegistrationError, samples: int, seed: int) -> ErrorSamples:
    return ErrorSamples.draw(error, samples, seed)
