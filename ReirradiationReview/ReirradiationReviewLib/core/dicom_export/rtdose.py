"""The composite EQD2 as a DICOM RTDOSE that other systems can load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..courses import Course, Plan
from ..errors import Notice, ReirradiationError
from ..volume import Volume
from .grid import dose_grid
from .objects import LO_LENGTH, new_object, save, sop_reference

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SpatialTransformKind = Literal["NONE", "RIGID", "NON_RIGID"]

_RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"  # PS3.4 B.5
_RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
_RT_ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"
_LT_LENGTH = 10240  # PS3.5 table 6.2-1


@dataclass(frozen=True)
class ComposedCourse:
    """What one course gave to the composite.

    Parameters
    ----------
    label
        As in the review, e.g. ``"course 1"``.
    plans
        The plans whose EQD2 was added, with the fractions it was computed with.
    recovery
        Part of the course's EQD2 that was taken off, 0 to 1; 0 for none.
    transform
        How its dose was brought to the reference, DICOM Spatial Transform of Dose (3004,0005).
    registration
        SOP Class and Instance UID of the registration object that says so; None where there is none.
    """

    label: str
    plans: tuple[Plan, ...]
    recovery: float
    transform: SpatialTransformKind
    registration: tuple[str, str] | None = None


def write_composite_rtdose(
    path: Path,
    composite: Volume,
    known: NDArray[np.bool_],
    reference: Course,
    courses: Sequence[ComposedCourse],
    *,
    alpha_beta_gy: float,
    software_version: str,
) -> tuple[Notice, ...]:
    """Write the composite EQD2 as RTDOSE: DoseType EFFECTIVE, DoseSummationType MULTI_PLAN (PS3.3 C.8.8.3).

    DICOM has no way to say that a voxel's dose is unknown. Such voxels are written as 0, and DoseComment (3004,0006)
    and ImageComments (0020,4000) say so and count them.

    Parameters
    ----------
    composite
        EQD2 in Gy, shape ``(K, J, I)``, in the reference course's Frame of Reference (LPS, mm).
    known
        Same shape; False where the composite is unknown, whatever value the array holds there.
    reference
        The course whose patient, study and Frame of Reference the object belongs to.
    courses
        Every course that was summed, the reference course among them.
    alpha_beta_gy
        The one alpha/beta that the whole composite was computed with, Gy.

    Returns
    -------
    tuple of Notice
        What could not be said in the object, such as a plan without UID.

    Raises
    ------
    ReirradiationError
        If the composite is negative or not a number where it is known, is nowhere known or zero everywhere, lies in
        another Frame of Reference, has oblique axes that DICOM cannot hold, or the file cannot be written.
    """
    _check(composite, known, reference, courses, alpha_beta_gy)
    dataset, notices = new_object(_RT_DOSE, "RTDOSE", reference, software_version)
    dataset.PositionReferenceIndicator = ""
    dataset.FrameOfReferenceUID = composite.frame_of_reference_uid
    _describe(dataset, courses, alpha_beta_gy, int(np.size(known) - np.count_nonzero(known)), known.size)
    dataset.ReferencedRTPlanSequence = _plan_references(courses, notices)
    dataset.update(dose_grid(composite.like(np.where(known, composite.array, 0.0))))
    save(dataset, path)
    return tuple(notices)


def _check(
    composite: Volume, known: NDArray[np.bool_], reference: Course, courses: Sequence[ComposedCourse], ab_gy: float
) -> None:
    name = "composite EQD2"
    if composite.array.shape != known.shape:
        raise ReirradiationError(f"{name}: the mask of known voxels has another shape than the dose; recompute it")
    if not (np.isfinite(ab_gy) and ab_gy > 0):
        raise ReirradiationError(f"{name}: alpha/beta must be above 0 Gy, not {ab_gy:g}; enter one")
    values = composite.array[known]
    if not np.all(np.isfinite(values)):
        raise ReirradiationError(f"{name}: voxels that should be known hold no number; recompute the composite")
    if not values.size or values.max() == 0:
        raise ReirradiationError(f"{name}: no voxel has a known dose above 0 Gy, so there is nothing to export")
    if values.min() < 0:
        raise ReirradiationError(f"{name}: negative dose ({values.min():g} Gy) is not exported; check the input doses")
    if not courses or any(not course.plans for course in courses):
        raise ReirradiationError(f"{name}: a summed course without plans cannot be referenced; leave it out of the sum")
    if any(not 0 <= course.recovery <= 1 for course in courses):
        raise ReirradiationError(f"{name}: recovery must lie between 0 and 1; enter it as a fraction")
    frame = composite.frame_of_reference_uid
    if not frame or frame != reference.frame_of_reference_uid:
        raise ReirradiationError(
            f"{name}: its Frame of Reference UID (0020,0052) is '{frame}' but that of {reference.label} is "
            f"'{reference.frame_of_reference_uid}'; export it in the reference course's frame"
        )


def _describe(
    dataset: Dataset, courses: Sequence[ComposedCourse], alpha_beta_gy: float, unknown_voxels: int, voxels: int
) -> None:
    transform = _strongest([course.transform for course in courses])
    dataset.SeriesDescription = f"Composite EQD2, alpha/beta {alpha_beta_gy:g} Gy"[:LO_LENGTH]
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.DoseUnits = "GY"
    dataset.DoseType = "EFFECTIVE"
    dataset.DoseSummationType = "MULTI_PLAN"
    dataset.SpatialTransformOfDose = transform
    if transform != "NONE":
        # Type 2C: required with a transform, and empty where no registration object is written.
        dataset.ReferencedSpatialRegistrationSequence = [
            sop_reference(*course.registration) for course in courses if course.registration
        ]
    dataset.DoseComment = _short_comment(courses, alpha_beta_gy, unknown_voxels, transform)
    dataset.ImageComments = _long_comment(courses, alpha_beta_gy, unknown_voxels, voxels)[:_LT_LENGTH]


def _strongest(kinds: Sequence[SpatialTransformKind]) -> SpatialTransformKind:
    order: tuple[SpatialTransformKind, ...] = ("NONE", "RIGID", "NON_RIGID")
    return max(kinds, key=order.index)


def _short_comment(courses: Sequence[ComposedCourse], alpha_beta_gy: float, unknown_voxels: int, transform: str) -> str:
    """Return the facts in at most 64 characters (LO); lists that do not fit are left to ImageComments."""
    start = f"EQD2 a/b={alpha_beta_gy:g}"
    end = f"{transform} 0=unknown:{unknown_voxels}" if unknown_voxels else transform
    recovery = "/".join(f"{course.recovery:g}" for course in courses)
    if len({course.recovery for course in courses}) == 1:
        recovery = f"{courses[0].recovery:g}"
    fractions = "+".join(_fractions(plan, "?") for course in courses for plan in course.plans)
    candidates = [
        f"{start} n={fractions} r={recovery} {end}",
        f"{start} n=see(0020,4000) r={recovery} {end}",
        f"{start} n,r=see(0020,4000) {end}",
    ]
    return next((text for text in candidates if len(text) <= LO_LENGTH), candidates[-1][:LO_LENGTH])


def _fractions(plan: Plan, unknown: str) -> str:
    return unknown if plan.fractions is None else str(plan.fractions)


def _long_comment(courses: Sequence[ComposedCourse], alpha_beta_gy: float, unknown_voxels: int, voxels: int) -> str:
    lines = [
        f"Composite EQD2 in Gy (LQ model, alpha/beta {alpha_beta_gy:g} Gy everywhere): each plan converted to EQD2 "
        "with its own fractions, mapped to the reference, then summed. Not a physical dose: do not convert it again.",
        f"{unknown_voxels} of {voxels} voxels lie outside the dose grids; their dose is unknown and written as 0.",
    ]
    for course in courses:
        for plan in course.plans:
            lines.append(
                f"{course.label}, {plan.label}: {_fractions(plan, 'unknown number of')} fractions "
                f"({plan.fractions_source}), dose type {plan.dose_type or 'unknown'}, recovery {course.recovery:g}, "
                f"transform {course.transform}, dose {' '.join(plan.dose_uids) or 'without UID'}"
            )
    lines.append("Review aid for research; not for treatment decisions on its own.")
    return "\r\n".join(lines)


def _plan_references(courses: Sequence[ComposedCourse], notices: list[Notice]) -> list[Dataset]:
    """Return the items of ReferencedRTPlanSequence (300C,0002); a plan without UID is left out and noted."""
    items: dict[str, Dataset] = {}
    plans = [plan for course in courses for plan in course.plans]
    single = [part for plan in plans for part in plan.parts or ((plan.label, plan.plan_uid, plan.modality),)]
    for label, uid, modality in single:
        if not uid:
            text = f"{label} has no plan UID, so the composite RTDOSE does not refer to it."
            notices.append(Notice("rtdose-plan-not-referenced", text, label))
            continue
        if not modality:
            text = f"The plan file of {label} is absent; the composite RTDOSE refers to it as an RT Plan."
            notices.append(Notice("rtdose-plan-class-assumed", text, label))
        items[uid] = sop_reference(_RT_ION_PLAN if modality == "RTIONPLAN" else _RT_PLAN, uid)
    return list(items.values())
