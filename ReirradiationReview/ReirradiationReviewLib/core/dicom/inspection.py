"""What is in folders, told without judging more than a course would be: for the ``inspect`` command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..courses import Course
from ..errors import ReirradiationError
from .course import course_from_scan
from .dose import RTDOSE, has_pixels
from .objects import DicomFile, quiet_values
from .plan import RTIONPLAN, is_plan
from .registration import is_registration, registration_object
from .scan import Scan, scan_folder
from .structures import RTSTRUCT


@dataclass(frozen=True)
class ObjectSummary:
    """One RT object, or one image series, in words."""

    kind: str
    name: str
    facts: str


@dataclass(frozen=True)
class FolderSummary:
    """One folder.

    Parameters
    ----------
    course
        What the folder is read as; None where it is refused or holds no RT objects.
    refusal
        Why it is refused; empty where it is not.
    """

    folder: str
    objects: tuple[ObjectSummary, ...] = ()
    course: Course | None = None
    refusal: str = ""

    def lines(self) -> list[str]:
        """Return the folder as lines of text."""
        lines = [self.folder]
        lines += [f"  {item.kind:<9} {item.name}: {item.facts}" for item in self.objects]
        if self.refusal:
            lines.append(f"  REFUSED   {self.refusal}")
        return lines + (_course_lines(self.course) if self.course else [])


@dataclass(frozen=True)
class Inspection:
    """All folders that were asked for."""

    folders: tuple[FolderSummary, ...]

    def lines(self) -> list[str]:
        """Return everything as lines of text."""
        return [line for folder in self.folders for line in folder.lines()]


def inspect(folders: Sequence[Path]) -> Inspection:
    """Return what the folders hold. Bad objects and missing folders are reported, never raised."""
    with quiet_values():
        return Inspection(tuple(_inspect_folder(Path(folder)) for folder in folders))


def _inspect_folder(folder: Path) -> FolderSummary:
    try:
        scan = scan_folder(folder)
    except ReirradiationError as error:
        return FolderSummary(str(folder), refusal=str(error))
    objects = tuple(_summaries(scan))
    if scan.files and not scan.damaged and not {"RTDOSE", "RTPLAN", "RTIONPLAN"} & {item.kind for item in objects}:
        return FolderSummary(str(folder), objects)  # images or structures only: nothing that makes a course
    try:
        return FolderSummary(str(folder), objects, course_from_scan(scan, folder.name))
    except ReirradiationError as error:
        return FolderSummary(str(folder), objects, refusal=str(error))


def _summaries(scan: Scan) -> list[ObjectSummary]:
    series: dict[tuple[str, str, str], int] = {}
    found = []
    for file in scan.files:
        try:
            if kind := _kind(file):
                found.append(ObjectSummary(kind, file.name, _facts(file)))
            else:
                key = (file.modality, file.text("SeriesDescription") or "no description", _series_facts(file))
                series[key] = series.get(key, 0) + 1
        except ReirradiationError as error:
            found.append(ObjectSummary("unreadable", file.name, str(error)))
    images = [ObjectSummary(kind, name, f"{count} slices, {facts}") for (kind, name, facts), count in series.items()]
    if scan.ignored:
        found.append(ObjectSummary("ignored", f"{len(scan.ignored)} files", ", ".join(scan.ignored[:10])))
    return images + found


def _kind(file: DicomFile) -> str:
    if is_plan(file):
        return "RTIONPLAN" if file.sop_class == RTIONPLAN else "RTPLAN"
    if is_registration(file):
        return "REG"
    if file.modality == "RTRECORD":
        return "RTRECORD"
    return {RTDOSE: "RTDOSE", RTSTRUCT: "RTSTRUCT"}.get(file.sop_class, "")


def _series_facts(file: DicomFile) -> str:
    return f"{file.iso_date('StudyDate') or 'no date'}, SeriesInstanceUID {file.text('SeriesInstanceUID') or 'missing'}"


def _facts(file: DicomFile) -> str:
    """Return the few attributes by which a user tells one RT object from another."""
    if file.sop_class == RTDOSE:
        words = [file.code(key) or f"no {key}" for key in ("DoseSummationType", "DoseType", "DoseUnits")]
        grid = f"{file.text('NumberOfFrames') or '1'} frames" if has_pixels(file) else "no dose grid"
        return ", ".join([*words, grid, f"of plan {', '.join(file.uids('ReferencedRTPlanSequence')) or 'unknown'}"])
    if file.sop_class == RTSTRUCT:
        label = file.text("StructureSetLabel") or "no label"
        return f"{label}, {len(file.items('StructureSetROISequence'))} ROIs, SOPInstanceUID {file.uid}"
    if is_registration(file):
        found = registration_object(file)
        label = f"{found.description or 'no description'}, {found.date or 'no date'}"
        return f"{label}, links Frames of Reference {', '.join(sorted(found.frames({})))}"
    if file.modality == "RTRECORD":
        plans = ", ".join(file.uids("ReferencedRTPlanSequence")) or "unknown"
        return f"{file.iso_date('TreatmentDate') or 'no date'}, of plan {plans}"
    planned = [item.text("NumberOfFractionsPlanned") or "?" for item in file.items("FractionGroupSequence")]
    date, fractions = file.iso_date("RTPlanDate") or "no date", " + ".join(planned) or "?"
    return f"{file.text('RTPlanLabel') or 'no label'}, {date}, {fractions} fractions, SOPInstanceUID {file.uid}"


def _course_lines(course: Course) -> list[str]:
    lines = [f"  read as   a course of {course.date or 'unknown date'}, {len(course.structures)} structures"]
    for plan in course.plans:
        delivered = "" if plan.delivered_fractions is None else f", {plan.delivered_fractions} delivered by the records"
        fractions = f"{plan.fractions} fractions ({plan.fractions_source})" if plan.fractions else "fractions UNKNOWN"
        prescription = f"prescription {plan.prescription_gy:g} Gy, " if plan.prescription_gy else ""
        lines.append(
            f"  plan      {plan.label!r}: {fractions}{delivered}, {prescription}maximum "
            f"{float(plan.dose.array.max()):.2f} Gy, {plan.dose_type}, {plan.dose_summation_type}"
        )
    return lines + [f"  notice    [{notice.code}] {notice.text}" for notice in course.notices]
