"""Which organ a structure's name means, in TG-263 names (Mayo 2018, doi 10.1016/j.ijrobp.2017.12.013).

A name is read token by token: case, underscores, spaces, accents and the order of the side do not matter. What is sure
(`exact`, `synonym`) is used; what is a guess (`fuzzy`) always carries a notice and never decides about a serial organ.
A margin, a part or a helper structure is never taken for the organ itself.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import Notice
from .vocabulary import Organ, Term, fold, key_of, tokens_of, vocabulary

Confidence = Literal["exact", "synonym", "fuzzy", "none"]

_TARGET = re.compile(r"^i?(gtv|ctv|itv|ptv)", re.IGNORECASE)
_SUBTRACTED = re.compile(
    r"^(?P<organ>.+?)[\s_]*(?:[-–—]|minus|ohne|sans|excl)[\s_]*i?(?P<target>gtv|ctv|itv|ptv)[\W_\d]*$", re.IGNORECASE
)
_HELPER_PREFIX = re.compile(r"^(?:_+|z_*(?=[A-Z])|opt_+)")  # TG-263: z and _ mark what is not for dose evaluation
_MARGIN = re.compile(r"prv|\+\s*\d|\d\s*mm|margin|expan|(?<![a-z])plus(?![a-z])", re.IGNORECASE)
_MARGIN_WORDS = {"prv", "mm", "margin", "expansion", "expanded", "expand", "plus"}
_MADE_FROM = {"overlap", "minus", "ohne", "sans", "excl", "sub", "crop", "cropped", "spared", "partial", "part", "in"}
_NO_TARGET_WORDS = {"ring", "rim", "shell", "avoid", "avoidance", "fall", "falloff"}
_HELPER_WORDS = _MADE_FROM | _NO_TARGET_WORDS | {"opt", "gtv", "ctv", "itv", "ptv", "igtv", "ictv"}
# Words and numbers that say nothing about what is contoured. A higher number may be a margin in mm.
_NEUTRAL = {"1", "2", "copy", "new", "final", "edit", "edited", "auto", "ai", "mbs", "oar", "organ", "roi"}
_NEUTRAL |= {"contour", "rert"}
_SIDES = {
    **dict.fromkeys(("l", "lt", "left", "li", "links", "linke", "linker", "gauche"), "L"),
    **dict.fromkeys(("r", "rt", "right", "re", "rechts", "rechte", "rechter", "droit", "droite"), "R"),
}
_SHORTEST_GUESS = 5  # letters; shorter names are like too many others
_LIKENESS = 0.87  # one wrong or missing letter in eight


@dataclass(frozen=True)
class OrganMatch:
    """What a structure's name says.

    Parameters
    ----------
    tg263
        TG-263 name of the structure itself, e.g. ``"Parotid_L"``, ``"SpinalCord_PRV05"``, ``"Lungs-GTV"``, ``"PTV"``;
        None where there is none.
    confidence
        ``exact``: a TG-263 name; ``synonym``: another sure name of it; ``fuzzy``: a guess; ``none``.
    base
        TG-263 name of the organ behind it, without side and margin, e.g. ``"SpinalCord"``; None where not known.
    laterality
        ``"L"``, ``"R"`` or empty.
    derived
        How the structure differs from the organ: ``"PRV"``, ``"-GTV"``, ``"partial"``, ``"variant"``, ``"helper"``;
        empty for the organ itself.
    is_serial
        The organ fails where one part of it fails (or the literature is divided).
    notice
        What the user must know about the reading of the name; empty if nothing.
    """

    tg263: str | None = None
    confidence: Confidence = "none"
    base: str | None = None
    laterality: str = ""
    is_target: bool = False
    derived: str = ""
    is_serial: bool = False
    notice: str = ""

    @property
    def is_the_organ(self) -> bool:
        """Whether constraints on ``tg263`` may be evaluated on this structure."""
        if self.tg263 is None or self.is_target or (self.derived and not self.derived.startswith("-")):
            return False
        return self.confidence in ("exact", "synonym") or (self.confidence == "fuzzy" and not self.is_serial)

    def notices(self, structure: str) -> list[Notice]:
        """Return the notice about a structure's name, if there is one."""
        return [Notice("organ-name", self.notice, structure)] if self.notice else []


