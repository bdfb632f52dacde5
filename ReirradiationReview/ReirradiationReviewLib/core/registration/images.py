"""PET, MR and other series brought to the reference's space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..courses import Course, ImageSeries
from ..dicom.series import read_image_folder
from ..errors import Notice, Progress, ReirradiationError, no_progress, part_of
from ..images import PlacedImage, in_reference_space
from .course import CourseRegistration
from .files import identity_transform
from .given import registration_in_folders, transform_from_file
from .series import register_series

OPTION = "--image-registration"


@dataclass(frozen=True)
class ReadImage:
    """A series that was read, and is not yet placed.

    Parameters
    ----------
    name
        Unique among the images.
    group
        Which of the user's folders it is from: all series of a folder are placed by one method.
    suv
        How its SUV came about; empty where it has none.
    registration_files
        Spatial registration objects (REG) beside it.
    folder
        That it was read from; empty for none.
    """

    name: str
    series: ImageSeries
    group: int
    suv: dict[str, Any] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    registration_files: tuple[Path, ...] = ()
    folder: str = ""


@dataclass(frozen=True)
class _ToRegister:
    """Nothing says how an image lies."""

    notices: tuple[Notice, ...] = ()


def place_images(
    images: Sequence[ReadImage],
    courses: Sequence[Course],
    registrations: Sequence[CourseRegistration],
    reference_index: int,
    *,
    methods: Sequence[str] = ("auto",),
    progress: Progress = no_progress,
) -> list[PlacedImage]:
    """Bring images to the reference's space.

    Parameters
    ----------
    registrations
        Of the courses, one each.
    methods
        ``"auto"``, ``"identity"``, ``"rigid"`` or a file (REG, ITK transform, displacement field; reference point to
        image point), one for all folders or one for each. Automatic: the identity in the reference's Frame of
        Reference, the course's own registration in that of another course, else the one REG object that links the
        two frames, else an own rigid registration.

    Raises
    ------
    ReirradiationError
        If a method does not apply or a registration failed.
    """
    groups = max((image.group for image in images), default=-1) + 1
    if images and len(methods) not in (1, groups):
        raise ReirradiationError(
            f"{len(methods)} registrations were given with {OPTION} for {groups} folders of images: give one for all, "
            "or one for each"
        )
    reference = courses[reference_index]
    found: dict[str, CourseRegistration] = {}
    placed = []
    for number, image in enumerate(images):
        span = part_of(progress, number / len(images), (number + 1) / len(images))
        span(0.0, f"placing {image.name}")
        method = methods[0] if len(methods) == 1 else methods[image.group]
        known = _known(image, courses, registrations, reference, method)
        if isinstance(known, _ToRegister):
            # Series of one Frame of Reference lie on each other: the first of them is registered.
            frame = image.series.volume.frame_of_reference_uid or image.name
            if frame not in found:
                found[frame] = _register(reference, image, span)
            known = replace(found[frame], notices=(*known.notices, *found[frame].notices))
        placed.append(_placed(image, reference, known))
    return placed


def _known(
    image: ReadImage,
    courses: Sequence[Course],
    registrations: Sequence[CourseRegistration],
    reference: Course,
    method: str,
) -> CourseRegistration | _ToRegister:
    """Return how an image lies, as far as that is known without registering it."""
    frame = image.series.volume.frame_of_reference_uid
    if method == "identity" or (method == "auto" and frame and frame == reference.frame_of_reference_uid):
        transform = identity_transform(reference.frame_of_reference_uid, frame)
        return CourseRegistration(transform, "identity", {"same_frame_of_reference": True})
    if method == "rigid":
        return _ToRegister()
    if method != "auto":
        path = Path(method)
        if not path.is_file():
            raise ReirradiationError(
                f"{OPTION} {method!r} is neither rigid, identity, auto nor an existing transform file"
            )
        transform, notices = transform_from_file(path, reference, _as_course(image, courses))
        return CourseRegistration(transform, "file", {"file": path.name}, notices=notices)
    for course, registration in zip(courses, registrations, strict=True):
        if frame and frame == course.frame_of_reference_uid:
            return _with_course(registration, course, image)
    found, name, notices = registration_in_folders(reference, _as_course(image, courses), OPTION)
    if found is None:
        return _ToRegister(notices)
    return CourseRegistration(found, "file", {"file": name}, notices=notices)


def _as_course(image: ReadImage, courses: Sequence[Course]) -> Course:
    """Return what registrations ask of a course: frame, patient, images, and the registration objects at hand."""
    files = (*image.registration_files, *(path for course in courses for path in course.registration_files))
    series = image.series
    return Course(image.name, series.date, series.patient, series, (), (), registration_files=files)


def _with_course(registration: CourseRegistration, course: Course, image: ReadImage) -> CourseRegistration:
    text = f"{image.name} is in the Frame of Reference (0020,0052) of {course.label} and was placed as that was"
    notice = Notice("image-placed-with-course", text, image.name)
    return CourseRegistration(
        registration.transform, f"{registration.method} of {course.label}", dict(registration.qa), notices=(notice,)
    )


def _register(reference: Course, image: ReadImage, progress: Progress) -> CourseRegistration:
    """Register an image rigidly, a PET through the CT of its own examination where that lies beside it."""
    if reference.ct is None:
        raise ReirradiationError(f"{reference.label} has no CT to register {image.name} to; add its CT")
    through = _ct_of_examination(image)
    found = register_series(reference.ct, image.series, progress, through)
    if found.failed:
        raise ReirradiationError(
            f"the rigid registration of {image.name} to {reference.label} failed: {found.failure_reason}; check that "
            f"both are of the same patient and region, or give {OPTION} a transform file"
        )
    qa = {**found.qa, "seconds": round(found.seconds, 2)}
    if through is not None:
        qa["registered_through"] = f"CT {through.description}".strip()
    text = f"{image.name} was registered to {reference.label} rigidly by its own content; look at the fusion"
    return CourseRegistration(
        found.transform, found.method, qa, notices=(Notice("image-registered", text, image.name),)
    )


def _ct_of_examination(image: ReadImage) -> ImageSeries | None:
    frame = image.series.volume.frame_of_reference_uid
    if image.series.modality != "PT" or not frame or not image.folder:
        return None
    try:
        found = read_image_folder(Path(image.folder), "CT")
    except ReirradiationError:
        return None  # there is none, or none that can be read: the PET itself is registered
    return next((ct.image for ct in found if ct.image.volume.frame_of_reference_uid == frame), None)


def _placed(image: ReadImage, reference: Course, found: CourseRegistration) -> PlacedImage:
    notices = [*image.notices, *found.notices]
    if image.series.patient.id != reference.patient.id:
        text = f"PatientID (0010,0020) of {image.name} differs from that of {reference.label}"
        notices.append(Notice("patient-mismatch", text, image.name))
    return PlacedImage(
        name=image.name,
        series=image.series,
        volume=in_reference_space(image.series.volume, found.transform, reference.frame_of_reference_uid),
        transform=found.transform,
        method=found.method,
        qa=found.qa,
        suv=image.suv,
        notices=tuple(dict.fromkeys(notices)),
    )
