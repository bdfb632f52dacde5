"""How much of an earlier course's EQD2 an organ is taken to have forgotten, by organ and interval.

Recovery is a choice, not a finding: the default is none, targets never recover, and the discount is taken from EQD2 or
BED alone, because ``EQD2((1 - r) D)`` is less than ``(1 - r) EQD2(D)``. It is counted only in rows whose limit is meant
for it (basis discounted_vs_first); cumulative limits contain recovery already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ReirradiationError
from ..organs.vocabulary import vocabulary
from ..resources import PROTOCOL_FOLDER, Record, read_json

if TYPE_CHECKING:
    from ..organs.names import OrganMatch

SCHEMA = "reirradiation-review/recovery/1"


@dataclass(frozen=True)
class Recovery:
    """What is forgiven of one course in one organ.

    Parameters
    ----------
    fraction
        Of the course's EQD2, 0 to 1.
    source
        Where it comes from, in words; empty for none.
    status
        ``"verified"``, ``"unverified"`` or ``"user"``; empty for none.
    """

    fraction: float = 0.0
    source: str = ""
    status: str = ""


NO_RECOVERY = Recovery()


@dataclass(frozen=True)
class RecoveryRow:
    """One row of a table: from each number of months on, the fraction that is forgiven; months rise from 0."""

    steps: tuple[tuple[float, float], ...]
    source: str
    status: str

    def at(self, months: float) -> float:
        """Return the fraction at an interval; a step holds from its month on. 0 for courses out of order."""
        return next((fraction for start, fraction in reversed(self.steps) if months >= start), 0.0)


@dataclass(frozen=True)
class RecoveryTable:
    """Recovery by organ and interval.

    Parameters
    ----------
    organs
        By TG-263 name without side or margin; an organ that is not in the table does not recover.
    """

    id: str
    title: str
    source: str
    notes: tuple[str, ...]
    organs: Mapping[str, RecoveryRow]

    def lines(self) -> list[str]:
        """Return the table in words."""
        head = [f"{self.id}: {self.title}", self.source, *self.notes, ""]
        rows = []
        for organ, row in self.organs.items():
            steps = ", ".join(f"from {start:g} months {fraction:.0%}" for start, fraction in row.steps)
            rows.append(f"{organ}: {steps} [{row.status}]")
        return head + rows


def organ_recovery(
    match: OrganMatch,
    structure: str,
    months: Sequence[float | None],
    table: RecoveryTable | None,
    user_values: Mapping[str, float],
) -> tuple[Recovery, ...]:
    """Return the recovery of an organ from each course; none for a target.

    The user's value wins, by structure name first, then by TG-263 name with side, then without.

    Parameters
    ----------
    months
        Interval from each course to the new one; None where not known (then a table forgives nothing).

    Raises
    ------
    ReirradiationError
        If the user's value is not within 0 to 1.
    """
    if match.is_target:
        return (NO_RECOVERY,) * len(months)
    for name in (structure, match.tg263, match.base):
        if name is not None and name in user_values:
            return (_of_user(name, user_values[name]),) * len(months)
    row = table.organs.get(match.tg263 or "", table.organs.get(match.base or "")) if table else None
    if row is None or table is None:
        return (NO_RECOVERY,) * len(months)
    return tuple(_of_table(table.id, row, interval) for interval in months)


def _of_user(name: str, fraction: float) -> Recovery:
    if not 0 <= fraction <= 1:
        raise ReirradiationError(f"the recovery of {name!r} is {fraction:g}: give a fraction from 0 to 1")
    return Recovery(float(fraction), f"entered by the user for {name}", "user") if fraction else NO_RECOVERY


def _of_table(table_id: str, row: RecoveryRow, months: float | None) -> Recovery:
    if months is None:
        return Recovery(0.0, f"table {table_id}, but the interval is not known, so nothing is forgiven", row.status)
    return Recovery(row.at(months), f"table {table_id} at {months:.1f} months", row.status)


@lru_cache
def list_recovery_tables() -> tuple[RecoveryTable, ...]:
    """Return the tables that ship with the module, by identifier."""
    documents = [read_json(path) for path in sorted(PROTOCOL_FOLDER.glob("recovery_*.json"))]
    return tuple(_table(document) for document in documents)


def load_recovery_table(id_or_path: str) -> RecoveryTable:
    """Read a table, by the identifier of one that ships with the module or from a file that ends in ``.json``.

    Raises
    ------
    ReirradiationError
        If there is no such table or the file is at fault; with file, line, row and key.
    """
    if id_or_path.endswith(".json"):
        return _table(read_json(Path(id_or_path)))
    known = {table.id: table for table in list_recovery_tables()}
    if id_or_path not in known:
        raise ReirradiationError(
            f"there is no recovery table {id_or_path!r}; there are {', '.join(known)}, or give a file that ends in "
            ".json"
        )
    return known[id_or_path]


def _table(document: Record) -> RecoveryTable:
    document.check_keys(("schema", "id", "title", "source", "rows"), ("$schema", "notes"))
    document.choice("schema", (SCHEMA,))
    organs: dict[str, RecoveryRow] = {}
    for record in document.records("rows", "id"):
        record.check_keys(("id", "organs", "steps", "source", "status"))
        status = record.choice("status", ("verified", "unverified"))
        row = RecoveryRow(_steps(record), record.text("source"), status)
        for number, organ in enumerate(record.texts("organs")):
            if not vocabulary().knows(organ):
                raise record.error("organs", f"{organ!r} is not among the TG-263 names of organ_names.json", number)
            if organ in organs:
                raise record.error("organs", f"{organ} stands in another row already", number)
            organs[organ] = row
    return RecoveryTable(
        document.text("id"), document.text("title"), document.text("source"), document.texts("notes"), organs
    )


def _steps(record: Record) -> tuple[tuple[float, float], ...]:
    steps: list[tuple[float, float]] = []
    for step in record.records("steps", "from_months"):
        step.check_keys(("from_months", "recovery"))
        start, fraction = step.number("from_months"), step.number("recovery")
        if not 0 <= fraction <= 1:
            raise step.error("recovery", f"has to be a fraction from 0 to 1, but is {fraction:g}")
        if (start != 0) if not steps else (start <= steps[-1][0]):
            raise step.error("from_months", "has to start at 0 and rise from step to step")
        steps.append((start, fraction))
    return tuple(steps)
