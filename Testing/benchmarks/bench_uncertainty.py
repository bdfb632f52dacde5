"""The ranges of all constraint values, beside the limit of one second, and beside following every sample.

On the twenty organs of `bench_constraints`, with 100 random registration errors, the k-mm search and alpha/beta.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from bench_constraints import a_review
from ReirradiationReviewLib.core.uncertainty import UncertaintySettings, moved_doses

LIMIT_SECONDS = 1.0
REPEATS = 5
SAMPLES_OF_ALL = 4


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the median wall and processor time of a few calls."""
    wall, processor = [], []
    for _ in range(repeats):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return float(np.median(wall)), float(np.median(processor))


def main() -> None:
    """Time the whole and its parts."""
    review = a_review()
    review.constraints()  # the blocks are made once
    usual = UncertaintySettings()
    parts = {
        "all ranges, 100 samples": usual,
        "without the search": replace(usual, search_mm=0.0),
        "without registration errors": replace(usual, samples=0),
        "search that leaves the organ": replace(usual, search_within_organ=False),
    }
    for what, settings in parts.items():
        wall, processor = median_seconds(lambda settings=settings: review.uncertainty(settings))
        print(f"{what:30s} {wall:6.2f} s   {wall / LIMIT_SECONDS:5.2f} of the limit   {processor:6.2f} s of processor")
    followed, _ = median_seconds(lambda: review.uncertainty(replace(usual, search_mm=0.0, samples=SAMPLES_OF_ALL)))
    moved_doses._STRATA = ((10**9, np.inf, 1.0),)
    of_all, _ = median_seconds(
        lambda: review.uncertainty(replace(usual, search_mm=0.0, samples=SAMPLES_OF_ALL)), repeats=1
    )
    print(
        f"every sample followed, {SAMPLES_OF_ALL} errors: {of_all:.1f} s, {of_all / followed:.1f} x those that matter"
    )


if __name__ == "__main__":
    main()
