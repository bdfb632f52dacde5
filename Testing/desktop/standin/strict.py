"""Plain Python objects held to what facts.json lists for one of Slicer's."""

from __future__ import annotations

from typing import Any

from .facts import facts_of


class StrictObject:
    """Offers what an object of Slicer offers, as far as the stand-in implements it.

    Parameters
    ----------
    name
        As in facts.json, e.g. ``"instance slicer.app"``.
    implementation
        Has the attributes that are implemented.
    """

    def __init__(self, name: str, implementation: object) -> None:
        self.__dict__.update(_facts=facts_of(name), _implementation=implementation)

    def __getattr__(self, name: str) -> Any:
        if name not in self._facts.members:
            raise AttributeError(f"{self._facts.name} has no attribute named {name!r} in Slicer")
        if not hasattr(self._implementation, name):
            raise NotImplementedError(f"the stand-in does not implement {name!r} of {self._facts.name}")
        return getattr(self._implementation, name)

    def __setattr__(self, name: str, value: object) -> None:
        getattr(self, name)  # must be there
        setattr(self._implementation, name, value)
