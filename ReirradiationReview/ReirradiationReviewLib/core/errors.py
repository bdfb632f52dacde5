"""What the review says when it refuses, and what it says when it goes on but the user must know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Called with (fraction done 0..1, what is being done). It may raise Cancelled to stop the work.
Progress = Callable[[float, str], None]


def no_progress(_fraction: float, _text: str) -> None:
    """Ignore progress: the default where nobody watches."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress that fills the span from start to end of another."""
    return lambda fraction, text: progress(start + (end - start) * fraction, text)


class ReirradiationError(ValueError):
    """Input that cannot be reviewed. The message names the object, the tag and the remedy."""


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The user stopped a long job; the last good result stays."""


@dataclass(frozen=True)
class Notice:
    """A thing the user must know about a result that was still made.

    Parameters
    ----------
    code
        Stable identifier in kebab case, e.g. ``"ct-missing-slice"``.
    text
        One plain sentence: what was found and what was done about it.
    where
        The object it is about: a course label, a file name, an organ.
    """

    code: str
    text: str
    where: str = ""
