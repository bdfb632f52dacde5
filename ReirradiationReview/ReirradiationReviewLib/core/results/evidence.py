"""What the literature reports for the site under review, as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..evidence import load_evidence
from ..review import Review


def evidence_entry(review: Review) -> dict[str, Any]:
    """Return the studies and statements about the organs that are contoured and the sites they belong to."""
    organs = {organ.match.base for organ in review.organs if organ.match.base and not organ.match.is_target}
    found = load_evidence().for_organs(organs)
    return {
        "source": found.source,
        "table": found.table,
        "abbreviations": found.abbreviations,
        "sites": [site.title for site in found.sites],
        "studies": [asdict(study) for study in found.studies],
        "statements": [asdict(statement) for statement in found.statements],
    }
