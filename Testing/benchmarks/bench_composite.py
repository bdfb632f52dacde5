"""The composite EQD2 of eight million voxels after a change of alpha/beta, beside copying the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from ReirradiationReviewLib.core.composite import CompositeGrid
from ReirradiationReviewLib.core.dose_mapping import DoseMoments, PlanWeight
from ReirradiationReviewLib.core.volume import Volume

LIMIT_COPIES = 2.0
REPEATS = 15
SIDE = 200


def median_ms(work: Callable[[int], object]) -> float:
    """Return the median time of some calls, each of which is told its number."""
    times = []
    for number in range(REPEATS):
        started = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


def a_composite(ends: bool) -> CompositeGrid:
    """Return two plans on one grid; ``ends`` lets the second plan's grid cover only a part of it."""
    random = np.random.default_rng(1)
    shape = (SIDE, SIDE, SIDE)
    count = SIDE**3
    moments = []
    for plan in range(2):
        dose = random.uniform(0, 70, count)
        inside = np.ones(shape, dtype=bool)
        if ends and plan == 1:
            inside[: SIDE // 3] = False
        moments.append(DoseMoments(dose, dose**2, inside.ravel()))
    return CompositeGrid(Volume(np.zeros(shape, dtype=np.float32), np.diag([2.5, 2.5, 2.5, 1.0])), tuple(moments))


def main() -> None:
    """Time both cases."""
    weights = [PlanWeight(30), PlanWeight(5)]
    for what, ends in (("both grids everywhere", False), ("one grid ends", True)):
        composite = a_composite(ends)
        composite.eqd2(weights, 3.0)  # what does not depend on the settings is made once
        kept = [np.zeros(SIDE**3, dtype=np.float32) + 1 for _ in range(4)]
        copied = median_ms(lambda _, kept=kept: [array.copy() for array in kept])
        summed = median_ms(lambda n, composite=composite: composite.eqd2(weights, 2.0 + 0.1 * n))
        share = summed / (LIMIT_COPIES * copied)
        print(f"{what:24s} {summed:7.1f} ms   {summed / copied:5.2f} x copying its input   {share:5.2f} of the limit")


if __name__ == "__main__":
    main()
