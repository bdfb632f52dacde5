"""Which Python values a Qt property takes: PythonQt's conversions, which know nothing of numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def property_value(class_name: str, name: str, kind: str, value: Any) -> Any:
    """Return the value as Qt gets it.

    Raises
    ------
    AttributeError
        As PythonQt does, where the property does not accept an object of the value's type.
    """
    accepted = {
        "int": isinstance(value, int | float),
        "double": isinstance(value, int | float),
        "bool": isinstance(value, int | float),
        "QString": isinstance(value, str),  # PythonQt takes str() of anything, which hides mistakes
        "QStringList": isinstance(value, Sequence) and not isinstance(value, str),
    }
    if not accepted.get(kind, True):
        raise AttributeError(f"property {name!r} of {class_name} ({kind}) does not accept {type(value)}: {value!r}")
    convert = {"int": int, "double": float, "bool": bool, "QStringList": list}.get(kind)
    return value if convert is None else convert(value)
