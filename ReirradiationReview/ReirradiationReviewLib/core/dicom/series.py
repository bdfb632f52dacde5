"""All image series of a folder: PET, MR and others beside the courses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..courses import ImageSeries
from ..errors import Notice, Progress, ReirradiationError, no_progress
from ..pet.facts import PetFacts
from .images import group_series, read_images
from .nuclear import is_nuclear_volume, read_nuclear_volume
from .objects import DicomFile, quiet_values
from .pet import pet_facts
from .registration import is_registration
from .scan import scan_folder, without_copies


@dataclass(frozen=True)
class FoundSeries:
    """One series of a folder.

    Parameters
    ----------
    pet
        What its headers say about the tracer; None for other modalities.
    registration_files
        Spatial registration objects (REG) in the folder, of whatever images.
    """

    image: ImageSeries
    pet: PetFacts | None
    notices: tuple[Notice, ...] = ()
    registration_files: tuple[Path, ...] = ()


def read_image_folder(
    folder: Path, modality: str, chosen: Sequence[str] = (), progress: Progress = no_progress
) -> list[FoundSeries]:
    """Read the series of a modality, e.g. ``"PT"`` or ``"MR"``, from a folder.

    Parameters
    ----------
    chosen
        Parts of Series Description (0008,103E) or whole Series Instance UIDs: other series are passed over. Empty: all.

    Returns
    -------
    list of FoundSeries
        In the order of Series Number (0020,0011). A series that is no volume is passed over with a notice (on the first
        of the others), as long as there are others.

    Raises
    ------
    ReirradiationError
        If there is no such series, or none can be read.
    """
    with quiet_values():
        scan = scan_folder(Path(folder), lambda done, text: progress(0.3 * done, text))
        scan.require_sound()
        files, _ = without_copies(scan.files)
        groups = group_series(files, modality)
        wanted = [series for series in groups.values() if _is_chosen(series[0], chosen)]
        if not wanted:
            raise ReirradiationError(_nothing_found(folder, modality, chosen, list(groups.values())))
        wanted.sort(key=lambda series: (series[0].integer("SeriesNumber") or 0, series[0].name))
        found: list[FoundSeries] = []
        refused: list[ReirradiationError] = []
        for number, series in enumerate(wanted):
            progress(0.3 + 0.7 * number / len(wanted), f"reading {modality}")
            try:
                found.append(_read(series))
            except ReirradiationError as error:
                refused.append(error)
    if not found:
        raise refused[0]
    if refused:
        notices = tuple(Notice("series-passed-over", f"a series was passed over: {e}", folder.name) for e in refused)
        found[0] = replace(found[0], notices=found[0].notices + notices)
    objects = tuple(file.path for file in files if is_registration(file))
    return [replace(series, registration_files=objects) for series in found]


def _read(files: Sequence[DicomFile]) -> FoundSeries:
    """Read one series; what is missing between its slices is not made up."""
    if is_nuclear_volume(files[0]):
        if len(files) > 1:
            raise files[1].bad("SeriesInstanceUID", "is that of another volume, too", "give a folder with one of them")
        return FoundSeries(read_nuclear_volume(files[0]), None)
    image, notices = read_images(files)
    for notice in notices:
        if not notice.code.endswith("duplicate-slice"):
            raise ReirradiationError(f"{image.description or files[0].name}: {notice.text}; export the series again")
    return FoundSeries(image, pet_facts(files) if image.modality == "PT" else None, tuple(notices))


def _is_chosen(file: DicomFile, chosen: Sequence[str]) -> bool:
    description, uid = file.text("SeriesDescription").casefold(), file.text("SeriesInstanceUID")
    return not chosen or any(part == uid or part.casefold() in description for part in chosen)


def _nothing_found(folder: Path, modality: str, chosen: Sequence[str], groups: list[list[DicomFile]]) -> str:
    start = f"{folder}: there is no image series of Modality (0008,0060) {modality}"
    if not groups:
        return f"{start}; check the folder"
    names = ", ".join(
        repr(group[0].text("SeriesDescription") or group[0].text("SeriesInstanceUID")) for group in groups
    )
    return f"{start} whose SeriesDescription (0008,103E) contains {' or '.join(map(repr, chosen))}; there are: {names}"