def match_organ(name: str, interpreted_type: str = "") -> OrganMatch:
    """Read a structure's name.

    Parameters
    ----------
    name
        ROI Name (3006,0026).
    interpreted_type
        RT ROI Interpreted Type (3006,00A4); it decides where the name says nothing.
    """
    match = (
        _target(name) or _exact(name) or _derived(name) or _synonym(name) or _variant(name) or _misspelt(name)
    ) or OrganMatch()
    return _with_type(match, interpreted_type.strip().upper())


def _target(name: str) -> OrganMatch | None:
    prefix = _HELPER_PREFIX.match(name)
    found = _TARGET.match(name[prefix.end() :] if prefix else name)
    if found is None:
        return None
    if prefix or set(tokens_of(name)) & _NO_TARGET_WORDS:
        return OrganMatch(derived="helper")
    return OrganMatch(found[1].upper(), "synonym", is_target=True)


def _exact(name: str) -> OrganMatch | None:
    term = vocabulary().by_name.get(name)
    return None if term is None else _of_term(term, term.side, "exact")


def _synonym(name: str) -> OrganMatch | None:
    every, plain = _split_side(name)
    # "Bronchus" of "Bronchus_R" is an organ of its own, so the words are looked up with the side first.
    for words, side in ((tokens_of(name), ""), (every, ""), (plain, _side_of(every))):
        term = vocabulary().by_key.get(key_of(words))
        if term is not None and (words != plain or plain == every or term.organ.sides):
            return _of_term(term, side or term.side, "synonym")
    return None


def _of_term(term: Term, side: str, confidence: Confidence) -> OrganMatch:
    organ = term.organ
    match = OrganMatch(organ.tg263(side), confidence, organ.name, side, is_serial=organ.is_serial)
    if organ.sides and not side and not term.means_both and organ.unsided_means_both:
        text = f"the side is not stated; taken as {organ.name}, that is both. Rename it with _L or _R if it is one"
        return replace(match, confidence="fuzzy", notice=text)
    return match


def _derived(name: str) -> OrganMatch | None:
    """Read what is made from an organ: without the target, with a margin, a part, a helper."""
    subtracted = _SUBTRACTED.match(name)
    if subtracted and (organ := _plain(subtracted["organ"])):
        target = subtracted["target"].upper()
        tg263 = f"{organ.tg263}-{target}"
        text = f"{organ.tg263} without {target}: used only where a constraint names {tg263}"
        notice = f"{organ.notice}; {text}" if organ.notice else text
        sure: Confidence = "fuzzy" if organ.confidence == "fuzzy" else "synonym"
        return replace(organ, tg263=tg263, confidence=sure, derived=f"-{target}", notice=notice)
    if _MARGIN.search(name):
        return _with_margin(name)
    if "~" in name:
        return _as_derived(_plain(name.replace("~", "")), "partial", "only a part of")
    prefix = _HELPER_PREFIX.match(name)
    if prefix:
        return _as_derived(_plain(name[prefix.end() :]), "helper", "a helper structure (by its first letter) of")
    words = tokens_of(name)
    if set(words) & _HELPER_WORDS and key_of(words) not in vocabulary().by_key:
        kept = "_".join(word for word in words if word not in _HELPER_WORDS)
        return _as_derived(_plain(kept), "helper", "made from")
    return None


