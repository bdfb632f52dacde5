"""What PythonQt offers in a real Slicer 5.13, by class."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FACTS_FILE = Path(__file__).with_name("facts.json")
KINDS = ("members", "properties", "signals", "slots")


@dataclass(frozen=True)
class ClassFacts:
    """One class's own names and those it inherits from QWidget or QObject.

    Parameters
    ----------
    properties
        Type by name, e.g. ``"QString"``; a type that ends in ``"(read only)"`` cannot be written.
    signals, slots
        Signatures, e.g. ``"clicked(bool)"``.
    is_listed_whole
        Whether signals and properties could be read out: a class that cannot be created by itself lists members only.
    """

    name: str
    is_widget: bool
    members: frozenset[str]
    properties: dict[str, str]
    signals: frozenset[str]
    slots: frozenset[str]
    is_listed_whole: bool


@lru_cache
def _listing() -> dict[str, dict[str, object]]:
    return json.loads(FACTS_FILE.read_text(encoding="utf-8"))


@lru_cache
def facts_of(name: str) -> ClassFacts:
    """Return the facts of a class, e.g. ``"qt.QPushButton"``; AttributeError where the listing has no such class."""
    listing = _listing()
    if name not in listing:
        raise AttributeError(f"{name} is not among the classes of facts.json: see {Path(__file__).name} to add it")
    own = listing[name]
    chain = [own]
    if own.get("widget"):
        chain.append(listing["qt.QWidget"])
    if own.get("widget") or "signals" in own:
        chain.append(listing["qt.QObject"])
    properties: dict[str, str] = {}
    for each in reversed(chain):
        properties |= each.get("properties", {})
    names = {kind: frozenset(item for each in chain for item in each.get(kind, ())) for kind in KINDS}
    return ClassFacts(
        name,
        bool(own.get("widget")),
        names["members"],
        properties,
        names["signals"],
        names["slots"],
        "note" not in own,
    )


def class_names() -> list[str]:
    """Return the names of all classes that are listed."""
    return list(_listing())


def main(full_listing: str, *more_classes: str) -> None:
    """Renew facts.json with the classes it has, and more, from a full listing of Slicer's classes."""
    full = json.loads(Path(full_listing).read_text(encoding="utf-8"))
    names = sorted({*(class_names() if FACTS_FILE.exists() else ()), *more_classes})
    lines = [f"{json.dumps(name)}: {json.dumps(full[name], separators=(',', ':'))}" for name in names]
    FACTS_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
