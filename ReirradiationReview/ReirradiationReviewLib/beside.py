"""What a review shows beside its courses: images, and targets made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import __version__
from .core.courses import Course
from .core.dicom_export.rtstruct import ExportedStructure, write_structure_set
from .core.errors import Notice, Progress, no_progress
from .core.functional_maps import FunctionalMap, check_functions, functional_maps
from .core.images import PlacedImage
from .core.registration.course import CourseRegistration
from .core.registration.images import ReadImage, place_images
from .core.review import Review
from .core.targets.derive_requests import CombinationRequest, MarginRequest
from .core.targets.derived import check_sources, derive_targets
from .core.targets.make import Target, check_requests, make_targets
from .core.targets.margin_recipe import SmallestMargin, smallest_margin
from .core.targets.methods import TargetRequest


@dataclass(frozen=True)
class TargetInputs:
    """What a user asks for around the target.

    Parameters
    ----------
    requests
        Targets to be made from the images.
    derived
        Targets to be made from those, or from contoured ones.
    margin
        The smallest one that the stated uncertainties leave.
    functions
        Functional map by organ; see `core.functional_maps.functional_maps`.
    """

    requests: tuple[TargetRequest, ...] = ()
    derived: tuple[MarginRequest | CombinationRequest, ...] = ()
    margin: SmallestMargin = field(default_factory=lambda: smallest_margin(None))
    functions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Beside:
    """What a review shows beside its courses.

    Parameters
    ----------
    images
        PET, MR and others, in the reference's space.
    targets
        New targets; the reference course's structures hold them, too.
    margin
        The smallest one from CTV to PTV.
    maps
        Functional maps that organs' doses are weighted by.
    """

    images: tuple[PlacedImage, ...] = ()
    targets: tuple[Target, ...] = ()
    margin: SmallestMargin = field(default_factory=lambda: smallest_margin(None))
    maps: tuple[FunctionalMap, ...] = ()

    def notices(self) -> list[Notice]:
        """Return what the user must know of all of them."""
        return [notice for made in (*self.images, *self.targets) for notice in made.notices]


def check_wanted(wanted: TargetInputs, reference: Course, images: Sequence[ReadImage]) -> None:
    """Refuse what is asked for and cannot be, before the long work; ReirradiationError says what there is instead."""
    check_requests(wanted.requests, images, reference)
    check_sources(wanted.derived, wanted.requests, reference.structures)
    check_functions(wanted.functions, reference.structures, [image.name for image in images])


def place_beside(
    images: Sequence[ReadImage],
    wanted: TargetInputs,
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
    targets = make_targets(wanted.requests, placed, reference)
    if (targets or wanted.derived) and reference.ct is not None:
        targets += derive_targets(wanted.derived, targets, reference.structures, reference.ct)
    new = tuple(target.structure for target in targets)
    courses[reference_index] = replace(reference, structures=(*reference.structures, *new))
    maps = functional_maps(wanted.functions, placed)
    return Beside(tuple(placed), tuple(targets), wanted.margin, tuple(maps))


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
