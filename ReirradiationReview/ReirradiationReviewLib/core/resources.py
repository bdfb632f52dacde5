"""The JSON tables that ship with the module, and how any such table is read and checked.

Slicer brings no JSON Schema validator, so every table is checked here, value by value, with messages that say where in
which file the fault is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ReirradiationError

PROTOCOL_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "Protocols"


@dataclass(frozen=True)
class Record:
    """One JSON object and the words for where it stands.

    Parameters
    ----------
    where
        File, and row where there is one, for messages: ``"beddok_2022.json, row 'cord_dmax'"``.
    """

    values: Mapping[str, Any]
    where: str

    def error(self, key: str, problem: str) -> ReirradiationError:
        """Return the error to raise about the value of ``key``."""
        return ReirradiationError(f"{self.where}, key {key!r}: {problem}")

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

    def positive(self, key: str) -> float:
        """Return a finite number above 0."""
        return self.check_positive(key, self.values.get(key))

    def check_positive(self, key: str, value: Any) -> float:
        """Return ``value`` if it is a finite number above 0."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value <= 0:
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
        return Record(value, f"{self.where}, {key}")

    def records(self, key: str, id_key: str) -> tuple[Record, ...]:
        """Return the list of objects under ``key``, each called by its own ``id_key`` in messages."""
        values = self.values.get(key)
        if not isinstance(values, list) or not values:
            raise self.error(key, "has to be a list with at least one object")
        return tuple(self._row(key, id_key, number, value) for number, value in enumerate(values, start=1))

    def _row(self, key: str, id_key: str, number: int, value: Any) -> Record:
        if not isinstance(value, dict):
            raise self.error(key, f"entry {number} has to be an object, but is {value!r}")
        name = value.get(id_key)
        return Record(value, f"{self.where}, row {name!r}" if isinstance(name, str) else f"{self.where}, row {number}")


def read_json(path: Path) -> Record:
    """Read a JSON file that holds one object.

    Raises
    ------
    ReirradiationError
        If the file cannot be read, is no JSON, names a key twice in one object, or holds NaN or Infinity.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReirradiationError(f"{path}: cannot be read as text in UTF-8 ({error}); check the file") from error
    try:
        values = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ReirradiationError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    except ReirradiationError as error:
        raise ReirradiationError(f"{path}: {error}") from error
    if not isinstance(values, dict):
        raise ReirradiationError(f"{path}: has to hold one JSON object")
    return Record(values, path.name)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ReirradiationError(f"key {twice!r} stands twice in one object")
    return values


def _refuse_constant(name: str) -> float:
    raise ReirradiationError(f"{name} is no number that a table can hold")
