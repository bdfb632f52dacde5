"""Registrations that were made elsewhere: a file that the user names, or a REG object in a course's folder."""

from __future__ import annotations

import math
from pathlib import Path

from ..courses import Course
from ..dicom.registration import RegistrationObject, read_registration_object
from ..dicom.scan import is_dicom
from ..errors import Notice, ReirradiationError
from .files import read_transform
from .qa.images import compare_images
from .qa.limits import CORRELATION
from .transform import SpatialTransform


def transform_from_file(path: Path, reference: Course, course: Course) -> tuple[SpatialTransform, tuple[Notice, ...]]:
    """Return the transform in a file that the user named: DICOM REG, ITK transform or displacement field.

    Returns
    -------
    transform
        Reference point to course point, LPS mm.
    notices
        That it was not made here, and what looks odd in it.

    Raises
    ------
    ReirradiationError
        If the file cannot be read, or is a REG of other Frames of Reference (0020,0052).
    """
    own = Notice(
        "registration-from-file",
        f"the transform of {course.label} comes from the file {path.name}; it was not made here",
        course.label,
    )
    if is_dicom(path):
        found = read_registration_object(path)
        transform = _between(found, reference, course)
        notices = (own, *found.notices, *_patient_notices(found, reference, course))
    else:
        assert reference.ct is not None
        transform, notices = read_transform(path, reference.ct.volume), (own,)
    doubt = _doubt(transform, reference, course)
    if doubt:
        text = f"the transform of {course.label} in {path.name} looks wrong: {doubt}; check that it is of these two CTs"
        notices += (Notice("registration-doubtful", text, course.label),)
    return transform, notices


def registration_in_folders(
    reference: Course, course: Course, option: str = "--registration"
) -> tuple[SpatialTransform | None, str, tuple[Notice, ...]]:
    """Return the registration that lies in the folder of either course, if it is the only one that fits.

    It fits if it links exactly the two courses' Frames of Reference, is of the same patient, and the CTs agree under
    it.

    Parameters
    ----------
    option
        By which the user can ask for another registration.

    Returns
    -------
    transform
        Reference point to course point; None where there is none, or a choice that only the user can make.
    name
        The file's name; empty where there is none.
    notices
        What was used, or why something that is there was not.
    """
    paths = dict.fromkeys((*reference.registration_files, *course.registration_files))
    fitting: list[tuple[RegistrationObject, SpatialTransform]] = []
    notices: list[Notice] = []
    for path in paths:
        try:
            found = read_registration_object(path)
            if not found.links(
                reference.frame_of_reference_uid, course.frame_of_reference_uid, _image_frames(reference, course)
            ):
                continue
            transform = _between(found, reference, course)
        except ReirradiationError as error:
            notices.append(Notice("registration-object-unused", f"{error}; it was not used", course.label))
            continue
        strange = _patient_notices(found, reference, course)
        notices += strange
        doubt = _doubt(transform, reference, course)
        if doubt:
            text = f"the registration object {found.name} was not used: {doubt}"
            notices.append(Notice("registration-object-unused", text, course.label))
        elif not strange:
            fitting.append((found, transform))
    if len(fitting) > 1:
        names = ", ".join(found.name for found, _ in fitting)
        text = (
            f"several registration objects lead from {reference.label} to {course.label} ({names}); which one is meant "
            f"is not clear, so none was used; name one with {option}"
        )
        notices.append(Notice("registration-object-unused", text, course.label))
    if len(fitting) != 1:
        return None, "", tuple(notices)
    found, transform = fitting[0]
    text = (
        f"{course.label} is placed by the registration object {found.name} of {found.date or 'unknown date'} "
        f"({found.description or 'no description'}), found in the folder of a course; it was not made here; "
        f"{option} rigid registers the images anew instead"
    )
    return transform, found.name, (Notice("registration-object-used", text, course.label), *notices, *found.notices)


def _between(found: RegistrationObject, reference: Course, course: Course) -> SpatialTransform:
    frames = reference.frame_of_reference_uid, course.frame_of_reference_uid
    return found.transform(*frames, _image_frames(reference, course))


def _doubt(transform: SpatialTransform, reference: Course, course: Course) -> str:
    """Return why a transform cannot be right; empty if nothing speaks against it, or there are no CTs to tell."""
    if reference.ct is None or course.ct is None or {reference.ct.modality, course.ct.modality} != {"CT"}:
        return ""
    correlation = compare_images(reference.ct.volume, course.ct.volume, transform).correlation
    if math.isnan(correlation):
        return "under it the two CTs have nothing in common"
    if CORRELATION.check(correlation).verdict != "do not use":
        return ""
    return f"under it the two CTs correlate by only {correlation:.2f} ({CORRELATION.unusable:g} is needed)"


def _image_frames(*courses: Course) -> dict[str, str]:
    return {
        uid: course.frame_of_reference_uid
        for course in courses
        if course.ct is not None
        for uid in course.ct.sop_instance_uids
    }


def _patient_notices(found: RegistrationObject, reference: Course, course: Course) -> tuple[Notice, ...]:
    known = {reference.patient.id, course.patient.id} - {""}
    if not found.patient.id or not known or found.patient.id in known:
        return ()
    text = f"PatientID (0010,0020) of the registration object {found.name} is neither course's; check whose it is"
    return (Notice("patient-mismatch", text, course.label),)