def _with_margin(name: str) -> OrganMatch | None:
    """Read a planning organ at risk volume; TG-263 writes SpinalCord_PRV05, OpticNrv_PRV03_L."""
    words = tokens_of(name)
    millimeters = next((int(word) for word in words if word.isdigit()), None)
    organ = _plain("_".join(word for word in words if word not in _MARGIN_WORDS and not word.isdigit()))
    margin = _as_derived(organ, "PRV", "a margin around")
    if organ is None or organ.tg263 is None or margin is None:
        return None
    suffix = "_PRV" if millimeters is None else f"_PRV{millimeters:02d}"
    side = f"_{organ.laterality}" if organ.laterality else ""
    return replace(margin, tg263=organ.tg263.removesuffix(side) + suffix + side)


def _as_derived(organ: OrganMatch | None, derived: str, what: str) -> OrganMatch | None:
    if organ is None:
        return None
    text = f"read as {what} {organ.tg263}: constraints on the organ are not evaluated on it"
    return replace(organ, tg263=None, confidence="synonym", derived=derived, notice=text)


def _plain(name: str) -> OrganMatch | None:
    return _exact(name) or _synonym(name)


def _variant(name: str) -> OrganMatch | None:
    """Read a name that holds an organ's name and more that is not understood."""
    _, words = _split_side(name)
    found: dict[str, Organ] = {}
    longest = 0
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            key = key_of(words[start:end])
            term = vocabulary().by_key.get(key)
            if term is not None and len(key) > max(3, longest - 1):
                found = {term.organ.name: term.organ} if len(key) > longest else {**found, term.organ.name: term.organ}
                longest = len(key)
    if len(found) != 1:
        return None
    organ = next(iter(found.values()))
    text = (
        f"holds the name of {organ.name} and words that are not understood: it may be a part or another version, so "
        f"no constraint is evaluated on it. Rename it to {organ.name} if it is the organ"
    )
    return OrganMatch(None, "fuzzy", organ.name, derived="variant", is_serial=organ.is_serial, notice=text)


def _misspelt(name: str) -> OrganMatch | None:
    every, words = _split_side(name)
    key = key_of(words)
    if len(key) < _SHORTEST_GUESS:
        return None
    terms = vocabulary().by_key
    nearest = difflib.get_close_matches(key, terms, n=1, cutoff=_LIKENESS)
    if not nearest:
        return None
    organ = terms[nearest[0]].organ
    side = _side_of(every) if organ.sides else ""
    outcome = "no constraint is evaluated on it" if organ.is_serial else "it is used as such"
    text = f"looks like {organ.tg263(side)}, misspelt: {outcome}. Rename it to {organ.tg263(side)} if that is right"
    return OrganMatch(organ.tg263(side), "fuzzy", organ.name, side, is_serial=organ.is_serial, notice=text)


def _split_side(name: str) -> tuple[list[str], list[str]]:
    """Return the words that mean something, with and without those that name a side."""
    text = re.sub(r"\(\d+\)\s*$", "", fold(name))
    text = re.sub(r"re[-_ ]?rt(?![a-z])", "_rert_", text, flags=re.IGNORECASE)
    words = [word for word in tokens_of(text) if word not in _NEUTRAL]
    return words, [word for word in words if word not in _SIDES]


def _side_of(words: list[str]) -> str:
    """Return the side that the words name; empty where they name none or both."""
    sides = {_SIDES[word] for word in words if word in _SIDES}
    return sides.pop() if len(sides) == 1 else ""


def _with_type(match: OrganMatch, kind: str) -> OrganMatch:
    """Let the interpreted type decide where the name says nothing, and note where the two disagree."""
    if kind == "EXTERNAL" and match.base not in ("Body", "External"):
        text = f"of type EXTERNAL, so taken as the body's outline, not as {match.base}" if match.base else ""
        return OrganMatch("External", "synonym", "External", notice=text)
    if kind == "AVOIDANCE" and match.is_target:
        return OrganMatch(derived="helper")
    if kind not in ("GTV", "CTV", "PTV") or match.is_target:
        return match
    if match.base is None:
        return match if match.derived else OrganMatch(kind, "synonym", is_target=True)
    text = f"its type is {kind}, but its name says {match.base}: treated as the organ"
    return replace(match, notice=f"{match.notice}; {text}" if match.notice else text)
