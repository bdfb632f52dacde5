"""The methods by which a target can be made from an image, with their parameters and where those come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError

Status = Literal["verified", "unverified"]


@dataclass(frozen=True)
class Method:
    """One way to make a target.

    Parameters
    ----------
    id
        As in a request.
    modality
        Of the images it is for.
    value
        Default of its parameter; None where the user has to give it, or there is none.
    parameter
        What the parameter is; empty where there is none.
    source
        Of the method and of its default.
    status
        Whether the source was read.
    reference
        What normal tissue it compares with; empty where none.
    """

    id: str
    modality: str
    title: str
    value: float | None
    parameter: str
    source: str
    status: Status
    reference: str = ""


METHODS = {
    method.id: method
    for method in (
        Method("fixed", "PT", "fixed SUV", 2.5, "SUV", "SUV 2.5: Sci Rep 2017, s41598-017-00426-y, fig. 3", "verified"),
        Method(
            "percent",
            "PT",
            "percent of the maximum",
            41.0,
            "percent",
            "40 to 42 % and 50 % are in use; 41 % as a convention of the EANM was not checked",
            "unverified",
        ),
        Method(
            "adapted",
            "PT",
            "background-adapted",
            40.0,
            "percent of the contrast",
            "background plus 20 to 40 % of the contrast: head and neck reviews, not checked",
            "unverified",
        ),
        Method("gradient", "PT", "steepest slope", None, "", "gradient methods (PET Edge), not checked", "unverified"),
        Method(
            "percist",
            "PT",
            "PERCIST, liver-based",
            1.5,
            "times the liver's mean, plus two standard deviations",
            "PERCIST 1.0: the numbers were not checked",
            "unverified",
            "liver",
        ),
        Method(
            "ratio",
            "PT",
            "tumour to normal tissue",
            None,
            "times the mean of normal tissue",
            "in use for brain tumours: 1.3 for methionine, 1.6 for FET, not checked",
            "unverified",
            "normal tissue",
        ),
        Method(
            "grow",
            "MR",
            "region growing",
            2.5,
            "standard deviations",
            "no published value: the default of the filter's example",
            "unverified",
        ),
        Method("range", "MR", "between two values", None, "LOW-HIGH", "values chosen by the user", "verified"),
    )
}


@dataclass(frozen=True)
class TargetRequest:
    """A target that is to be made.

    Parameters
    ----------
    values
        Parameter of the method; empty for its default.
    seed, reference
        A point, LPS mm, or the name of a structure; empty string for none.
    within, without
        Names of structures; ``within`` is empty for none.
    image
        Part of the image's name; empty where there is only one.
    name
        Of the new structure; empty for a name after the method.
    """

    method: Method
    values: tuple[float, ...] = ()
    seed: NDArray[np.float64] | str = ""
    within: str = ""
    without: tuple[str, ...] = ()
    reference: NDArray[np.float64] | str = ""
    image: str = ""
    name: str = ""


_KEYS = ("within", "without", "reference", "image", "name")
USAGE = "METHOD[:VALUE][@SEED][;within=NAME][;without=NAME,...][;reference=PLACE][;image=TEXT][;name=NAME]"


def parse_request(text: str) -> TargetRequest:
    """Read a request such as ``"percent:41@12,200,-769;without=Brain"``.

    Raises
    ------
    ReirradiationError
        If it cannot be understood; the message says what is wrong and what is possible.
    """
    start, *options = (part.strip() for part in text.split(";"))
    head, _, seed = start.partition("@")
    name, _, value = (part.strip() for part in head.partition(":"))
    method = METHODS.get(name)
    if method is None:
        raise _bad(text, f"there is no method {name!r}; there are {', '.join(METHODS)}")
    chosen: dict[str, str] = {}
    for option in options:
        key, separator, content = (part.strip() for part in option.partition("="))
        if not separator or key not in _KEYS or not content or key in chosen:
            raise _bad(text, f"{option!r} is none of {', '.join(f'{key}=...' for key in _KEYS)}")
        chosen[key] = content
    return TargetRequest(
        method=method,
        values=_values(text, method, value),
        seed=_place(seed.strip()),
        within=chosen.get("within", ""),
        without=tuple(filter(None, (part.strip() for part in chosen.get("without", "").split(",")))),
        reference=_place(chosen.get("reference", "")),
        image=chosen.get("image", ""),
        name=chosen.get("name", ""),
    )


def _values(text: str, method: Method, value: str) -> tuple[float, ...]:
    """Return the parameter as it was given; empty for the default."""
    if not value:
        if method.value is None and method.parameter:
            raise _bad(text, f"{method.id} needs a value ({method.parameter}), e.g. {method.id}:{_example(method)}")
        return ()
    if not method.parameter:
        raise _bad(text, f"{method.id} has no parameter")
    parts = value.split("-") if method.id == "range" else [value]
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        numbers = ()
    ordered = len(numbers) == (2 if method.id == "range" else 1) and numbers[0] <= numbers[-1]
    if not ordered or not np.isfinite(numbers).all() or (method.id != "range" and numbers[0] <= 0):
        raise _bad(text, f"{value!r} is no value ({method.parameter}), e.g. {method.id}:{_example(method)}")
    if "percent" in method.parameter and numbers[0] > 100:
        raise _bad(text, f"{value} % is above the maximum")
    return numbers


def _example(method: Method) -> str:
    examples = {"range": "300-500", "ratio": "1.6"}
    return examples.get(method.id) or f"{method.value:g}"


def _place(text: str) -> NDArray[np.float64] | str:
    """Return a point where the text is three numbers, else the text, a structure's name."""
    try:
        point = np.array([float(part) for part in text.split(",")])
    except ValueError:
        return text
    return point if len(point) == 3 and np.isfinite(point).all() else text


def _bad(text: str, why: str) -> ReirradiationError:
    return ReirradiationError(f"--gtv {text!r}: {why}; usage: {USAGE}")
