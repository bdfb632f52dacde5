"""How far off a registration is at an organ, from what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping

from ..registration.qa.quality import OrganQuality, RegistrationQuality

# Contours show an error across the surface only. Of an error that is normally distributed and alike along all axes,
# that part is on average half as long as the whole (0.80 and 1.60 standard deviations per axis).
_LENGTH_PER_DISTANCE = 2.0


def measured_errors_mm(qualities: Mapping[int, RegistrationQuality]) -> dict[tuple[int, str], float]:
    """Return the mean length of the error by course and structure, where contours or near landmarks tell it."""
    return {
        (index, organ.structure): error_mm
        for index, quality in qualities.items()
        for organ in quality.organs
        if (error_mm := _error_mm(organ)) is not None
    }


def _error_mm(organ: OrganQuality) -> float | None:
    found = []
    if organ.contours is not None:
        found.append(_LENGTH_PER_DISTANCE * organ.contours.mean_distance_mm)
    if organ.landmarks_near is not None:
        found.append(organ.landmarks_near.mean_mm)
    return max(found, default=None)
