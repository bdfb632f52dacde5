"""What a run writes of its registrations: transforms, and the earlier courses' contours on the reference's CT."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from . import __version__
from .core.dicom_export.registration import write_registration
from .core.dicom_export.rtstruct import ExportedStructure, write_structure_set
from .core.errors import Notice, ReirradiationError
from .core.organs.names import match_organ
from .core.registration.files import write_transform
from .core.registration.propagation import propagate_structures
from .core.review import Review


def make_folder(folder: Path) -> None:
    """Create a folder to write into; ReirradiationError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReirradiationError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error


def write_transforms(review: Review, folder: Path) -> tuple[list[str], dict[int, tuple[str, str]]]:
    """Write each earlier course's transform as an ITK file, and as a DICOM REG where it joins two frames.

    Returns
    -------
    names
        Of the files, relative to the output folder.
    objects
        SOP Class and Instance UID of the REG by the course's index.
    """
    make_folder(folder)
    names: list[str] = []
    objects: dict[int, tuple[str, str]] = {}
    for index, (course, registration) in enumerate(zip(review.courses, review.registrations, strict=True)):
        if index == review.reference_index:
            continue
        suffix = "tfm" if registration.transform.displacement is None else "h5"
        path = folder / f"course{index + 1}.{suffix}"
        write_transform(path, registration.transform)
        names.append(f"transforms/{path.name}")
        if course.frame_of_reference_uid != review.reference.frame_of_reference_uid:
            path = path.with_suffix(".dcm")
            kind, uid, notices = write_registration(
                path,
                registration.transform,
                review.reference,
                course,
                method=registration.method,
                software_version=__version__,
            )
            objects[index] = (kind, uid)
            review.notices += notices
            names.append(f"transforms/{path.name}")
    return names, objects


def write_earlier_contours(review: Review, out: Path) -> list[str]:
    """Write each earlier course's structures, drawn on the reference's CT, as RTSTRUCT; return the files' names.

    The patient's outline is left out: the reference has its own.
    """
    names = []
    for index, course in enumerate(review.courses):
        drawn = [
            structure for structure in course.structures if not _is_outline(structure.name, structure.interpreted_type)
        ]
        if index == review.reference_index or not drawn or review.reference.ct is None:
            continue
        registration = review.registrations[index]
        brought, notices = propagate_structures(drawn, registration.transform, review.reference.ct.volume)
        review.notices += notices
        how = (
            f"{course.label}, brought to {review.reference.label} by its {registration.method} registration; unchecked"
        )
        exported = [
            ExportedStructure(replace(structure, name=f"{structure.name} ({course.label})"), how, algorithm="AUTOMATIC")
            for structure in brought
        ]
        path = out / "transforms" / f"course{index + 1}_contours.dcm"
        try:
            label = f"{course.label} moved"
            review.notices += write_structure_set(
                path, exported, review.reference, label=label, software_version=__version__
            )
        except ReirradiationError as error:
            text = f"the contours of {course.label} were not written on the CT of {review.reference.label}: {error}"
            review.notices.append(Notice("earlier-contours-not-written", text, course.label))
            continue
        names.append(f"transforms/{path.name}")
    return names


def _is_outline(name: str, interpreted_type: str) -> bool:
    return interpreted_type.upper() == "EXTERNAL" or match_organ(name, interpreted_type).tg263 in ("Body", "External")
