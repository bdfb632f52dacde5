"""The review's data in the words, order and digits that a reader of the report needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

UNKNOWN = "unknown"

# Verdict: (symbol, word), in the order in which a reader should meet them. The symbol and the word say what the colour
# says, so that the report holds in black and white.
VERDICTS = {
    "fail": ("✗", "fail"),
    "near": ("▲", "near limit"),
    "unknown": ("?", "unknown"),
    "note": ("●", "note only"),
    "pass": ("✓", "pass"),
}
NEEDS_ATTENTION = ("fail", "near", "unknown")
COMPOSITE_ROW = "Composite EQD2"

BASES = {
    "cumulative_undiscounted": "cumulative, no recovery",
    "discounted_vs_first": "after recovery, against the first-course limit",
    "current_only": "new plan only",
}
FRACTIONS_SOURCES = {
    "plan": "from the plan",
    "record": "from treatment records",
    "user": "entered by the user",
}
INTERVAL_SOURCES = {
    "records": "from the last treatment",
    "dates": "between the dates of the courses",
    "user": "entered by the user",
    "unknown": "no dates",
}
DIRECTIONS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_UNITS = {
    "gy": "Gy",
    "cc": "cc",
    "mm": "mm",
    "percent": "%",
    "deg": "°",
    "degrees": "°",
    "seconds": "s",
    "months": "months",
}


def is_known(value: Any) -> bool:
    """Return False for None, empty text and numbers that are not finite."""
    if value is None or value == "":
        return False
    return not (isinstance(value, float) and not math.isfinite(value))


def plain_text(value: Any) -> str:
    """Return the value as text; the word "unknown" where there is none."""
    if not is_known(value):
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain_text(item) for item in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{' '.join(label_and_unit(key))}: {plain_text(item)}" for key, item in value.items())
    return str(value)


def number(value: Any, decimals: int = 1) -> str:
    """Return a number with a fixed count of decimals; "unknown" where it is not known.

    What is not zero never reads as zero: 0.004 with two decimals is "<0.01", -0.004 is "> −0.01".
    """
    if not is_known(value):
        return UNKNOWN
    rounded = f"{value:.{decimals}f}"
    if value != 0 and float(rounded) == 0:
        step = f"{10**-decimals:.{decimals}f}"
        return f"<{step}" if value > 0 else f"> −{step}"
    return rounded.replace("-", "−")


def volume(value_cc: Any) -> str:
    """Return a volume in cc with one decimal, two below 10 cc."""
    return number(value_cc, 2 if is_known(value_cc) and value_cc < 10 else 1)


def limit_text(limit: Any, direction: Any = None) -> str:
    """Return a limit, or a band of limits, with the sense in which it holds where that is given."""
    if isinstance(limit, list | tuple):
        limits = "–".join(_short(part) for part in limit)
    elif isinstance(limit, str):
        limits = limit
    else:
        limits = _short(limit)
    sign = DIRECTIONS.get(str(direction), "")
    return f"{sign} {limits}".strip() if limits and limits != UNKNOWN else UNKNOWN


def _short(value: Any) -> str:
    return f"{value:g}" if is_known(value) else UNKNOWN


def label_and_unit(key: str) -> tuple[str, str]:
    """Split a key of the data into what it names and its unit: "D0.03cc_gy" is ("D0.03cc", "Gy")."""
    name, _, last = key.rpartition("_")
    if name and last in _UNITS:
        return name.replace("_", " "), _UNITS[last]
    return key.replace("_", " "), ""


def person_name(name: Any) -> str:
    """Return a DICOM person name (PN, PS3.5 6.2.1) as "Family, Given Middle"."""
    if not is_known(name):
        return UNKNOWN
    family, *rest = str(name).split("^")
    given = " ".join(part for part in rest if part)
    return ", ".join(part for part in (family, given) if part) or UNKNOWN


def moment(created: Any) -> str:
    """Return an ISO date and time to the minute with its zone; other text as it is."""
    if not is_known(created):
        return UNKNOWN
    try:
        parsed = datetime.fromisoformat(re.sub(r"Z$", "+00:00", str(created)))
    except ValueError:
        return str(created)
    return parsed.strftime("%Y-%m-%d %H:%M %Z").strip()


def interval(months: Any) -> str:
    """Return a course's interval to the reference course in words."""
    if not is_known(months):
        return "interval to the reference course unknown"
    return f"{number(abs(months))} months {'before' if months >= 0 else 'after'} the reference course"


def not_contoured(row: Mapping[str, Any]) -> bool:
    """Return whether a constraint has no structure to apply to; whatever was judged had one."""
    return row.get("structure") is None and verdict_of(row) in ("unknown", "note")


def by_urgency(constraints: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the constraints with failed ones first, then near, unknown, notes, passed; else in their order."""
    order = list(VERDICTS)
    return sorted(constraints, key=lambda row: order.index(verdict_of(row)))


def verdict_of(row: Mapping[str, Any]) -> str:
    """Return the row's verdict; whatever is not a verdict is unknown."""
    verdict = row.get("verdict")
    return verdict if verdict in VERDICTS else "unknown"


def verdict_counts(constraints: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many constraints have each verdict, most urgent first."""
    found = [verdict_of(row) for row in constraints]
    return {verdict: found.count(verdict) for verdict in VERDICTS}


def dose_rows(
    structure: Mapping[str, Any], courses: Sequence[Mapping[str, Any]]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the structure's dose-volume figures as (what dose, figures), courses first, composite last."""
    rows = []
    for key, words in (("physical", "dose as planned"), ("eqd2", "EQD2")):
        for index, figures in enumerate(structure.get(key) or []):
            label = courses[index].get("label") if index < len(courses) else None
            rows.append((f"{plain_text(figures.get('course') or label)}, {words}", figures))
    rows.append((COMPOSITE_ROW, structure.get("composite_eqd2") or {}))
    # Left out only where they are known to say the same as the composite itself.
    if structure.get("outside_dose_grid_percent") != 0 and structure.get("composite_eqd2_upper"):
        rows.append((f"{COMPOSITE_ROW}, upper bound", structure["composite_eqd2_upper"]))
    if structure.get("recovery") != 0:
        rows.append((f"{COMPOSITE_ROW} after recovery", structure.get("composite_eqd2_recovered") or {}))
    return rows


def metric_keys(structures: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return every dose-volume figure that any structure's composite has, in the order of the data."""
    keys: dict[str, None] = {}
    for structure in structures:
        keys |= dict.fromkeys(structure.get("composite_eqd2") or {})
    return list(keys)
