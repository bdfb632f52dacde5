"""What a user asks to be made from other targets: margins and combinations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast, get_args

from ..errors import ReirradiationError
from .barriers import BONE_HU
from .margins import Margin

Combination = Literal["union", "intersection", "majority"]

_DIRECTIONS = "LRAPSI"

MARGIN_USAGE = "NEW=SOURCE+MM or NEW=SOURCE+L..,R..,A..,P..,S..,I.. [;skin=MM][;bone[=HU]][;cut=NAME,...]"
COMBINE_USAGE = "NEW=union:NAME,NAME[,...], NEW=intersection:... or NEW=majority:..."


@dataclass(frozen=True)
class MarginRequest:
    """A target with a margin around it.

    Parameters
    ----------
    skin_mm
        How far beneath the skin the margin ends; None where the skin does not bound it.
    bone_hu
        From where on the CT is bone that the margin may not enter; None where it may.
    cut
        Names of structures that it may not enter.
    """

    name: str
    source: str
    margin: Margin
    skin_mm: float | None = None
    bone_hu: float | None = None
    cut: tuple[str, ...] = ()


@dataclass(frozen=True)
class CombinationRequest:
    """A target made of several."""

    name: str
    how: Combination
    sources: tuple[str, ...]


def parse_margin(text: str) -> MarginRequest:
    """Read a request such as ``"PTV=CTV+5;skin=3;cut=SpinalCord"``.

    Raises
    ------
    ReirradiationError
        If it cannot be understood; the message says what is wrong and what is possible.
    """
    head, *options = (part.strip() for part in text.split(";"))
    name, _, rest = (part.strip() for part in head.partition("="))
    source, _, distance = (part.strip() for part in rest.rpartition("+"))
    if not name or not source or not distance:
        raise _bad("margin", text, "it does not say what is made from what", MARGIN_USAGE)
    chosen: dict[str, str] = {}
    for option in options:
        key, _, content = (part.strip() for part in option.partition("="))
        if key not in ("skin", "bone", "cut") or key in chosen or (not content and key != "bone"):
            raise _bad("margin", text, f"{option!r} is none of skin=MM, bone, bone=HU, cut=NAME,...", MARGIN_USAGE)
        chosen[key] = content
    return MarginRequest(
        name,
        source,
        _margin(text, distance),
        skin_mm=_number(text, chosen["skin"]) if "skin" in chosen else None,
        bone_hu=_number(text, chosen["bone"] or f"{BONE_HU:g}") if "bone" in chosen else None,
        cut=tuple(filter(None, (part.strip() for part in chosen.get("cut", "").split(",")))),
    )


def parse_combination(text: str) -> CombinationRequest:
    """Read a request such as ``"GTV=union:GTV_PT,GTV_MR"``.

    Raises
    ------
    ReirradiationError
        If it cannot be understood.
    """
    name, _, rest = (part.strip() for part in text.partition("="))
    how, _, sources = (part.strip() for part in rest.partition(":"))
    names = tuple(filter(None, (part.strip() for part in sources.split(","))))
    if not name or how not in get_args(Combination) or len(names) < 2:
        raise _bad("combine", text, "it does not say how which targets are combined", COMBINE_USAGE)
    return CombinationRequest(name, cast(Combination, how), names)


def _margin(text: str, distance: str) -> Margin:
    parts = [part.strip() for part in distance.split(",")]
    if len(parts) == 1 and parts[0][:1].upper() not in _DIRECTIONS:
        return Margin.uniform(_number(text, parts[0]))
    found = {part[:1].upper(): _number(text, part[1:]) for part in parts}
    if set(found) != set(_DIRECTIONS) or len(parts) != len(_DIRECTIONS):
        raise _bad("margin", text, f"{distance!r} does not give each of L, R, A, P, S, I once", MARGIN_USAGE)
    return Margin(*(found[letter] for letter in _DIRECTIONS))


def _number(text: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0.0 <= number < math.inf:
        raise _bad("margin", text, f"{value!r} is not a number of 0 or more", MARGIN_USAGE)
    return number


def _bad(option: str, text: str, why: str, usage: str) -> ReirradiationError:
    return ReirradiationError(f"--{option} {text!r}: {why}; usage: {usage}")
