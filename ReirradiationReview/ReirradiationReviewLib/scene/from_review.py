"""What a review shows: the bridge from core's results to the scene's content."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.review import Review
from .content import IsodoseLevel, PlacedCourse, SceneContent, SceneOrgan

# 5, 20, 40 and 60 Gy in the colours of Beddok 2022, figure 1; the levels above are ours, where cumulative limits lie.
ISODOSE_LEVELS = (
    IsodoseLevel(5.0, (0, 200, 0)),
    IsodoseLevel(20.0, (255, 235, 0)),
    IsodoseLevel(40.0, (255, 140, 0)),
    IsodoseLevel(60.0, (255, 105, 180)),
    IsodoseLevel(80.0, (230, 0, 0)),
    IsodoseLevel(100.0, (170, 80, 255)),
    IsodoseLevel(120.0, (255, 255, 255)),
)
# The smallest target is the most telling one: the visible tumour before the planning volume around it.
_TARGET_TYPES = ("GTV", "CTV", "PTV")


def scene_content(review: Review) -> SceneContent:
    """Return everything the scene and its pictures show of a review."""
    alpha_beta_gy = review.settings.display_alpha_beta_gy
    composite = review.composite.eqd2(review.weights(), alpha_beta_gy)
    highest_gy = float(np.nanmax(composite.array))
    courses = tuple(
        PlacedCourse(
            course,
            registration.transform,
            review.composite.eqd2(review.weights([index]), alpha_beta_gy),
        )
        for index, (course, registration) in enumerate(zip(review.courses, review.registrations, strict=True))
    )
    organs = tuple(
        SceneOrgan(organ.name, organ.match.tg263 or "", organ.structure.colour, organ.structure, organ.match.is_target)
        for organ in review.organs
    )
    return SceneContent(
        patient=review.reference.patient,
        courses=courses,
        reference_index=review.reference_index,
        composite=composite,
        alpha_beta_gy=alpha_beta_gy,
        organs=organs,
        levels=tuple(level for level in ISODOSE_LEVELS if level.dose_gy < highest_gy),
        assumptions=_assumption_lines(review),
        hot_spot_lps=review.hot_spot_lps(),
        target_lps=_target_centre_lps(review),
        settings={
            "alpha_beta_gy": dict(review.settings.alpha_beta_gy),
            "recovery": dict(review.settings.recovery),
            "protocols": list(review.settings.protocols),
            "display_alpha_beta_gy": alpha_beta_gy,
            "fractions": {plan.label: plan.fractions for _, plan in review.plans},
        },
    )


def _assumption_lines(review: Review) -> tuple[str, ...]:
    methods = [
        f"{course.label}: {registration.method}"
        for course, registration in zip(review.courses, review.registrations, strict=True)
        if registration.method != "reference"
    ]
    return (
        f"Composite EQD2, alpha/beta {review.settings.display_alpha_beta_gy:g} Gy, no recovery",
        "Registration " + ", ".join(methods),
    )


def _target_centre_lps(review: Review) -> NDArray[np.float64] | None:
    """Return the point of the reference's first GTV (else CTV, else PTV) nearest to its centroid."""
    for kind in _TARGET_TYPES:
        for organ in review.organs:
            if organ.match.is_target and organ.name.upper().startswith(kind):
                points, volumes = organ.samples.points_lps, organ.samples.volumes_cc
                centroid = np.average(points, axis=0, weights=volumes)
                return points[int(np.argmin(np.linalg.norm(points - centroid, axis=1)))]
    return None
