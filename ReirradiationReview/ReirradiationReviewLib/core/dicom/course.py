"""A folder of DICOM files to a checked course."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..courses import Course, ImageSeries, Patient, Plan, Structure
from ..errors import Notice, Progress, ReirradiationError, no_progress
from .dose import RTDOSE, DoseObject, dose_object, has_pixels, holds_other_doses
from .images import group_series, read_images, read_one_series
from .links import LinkedPlan, choose_ct, choose_structure_set, common_frame, link_doses
from .objects import DicomFile, patient_of, quiet_values, tag
from .plan import fractions_of, is_plan, plan_notices, read_plan
from .plan_dose import read_plan_dose
from .records import Delivered, delivered_notices, read_delivered
from .registration import is_registration
from .scan import Scan, scan_files, scan_folder, without_copies
from .structures import RTSTRUCT, read_structures

# Parts of the work, as fractions of its time: most goes into the CT's slices.
_SCANNED, _IMAGES_READ, _STRUCTURES_READ = 0.35, 0.8, 0.85
_IDENTITY = {"id": "PatientID", "name": "PatientName", "birth_date": "PatientBirthDate", "sex": "PatientSex"}


@dataclass(frozen=True)
class _Selection:
    """The objects of a folder that make up the course."""

    linked: tuple[LinkedPlan, ...]
    structure_set: DicomFile | None
    ct: Sequence[DicomFile] | None
    frame: str
    delivered: tuple[Delivered | None, ...]

    def objects(self) -> list[DicomFile]:
        """Return all objects, the CT's first: its identity counts."""
        plans = [item.plan.file for item in self.linked if item.plan.file]
        doses = [dose.file for item in self.linked for dose in item.doses]
        others = [self.structure_set] if self.structure_set else []
        return [*(self.ct or ()), *others, *plans, *doses]


def read_course(
    folder: Path, label: str, progress: Progress = no_progress, fractions: Mapping[str, int] | None = None
) -> Course:
    """Read one course of radiotherapy from a folder.

    Objects are linked by UID: RTDOSE to RTPLAN to RTSTRUCT to CT. What is not linked is used only where there is no
    choice, and with a notice.

    Parameters
    ----------
    folder
        Searched recursively; file names do not matter.
    label
        The course's name in the review, e.g. ``"course 1"``.
    fractions
        User-entered number of fractions by plan label or plan UID.

    Returns
    -------
    Course
        Without plans where no RTDOSE is usable; with ``ct`` None where there is none. ``notices`` holds everything
        that was left out, assumed or looks wrong.

    Raises
    ------
    ReirradiationError
        If a number would have to be guessed: the message names file, tag and remedy.
    """
    return _read(lambda scanned: scan_folder(Path(folder), scanned), label, progress, fractions)


def read_course_files(
    paths: Sequence[Path], label: str, progress: Progress = no_progress, fractions: Mapping[str, int] | None = None
) -> Course:
    """Read one course of radiotherapy from its files, wherever they lie; see `read_course`."""
    return _read(lambda scanned: scan_files(paths, scanned), label, progress, fractions)


def _read(
    scan: Callable[[Progress], Scan], label: str, progress: Progress, fractions: Mapping[str, int] | None
) -> Course:
    try:
        with quiet_values():
            found = scan(lambda done, text: progress(_SCANNED * done, text))
            return course_from_scan(found, label, progress, fractions)
    except ReirradiationError as error:
        raise ReirradiationError(f"{label}: {error}") from error


def read_series(folder: Path, modality: str, progress: Progress = no_progress) -> ImageSeries:
    """Read the only series of a modality from a folder, e.g. ``"PT"`` or ``"MR"``.

    Values are rescaled slice by slice (PET has a slope per slice). Nothing is repaired: missing or contradicting
    slices are refused.

    Raises
    ------
    ReirradiationError
        If there is not exactly one series of the modality, or it cannot be read as one regular volume.
    """
    with quiet_values():
        scan = scan_folder(Path(folder), lambda done, text: progress(0.5 * done, text))
        scan.require_sound()
        files, _ = without_copies(scan.files)
        return read_one_series(files, modality, str(folder), lambda done, text: progress(0.5 + 0.5 * done, text))


def course_from_scan(
    scan: Scan, label: str, progress: Progress = no_progress, fractions: Mapping[str, int] | None = None
) -> Course:
    """Return the course in a folder that was scanned; see `read_course`."""
    scan.require_sound()
    files, notices = without_copies(scan.files)
    notices += scan.notices()
    entered = fractions or {}
    chosen, found = _select(files, entered)
    notices += found
    patient, found = _patient(chosen.objects() or files)
    notices += found
    ct, found = _read_ct(chosen, progress)
    notices += found
    structures: tuple[Structure, ...] = ()
    if chosen.structure_set:
        progress(_IMAGES_READ, "reading structures")
        structures, found = read_structures(chosen.structure_set, chosen.frame)
        notices += found
    plans, found = _read_plans(chosen, entered, progress)
    notices += found
    return Course(
        label=label,
        date=_date(chosen),
        end_date=max((delivered.last_date for delivered in chosen.delivered if delivered), default=""),
        patient=patient,
        ct=ct,
        structures=structures,
        plans=tuple(plans),
        notices=tuple(replace(n, where=f"{label}: {n.where}" if n.where else label) for n in notices),
        folder=str(scan.folder),
        structure_set_uid=chosen.structure_set.uid if chosen.structure_set else "",
        registration_files=tuple(file.path for file in files if is_registration(file)),
    )


