"""On which line of a JSON text each key and each list entry stands, for messages that lead to the fault."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from .errors import ReirradiationError

Path = tuple[str | int, ...]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


def parse_with_lines(text: str, name: str) -> tuple[Any, Mapping[Path, int]]:
    """Return what a JSON text holds, and the line of every key and list entry by its path, counted from 1.

    Raises
    ------
    ReirradiationError
        If the text is no JSON, is nested too deeply, names a key twice in one object, or holds NaN or Infinity; with
        the line.
    """
    try:
        return json.loads(text), _Lines(text, name).found
    except ReirradiationError:
        raise
    except json.JSONDecodeError as error:
        raise ReirradiationError(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ReirradiationError(f"{name}: lists or objects are nested too deeply for a table") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise ReirradiationError(f"{name}: {error}") from error


class _Lines:
    """A second pass over a text that is known to be JSON."""

    def __init__(self, text: str, name: str) -> None:
        self._text, self._name = text, name
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self.found: dict[Path, int] = {(): self._line(self._skip(0))}
        self._value(self._skip(0), ())

    def _line(self, at: int) -> int:
        return bisect_right(self._breaks, at) + 1

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _value(self, at: int, path: Path) -> int:
        """Note what stands within the value at a position, and return where it ends."""
        first = self._text[at]
        if first == "{":
            return self._members(self._skip(at + 1), path)
        if first == "[":
            return self._entries(self._skip(at + 1), path)
        if first == '"':
            return _DECODER.raw_decode(self._text, at)[1]
        match = _SCALAR.match(self._text, at)
        assert match is not None  # the text is JSON
        if match[0] in _NO_NUMBERS:
            place = f"{self._name}, line {self._line(at)}"
            raise ReirradiationError(f"{place}: {match[0]} is no number that a table can hold")
        return match.end()

    def _members(self, at: int, path: Path) -> int:
        while self._text[at] != "}":
            key, end = _DECODER.raw_decode(self._text, at)
            if (*path, key) in self.found:
                raise ReirradiationError(
                    f"{self._name}, line {self._line(at)}: key {key!r} stands twice in one object, first on line "
                    f"{self.found[(*path, key)]}"
                )
            self.found[(*path, key)] = self._line(at)
            at = self._next(self._value(self._skip(self._skip(end) + 1), (*path, key)))
        return at + 1

    def _entries(self, at: int, path: Path) -> int:
        number = 0
        while self._text[at] != "]":
            self.found[(*path, number)] = self._line(at)
            at = self._next(self._value(at, (*path, number)))
            number += 1
        return at + 1

    def _next(self, at: int) -> int:
        """Return where the next member or entry begins, or the closing bracket stands."""
        at = self._skip(at)
        return self._skip(at + 1) if self._text[at] == "," else at
