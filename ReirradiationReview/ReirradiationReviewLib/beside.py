"""What a review shows beside its courses: images, and targets made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import __version__
from .core.courses import Course
from .core.dicom_export.rtstruct import ExportedStructure, write_structure_set
from .core.errors import Notice, Progress, no_progress
from .core.images import PlacedImage
from .core.registration.course import CourseRegistration
from .core.registration.images import ReadImage, place_images
from .core.review import Review
from .core.targets.make import Target, make_targets
from .core.targets.methods import TargetRequest


@dataclass(frozen=True)
class Beside:
    """What a review shows beside its courses.

    Parameters
    ----------
    images
        PET, MR and others, in the reference's space.
    targets
        New targets; the reference course's structures hold them, too.
    """

    images: tuple[PlacedImage, ...] = ()
    targets: tuple[Target, ...] = ()

    def notices(self) -> list[Notice]:
        """Return what the user must know of all of them."""
        return [notice for made in (*self.images, *self.targets) for notice in made.notices]


def place_beside(
    images: Sequence[ReadImage],
    requests: Sequence[TargetRequest],
    courses: list[Course],
    registrations: Sequence[CourseRegistration],
    reference_index: int,
    *,
    methods: Sequence[str],
    progress: Progress = no_progress,
) -> Beside:
    """Bring images to the reference's space and make targets from them, which become structures of its course.

    Parameters
    ----------
    courses
        The reference course is replaced by one that has the new targets, too.
    methods
        How images are placed; see `core.registration.images.place_images`.
    """
    placed = place_images(images, courses, registrations, reference_index, methods=methods, progress=progress)
    reference = courses[reference_index]
    targets = make_targets(requests, placed, reference)
    new = tuple(target.structure for target in targets)
    courses[reference_index] = replace(reference, structures=(*reference.structures, *new))
    return Beside(tuple(placed), tuple(targets))


def write_new_contours(review: Review, targets: Sequence[Target], out: Path) -> list[str]:
    """Write new targets' contours as RTSTRUCT on the planning CT, and return the file's name; none without targets."""
    if not targets:
        return []
    exported = [
        ExportedStructure(target.structure, target.region.provenance, target.region.volume_cc) for target in targets
    ]
    name = "new_contours.dcm"
    review.notices += write_structure_set(
        out / name, exported, review.reference, label="Re-irradiation", software_version=__version__
    )
    return [name]
