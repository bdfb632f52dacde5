"""RTSTRUCT to structures: closed planar contours in LPS mm (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure, as_points
from ..errors import Notice
from .objects import DicomFile, Item, tag, unreadable

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
# Contours that enclose an area; the XOR form states in words what the review does with all of them.
_CLOSED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}
_DEFAULT_COLOUR = (255, 255, 0)


@dataclass
class _Remarks:
    """What was left out, by reason, with the names of the ROIs concerned."""

    by_code: dict[str, list[str]] = field(default_factory=dict)

    def add(self, code: str, name: str) -> None:
        self.by_code.setdefault(code, []).append(name)

    def notices(self, where: str) -> list[Notice]:
        return [
            Notice(code, f"{where}: {_REASONS[code]}: {', '.join(dict.fromkeys(names))}", where)
            for code, names in self.by_code.items()
        ]


_REASONS = {
    "roi-empty": "ROIs without a closed contour were left out",
    "roi-not-closed": "points and open contours enclose nothing and were left out of",
    "roi-short-contour": "contours of fewer than three points were left out of",
    "roi-unreadable": "ContourData (3006,0050) cannot be read, so these ROIs were left out entirely",
    "roi-other-frame": "ROIs in another Frame of Reference (3006,0024) than the dose were left out",
    "roi-renamed": "several ROIs have one name; the later ones were numbered",
    "roi-unnamed": "ROIs without ROIName (3006,0026) were named by their number",
}


def read_structures(file: DicomFile, frame_of_reference_uid: str) -> tuple[tuple[Structure, ...], list[Notice]]:
    """Return the structures of an RTSTRUCT that lie in a frame of reference.

    Parameters
    ----------
    frame_of_reference_uid
        Frame of the course's dose; ROIs that state no frame are taken to lie in it.

    Returns
    -------
    structures : tuple of Structure
        In the order of the Structure Set ROI Sequence; names are unique.
    notices : list of Notice
        One per reason for which ROIs or contours were left out or renamed.
    """
    remarks = _Remarks()
    contours = _by_number(file, "ROIContourSequence")
    observations = _by_number(file, "RTROIObservationsSequence")
    if not contours and file.items("StructureSetROISequence"):
        raise file.bad("ROIContourSequence", "is missing: the file may be damaged", "export the structure set again")
    structures: list[Structure] = []
    names: set[str] = set()
    numbers: set[int] = set()
    for roi in file.items("StructureSetROISequence"):
        number = roi.integer("ROINumber")
        if number is None or number in numbers:
            raise file.bad("ROINumber", "is missing or used twice in StructureSetROISequence (3006,0020)")
        numbers.add(number)
        name = _unique_name(roi, number, names, remarks)
        frame = roi.text("ReferencedFrameOfReferenceUID") or frame_of_reference_uid
        if frame_of_reference_uid and frame != frame_of_reference_uid:
            remarks.add("roi-other-frame", name)
            continue
        polygons = _closed_contours(contours.get(number, []), name, remarks)
        if polygons is None:
            remarks.add("roi-unreadable", name)
        elif not polygons:
            remarks.add("roi-empty", name)
        else:
            kind = next((item.code("RTROIInterpretedType") for item in observations.get(number, [])), "")
            structures.append(Structure(name, number, polygons, _colour(contours[number][0]), kind, frame))
    return tuple(structures), remarks.notices(file.name)


def _by_number(file: DicomFile, sequence: str) -> dict[int, list[Item]]:
    """Return the items of a sequence by Referenced ROI Number (3006,0084)."""
    found: dict[int, list[Item]] = {}
    for item in file.items(sequence):
        number = item.integer("ReferencedROINumber")
        if number is None:
            raise file.bad("ReferencedROINumber", f"is missing in an item of {tag(sequence)}")
        found.setdefault(number, []).append(item)
    return found


def _unique_name(roi: Item, number: int, names: set[str], remarks: _Remarks) -> str:
    stated = roi.text("ROIName")
    if not stated:
        stated = f"ROI {number}"
        remarks.add("roi-unnamed", stated)
    name, count = stated, 1
    while name in names:
        count += 1
        name = f"{stated} ({count})"
    if count > 1:
        remarks.add("roi-renamed", name)
    names.add(name)
    return name


def _closed_contours(items: Iterable[Item], name: str, remarks: _Remarks) -> tuple[NDArray[np.float64], ...] | None:
    """Return the closed contours of an ROI; None if one of them cannot be read, as the rest would be too small."""
    kept = []
    for contour in (contour for item in items for contour in item.items("ContourSequence")):
        points = _points(contour)
        if points is None:
            return None
        if contour.code("ContourGeometricType") not in _CLOSED:
            remarks.add("roi-not-closed", name)
        elif len(points) < 3:
            remarks.add("roi-short-contour", name)
        else:
            kept.append(points)
    return tuple(kept)


def _points(contour: Item) -> NDArray[np.float64] | None:
    """Return Contour Data (3006,0050) as points, shape ``(N, 3)``; None where it is malformed.

    The text is converted at once: pydicom would make an object of every one of some 100 000 numbers.
    """
    try:
        value = contour.dataset.get_item("ContourData")
        data = None if value is None else value.value
        if isinstance(data, bytes):
            data = data.rstrip(b" \0").split(b"\\") if data.strip(b" \0") else None
        points = as_points([] if data is None else np.array(data, dtype=np.float64))
    except unreadable():
        return None
    return points if np.isfinite(points).all() else None


def _colour(item: Item) -> tuple[int, int, int]:
    colour = item.numbers("ROIDisplayColor")
    if colour is None or len(colour) != 3:
        return _DEFAULT_COLOUR
    red, green, blue = np.clip(colour, 0, 255).astype(int).tolist()
    return red, green, blue


def series_of(file: DicomFile) -> tuple[set[str], set[str]]:
    """Return the Series Instance UIDs and the SOP Instance UIDs of the images that a structure set was drawn on."""
    series: set[str] = set()
    images: set[str] = set()
    for frame in file.items("ReferencedFrameOfReferenceSequence"):
        for study in frame.items("RTReferencedStudySequence"):
            for item in study.items("RTReferencedSeriesSequence"):
                series.add(item.text("SeriesInstanceUID"))
                images.update(item.uids("ContourImageSequence"))
    return series - {""}, images


def frames_of(file: DicomFile) -> set[str]:
    """Return the Frame of Reference UIDs that a structure set states."""
    frames = {item.text("FrameOfReferenceUID") for item in file.items("ReferencedFrameOfReferenceSequence")}
    frames |= {item.text("ReferencedFrameOfReferenceUID") for item in file.items("StructureSetROISequence")}
    return (frames | {file.frame_of_reference}) - {""}
