"""CT, MR and PET slices to one regular volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..courses import ImageSeries
from ..errors import Notice, Progress, ReirradiationError, no_progress
from ..volume import Volume
from .geometry import grid_matrix, pixel_size_ij_mm, plane_axes, plane_position
from .objects import DicomFile, patient_of
from .pixels import rescale_of, stored_values

# Slices this close along the normal are at one place: coordinates are written to 0.01 mm or better.
_SAME_PLACE_MM = 0.01
# A slice may be this far from its place on the regular grid (positions are often rounded to 0.1 mm).
_PLACE_TOLERANCE_MM = 0.1
_PLACE_TOLERANCE_SPACINGS = 0.05
# Sideways shift between slices beyond rounding: a tilted gantry, which a regular grid cannot hold.
_SHEAR_TOLERANCE_MM = 0.2
# A wider hole is not bridged by interpolation: registration and reader would see anatomy that nobody imaged.
_WIDEST_GAP_MM = 15.0
# More planes than this would be mostly interpolated.
_MOST_PLANES_PER_SLICE = 3
_NAMED = 8


@dataclass(frozen=True)
class _Planes:
    """Slices sorted along the normal, one per place, and the regular grid that holds them.

    ``offsets_mm`` has one entry per file; ``grid_mm`` one per plane of the volume; both count from the first slice.
    """

    files: tuple[DicomFile, ...]
    offsets_mm: NDArray[np.float64]
    grid_mm: NDArray[np.float64]

    @property
    def step_mm(self) -> float:
        return float(self.grid_mm[1] - self.grid_mm[0])

    def nearest(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return for each plane the nearest slice and whether it lies on the plane."""
        distance = np.abs(self.grid_mm[:, None] - self.offsets_mm[None, :])
        nearest = distance.argmin(axis=1)
        return nearest, distance.min(axis=1) <= _place_tolerance_mm(self.step_mm)


def group_series(files: Iterable[DicomFile], modality: str) -> dict[str, list[DicomFile]]:
    """Return the image slices of a modality by Series Instance UID (0020,000E), without localizers."""
    series: dict[str, list[DicomFile]] = {}
    for file in files:
        if file.modality == modality and not {"LOCALIZER", "SCOUT"} & set(file.code("ImageType").split("\\")):
            series.setdefault(file.text("SeriesInstanceUID"), []).append(file)
    return {uid: slices for uid, slices in series.items() if any(_is_image_of_patient(file) for file in slices)}


def _is_image_of_patient(file: DicomFile) -> bool:
    """Return whether a file has a place in the patient; screenshots of the same modality have none."""
    places = ("ImagePositionPatient", "SharedFunctionalGroupsSequence", "DetectorInformationSequence")
    return any(keyword in file.dataset for keyword in places)


def read_images(files: Sequence[DicomFile], progress: Progress = no_progress) -> tuple[ImageSeries, list[Notice]]:
    """Read the slices of one series.

    Missing slices are interpolated linearly from their neighbours, as a volume needs a regular grid; their places in
    ``sop_instance_uids`` are empty.

    Returns
    -------
    series : ImageSeries
        float32 values after Rescale Slope and Intercept of each slice, LPS.
    notices : list of Notice
        Repeated and missing slices.

    Raises
    ------
    ReirradiationError
        If the slices do not make up one volume, or one of them cannot be read.
    """
    for file in files:
        _check_alike(files[0], file)
    modality = files[0].modality
    kept, notices = _one_per_place(files, modality)
    planes = _place(kept)
    array, uids = _on_grid(planes, _stack(planes.files, progress))
    first = planes.files[0]
    matrix = grid_matrix(first, plane_position(first), planes.step_mm)
    series = ImageSeries(
        volume=Volume(array, matrix, first.frame_of_reference),
        modality=modality,
        description=first.text("SeriesDescription"),
        series_uid=first.text("SeriesInstanceUID"),
        study_uid=first.text("StudyInstanceUID"),
        date=first.iso_date("AcquisitionDate") or first.iso_date("SeriesDate") or first.iso_date("StudyDate"),
        sop_class_uid=first.sop_class,
        sop_instance_uids=uids,
        units="HU" if modality == "CT" else first.code("Units"),
        patient=patient_of(first),
    )
    return series, notices + _gap_notices(planes, modality)


