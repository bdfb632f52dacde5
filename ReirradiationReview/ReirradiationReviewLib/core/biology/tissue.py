"""Tissue parameters by organ, from JSON tables with source and status: alpha/beta and repair half-time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..resources import PROTOCOL_FOLDER, Record, read_json
from .checks import check_positive

if TYPE_CHECKING:
    from ..organs.names import OrganMatch

# What is taken where no organ says otherwise, as in repair_half_time.json: the longer it is, the less is repaired.
LATE_REPAIR_HALF_TIME_HOURS = 5.0


@dataclass(frozen=True)
class Parameter:
    """One value with where it comes from.

    Parameters
    ----------
    value
        In the unit of its table.
    status
        ``"verified"`` (read in the source), ``"unverified"``, or ``"user"``.
    low, high
        Range that published estimates span, for a sensitivity analysis; equal to ``value`` where none was found.
    """

    value: float
    source: str
    status: str
    low: float
    high: float


@dataclass(frozen=True)
class TissueTable:
    """One parameter by organ, one value for targets, and one for everything else.

    Parameters
    ----------
    what, unit
        The parameter in words, for messages.
    organs
        By the organ's TG-263 name without side or margin.
    """

    what: str
    unit: str
    organs: Mapping[str, Parameter]
    target: Parameter
    default: Parameter

    def find(self, match: OrganMatch, structure: str, user_values: Mapping[str, float] | None = None) -> Parameter:
        """Return the value of a structure.

        The user's value wins, by structure name first, then by TG-263 name with side, then without. A margin or part
        of an organ is given the organ's value.

        Parameters
        ----------
        user_values
            By structure name or TG-263 name, in the table's unit.

        Raises
        ------
        ReirradiationError
            If the user's value is not above 0.
        """
        for name in (structure, match.tg263, match.base):
            if user_values and name is not None and name in user_values:
                return self._of_user(name, user_values[name])
        if match.is_target:
            return self.target
        return self.organs.get(match.base or "", self.default)

    def _of_user(self, name: str, value: float) -> Parameter:
        check_positive(value, f"{self.what} of {name!r}", self.unit)
        return Parameter(float(value), f"entered by the user for {name}", "user", float(value), float(value))


AlphaBetaTable = TissueTable  # in Gy


@lru_cache
def load_alpha_beta_table(path: Path = PROTOCOL_FOLDER / "alpha_beta.json") -> TissueTable:
    """Read a table of alpha/beta in Gy, by default the one that ships with the module.

    Raises
    ------
    ReirradiationError
        If a value is missing, out of its range, or an organ named twice; with the file, line, row and key.
    """
    return _table(path, "alpha-beta", "alpha/beta", "alpha_beta_gy", "Gy")


@lru_cache
def load_repair_table(path: Path = PROTOCOL_FOLDER / "repair_half_time.json") -> TissueTable:
    """Read a table of repair half-times in hours, by default the one that ships with the module; as for alpha/beta."""
    return _table(path, "repair-half-time", "repair half-time", "half_time_hours", "h")


def _table(path: Path, schema: str, what: str, key: str, unit: str) -> TissueTable:
    document = read_json(path)
    document.check_keys(("schema", "title", "default", "target", "rows"), ("$schema",))
    document.choice("schema", (f"reirradiation-review/{schema}/1",))
    organs: dict[str, Parameter] = {}
    for row in document.records("rows", "id"):
        entry = _entry(row, key, "id", "organs")
        for organ in row.texts("organs"):
            if organ in organs:
                raise row.error("organs", f"{organ} has its {what} in another row already")
            organs[organ] = entry
    default, target = (_entry(document.record(name), key) for name in ("default", "target"))
    return TissueTable(what, unit, organs, target, default)


def _entry(record: Record, key: str, *more_keys: str) -> Parameter:
    record.check_keys((*more_keys, key, "source", "status"), ("range", "range_source"))
    value = record.positive(key)
    low, high = value, value
    if "range" in record.values:
        low, high = _range(record, value)
    status = record.choice("status", ("verified", "unverified"))
    return Parameter(value, record.text("source"), status, low, high)


def _range(record: Record, value: float) -> tuple[float, float]:
    record.text("range_source")
    ends = record.values["range"]
    if not isinstance(ends, list) or len(ends) != 2:
        raise record.error("range", f"has to be [lowest, highest], but is {ends!r}")
    low, high = (record.check_positive("range", end) for end in ends)
    if not low <= value <= high:
        raise record.error("range", f"has to enclose the value {value:g}, but is {ends!r}")
    return low, high
