"""Functional maps (perfusion, ventilation, uptake) that a user weights an organ's dose by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .courses import Structure
from .errors import ReirradiationError
from .images import PlacedImage
from .mapped_doses import PAIRED_ORGANS
from .organ_dose import OrganDose
from .organs.functional import FunctionalDose, functional_dose
from .organs.names import match_organ
from .review import Review
from .volume import Volume


@dataclass(frozen=True)
class FunctionalMap:
    """A map in the reference's space.

    Parameters
    ----------
    organ
        Name of the structure, or TG-263 name, whose dose it weights.
    name
        Of the image or the file.
    method
        How it is known to lie where it does.
    """

    organ: str
    name: str
    volume: Volume
    unit: str
    method: str


@dataclass(frozen=True)
class WeightedOrgan:
    """An organ's doses weighted by a map: of each course as planned and as EQD2, and of the composite.

    Parameters
    ----------
    physical, eqd2
        By course, in their order.
    """

    organ: OrganDose
    map: FunctionalMap
    physical: tuple[FunctionalDose, ...]
    eqd2: tuple[FunctionalDose, ...]
    composite_eqd2: FunctionalDose


def check_functions(requests: Mapping[str, str], structures: Sequence[Structure], images: Sequence[str]) -> None:
    """Refuse a request that cannot be followed, before anything is placed or mapped.

    Parameters
    ----------
    images
        Their names.

    Raises
    ------
    ReirradiationError
        If there is no such organ, or no such map.
    """
    organs = {each.name.casefold() for each in structures} | {name.casefold() for name in PAIRED_ORGANS}
    organs |= {(match_organ(each.name, each.interpreted_type).tg263 or "").casefold() for each in structures}
    for organ, place in requests.items():
        if organ.casefold() not in organs:
            there = ", ".join(each.name for each in structures)
            raise ReirradiationError(f"--function names {organ!r}, which is none of the structures: {there}")
        if not Path(place).is_file():
            _only_fitting(organ, place, images)


def functional_maps(requests: Mapping[str, str], images: Sequence[PlacedImage]) -> list[FunctionalMap]:
    """Return the maps that a user asks for.

    Parameters
    ----------
    requests
        By organ: an image file (MHA, NRRD, NIfTI) in the space of the planning CT, or a part of the name of one of the
        images.

    Raises
    ------
    ReirradiationError
        If it is neither, or fits several images.
    """
    return [_map(organ, place, images) for organ, place in requests.items()]


def weighted_organs(review: Review, maps: Sequence[FunctionalMap]) -> list[WeightedOrgan]:
    """Return each map's organ with its doses weighted.

    Raises
    ------
    ReirradiationError
        If an organ is not there, or a map does not suit it.
    """
    return [_weighted(review, each) for each in maps]


def _map(organ: str, place: str, images: Sequence[PlacedImage]) -> FunctionalMap:
    path = Path(place)
    if path.is_file():
        return FunctionalMap(organ, path.name, _read(path), "", "file, taken to lie in the space of the planning CT")
    image = images[_only_fitting(organ, place, [image.name for image in images])]
    return FunctionalMap(organ, image.name, image.volume, image.unit, image.method)


def _only_fitting(organ: str, place: str, names: Sequence[str]) -> int:
    """Return the index of the only image whose name holds a text."""
    fitting = [index for index, name in enumerate(names) if place.casefold() in name.casefold()]
    if len(fitting) != 1:
        there = ", ".join(repr(names[index]) for index in fitting) or ", ".join(map(repr, names)) or "none"
        raise ReirradiationError(
            f"--function {organ}={place}: this is neither an image file nor a part of the name of one image; images: "
            f"{there}"
        )
    return fitting[0]


def _read(path: Path) -> Volume:
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ReirradiationError(f"{path}: cannot be read as an image; give an MHA, NRRD or NIfTI file") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ReirradiationError(f"{path}: a functional map has to be one number per voxel in three dimensions")
    volume = Volume.from_sitk(image)
    return volume.like(np.asarray(volume.array, dtype=np.float32))


def _weighted(review: Review, map_: FunctionalMap) -> WeightedOrgan:
    organ = _organ(review, map_.organ)

    def of(courses: Sequence[int] | None, physical: bool) -> FunctionalDose:
        weights = review.weights(courses)
        dose = organ.physical_at_points(weights) if physical else organ.eqd2_at_points(weights, organ.alpha_beta_gy)
        return functional_dose(dose, organ.samples, map_.volume, organ.name)

    each = [[index] for index in range(len(review.courses))]
    return WeightedOrgan(
        organ,
        map_,
        tuple(of(course, True) for course in each),
        tuple(of(course, False) for course in each),
        of(None, False),
    )


def _organ(review: Review, name: str) -> OrganDose:
    wanted = name.casefold()
    by_name = [organ for organ in review.organs if organ.name.casefold() == wanted]
    by_match = [
        organ
        for organ in (*review.organs, *review.wholes)
        if organ.match.is_the_organ and (organ.match.tg263 or "").casefold() == wanted
    ]
    for found in (by_name, by_match):
        if len(found) == 1:
            return found[0]
    there = ", ".join(organ.name for organ in by_match or (*review.organs, *review.wholes))
    raise ReirradiationError(f"--function names {name!r}, which is not one structure of the reference course: {there}")
