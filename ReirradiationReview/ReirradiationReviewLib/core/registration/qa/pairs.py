"""Which structures of two courses are the same organ."""

from __future__ import annotations

from collections.abc import Sequence

from ...courses import Structure
from ...errors import Notice
from ...organs.names import match_organ


def paired_organs(
    reference: Sequence[Structure], course: Sequence[Structure]
) -> tuple[dict[str, Structure], tuple[Notice, ...]]:
    """Return the course's structure of the same organ by the name of the reference's structure.

    Organs are paired by their TG-263 name, where that is sure and means one structure on either side. Targets are not:
    a new one has no earlier outline.

    Returns
    -------
    pairs
        Course structures by reference structure name.
    notices
        Organs that several structures of one course are called by.
    """
    mine, doubled = _by_organ(reference)
    theirs, also_doubled = _by_organ(course)
    unclear = sorted((doubled & {*theirs, *also_doubled}) | (also_doubled & set(mine)))
    notices: tuple[Notice, ...] = ()
    if unclear:
        text = f"contours were not compared of organs that several structures are named after: {', '.join(unclear)}"
        notices = (Notice("organs-unpaired", text),)
    return {structure.name: theirs[organ] for organ, structure in mine.items() if organ in theirs}, notices


def _by_organ(structures: Sequence[Structure]) -> tuple[dict[str, Structure], set[str]]:
    """Return structures by TG-263 name, and the names that more than one has."""
    found: dict[str, list[Structure]] = {}
    for structure in structures:
        match = match_organ(structure.name, structure.interpreted_type)
        if structure.contours_lps and match.is_the_organ and match.tg263 and match.confidence != "fuzzy":
            found.setdefault(match.tg263, []).append(structure)
    single = {organ: members[0] for organ, members in found.items() if len(members) == 1}
    return single, set(found) - set(single)
