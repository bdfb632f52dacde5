"""The models behind the numbers: how much the dose-effect model matters, and the table of recovery, as data."""

from __future__ import annotations

from typing import Any

from ..lql_view import lql_view
from ..review import Review
from .structures import dose_metrics


def model_entries(review: Review) -> list[dict[str, Any]]:
    """Return the composite EQD2 by LQ and by LQ-L for every structure where they are known to differ, or why not."""
    entries = []
    for organ in review.organs:
        view = lql_view(review, organ)
        entries.append(
            {
                "structure": organ.name,
                "alpha_beta_gy": organ.alpha_beta_gy,
                "composite_eqd2_lq": None if view.dose is None else dose_metrics(organ.eqd2(review.weights()).low),
                "composite_eqd2_lql": None if view.dose is None else dose_metrics(view.dose),
                "note": view.why,
            }
        )
    return entries


def recovery_table_entry(review: Review) -> dict[str, Any] | None:
    """Return the table that recovery is taken from; None where none is chosen."""
    table = review.recovery_table
    if table is None:
        return None
    return {"id": table.id, "title": table.title, "source": table.source, "notes": list(table.notes)}
