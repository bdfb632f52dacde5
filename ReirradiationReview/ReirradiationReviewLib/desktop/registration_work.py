"""The long work on registrations: pure, for a thread of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.courses import Course
from ..core.errors import Progress, part_of
from ..core.registration.course import CourseRegistration, register_courses
from ..core.registration.qa.assessment import assess_registration
from ..core.registration.qa.landmarks import Points
from ..core.registration.qa.of_review import high_dose_points
from ..core.registration.qa.quality import RegistrationQuality
from ..core.registration.transform import SpatialTransform
from ..core.review import Review
from ..core.settings import Settings


@dataclass(frozen=True)
class ReviewMaking:
    """What a review is made from.

    Parameters
    ----------
    methods
        By the course's index, for courses that have no registration yet.
    given
        Registrations that are known, by the course's index.
    """

    courses: tuple[Course, ...]
    referenceIndex: int
    methods: dict[int, str]
    given: dict[int, CourseRegistration]
    settings: Settings

    def __call__(self, progress: Progress) -> Review:
        """Register what is not registered yet, and map all doses."""
        registrations = []
        for index in range(len(self.courses)):
            span = part_of(progress, 0.7 * index / len(self.courses), 0.7 * (index + 1) / len(self.courses))
            registrations.append(self._registration(index, span))
        mapping = part_of(progress, 0.7, 0.95)
        return evaluated(Review(self.courses, registrations, self.settings, self.referenceIndex, mapping))

    def _registration(self, index: int, progress: Progress) -> CourseRegistration:
        if index == self.referenceIndex:
            return CourseRegistration(SpatialTransform(), "reference")
        if index in self.given:
            return self.given[index]
        return registered(self.courses[index], self.courses[self.referenceIndex], self.methods[index], progress)


def registered(course: Course, reference: Course, method: str, progress: Progress) -> CourseRegistration:
    """Return the registration of one course to the reference."""
    return register_courses([course, reference], 1, [method], progress)[0]


def mapped(review: Review, registrations: Sequence[CourseRegistration], progress: Progress) -> Review:
    """Return the review under other registrations."""
    return evaluated(review.with_registrations(registrations, progress))


def evaluated(review: Review) -> Review:
    """Return the review with what its constraints need prepared: in the window it would be waited for."""
    review.constraints()
    return review


def assessed(
    review: Review, index: int, transform: SpatialTransform, landmarks: Mapping[int, Points], progress: Progress
) -> RegistrationQuality:
    """Return the quality of a proposal: the dose's slopes are those under the registration in use."""
    both = review.reference_index in landmarks and index in landmarks
    return assess_registration(
        review.reference,
        review.courses[index],
        transform,
        organs=review.mapped.organs,
        fields=review.mapped.fields,
        high_dose_lps=high_dose_points(review),
        landmarks=(landmarks[review.reference_index], landmarks[index]) if both else None,
        progress=progress,
    )