def _check_alike(first: DicomFile, file: DicomFile) -> None:
    if (file.integer("NumberOfFrames") or 1) > 1 or "SharedFunctionalGroupsSequence" in file.dataset:
        raise file.bad("NumberOfFrames", "is that of a multi-frame image, which is not read", "export single slices")
    for keyword in ("Rows", "Columns", "FrameOfReferenceUID"):
        if file.text(keyword) != first.text(keyword):
            raise file.bad(keyword, f"differs from {first.name} of the same series", "export one series per volume")
    if np.abs(pixel_size_ij_mm(file) - pixel_size_ij_mm(first)).max() > 1e-3:
        raise file.bad("PixelSpacing", f"differs from {first.name} of the same series", "export one series per volume")
    if np.abs(plane_axes(file) - plane_axes(first)).max() > 1e-3:
        raise file.bad("ImageOrientationPatient", f"differs from {first.name}", "export one series per volume")


def _offsets_mm(files: Sequence[DicomFile]) -> NDArray[np.float64]:
    """Return positions along the normal, mm; refuse slices that are shifted sideways."""
    normal = plane_axes(files[0])[2]
    relative = np.array([plane_position(file) for file in files]) - plane_position(files[0])
    offsets = relative @ normal
    sideways = np.linalg.norm(relative - np.outer(offsets, normal), axis=1)
    if sideways.max() > _SHEAR_TOLERANCE_MM:
        raise files[int(sideways.argmax())].bad(
            "ImagePositionPatient",
            f"is {sideways.max():.1f} mm off the line along the slices' normal: the slices are sheared (tilted gantry)",
            "resample the series to untilted slices first",
        )
    return np.asarray(offsets)


def _one_per_place(files: Sequence[DicomFile], modality: str) -> tuple[list[DicomFile], list[Notice]]:
    """Return the files sorted along the normal with one at each place."""
    offsets = _offsets_mm(files)
    places: list[list[DicomFile]] = []
    previous_mm = -np.inf
    for index in np.argsort(offsets, kind="stable"):
        if offsets[index] - previous_mm < _SAME_PLACE_MM:
            places[-1].append(files[index])
        else:
            places.append([files[index]])
        previous_mm = offsets[index]
    places = [sorted(place, key=lambda file: file.integer("InstanceNumber") or 0) for place in places]
    repeated = [place for place in places if len(place) > 1]
    if 2 * len(repeated) > len(places):
        raise repeated[0][1].bad(
            "ImagePositionPatient",
            f"equals that of {repeated[0][0].name}, and so for most slices: the series holds several volumes",
            "export one of them (one phase, one echo) as a series of its own",
        )
    notices = [_repeat_notice(place, modality) for place in repeated]
    return [place[0] for place in places], notices


def _repeat_notice(place: Sequence[DicomFile], modality: str) -> Notice:
    used, *others = place
    names = ", ".join(file.name for file in others)
    values = _rescaled(used)
    if all(np.array_equal(values, _rescaled(file)) for file in others):
        text = f"{modality} slice {used.name} is there more than once with equal pixels: {names} left out"
        return Notice(f"{modality.lower()}-duplicate-slice", text, used.name)
    text = (
        f"{modality} slices {used.name} and {names} are at one position and differ: {used.name} is used, having the "
        "lowest InstanceNumber (0020,0013); check that it belongs to this series"
    )
    return Notice(f"{modality.lower()}-conflicting-slices", text, used.name)


def _place_tolerance_mm(step_mm: float) -> float:
    return min(_PLACE_TOLERANCE_MM, _PLACE_TOLERANCE_SPACINGS * step_mm)


