"""The images that a user gives beside the courses: read, PET in SUV, each with a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .dicom.series import FoundSeries, read_image_folder
from .errors import Notice, Progress, ReirradiationError, no_progress
from .pet.facts import EnteredPet
from .pet.suv import suv_image
from .registration.images import ReadImage

# The SUV type that leaves PET values as they are stored.
NO_SUV = "none"


@dataclass(frozen=True)
class ImageInputs:
    """What the user gave.

    Parameters
    ----------
    pet, mr, spect
        Folders; all their series of the modality are read.
    pet_series, mr_series
        Parts of Series Description or whole Series Instance UIDs: other series are passed over. Empty: all.
    suv_type
        One of `pet.body.SUV_TYPES`, or ``"none"``.
    entered
        For PET that lack it.
    registration
        See `registration.images.place_images`; the folders count PET first.
    """

    pet: tuple[Path, ...] = ()
    mr: tuple[Path, ...] = ()
    spect: tuple[Path, ...] = ()
    pet_series: tuple[str, ...] = ()
    mr_series: tuple[str, ...] = ()
    suv_type: str = "bw"
    entered: EnteredPet = field(default_factory=EnteredPet)
    registration: tuple[str, ...] = ("auto",)


def read_images(inputs: ImageInputs, progress: Progress = no_progress) -> list[ReadImage]:
    """Read all series of the folders.

    A PET that cannot be brought to SUV is passed over with a notice where its folder has another one that can.

    Raises
    ------
    ReirradiationError
        If a folder has no series that can be used.
    """
    folders = [(folder, "PT", inputs.pet_series) for folder in inputs.pet]
    folders += [(folder, "MR", inputs.mr_series) for folder in inputs.mr]
    folders += [(folder, "NM", ()) for folder in inputs.spect]
    result: list[ReadImage] = []
    for group, (folder, modality, chosen) in enumerate(folders):
        progress(group / len(folders), f"reading {folder.name}")
        found = _usable(read_image_folder(folder, modality, chosen), group, inputs)
        result += [replace(image, folder=str(folder)) for image in found]
    return _with_unique_names(result)


def _usable(found: Sequence[FoundSeries], group: int, inputs: ImageInputs) -> list[ReadImage]:
    """Return the series of one folder; those whose SUV cannot be known are left out if others are there."""
    usable: list[ReadImage] = []
    refused: list[ReirradiationError] = []
    for series in found:
        try:
            usable.append(_read_image(series, group, inputs))
        except ReirradiationError as error:
            refused.append(error)
    if not usable:
        raise refused[0]
    notices = tuple(Notice("series-passed-over", f"a series was passed over: {error}") for error in refused)
    return [replace(usable[0], notices=usable[0].notices + notices), *usable[1:]]


def _read_image(found: FoundSeries, group: int, inputs: ImageInputs) -> ReadImage:
    name = f"{found.image.modality} {found.image.description}".strip()
    image = ReadImage(name, found.image, group, {}, found.notices, found.registration_files)
    if found.pet is None:
        return image
    if inputs.suv_type == NO_SUV:
        text = f"{name} is shown in its stored values ({found.pet.units or 'of unknown unit'}), not in SUV, as asked"
        return replace(image, notices=(*image.notices, Notice("pet-without-suv", text, name)))
    suv = suv_image(found.image, inputs.entered.over(found.pet), inputs.suv_type)
    return replace(image, series=suv.series, suv=suv.facts, notices=(*image.notices, *suv.notices))


def _with_unique_names(images: Sequence[ReadImage]) -> list[ReadImage]:
    """Return the images, numbered where their series have one description."""
    result: list[ReadImage] = []
    for image in images:
        same = sum(other.name == image.name for other in images)
        before = sum(other.name == image.name for other in images[: len(result)])
        result.append(replace(image, name=f"{image.name} ({before + 1})") if same > 1 else image)
    return result
