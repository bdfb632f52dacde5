"""What the courses prescribed and the new one gives to the tumor, in EQD2, as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..prescriptions import TUMOR_ALPHA_BETA_GY, course_prescriptions, target_doses
from ..review import Review

SOURCE = (
    "Beddok 2022 (doi 10.1016/j.critrevonc.2022.103655), Dose and fractionation: the dose used for curative "
    "re-irradiation should be at least as high, in biological equivalent, as that of the first irradiation"
)


def prescription_entry(review: Review) -> dict[str, Any]:
    """Return each course's prescription, and each target's dose of the new course beside the first prescription."""
    return {
        "alpha_beta_gy": TUMOR_ALPHA_BETA_GY,
        "courses": [asdict(course) for course in course_prescriptions(review)],
        "targets": [asdict(target) for target in target_doses(review)],
        "source": SOURCE,
    }
