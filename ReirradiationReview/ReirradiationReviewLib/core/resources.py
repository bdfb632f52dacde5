"""The JSON tables that ship with the module, and how any such table is read and checked.

Slicer brings no JSON Schema validator, so every table is checked here, value by value, with messages that say on which
line of which file the fault is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import json_lines
from .errors import ReirradiationError

PROTOCOL_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "Protocols"


@dataclass(frozen=True)
class Record:
    """One JSON object and the words for where it stands.

    Parameters
    ----------
    file
        Name of the file.
    name
        What the object is called in messages: ``"row 'cord_dmax'"``; empty for the whole file.
    path, lines
        Where the object stands in the file, and the line of every key and entry by its path.
    """

    values: Mapping[str, Any]
    file: str
    name: str = ""
    path: json_lines.Path = ()
    lines: Mapping[json_lines.Path, int] = field(default_factory=dict)

    def where(self, *keys: str | int) -> str:
        """Return file, line and row of a key, or of an entry of its list; of the object where the key is absent."""
        path = (*self.path, *keys)
        while path and path not in self.lines:
            path = path[:-1]
        return ", ".join([self.file, f"line {self.lines.get(path, 1)}", *filter(None, [self.name])])

    def error(self, key: str, problem: str, entry: int | None = None) -> ReirradiationError:
        """Return the error to raise about the value of ``key``, or about one entry of its list."""
        place = self.where(key) if entry is None else self.where(key, entry)
        return ReirradiationError(f"{place}, key {key!r}: {problem}")

    def check_keys(self, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        """Refuse a missing key, and one that is not known: it is more likely misspelt than meaningless."""
        for key in required:
            if key not in self.values:
                raise self.error(key, "is missing")
        for key in self.values:
            if key not in required and key not in optional:
                raise self.error(key, "is not known; known are " + ", ".join([*required, *optional]))

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty; ``default`` where the key is absent."""
        value = self.values.get(key)
        if default is not None and key not in self.values:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"has to be a text, but is {value!r}")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Return a text that is one of ``allowed``."""
        value = self.values.get(key)
        if value not in allowed:
            raise self.error(key, f"has to be one of {', '.join(allowed)}, but is {value!r}")
        return str(value)

    def number(self, key: str) -> float:
        """Return a finite number."""
        value = self.values.get(key)
        if not _is_number(value):
            raise self.error(key, f"has to be a number, but is {value!r}")
        return float(self.values[key])

    def positive(self, key: str) -> float:
        """Return a finite number above 0."""
        return self.check_positive(key, self.values.get(key))

    def check_positive(self, key: str, value: Any) -> float:
        """Return ``value`` if it is a finite number above 0."""
        if not _is_number(value) or value <= 0:
            raise self.error(key, f"has to be a number above 0, but is {value!r}")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty where the key is absent."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
            raise self.error(key, f"has to be a list of texts, but is {values!r}")
        if len(set(values)) != len(values):
            raise self.error(key, "names something twice")
        return tuple(values)

    def record(self, key: str) -> Record:
        """Return the object under ``key``."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.error(key, f"has to be an object, but is {value!r}")
        name = f"{self.name}, {key}" if self.name else key
        return Record(value, self.file, name, (*self.path, key), self.lines)

    def records(self, key: str, id_key: str) -> tuple[Record, ...]:
        """Return the list of objects under ``key``, each called by its own ``id_key`` in messages."""
        values = self.values.get(key)
        if not isinstance(values, list) or not values:
            raise self.error(key, "has to be a list with at least one object")
        return tuple(self._row(key, id_key, number, value) for number, value in enumerate(values))

    def _row(self, key: str, id_key: str, number: int, value: Any) -> Record:
        if not isinstance(value, dict):
            raise self.error(key, f"entry {number + 1} has to be an object, but is {value!r}", number)
        called = value.get(id_key)
        name = f"row {called!r}" if isinstance(called, str) else f"{key.removesuffix('s')} {number + 1}"
        name = f"{self.name}, {name}" if self.name else name
        return Record(value, self.file, name, (*self.path, key, number), self.lines)


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float can hold
        return False


def read_json(path: Path) -> Record:
    """Read a JSON file that holds one object.

    Raises
    ------
    ReirradiationError
        If the file cannot be read, is no JSON, names a key twice in one object, or holds NaN or Infinity.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReirradiationError(f"{path}: cannot be read as text in UTF-8 ({error}); check the file") from error
    values, lines = json_lines.parse_with_lines(text, path.name)
    if not isinstance(values, dict):
        raise ReirradiationError(f"{path}: has to hold one JSON object")
    return Record(values, path.name, lines=lines)
