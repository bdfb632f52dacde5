"""Composite EQD2 after an alpha/beta change, beside copying the same bytes and beside warping anew."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from ReirradiationReviewLib.core.dose_mapping import PlanWeight, dose_moments, sum_eqd2
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume

REPEATS = 5


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median time of a few calls."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def main() -> None:
    """Time two plans on a grid of two million voxels."""
    random = np.random.default_rng(1)
    dose = Volume(random.uniform(0, 70, (128, 128, 128)), np.diag([2.5, 2.5, 2.5, 1.0]))
    points = dose.centres_lps()
    here = SpatialTransform()
    mapped = median_seconds(lambda: dose_moments(dose, here, points))
    moments = [dose_moments(dose, here, points)] * 2
    weights = [PlanWeight(30), PlanWeight(5)]
    summed = median_seconds(lambda: sum_eqd2(moments, weights, 3.0))
    kept = [moments[0].p_gy, moments[0].s_gy2] * 2
    copied = median_seconds(lambda: [array.copy() for array in kept])
    print(f"mapping one plan, 2.1 M points          {mapped * 1e3:8.1f} ms")
    print(f"composite at a new alpha/beta, 2 plans  {summed * 1e3:8.1f} ms")
    print(f"   as a share of mapping both again     {summed / (2 * mapped):8.2f}")
    print(f"   as a multiple of copying its input   {summed / copied:8.2f}")


if __name__ == "__main__":
    main()
