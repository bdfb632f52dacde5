"""How each course was brought to the reference, and how good that is, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..organ_dose import OrganDose
from ..registration.qa.limits import Check
from ..registration.qa.quality import Distances, OrganQuality, RegistrationQuality
from ..review import Review


def registration_entry(review: Review, index: int) -> dict[str, Any]:
    """Return how one course was brought to the reference."""
    registration = review.registrations[index]
    quality = review.quality.get(index)
    return {
        "course": review.courses[index].label,
        "method": registration.method,
        "matrix_lps": registration.transform.matrix_lps.tolist(),
        "deformable": registration.transform.displacement is not None,
        "qa": registration.qa | (quality_entry(review, index, quality) if quality is not None else {}),
        "seconds": round(registration.seconds, 2),
    }


def quality_entry(review: Review, index: int, quality: RegistrationQuality) -> dict[str, Any]:
    """Return what was measured of a registration, with the dose error under the review's present settings."""
    organs = {organ.name: organ for organ in review.organs}
    return {
        "verdict": quality.verdict,
        "reasons": list(quality.reasons),
        "checks": _checks(quality.checks),
        "landmarks": _landmarks(quality),
        "images": _images(quality),
        "jacobian": asdict(quality.jacobian),
        "jacobian_high_dose": asdict(quality.jacobian_high_dose) if quality.jacobian_high_dose else None,
        "inverse_consistency": _distances(quality.inverse),
        "organs": [_organ(review, index, organ, organs[organ.structure]) for organ in quality.organs],
    }


def _checks(checks: Sequence[Check]) -> list[dict[str, Any]]:
    return [
        {
            "metric": check.limit.metric,
            "words": check.limit.words,
            "value": check.value,
            "caution_at": check.limit.caution,
            "unusable_at": check.limit.unusable,
            "more_is_better": check.limit.more_is_better,
            "verdict": check.verdict,
            "source": check.limit.source,
            "status": check.limit.status,
        }
        for check in checks
    ]


def _landmarks(quality: RegistrationQuality) -> dict[str, Any] | None:
    found = quality.landmarks
    if found is None:
        return None
    points = zip(found.names, found.points_lps.tolist(), found.errors_mm.tolist(), strict=True)
    return {
        "count": len(found.names),
        "mean_mm": found.mean_mm,
        "max_mm": found.max_mm,
        "points": [{"name": name, "position_lps_mm": point, "error_mm": error} for name, point, error in points],
    }


def _images(quality: RegistrationQuality) -> dict[str, Any] | None:
    found = quality.images
    if found is None:
        return None
    local = found.local_correlation.array
    seen = local[np.isfinite(local)]
    return {
        "correlation": found.correlation,
        "mutual_information_bits": found.mutual_information_bits,
        "covered_percent": found.covered_percent,
        "local_correlation_median": float(np.median(seen)) if seen.size else None,
        "local_correlation_percentile_5": float(np.percentile(seen, 5)) if seen.size else None,
    }


def _distances(found: Distances | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _organ(review: Review, index: int, quality: OrganQuality, organ: OrganDose) -> dict[str, Any]:
    slope = quality.slopes.eqd2_gy_per_mm(review.weights([index]), organ.alpha_beta_gy, organ.repair_half_time.value)
    hot, spread = slope[quality.slopes.hot], slope[~quality.slopes.hot]
    gradient = {
        "mean": _mean(spread),
        "percentile_95": float(np.nanpercentile(spread, 95)) if np.isfinite(spread).any() else None,
        "hottest": _mean(hot),
    }
    return {
        "structure": quality.structure,
        "tg263": quality.tg263 or None,
        "earlier_structure": quality.earlier_structure or None,
        "contours": asdict(quality.contours) if quality.contours else None,
        "jacobian": asdict(quality.jacobian),
        "local_correlation": quality.local_correlation,
        "covered_percent": quality.covered_percent,
        "landmarks_near": _distances(quality.landmarks_near),
        "inverse_consistency": _distances(quality.inverse),
        "uncertainty_mm": quality.uncertainty_mm,
        "uncertainty_basis": quality.uncertainty_basis or None,
        "eqd2_gradient_gy_per_mm": gradient,
        "eqd2_error_gy": {key: _times(value, quality.uncertainty_mm) for key, value in gradient.items()},
        "verdict": quality.verdict,
        "reasons": list(quality.reasons),
        "checks": _checks(quality.checks),
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def _times(value: float | None, factor: float | None) -> float | None:
    return None if value is None or factor is None else value * factor
