"""Constraint sets and recovery tables together: what a user lists, prints and checks by name or file."""

from __future__ import annotations

from pathlib import Path

from .biology.recovery import SCHEMA as RECOVERY_SCHEMA
from .biology.recovery import RecoveryTable, list_recovery_tables, load_recovery_table
from .errors import ReirradiationError
from .protocols import SCHEMA as PROTOCOL_SCHEMA
from .protocols import Protocol, list_protocols, load_protocol
from .resources import read_json


def list_tables() -> tuple[Protocol | RecoveryTable, ...]:
    """Return all that ships: constraint sets, then recovery tables."""
    return (*list_protocols(), *list_recovery_tables())


def load_table(id_or_path: str) -> Protocol | RecoveryTable:
    """Read a set or table, by identifier or from a file that ends in ``.json``, whose schema says which it is.

    Raises
    ------
    ReirradiationError
        If there is none of this name, or the file is at fault; with file, line, row and key.
    """
    if id_or_path.endswith(".json"):
        document = read_json(Path(id_or_path))
        schema = document.choice("schema", (PROTOCOL_SCHEMA, RECOVERY_SCHEMA))
        return load_protocol(id_or_path) if schema == PROTOCOL_SCHEMA else load_recovery_table(id_or_path)
    for table in list_tables():
        if table.id == id_or_path:
            return table
    known = ", ".join(table.id for table in list_tables())
    raise ReirradiationError(f"there is no table {id_or_path!r}; there are {known}, or give a file that ends in .json")
