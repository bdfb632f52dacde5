"""Constraint sets (protocols): JSON files, read, checked row by row, and said in words.

`Resources/Protocols/protocol.schema.json` describes the files for editors; this reader checks the same by itself and
more, since Slicer brings no JSON Schema validator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from .constraints import Basis, ConstraintRow, Direction, Quantity, Span, Status
from .errors import ReirradiationError
from .organs.dvh import metric
from .organs.vocabulary import vocabulary
from .resources import PROTOCOL_FOLDER, Record, read_json

SCHEMA = "reirradiation-review/protocol/1"
QUANTITIES = ("EQD2", "BED", "physical", "time")
BASES = ("cumulative_undiscounted", "discounted_vs_first", "current_only")
DIRECTIONS = ("<", "<=", ">", ">=")
STATUSES = ("verified", "unverified", "disputed")
_DOCUMENT_KEYS = ("schema", "id", "title", "source", "near_fraction", "rows")
_ROW_KEYS = (
    "id", "label", "organs", "metric", "quantity", "alpha_beta_gy", "model", "direction", "limit", "unit", "basis",
    "source", "evidence", "status", "printed", "correction",
)  # fmt: skip
_OPTIONAL_ROW_KEYS = ("stands_for", "relative_to", "interval_months", "new_course_fractions", "conditions", "caution")


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
    problems = []
    for record in document.records("rows", "id"):
        try:
            row = _row(record, near_fraction)
            if row.id in rows:
                raise record.error("id", "is the id of another row already")
            rows[row.id] = row
        except ReirradiationError as error:
            problems.append(str(error))
    if problems:  # one per row, so that a file can be put right in one go
        raise ReirradiationError("\n".join(problems))
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
        relative_to=_relative_to(record, basis),
        interval_months=_span(record, "interval_months"),
        new_course_fractions=_span(record, "new_course_fractions"),
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
    if quantity in ("physical", "time"):
        for key in ("alpha_beta_gy", "model"):
            if record.values[key] is not None:
                raise record.error(key, f"has to be null where the quantity is {quantity}")
        if basis == "discounted_vs_first":
            # (1 - r) D is not the dose of (1 - r) of the effect; the discount is defined in EQD2 and BED alone.
            raise record.error("basis", "recovery is defined in EQD2 or BED, not in physical dose or time")
        return quantity, basis, None
    record.choice("model", ("LQ",))
    return quantity, basis, None if alpha_beta is None else record.positive("alpha_beta_gy")


def _relative_to(record: Record, basis: Basis) -> Basis | None:
    """Return the basis that a ratio is relative to: only a new course can be a part of a sum of all."""
    if "relative_to" not in record.values:
        return None
    relative_to = cast(Basis, record.choice("relative_to", ("cumulative_undiscounted",)))
    if basis != "current_only":
        raise record.error("relative_to", "needs the basis current_only: the new course as a part of all courses")
    if record.values["quantity"] == "time":
        raise record.error("relative_to", "has no meaning where the quantity is time")
    return relative_to


def _span(record: Record, key: str) -> Span | None:
    if key not in record.values:
        return None
    span = record.record(key)
    span.check_keys((), ("min", "max"))
    low, high = (span.positive(end) if end in span.values else None for end in ("min", "max"))
    if low is None and high is None:
        raise record.error(key, "has to have min, max or both")
    if low is not None and high is not None and low > high:
        raise span.error("max", f"is below min, {low:g}")
    return Span(low, high)


def _organs(record: Record) -> tuple[str, ...]:
    organs = record.texts("organs")
    if not organs:
        raise record.error("organs", "has to name at least one organ")
    for number, organ in enumerate(organs):
        if not vocabulary().knows(organ):
            raise record.error("organs", f"{organ!r} is not among the TG-263 names of organ_names.json", number)
    return organs


def _metric(record: Record) -> str:
    name = record.text("metric")
    if record.values["quantity"] == "time":
        if name != "interval":
            raise record.error("metric", f"has to be interval where the quantity is time, but is {name!r}")
        unit = "months"
    else:
        try:
            metric(name)
        except ReirradiationError as error:
            raise record.error("metric", str(error)) from error
        unit = "%" if name.endswith("Gy%") else "cc" if name.endswith("Gycc") else "Gy"
        unit = "ratio" if "relative_to" in record.values else unit
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
    has_model = row.quantity in ("EQD2", "BED")
    kind = f"{row.quantity}, LQ, alpha/beta {alpha_beta}" if has_model else row.quantity
    basis = f"{row.basis}, relative to {row.relative_to}" if row.relative_to else row.basis
    lines = [
        "",
        f"{row.id}: {row.label}, {row.metric} {row.limit_text()} (near from {row.near_limit:g}) [{row.status}]",
        f"  {kind}; {basis}",
        f"  Printed: {row.printed}",
    ]
    for word, text in (("Correction", row.correction), ("Evidence", row.evidence), ("Caution", row.caution)):
        if text:
            lines.append(f"  {word}: {text}")
    lines += [f"  Made for: {condition}" for condition in row.made_for()]
    return [*lines, f"  Structures: {', '.join(row.organs)}", f"  Source: {row.source}"]
