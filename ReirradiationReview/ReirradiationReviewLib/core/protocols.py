"""Constraint sets (protocols): JSON files, read, checked row by row, and said in words.

`Resources/Protocols/protocol.schema.json` describes the files for editors; this reader checks the same by itself and
more, since Slicer brings no JSON Schema validator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from .constraint_rows import Basis, ConstraintRow, Direction, Quantity, Status
from .errors import ReirradiationError
from .organs.dvh import metric
from .organs.vocabulary import vocabulary
from .resources import PROTOCOL_FOLDER, Record, read_json

SCHEMA = "reirradiation-review/protocol/1"
QUANTITIES = ("EQD2", "BED", "physical")
BASES = ("cumulative_undiscounted", "discounted_vs_first", "current_only")
DIRECTIONS = ("<", "<=", ">", ">=")
STATUSES = ("verified", "unverified", "disputed")
_DOCUMENT_KEYS = ("schema", "id", "title", "source", "near_fraction", "rows")
_ROW_KEYS = (
    "id", "label", "organs", "metric", "quantity", "alpha_beta_gy", "model", "direction", "limit", "unit", "basis",
    "source", "evidence", "status", "printed", "correction",
)  # fmt: skip
_OPTIONAL_ROW_KEYS = ("stands_for", "conditions", "caution")


@dataclass(frozen=True)
class Protocol:
    """One constraint set.

    Parameters
    ----------
    source
        Citation of the set as a whole.
    near_fraction
        A value within this fraction of a single limit is near it.
    notes
        What a user of the set must know.
    """

    id: str
    title: str
    source: str
    near_fraction: float
    notes: tuple[str, ...]
    rows: tuple[ConstraintRow, ...]

    def lines(self) -> list[str]:
        """Return the set in words, with all its sources."""
        near = f"Near: within the printed band, else within {self.near_fraction:.0%} of the limit."
        head = [f"{self.id}: {self.title}", self.source, near, *self.notes]
        return [*head, *(line for row in self.rows for line in _row_lines(row))]


@lru_cache
def list_protocols() -> tuple[Protocol, ...]:
    """Return the constraint sets that ship with the module, by identifier."""
    documents = [read_json(path) for path in sorted(PROTOCOL_FOLDER.glob("*.json"))]
    return tuple(_protocol(document) for document in documents if document.values.get("schema") == SCHEMA)


def load_protocol(id_or_path: str | Path) -> Protocol:
    """Read a constraint set.

    Parameters
    ----------
    id_or_path
        Identifier of a set that ships with the module, e.g. ``"beddok_2022"``, or a file whose name ends in ``.json``.

    Raises
    ------
    ReirradiationError
        If there is no such set or the file is at fault; with file, row and key.
    """
    if str(id_or_path).endswith(".json"):
        return _protocol(read_json(Path(id_or_path)))
    known = {protocol.id: protocol for protocol in list_protocols()}
    if id_or_path not in known:
        raise ReirradiationError(
            f"there is no protocol {str(id_or_path)!r}; there are {', '.join(known)}, or give a file that ends in .json"
        )
    return known[str(id_or_path)]


def _protocol(document: Record) -> Protocol:
    document.check_keys(_DOCUMENT_KEYS, ("$schema", "notes"))
    document.choice("schema", (SCHEMA,))
    near_fraction = document.positive("near_fraction")
    if near_fraction >= 1:
        raise document.error("near_fraction", f"has to be below 1, but is {near_fraction:g}")
    rows: dict[str, ConstraintRow] = {}
    for record in document.records("rows", "id"):
        row = _row(record, near_fraction)
        if row.id in rows:
            raise record.error("id", "is the id of another row already")
        rows[row.id] = row
    return Protocol(
        document.text("id"),
        document.text("title"),
        document.text("source"),
        near_fraction,
        document.texts("notes"),
        tuple(rows.values()),
    )


def _row(record: Record, near_fraction: float) -> ConstraintRow:
    record.check_keys(_ROW_KEYS, _OPTIONAL_ROW_KEYS)
    direction = cast(Direction, record.choice("direction", DIRECTIONS))
    quantity, basis, alpha_beta_gy = _biology(record)
    status = cast(Status, record.choice("status", STATUSES))
    caution = record.text("caution", default="")
    if status == "disputed" and not caution:
        raise record.error("caution", "has to say why the row is disputed")
    limit, near_limit = _limits(record, direction, near_fraction)
    return ConstraintRow(
        id=record.text("id"),
        label=record.text("label"),
        organs=_organs(record),
        metric=_metric(record),
        stands_for=record.choice("stands_for", ("Dmax",)) if "stands_for" in record.values else "",
        quantity=quantity,
        alpha_beta_gy=alpha_beta_gy,
        direction=direction,
        limit=limit,
        near_limit=near_limit,
        unit=record.text("unit"),
        basis=basis,
        conditions=record.texts("conditions"),
        source=record.text("source"),
        evidence=record.text("evidence"),
        status=status,
        printed=record.text("printed"),
        correction="" if record.values["correction"] is None else record.text("correction"),
        caution=caution,
    )


def _biology(record: Record) -> tuple[Quantity, Basis, float | None]:
    quantity = cast(Quantity, record.choice("quantity", QUANTITIES))
    basis = cast(Basis, record.choice("basis", BASES))
    alpha_beta = record.values["alpha_beta_gy"]
    model = record.values["model"]
    if quantity == "physical":
        if alpha_beta is not None or model is not None:
            raise record.error("quantity", "physical dose has neither model nor alpha_beta_gy: set both to null")
        if basis == "discounted_vs_first":
            # (1 - r) D is not the dose of (1 - r) of the effect; the discount is defined in EQD2 and BED alone.
            raise record.error("basis", "recovery is defined in EQD2 or BED, not in physical dose")
        return quantity, basis, None
    record.choice("model", ("LQ",))
    return quantity, basis, None if alpha_beta is None else record.positive("alpha_beta_gy")


def _organs(record: Record) -> tuple[str, ...]:
    organs = record.texts("organs")
    if not organs:
        raise record.error("organs", "has to name at least one organ")
    for organ in organs:
        if not vocabulary().knows(organ):
            raise record.error("organs", f"{organ!r} is not among the TG-263 names of organ_names.json")
    return organs


def _metric(record: Record) -> str:
    name = record.text("metric")
    try:
        metric(name)
    except ReirradiationError as error:
        raise record.error("metric", str(error)) from error
    unit = "%" if name.endswith("Gy%") else "cc" if name.endswith("Gycc") else "Gy"
    if record.values["unit"] != unit:
        raise record.error("unit", f"has to be {unit} for the metric {name}, but is {record.values['unit']!r}")
    return name


def _limits(record: Record, direction: Direction, near_fraction: float) -> tuple[float, float]:
    """Return where the rule breaks and where it begins to be near."""
    value, is_upper = record.values["limit"], direction in ("<", "<=")
    if not isinstance(value, list):
        limit = record.positive("limit")
        return limit, limit * (1 - near_fraction if is_upper else 1 + near_fraction)
    band = [record.check_positive("limit", end) for end in value]
    if len(band) != 2 or band[0] >= band[1]:
        raise record.error("limit", f"a band is [lower, upper], but this is {value!r}")
    return (band[1], band[0]) if is_upper else (band[0], band[1])


def _row_lines(row: ConstraintRow) -> list[str]:
    alpha_beta = "the organ's" if row.alpha_beta_gy is None else f"{row.alpha_beta_gy:g} Gy"
    kind = row.quantity if row.quantity == "physical" else f"{row.quantity}, LQ, alpha/beta {alpha_beta}"
    lines = [
        "",
        f"{row.id}: {row.label}, {row.metric} {row.limit_text()} (near from {row.near_limit:g}) [{row.status}]",
        f"  {kind}; {row.basis}",
        f"  Printed: {row.printed}",
    ]
    for word, text in (("Correction", row.correction), ("Evidence", row.evidence), ("Caution", row.caution)):
        if text:
            lines.append(f"  {word}: {text}")
    lines += [f"  Made for: {condition}" for condition in row.conditions]
    return [*lines, f"  Structures: {', '.join(row.organs)}", f"  Source: {row.source}"]
