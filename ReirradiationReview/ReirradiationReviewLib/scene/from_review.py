"""What a review shows: the bridge from core's results to the scene's content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.images import PlacedImage
from ..core.review import Review
from ..core.volume import Volume
from .content import IsodoseLevel, PlacedCourse, SceneContent, SceneOrgan
from .figure1_preset import FIGURE1

# Up to 60 Gy those of Beddok 2022, figure 1; the levels above are ours, where cumulative limits lie. None of them is
# red, which is the target's colour.
ISODOSE_LEVELS = (
    *FIGURE1.levels,
    IsodoseLevel(80.0, (0, 190, 255)),
    IsodoseLevel(100.0, (170, 80, 255)),
    IsodoseLevel(120.0, (255, 255, 255)),
)


def scene_content(review: Review, images: Sequence[PlacedImage] = ()) -> SceneContent:
    """Return everything the scene and its pictures show of a review, and the images beside its courses."""
    unit = "Gy (RBE)" if any(plan.dose_type == "EFFECTIVE" for plan in review.reference.plans) else "Gy"
    return replace(
        live_content(review),
        plan_dose=plan_dose(review),
        plan_dose_unit=unit,
        images=tuple(images),
    )


def plan_dose(review: Review) -> Volume:
    """Return the new plan's own dose, Gy, on the composite's grid; NaN where it is not known."""
    return review.composite.physical(review.weights([review.reference_index]))


def live_content(review: Review) -> SceneContent:
    """Return what of the scene follows the settings and structures of a review."""
    courses = tuple(
        PlacedCourse(course, registration, course_eqd2(review, index))
        for index, (course, registration) in enumerate(zip(review.courses, review.registrations, strict=True))
    )
    composite = composite_eqd2(review)
    return SceneContent(
        patient=review.reference.patient,
        courses=courses,
        reference_index=review.reference_index,
        composite=composite,
        alpha_beta_gy=review.settings.display_alpha_beta_gy,
        organs=scene_organs(review),
        levels=levels_below(float(np.nanmax(composite.array))),
        assumptions=assumption_lines(review),
        hot_spot_lps=review.hot_spot_lps(),
        target_lps=target_centre_lps(review),
        settings=review.settings,
    )


def composite_eqd2(review: Review) -> Volume:
    """Return the EQD2 of all courses that are not left out, Gy, float32, NaN where unknown."""
    return review.composite.eqd2(review.weights(), review.settings.display_alpha_beta_gy)


def course_eqd2(review: Review, index: int) -> Volume:
    """Return the EQD2 of one course on the composite's grid, Gy, float32, NaN where unknown."""
    return review.composite.eqd2(review.weights([index]), review.settings.display_alpha_beta_gy)


def levels_below(highest_gy: float) -> tuple[IsodoseLevel, ...]:
    """Return the standard isodose levels that a dose reaches; the lowest one always."""
    return tuple(level for level in ISODOSE_LEVELS if level.dose_gy < highest_gy) or ISODOSE_LEVELS[:1]


def scene_organs(review: Review) -> tuple[SceneOrgan, ...]:
    """Return the review's organs as they are drawn."""
    return tuple(
        SceneOrgan(organ.name, organ.match.tg263 or "", organ.structure.colour, organ.structure, organ.match.is_target)
        for organ in review.organs
    )


def assumption_lines(review: Review) -> tuple[str, ...]:
    """Return what the pictures rest on, a short line each."""
    methods = [
        f"{course.label}: {registration.method}"
        for course, registration in zip(review.courses, review.registrations, strict=True)
        if registration.method != "reference"
    ]
    left_out = [review.courses[index].label for index in sorted(review.settings.left_out)]
    return (
        f"Composite EQD2, alpha/beta {review.settings.display_alpha_beta_gy:g} Gy, no recovery",
        "Registration " + ", ".join(methods),
        *([f"Left out: {', '.join(left_out)}"] if left_out else []),
    )


def target_centre_lps(review: Review) -> NDArray[np.float64] | None:
    """Return the point of the reference's first GTV (else CTV, else PTV) nearest to its centroid."""
    for kind in FIGURE1.target_types:
        for organ in review.organs:
            if organ.match.is_target and organ.name.upper().startswith(kind):
                points, volumes = organ.samples.points_lps, organ.samples.volumes_cc
                centroid = np.average(points, axis=0, weights=volumes)
                return points[int(np.argmin(np.linalg.norm(points - centroid, axis=1)))]
    return None
