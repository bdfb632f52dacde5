"""What words on the command line are read as; a wrong one ends with the usage."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Number = TypeVar("Number", int, float)


def folder(text: str) -> Path:
    """Return an existing folder."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path


def numbered_file(text: str) -> tuple[int, Path]:
    """Read N=FILE: a course's number and an existing file."""
    number, _, name = text.partition("=")
    if not number.isdecimal() or not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not N=FILE with a course number and an existing file")
    return int(number), Path(name)


def positive(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    """Return the reader of a finite number above 0."""

    def parse(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = kind("0")
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
        return value

    return parse


def zero_or_more(text: str) -> float:
    """Return a finite number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return value


def pair(kind: Callable[[str], Number]) -> Callable[[str], tuple[str, Number]]:
    """Return the reader of NAME=NUMBER with a finite number of 0 or more; a name may hold an equals sign."""

    def parse(text: str) -> tuple[str, Number]:
        name, separator, value = text.rpartition("=")
        try:
            number = kind(value)
        except ValueError:
            number = kind("-1")
        if not separator or not name or not 0 <= number < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER with a number of 0 or more")
        return name.strip(), number

    return parse


def named_text(text: str) -> tuple[str, str]:
    """Return NAME=TEXT, split at the first equals sign."""
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=TEXT")
    return name.strip(), value.strip()


def named_file(text: str) -> tuple[str, Path]:
    """Return NAME=FILE of a file that is there, split at the first equals sign."""
    name, value = named_text(text)
    if not Path(value).is_file():
        raise argparse.ArgumentTypeError(f"{value!r} is not a file")
    return name, Path(value)