def _select(files: Sequence[DicomFile], entered: Mapping[str, int]) -> tuple[_Selection, list[Notice]]:
    """Return the objects that belong together."""
    doses, notices = _doses(files)
    plans = [read_plan(file) for file in files if is_plan(file)]
    linked, found = link_doses(plans, doses, entered)
    notices += found
    dose_frame = next((f for item in linked for dose in item.doses if (f := dose.file.frame_of_reference)), "")
    sets = [file for file in files if file.sop_class == RTSTRUCT]
    structure_set, found = choose_structure_set(linked, sets, dose_frame)
    notices += found
    ct, found = choose_ct(group_series(files, "CT"), structure_set, dose_frame)
    notices += found
    frame, found = common_frame(linked, structure_set, ct[0] if ct else None)
    notices += found
    records = [file for file in files if file.modality == "RTRECORD"]
    delivered = tuple(read_delivered(records, item.plan.uid) for item in linked)
    return _Selection(tuple(linked), structure_set, ct, frame, delivered), notices


def _doses(files: Iterable[DicomFile]) -> tuple[list[DoseObject], list[Notice]]:
    doses, notices = [], []
    for file in files:
        if file.sop_class != RTDOSE:
            continue
        if has_pixels(file):
            doses.append(dose_object(file))
        elif not holds_other_doses(file):
            raise file.bad("PixelData", "is missing, and there are no DVHs or points either: the file may be damaged")
        else:
            text = f"{file.name}: this RTDOSE has no dose grid (Rows (0028,0010) and PixelData are missing); skipped"
            notices.append(Notice("dose-without-pixels", text, file.name))
    if not doses:
        notices.append(Notice("no-dose", "there is no RTDOSE with a dose grid in the folder"))
    return doses, notices


def _read_ct(chosen: _Selection, progress: Progress) -> tuple[ImageSeries | None, list[Notice]]:
    if chosen.ct is None:
        return None, []
    span = _IMAGES_READ - _SCANNED
    series, notices = read_images(chosen.ct, lambda done, text: progress(_SCANNED + span * done, text))
    return replace(series, volume=replace(series.volume, frame_of_reference_uid=chosen.frame)), notices


def _read_plans(chosen: _Selection, entered: Mapping[str, int], progress: Progress) -> tuple[list[Plan], list[Notice]]:
    plans, notices = [], []
    for number, (item, delivered) in enumerate(zip(chosen.linked, chosen.delivered, strict=True)):
        done = number / len(chosen.linked)
        progress(_STRUCTURES_READ + (1 - _STRUCTURES_READ) * done, f"reading the dose of {item.plan.label}")
        plan, found = _read_plan(item, delivered, chosen.frame, entered)
        plans.append(plan)
        notices += found
    return plans, notices


def _read_plan(
    item: LinkedPlan, delivered: Delivered | None, frame: str, entered: Mapping[str, int]
) -> tuple[Plan, list[Notice]]:
    facts = item.plan
    number, source, notices = fractions_of(facts, entered)
    dose = read_plan_dose(facts, item.doses, number)
    notices = [*plan_notices(facts), *notices, *dose.notices, *delivered_notices(facts, number, delivered)]
    plan = Plan(
        label=facts.label,
        dose=replace(dose.volume, frame_of_reference_uid=frame),
        fractions=number,
        fractions_source=source,
        dose_type=dose.dose_type,
        dose_summation_type=dose.summation,
        plan_uid=facts.uid,
        dose_uids=dose.uids,
        prescription_gy=facts.prescription_gy,
        modality=facts.modality,
        date=facts.date or item.doses[0].file.iso_date("StudyDate"),
        delivered_fractions=delivered.fractions if delivered else None,
        delivery=facts.delivery,
        is_heavy_ion=facts.is_heavy_ion,
    )
    return plan, notices


def _date(chosen: _Selection) -> str:
    """Return the first treatment date of the records, else the earliest plan date, else a study date."""
    treated = [delivered.first_date for delivered in chosen.delivered if delivered and delivered.first_date]
    planned = [item.plan.date for item in chosen.linked if item.plan.date]
    studies = [date for file in chosen.objects() if (date := file.iso_date("StudyDate"))]
    return min(treated or planned or studies, default="")


def _patient(objects: Sequence[DicomFile]) -> tuple[Patient, list[Notice]]:
    """Return the identity, the CT's where they differ, and a notice for every attribute that does."""
    identities = [(file.name, patient_of(file)) for file in objects]
    notices, agreed = [], {}
    for attribute, keyword in _IDENTITY.items():
        by_value: dict[str, list[str]] = {}
        for name, patient in identities:
            if value := getattr(patient, attribute):
                by_value.setdefault(value, []).append(name)
        agreed[attribute] = next(iter(by_value), "")
        if len(by_value) > 1:
            groups = " / ".join(names[0] + (" etc." if len(names) > 1 else "") for names in by_value.values())
            text = (
                f"{tag(keyword)} differs between objects of this folder ({groups}): they may be of DIFFERENT PATIENTS; "
                "the first one's is shown; do not use this review before that is cleared up"
            )
            notices.append(Notice("patient-mismatch", text, "folder"))
    return Patient(**agreed), notices
