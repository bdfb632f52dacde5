"""Courses as the overlap sees them: delivered dose on one grid, and the prescription its isodoses are named by."""

from __future__ import annotations

import numpy as np

from ..review import Review
from ..targets.recurrence import delivered_prescription_gy
from ..volume import Volume
from .regions import overlap_map

# Isodoses whose overlap is tabulated and mapped, in percent of each course's prescription, falling.
PERCENT = (95.0, 80.0, 50.0)


def prescription_gy(review: Review, index: int) -> float | None:
    """Return a course's prescription as far as it was delivered, Gy; None where a plan does not state it."""
    chosen = [number for number, (course, _) in enumerate(review.plans) if course == index]
    weights = review.weights([index])
    return delivered_prescription_gy([review.plans[n][1] for n in chosen], [weights[n] for n in chosen])


def course_dose(review: Review, index: int) -> Volume:
    """Return a course's delivered dose on the composite's grid, Gy; NaN where it is not known."""
    return review.composite.physical(review.weights([index]))


def overlap_steps(review: Review, index: int) -> Volume | None:
    """Return how far an earlier and the new course overlap, voxel by voxel of the composite's grid.

    Returns
    -------
    Volume or None
        uint8: at how many of the `PERCENT` isodoses the voxel lies inside that of both courses. None where a
        prescription is not known.
    """
    here_gy, new_gy = prescription_gy(review, index), prescription_gy(review, review.reference_index)
    if not here_gy or not new_gy:
        return None
    doses = [course_dose(review, index), course_dose(review, review.reference_index)]
    shares = [percent / 100.0 for percent in PERCENT]
    maps = [overlap_map(doses, [share * here_gy, share * new_gy]).array for share in shares]
    return doses[0].like(np.add.reduce(maps, dtype=np.uint8))
