"""A requested target: the image it is made from, the method, the contour on the planning CT, what is known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..courses import Course, ImageSeries, Structure
from ..errors import Notice, ReirradiationError
from ..images import PlacedImage
from ..registration.images import ReadImage
from . import mr, pet
from .lesion import Lesion, Search
from .methods import TargetRequest
from .outline import region_of, structure_of
from .region import Region
from .values import image_values

SeenImage = TypeVar("SeenImage", bound=PlacedImage | ReadImage)

# Colours of new targets, apart from those that planning systems give to GTV and PTV.
_COLOURS = ((255, 0, 0), (255, 0, 255), (0, 255, 255), (255, 128, 0), (128, 255, 0), (128, 0, 255))
# A target of this size is more likely a leak: a threshold below what is around the tumour.
_LARGEST_CC = 1000.0


@dataclass(frozen=True)
class Target:
    """A new target.

    Parameters
    ----------
    structure
        Its contours on the planning CT.
    facts
        Method, parameter, values in it, units in the keys: for review.json and the report.
    """

    region: Region
    structure: Structure
    facts: dict[str, Any]
    notices: tuple[Notice, ...] = ()


def make_targets(requests: Sequence[TargetRequest], images: Sequence[PlacedImage], reference: Course) -> list[Target]:
    """Make all requested targets; their names and numbers differ from those of the structures that are there.

    Raises
    ------
    ReirradiationError
        If one cannot be made; the message says which and why.
    """
    check_requests(requests, images, reference)
    made: list[Target] = []
    for request in requests:
        assert reference.ct is not None
        there = [*reference.structures, *(target.structure for target in made)]
        made.append(_make(request, images, there, reference.ct, _COLOURS[len(made) % len(_COLOURS)]))
    return made


def check_requests(requests: Sequence[TargetRequest], images: Sequence[SeenImage], reference: Course) -> None:
    """Refuse at once what cannot be made: requests for images and structures that are not there.

    Parameters
    ----------
    images
        Placed, or only read.
    """
    if requests and reference.ct is None:
        raise ReirradiationError(f"{reference.label} has no CT that a target could be contoured on; add its CT")
    known = {structure.name.casefold() for structure in reference.structures}
    for request in requests:
        _image(request, images)
        places = (request.seed, request.within, request.reference, *request.without)
        for name in (place for place in places if isinstance(place, str) and place):
            if name.casefold() not in known:
                _structure(request, name, reference.structures)
        known.add(target_name(request).casefold())


def target_name(request: TargetRequest) -> str:
    """Return the name that a target is given where no structure has it yet."""
    return request.name or f"GTV_{request.method.modality}_{request.method.id}"


def _make(
    request: TargetRequest,
    images: Sequence[PlacedImage],
    structures: Sequence[Structure],
    ct: ImageSeries,
    colour: tuple[int, int, int],
) -> Target:
    image = _image(request, images)
    search = _search(request, image, structures, ct)
    region = _region(request, image, search, structures, ct)
    name = free_name(target_name(request), structures)
    region = replace(region, name=name)
    number = max((structure.number for structure in structures), default=0) + 1
    structure = structure_of(region, ct.volume, number=number, colour=colour)
    method = request.method
    facts = {
        "name": name,
        "method": region.provenance,
        "method_id": method.id,
        "parameter": list(request.values) or ([] if method.value is None else [method.value]),
        "parameter_by_user": bool(request.values),
        "source": method.source,
        "status": method.status,
        "image": image.name,
        "volume_cc": region.volume_cc,
        **image_values(image, region),
    }
    return Target(region, structure, facts, (*_notices(request, name), *_leak_notices(region, image)))


def _image(request: TargetRequest, images: Sequence[SeenImage]) -> SeenImage:
    method, text = request.method, request.image.casefold()
    fitting = [i for i in images if i.series.modality == method.modality and text in i.name.casefold()]
    if len(fitting) == 1:
        return fitting[0]
    named = f" with {request.image!r} in its name" if request.image else ""
    there = ", ".join(repr(image.name) for image in fitting or images) or "none at all"
    remedy = "choose one with image=TEXT" if fitting else "add its folder with --pet or --mr"
    count = len(fitting) or "no"
    raise ReirradiationError(
        f"--gtv {method.id}: there are {count} {method.modality} images{named} ({there}); {remedy}"
    )


def _search(request: TargetRequest, image: PlacedImage, structures: Sequence[Structure], ct: ImageSeries) -> Search:
    within = _structure_region(request, request.within, structures, ct) if request.within else None
    excluded = tuple(_structure_region(request, name, structures, ct) for name in request.without)
    seed = request.seed
    if isinstance(seed, str) and seed:
        place = _structure_region(request, seed, structures, ct)
        if request.method.modality == "PT":
            seed = Lesion(image, Search(within=place, excluded=excluded)).peak_lps
        else:
            depth = place.depth
            seed = depth.centres_lps()[int(depth.array.argmax())]
    point = None if isinstance(seed, str) else seed
    if point is None and (within is None or request.method.modality != "PT"):
        raise ReirradiationError(
            f"--gtv {request.method.id}: where the target is has to be said: @L,P,S in mm, @STRUCTURE"
            + (" or within=STRUCTURE" if request.method.modality == "PT" else "")
        )
    return Search(point, within, excluded)


def _region(
    request: TargetRequest, image: PlacedImage, search: Search, structures: Sequence[Structure], ct: ImageSeries
) -> Region:
    method = request.method
    values = request.values or (() if method.value is None else (method.value,))
    if method.id == "grow":
        return mr.grown(image, search, *values)
    if method.id == "range":
        return mr.between(image, search, *values)
    lesion = Lesion(image, search)
    if method.id == "gradient":
        return pet.steepest_slope(lesion)
    if method.reference:
        normal = _reference_values(request, image, structures, ct)
        return {"percist": pet.above_liver, "ratio": pet.ratio_to_normal}[method.id](lesion, values[0], normal)
    if method.id == "fixed" and not image.suv:
        raise ReirradiationError(f"--gtv fixed: {image.name} is not in SUV; use percent, adapted or gradient")
    by_value = {"fixed": pet.fixed_value, "percent": pet.percent_of_maximum, "adapted": pet.background_adapted}
    return by_value[method.id](lesion, values[0])


def _reference_values(
    request: TargetRequest, image: PlacedImage, structures: Sequence[Structure], ct: ImageSeries
) -> NDArray[np.float64]:
    """Return the values of normal tissue: around a point, in a structure, or in the liver's right lobe."""
    place, method = request.reference, request.method
    if not isinstance(place, str):
        return pet.reference_values(image, place)
    has_liver = any(structure.name.casefold() == "liver" for structure in structures)
    if method.id == "percist" and (place or has_liver):
        liver = _structure_region(request, place or "Liver", structures, ct)
        return pet.reference_values(image, pet.deepest_ball(liver, image.volume))
    if not place:
        without = ", and no structure is called Liver" if method.id == "percist" else ""
        raise ReirradiationError(
            f"--gtv {method.id}: it compares with {method.reference}{without}: add reference=L,P,S (a ball of 3 cm is "
            "taken) or reference=STRUCTURE"
        )
    return pet.reference_values(image, _structure_region(request, place, structures, ct))


