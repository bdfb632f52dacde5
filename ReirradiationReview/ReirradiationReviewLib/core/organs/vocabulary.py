"""The organ names that can be read: TG-263 names and their synonyms, from Resources/Protocols/organ_names.json."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import ReirradiationError
from ..resources import PROTOCOL_FOLDER, Record, read_json

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_NO_DECOMPOSITION = str.maketrans({"ß": "ss", "œ": "oe", "Œ": "Oe", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O"})
_TARGETS = ("GTV", "CTV", "ITV", "PTV")


@dataclass(frozen=True)
class Organ:
    """One organ of the vocabulary.

    Parameters
    ----------
    name
        TG-263 name without side: of both sides together, or of either.
    sides
        TG-263 names by ``"L"`` and ``"R"``; empty for an organ that is not paired.
    unsided_means_both
        ``name`` stands for both sides together (Lungs), not for either (A_Carotid).
    """

    name: str
    is_serial: bool
    sides: Mapping[str, str] = field(default_factory=dict)
    unsided_means_both: bool = False

    def tg263(self, side: str) -> str:
        """Return the TG-263 name of a side, ``"L"`` or ``"R"``; of the whole for an empty side."""
        return self.sides[side] if side else self.name


@dataclass(frozen=True)
class Term:
    """What one word of the vocabulary stands for.

    Parameters
    ----------
    side
        The side the word itself names, else empty.
    means_both
        The word itself says that both sides are meant.
    """

    organ: Organ
    side: str = ""
    means_both: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """All terms: by TG-263 name as written, and by folded key."""

    by_name: Mapping[str, Term]
    by_key: Mapping[str, Term]

    def knows(self, tg263: str) -> bool:
        """Return whether structures can be matched to this TG-263 name, e.g. ``"Lung_L"`` or ``"Lungs-GTV"``."""
        base, _, target = tg263.rpartition("-")
        return tg263 in self.by_name or (target in _TARGETS and base in self.by_name)


def fold(text: str) -> str:
    """Return text without accents and ligatures, e.g. ``"Rückenmark"`` as ``"Ruckenmark"``."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_NO_DECOMPOSITION))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def tokens_of(name: str) -> list[str]:
    """Return the words and numbers of a name in lower case, e.g. ``["left", "parotid"]`` for ``"LeftParotid"``."""
    return [token.lower() for token in _TOKEN.findall(fold(name))]


def key_of(tokens: Iterable[str]) -> str:
    """Return what two spellings of one name share; ``ae``, ``oe`` and ``ue`` count as the umlaut's bare vowel."""
    return re.sub("([aou])e", r"\1", "".join(tokens))


@lru_cache
def vocabulary() -> Vocabulary:
    """Read the vocabulary that ships with the module.

    Raises
    ------
    ReirradiationError
        If the file is at fault or one term stands for two organs.
    """
    document = read_json(PROTOCOL_FOLDER / "organ_names.json")
    document.check_keys(("schema", "source", "organs"))
    document.choice("schema", ("reirradiation-review/organ-names/1",))
    by_name: dict[str, Term] = {}
    by_key: dict[str, Term] = {}
    for record in document.records("organs", "name"):
        _add(record, _organ(record), by_name, by_key)
    return Vocabulary(by_name, by_key)


def _organ(record: Record) -> Organ:
    record.check_keys(("name", "fma", "architecture", "synonyms"), ("left", "right", "unsided", "both"))
    is_serial = record.choice("architecture", ("serial", "parallel")) == "serial"
    if "left" not in record.values:
        return Organ(record.text("name"), is_serial)
    sides = {"L": record.record("left").text("name"), "R": record.record("right").text("name")}
    return Organ(record.text("name"), is_serial, sides, record.choice("unsided", ("both", "either")) == "both")


def _add(record: Record, organ: Organ, by_name: dict[str, Term], by_key: dict[str, Term]) -> None:
    whole = Term(organ, means_both=organ.unsided_means_both)
    names = {organ.name: whole, **{tg263: Term(organ, side) for side, tg263 in organ.sides.items()}}
    words = {word: Term(organ) for word in record.texts("synonyms")}
    words |= {word: Term(organ, means_both=True) for word in record.texts("both")}
    if organ.sides:
        words.setdefault(organ.sides["L"].removesuffix("_L"), whole if not organ.unsided_means_both else Term(organ))
    for tg263, term in names.items():
        if tg263 in by_name:
            raise record.error("name", f"{tg263} stands in the file twice")
        by_name[tg263] = term
    for word, term in {**words, **names}.items():
        key = key_of(tokens_of(word))
        if key in by_key and by_key[key].organ != organ:
            raise ReirradiationError(f"{record.where()}: {word!r} also stands for {by_key[key].organ.name}")
        by_key[key] = by_key[key] if key in by_key and by_key[key].means_both else term
