"""The quality of a review's registrations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...errors import Progress, no_progress
from ...review import Review
from .assessment import assess_registration
from .landmarks import Points
from .quality import RegistrationQuality

# "Within 2 cm of the 50 % cumulative isodose": where an error of the registration changes a decision.
_HIGH_SHARE, _AROUND_MM = 0.5, 20.0
_MOST_POINTS = 50_000


def assess_review(
    review: Review, landmarks: Mapping[int, Points] | None = None, progress: Progress = no_progress
) -> Review:
    """Return the review with the quality of every registration measured.

    Parameters
    ----------
    landmarks
        Named points, LPS mm, by the index of the course in whose image they were marked. A registration is measured at
        the points that both its courses have.
    """
    marked = landmarks or {}
    high_dose = high_dose_points(review)
    others = [index for index in range(len(review.courses)) if index != review.reference_index]
    found: dict[int, RegistrationQuality] = {}
    for number, index in enumerate(others):
        start, share = number / len(others), 1.0 / len(others)

        def part(done: float, text: str, start: float = start, share: float = share) -> None:
            progress(start + share * done, text)

        both = review.reference_index in marked and index in marked
        found[index] = assess_registration(
            review.reference,
            review.courses[index],
            review.registrations[index].transform,
            organs=review.mapped.organs,
            fields=review.mapped.fields,
            high_dose_lps=high_dose,
            landmarks=(marked[review.reference_index], marked[index]) if both else None,
            progress=part,
        )
    return review.with_quality(found)


def high_dose_points(review: Review) -> NDArray[np.float64]:
    """Return points within 2 cm of the half of the highest composite EQD2, LPS mm, shape ``(N, 3)``."""
    from scipy.ndimage import distance_transform_edt

    composite = review.composite.eqd2(review.weights(), review.settings.display_alpha_beta_gy)
    highest = float(np.nanmax(composite.array))
    if highest <= 0:
        return np.empty((0, 3))
    high = composite.array >= _HIGH_SHARE * highest  # unknown dose, NaN, is not high
    near = distance_transform_edt(~high, sampling=composite.spacing_mm[::-1]) <= _AROUND_MM
    chosen = np.flatnonzero(near)
    return composite.centres_lps()[chosen[:: max(1, len(chosen) // _MOST_POINTS)]]