def _structure_region(request: TargetRequest, name: str, structures: Sequence[Structure], ct: ImageSeries) -> Region:
    return region_of(_structure(request, name, structures), ct.volume)


def _structure(request: TargetRequest, name: str, structures: Sequence[Structure]) -> Structure:
    found = [structure for structure in structures if structure.name.casefold() == name.casefold()]
    if not found:
        there = ", ".join(structure.name for structure in structures) or "none"
        raise ReirradiationError(f"--gtv {request.method.id}: there is no structure {name!r}; there are {there}")
    return found[0]


def free_name(wanted: str, structures: Sequence[Structure]) -> str:
    """Return a name that no structure has: the wanted one, or with a number."""
    taken = {structure.name for structure in structures}
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name


def _notices(request: TargetRequest, name: str) -> tuple[Notice, ...]:
    method, notices = request.method, []
    if method.modality == "PT":
        text = (
            f"{name} rests on PET, which does not tell tumour from inflammation after irradiation: doubtful parts need "
            "other imaging or a biopsy, or are left out (Beddok 2022)"
        )
        notices.append(Notice("target-from-pet", text, name))
    if method.status == "unverified":
        values = request.values or (() if method.value is None else (method.value,))
        by = "chosen by the user" if request.values else "default"
        parameter = f" ({values[0]:g} {method.parameter}, {by})" if values else ""
        text = f"{name} was made by the method {method.title!r}{parameter}, which is unverified: {method.source}"
        notices.append(Notice("target-method-unverified", text, name))
    return tuple(notices)


def _leak_notices(region: Region, image: PlacedImage) -> tuple[Notice, ...]:
    """Return a notice about a target that is no lesion: it runs on to the image's edge, or is larger than any."""
    where = np.argwhere(region.mask.array)
    ends = np.array([where.min(axis=0), where.max(axis=0)], dtype=np.float64)[:, ::-1]
    index = image.volume.to_index(region.mask.to_lps(ends))
    at_edge = (index.min(axis=0) < 0.5).any() or (index.max(axis=0) > np.array(image.volume.shape_ijk) - 1.5).any()
    if not at_edge and region.volume_cc < _LARGEST_CC:
        return ()
    text = (
        f"{region.name} has {region.volume_cc:.0f} cc"
        + (" and reaches the edge of the image" if at_edge else "")
        + ": it may hold more than the tumour; check the threshold, the reference and the seed"
    )
    return (Notice("target-leaks", text, region.name),)