def _place(files: Sequence[DicomFile]) -> _Planes:
    """Return the regular grid of the slices: their usual spacing, or the finest where they have no usual one."""
    if len(files) < 2:
        raise files[0].bad("ImagePositionPatient", "is that of the only slice: a volume needs several")
    offsets = _offsets_mm(files)
    gaps = np.diff(offsets)
    if gaps.max() > max(_WIDEST_GAP_MM, 1.5 * float(np.median(gaps))):
        after = files[int(gaps.argmax())]
        raise after.bad(
            "ImagePositionPatient",
            f"is followed by a gap of {gaps.max():.1f} mm in the series: too wide to be bridged",
            "add the missing slices",
        )
    steps = np.rint(gaps / np.median(gaps))
    spacing = offsets[-1] / steps.sum() if steps.min() > 0 else 0.0
    expected = spacing * np.concatenate([[0], np.cumsum(steps)])
    if np.abs(offsets - expected).max() > _place_tolerance_mm(spacing):
        steps = np.array([np.rint(offsets[-1] / gaps.min())])  # no usual spacing: a grid as fine as the finest gap
    count = int(steps.sum()) + 1
    if count > _MOST_PLANES_PER_SLICE * len(files):
        raise files[int(gaps.argmin())].bad(
            "ImagePositionPatient",
            f"is followed by a gap of {gaps.min():g} mm where others are {gaps.max():g} mm: no regular grid fits",
            "export one volume with regular slices",
        )
    return _Planes(tuple(files), offsets, np.linspace(0, offsets[-1], count))


def _stack(files: Sequence[DicomFile], progress: Progress) -> NDArray[np.float32]:
    """Return all slices, shape ``(slices, rows, columns)``."""
    shape = (len(files), files[0].integer("Rows") or 0, files[0].integer("Columns") or 0)
    stack = np.empty(shape, dtype=np.float32)
    for number, file in enumerate(files):
        progress(number / len(files), f"reading {file.modality}")
        stack[number] = _rescaled(file)
    return stack


def _rescaled(file: DicomFile) -> NDArray[np.float32]:
    slope, intercept = rescale_of(file)
    values = stored_values(file)
    if values.shape != (file.integer("Rows"), file.integer("Columns")):
        raise file.bad("PixelData", f"has the shape {values.shape}, unlike Rows and Columns")
    return np.asarray(values * slope + intercept, dtype=np.float32)


def _on_grid(planes: _Planes, stack: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return the volume's values and the SOP Instance UID of each plane, empty where it was interpolated."""
    nearest, is_slice = planes.nearest()
    uids = tuple(planes.files[n].uid if there else "" for n, there in zip(nearest, is_slice, strict=True))
    if is_slice.all():
        return stack, uids
    array = stack[nearest]
    above = np.searchsorted(planes.offsets_mm, planes.grid_mm).clip(1, len(planes.files) - 1)
    for k in np.flatnonzero(~is_slice):
        low, high = planes.offsets_mm[above[k] - 1], planes.offsets_mm[above[k]]
        weight = (planes.grid_mm[k] - low) / (high - low)
        array[k] = (1 - weight) * stack[above[k] - 1] + weight * stack[above[k]]
    return array, uids


def _gap_notices(planes: _Planes, modality: str) -> list[Notice]:
    _, is_slice = planes.nearest()
    if is_slice.all():
        return []
    gaps = np.diff(planes.offsets_mm)
    sizes = Counter(np.round(gaps, 2).tolist())
    usual = sizes.most_common(1)[0][0]
    after = [planes.files[n].name for n in np.flatnonzero(np.abs(gaps - usual) > _PLACE_TOLERANCE_MM)]
    text = (
        f"{modality} slices are missing or unevenly spaced: gaps of "
        f"{', '.join(f'{size:g}' for size in sorted(sizes))} mm, most often {usual:g} mm, wide ones after "
        f"{', '.join(after[:_NAMED])}; {np.count_nonzero(~is_slice)} planes of the image are interpolated between "
        "their neighbours (the dose is not touched)"
    )
    return [Notice(f"{modality.lower()}-missing-slices", text, planes.files[0].text("SeriesDescription"))]


def read_one_series(files: Iterable[DicomFile], modality: str, folder: str, progress: Progress) -> ImageSeries:
    """Read the only series of a modality, with nothing repaired.

    Raises
    ------
    ReirradiationError
        If there is none, if there are several, or if slices are missing or contradict each other.
    """
    found = group_series(files, modality)
    if len(found) != 1:
        names = ", ".join(f"{series[0].text('SeriesDescription') or uid!r}" for uid, series in found.items())
        raise ReirradiationError(
            f"{folder}: expected one series of Modality (0008,0060) {modality} and found {len(found)}"
            + (f" ({names}); give a folder with one of them" if found else "; check the folder")
        )
    series, notices = read_images(next(iter(found.values())), progress)
    serious = [notice.text for notice in notices if not notice.code.endswith("duplicate-slice")]
    if serious:
        raise ReirradiationError(f"{folder}: {serious[0]}; export the series again")
    return series
