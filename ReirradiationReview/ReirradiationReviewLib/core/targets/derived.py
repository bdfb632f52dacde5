"""Targets made from other targets: margins around one, combinations of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..courses import ImageSeries, Structure
from ..errors import Notice, ReirradiationError
from ..organs.names import match_organ
from ..volume import Volume
from .barriers import Barrier, bone, cropped_at, skin, structure
from .combine import doubtful, intersection, majority, union
from .derive_requests import CombinationRequest, MarginRequest
from .make import Target, free_name, target_name
from .margins import expanded
from .methods import TargetRequest
from .outline import region_of, structure_of
from .region import Region

_COMBINE = {"union": union, "intersection": intersection, "majority": majority}
_TARGET_TYPES = ("GTV", "CTV", "PTV")
_DOUBTFUL_NAME = "Doubtful"
# Contours become voxels as fine as this, or as their number allows.
_FINEST_MM = 0.5
_MOST_VOXELS = 1_000_000
_COLOURS = ((255, 0, 255), (0, 255, 255), (255, 128, 0), (128, 255, 0), (128, 0, 255))
_DOUBTFUL_COLOUR = (160, 160, 160)


def check_sources(
    requests: Sequence[MarginRequest | CombinationRequest],
    images: Sequence[TargetRequest],
    structures: Sequence[Structure],
) -> None:
    """Refuse what cannot be made, before anything is: a source or a barrier that is not there, a name that is taken.

    Parameters
    ----------
    images
        The targets that are to be made from images first.

    Raises
    ------
    ReirradiationError
        With what is missing and what there is.
    """
    drawn = [each.name for each in structures]
    there = [*drawn, *(target_name(request) for request in images), _DOUBTFUL_NAME]
    for request in requests:
        is_margin = isinstance(request, MarginRequest)
        option = f"--{'margin' if is_margin else 'combine'} {request.name}"
        for name in (request.source,) if isinstance(request, MarginRequest) else request.sources:
            _require(option, name, there)
        for name in request.cut if isinstance(request, MarginRequest) else ():
            _require(option, name, drawn)
        if request.name.casefold() in map(str.casefold, there):
            raise ReirradiationError(f"{option}: there is a structure {request.name!r} already: choose another name")
        there.append(request.name)


def _require(option: str, name: str, there: Sequence[str]) -> None:
    if name.casefold() not in map(str.casefold, there):
        raise ReirradiationError(f"{option}: there is no structure {name!r}; there are {', '.join(there) or 'none'}")


def derive_targets(
    requests: Sequence[MarginRequest | CombinationRequest],
    made: Sequence[Target],
    structures: Sequence[Structure],
    ct: ImageSeries,
) -> list[Target]:
    """Make the requested targets in their order; each may be made from those before it.

    Parameters
    ----------
    made
        Targets that were made from images; those made from PET and MR that overlap also yield what only one of them
        shows, which stands for itself and enters nothing.
    structures
        Of the reference course.

    Raises
    ------
    ReirradiationError
        If one cannot be made; the message says which and why.
    """
    workshop = _Workshop(list(made), structures, ct)
    workshop.add_doubtful()
    for request in requests:
        if isinstance(request, MarginRequest):
            workshop.add_margin(request)
        else:
            workshop.add_combination(request)
    return workshop.derived


def regions_by_name(made: Sequence[Target], structures: Sequence[Structure], names: Sequence[str]) -> list[Region]:
    """Return targets by name: as they were made, or from their contours.

    Raises
    ------
    ReirradiationError
        If there is no such target or structure.
    """
    known = {target.structure.name.casefold(): target.region for target in made}
    drawn = {each.name.casefold(): each for each in structures}
    regions = []
    for name in names:
        if name.casefold() in known:
            regions.append(known[name.casefold()])
        elif name.casefold() in drawn:
            regions.append(region_of(drawn[name.casefold()], _grid_around(drawn[name.casefold()])))
        else:
            there = ", ".join([target.structure.name for target in made] + [each.name for each in structures])
            raise ReirradiationError(f"there is no structure {name!r}; there are {there or 'none'}")
    return regions


class _Workshop:
    """Makes one target after another."""

    def __init__(self, made: list[Target], structures: Sequence[Structure], ct: ImageSeries) -> None:
        self._made = made
        self._structures = structures
        self._ct = ct
        self.derived: list[Target] = []

    def add_margin(self, request: MarginRequest) -> None:
        (source,) = self._regions((request.source,))
        region = expanded(source, request.margin, request.name)
        barriers = self._barriers(request, region)
        notices: tuple[Notice, ...] = ()
        if barriers:
            region, notices = cropped_at(region, source, barriers)
        facts = {
            "margin_mm": request.margin.by_direction,
            "margin_around": source.name,
            "margin_source_cc": source.volume_cc,
            "cut_at": [barrier.words for barrier in barriers],
        }
        self._add(region, facts, notices)

    def add_combination(self, request: CombinationRequest) -> None:
        regions = self._regions(request.sources)
        region = _COMBINE[request.how](request.name, regions)
        if region.is_empty:
            raise ReirradiationError(
                f"--combine {request.name}: the {request.how} of {', '.join(request.sources)} is empty; check that all "
                "show the same tumour"
            )
        self._add(region, {"combined": request.how, "combined_from": list(request.sources)}, ())

    def add_doubtful(self) -> None:
        """Add what one modality alone shows, of all targets made from images that overlap with another modality's."""
        regions = [target.region for target in self._made]
        together = [region for region in regions if any(_meet(region, other) for other in regions)]
        name = free_name(_DOUBTFUL_NAME, self._structures)
        region = doubtful(name, together) if together else None
        if region is None:
            return
        text = (
            f"{region.volume_cc:.2f} cc are seen by one modality only ({', '.join(each.name for each in together)}); "
            f"they are the structure {name} and belong to no target unless you merge them"
        )
        self._add(region, {}, (Notice("doubtful-region", text, name),), _DOUBTFUL_COLOUR)

    def _regions(self, names: Sequence[str]) -> list[Region]:
        return regions_by_name([*self._made, *self.derived], self._structures, names)

    def _barriers(self, request: MarginRequest, region: Region) -> list[Barrier]:
        barriers = []
        if request.skin_mm is not None:
            barriers.append(skin(self._external(request), request.skin_mm, region))
        if request.bone_hu is not None:
            barriers.append(bone(self._ct.volume, region, request.bone_hu))
        for name in request.cut:
            found = [each for each in self._structures if each.name.casefold() == name.casefold()]
            if not found:
                there = ", ".join(each.name for each in self._structures)
                raise ReirradiationError(f"--margin {request.name}: there is no structure {name!r}; there are {there}")
            barriers.append(structure(found[0], region))
        return barriers

    def _external(self, request: MarginRequest) -> Structure:
        for each in self._structures:
            if each.interpreted_type.upper() == "EXTERNAL" or match_organ(each.name).tg263 == "External":
                return each
        raise ReirradiationError(
            f"--margin {request.name}: the reference course has no outline of the patient (RT ROI Interpreted Type "
            "(3006,00A4) EXTERNAL), so the skin is not known; contour it, or leave skin= out"
        )

    def _add(
        self,
        region: Region,
        facts: dict[str, Any],
        notices: tuple[Notice, ...],
        colour: tuple[int, int, int] | None = None,
    ) -> None:
        taken = [*self._structures, *(target.structure for target in (*self._made, *self.derived))]
        if any(each.name.casefold() == region.name.casefold() for each in taken):
            raise ReirradiationError(f"there is a structure {region.name!r} already: choose another name")
        kind = next((kind for kind in _TARGET_TYPES if region.name.upper().startswith(kind)), "")
        made = structure_of(
            region,
            self._ct.volume,
            number=max((each.number for each in taken), default=0) + 1,
            colour=colour or _COLOURS[len(self.derived) % len(_COLOURS)],
            interpreted_type=kind,
        )
        known = {"name": region.name, "method": region.provenance, "volume_cc": region.volume_cc}
        self.derived.append(Target(region, made, {**known, **facts}, notices))


def _meet(first: Region, second: Region) -> bool:
    """Return whether regions of two modalities have something in common: whether they can be of one tumour."""
    return first.modality != second.modality and not intersection("", (first, second)).is_empty


def _grid_around(drawn: Structure) -> Volume:
    """Return a fine grid that holds a structure; its values mean nothing."""
    points = np.concatenate(drawn.contours_lps) if drawn.contours_lps else np.zeros((1, 3))
    planes = np.unique(np.round(points[:, 2], 1))
    gap = float(np.diff(planes).max()) if len(planes) > 1 else 0.0
    pitch = max(_FINEST_MM, float(np.cbrt((np.ptp(points, axis=0) + 2 * gap).prod() / _MOST_VOXELS)))
    # Voxel centres do not lie on the outermost points of contours: there rounding would decide.
    low = points.min(axis=0) - gap - (2 + 1 / 3) * pitch
    matrix = np.diag([pitch, pitch, pitch, 1.0])
    matrix[:3, 3] = low
    shape_ijk = np.ceil((points.max(axis=0) + gap - low) / pitch).astype(int) + 3
    return Volume(np.zeros(shape_ijk[::-1], dtype=np.bool_), matrix, drawn.frame_of_reference_uid)
