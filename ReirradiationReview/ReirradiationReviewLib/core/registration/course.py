"""The registration of each earlier course onto the reference, as the user asked for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..courses import Course
from ..errors import Notice, Progress, ReirradiationError, no_progress, part_of
from ..volume import Volume
from .cache import RegistrationCache
from .deformable import register_deformable
from .files import identity_transform
from .given import registration_in_folders, transform_from_file
from .rigid import RegistrationResult, register_rigid
from .transform import SpatialTransform


@dataclass(frozen=True)
class CourseRegistration:
    """How one course was brought to the reference.

    Parameters
    ----------
    method
        ``"reference"`` for the reference course itself, ``"identity"``, ``"rigid"``, ``"deformable"`` or ``"file"``.
    qa
        Figures that say how good it is, by name with the unit in the name.
    """

    transform: SpatialTransform
    method: str
    qa: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    notices: tuple[Notice, ...] = ()


def register_courses(
    courses: Sequence[Course],
    reference_index: int,
    methods: Sequence[str],
    progress: Progress = no_progress,
    cache: RegistrationCache | None = None,
) -> list[CourseRegistration]:
    """Register every course onto the reference.

    Parameters
    ----------
    methods
        ``"rigid"``, ``"deformable"`` (rigid first), ``"identity"``, ``"auto"`` (identity where both share a Frame of
        Reference, else the one REG object in the courses' folders that links them, else rigid) or the path of a REG,
        ITK transform or displacement field; one for all earlier courses, or one for each in their order.
    cache
        Where registrations that were found before are kept; None to find them anew.

    Raises
    ------
    ReirradiationError
        If a method does not apply or a registration failed.
    """
    reference = courses[reference_index]
    others = [index for index in range(len(courses)) if index != reference_index]
    if len(methods) not in (1, len(others)):
        raise ReirradiationError(
            f"{len(methods)} registrations were given for {len(others)} earlier courses: "
            "give one for all, or one for each"
        )
    chosen = dict(zip(others, list(methods) * len(others) if len(methods) == 1 else methods, strict=True))
    result = []
    for index, course in enumerate(courses):
        if index == reference_index:
            result.append(CourseRegistration(SpatialTransform(), "reference"))
            continue
        started = time.perf_counter()
        registration = _register(reference, course, chosen[index], progress, cache)
        seconds = time.perf_counter() - started
        result.append(
            CourseRegistration(
                registration.transform, registration.method, registration.qa, seconds, registration.notices
            )
        )
    return result


def _register(
    reference: Course, course: Course, method: str, progress: Progress, cache: RegistrationCache | None = None
) -> CourseRegistration:
    if method == "auto":
        return _register_automatically(reference, course, progress, cache)
    if method == "identity":
        transform = identity_transform(reference.frame_of_reference_uid, course.frame_of_reference_uid)
        return CourseRegistration(transform, "identity", {"same_frame_of_reference": True})
    if method in ("rigid", "deformable"):
        return _found(reference, course, method, progress, cache)
    path = Path(method)
    if not path.is_file():
        raise ReirradiationError(
            f"--registration {method!r} is neither rigid, deformable, identity, auto nor an existing transform file"
        )
    transform, notices = transform_from_file(path, reference, course)
    return CourseRegistration(transform, "file", {"file": path.name}, notices=notices)


def _register_automatically(
    reference: Course, course: Course, progress: Progress, cache: RegistrationCache | None
) -> CourseRegistration:
    """Take the identity in one Frame of Reference, else a fitting REG object of the folders, else register rigidly."""
    if reference.frame_of_reference_uid and reference.frame_of_reference_uid == course.frame_of_reference_uid:
        return _register(reference, course, "identity", progress)
    transform, name, notices = registration_in_folders(reference, course)
    if transform is not None:
        return CourseRegistration(transform, "file", {"file": name}, notices=notices)
    return replace(_register(reference, course, "rigid", progress, cache), notices=notices)


def _found(
    reference: Course, course: Course, method: str, progress: Progress, cache: RegistrationCache | None
) -> CourseRegistration:
    """Register by the images, or take what was found from the very same images before."""
    assert reference.ct is not None
    if course.ct is None:
        raise ReirradiationError(
            f"{course.label} has no CT to register: add its planning CT, or give --registration a transform file"
        )
    fixed, moving = reference.ct.volume, course.ct.volume

    def find() -> RegistrationResult:
        return _register_images(fixed, moving, method, progress)

    found = find() if cache is None else cache.result(fixed, moving, method, find)
    if found.failed:
        raise ReirradiationError(
            f"the {found.method} registration of {course.label} to {reference.label} failed: {found.failure_reason}; "
            "check that both are of the same patient and region, or give --registration a transform file"
        )
    return CourseRegistration(found.transform, method, found.qa)


def _register_images(fixed: Volume, moving: Volume, method: str, progress: Progress) -> RegistrationResult:
    if method == "rigid":
        return register_rigid(fixed, moving, progress)
    rigid = register_rigid(fixed, moving, part_of(progress, 0.0, 0.25))
    if rigid.failed:
        return rigid
    return register_deformable(fixed, moving, rigid.transform, progress=part_of(progress, 0.25, 1.0))
