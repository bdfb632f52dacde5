"""The review as plain data: what review.json holds and the report prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from ... import __version__
from ..functional_maps import WeightedOrgan
from ..images import PlacedImage
from ..nieder import nieder_scores
from ..plain_data import plain_data
from ..review import Review
from ..targets.make import Target
from ..targets.margin_recipe import SmallestMargin
from .constraints import constraint_entries, uncertainty_entry
from .courses import course_entry, image_entry
from .evidence import evidence_entry
from .functional import functional_entries
from .hot_spots import hot_spot_entry
from .models import model_entries, recovery_table_entry
from .overlap import overlap_entry
from .prescriptions import prescription_entry
from .registration import registration_entry
from .statements import LIMITS, all_notices, assumptions, not_covered
from .structures import structure_entry
from .target_relations import agreement_entries, entered_by_target, entered_notices, margin_entry
from .targets import target_entries

SCHEMA = "reirradiation-review/1"


def review_document(
    review: Review,
    files: dict[str, Any] | None = None,
    images: Sequence[PlacedImage] = (),
    *,
    new_targets: Sequence[Target] = (),
    margin: SmallestMargin | None = None,
    weighted: Sequence[WeightedOrgan] = (),
) -> dict[str, Any]:
    """Return the review as JSON-ready data, units in the keys; unknown values are None.

    Parameters
    ----------
    files
        What was written, by name.
    images
        PET, MR and other series beside the courses.
    new_targets
        Targets that were made here, among the structures of the reference course.
    margin
        The smallest one that the stated uncertainties leave; None to say nothing of it.
    weighted
        Organs whose doses are weighted by a functional map.
    """
    constraints = review.constraints()
    entered = entered_by_target(review, new_targets, constraints)
    patient = review.reference.patient
    return plain_data(
        {
            "schema": SCHEMA,
            "software": {"name": "ReirradiationReview", "version": __version__},
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "patient": asdict(patient),
            "reference_course": review.reference.label,
            "courses": [course_entry(review, index) for index in range(len(review.courses))],
            "images": [image_entry(review, image) for image in images],
            "registrations": [registration_entry(review, index) for index in range(len(review.courses))],
            "recovery_table": recovery_table_entry(review),
            "structures": [structure_entry(review, organ) for organ in review.organs],
            "constraints": constraint_entries(review, constraints),
            "uncertainty": uncertainty_entry(review),
            "hot_spots": [hot_spot_entry(review, organ) for organ in review.organs],
            "nieder": [asdict(score) for score in nieder_scores(review)],
            "models": model_entries(review),
            "evidence": evidence_entry(review),
            "targets": target_entries(review, images, new_targets, entered),
            "target_agreements": agreement_entries(review, new_targets),
            "smallest_margin": None if margin is None else margin_entry(margin),
            "functional": functional_entries(review, weighted),
            "prescriptions": prescription_entry(review),
            "overlap": overlap_entry(review, constraints),
            "assumptions": assumptions(review),
            "not_covered": not_covered(review, constraints),
            "limits": list(LIMITS),
            "warnings": [asdict(notice) for notice in [*all_notices(review), *entered_notices(entered)]],
            "files": files or {},
        }
    )
