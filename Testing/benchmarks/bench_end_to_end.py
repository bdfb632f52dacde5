"""Folder to report: wall time and peak memory of the whole command, beside the limits set for it.

Runs on the two-course head-and-neck case where it is present, and on the demo case always.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_SECONDS = 60.0
LIMIT_GB = 2.0
DATA = Path(os.environ.get("REIRRADIATION_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def measure(title: str, arguments: list[str]) -> None:
    """Run one command to its end and print its time and memory as figures and as shares of the limits."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "ReirradiationReviewLib.cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(
        f"{title:40s} {seconds:6.1f} s ({seconds / LIMIT_SECONDS:.0%} of the limit)   "
        f"{peak_gb:5.2f} GB peak so far ({peak_gb / LIMIT_GB:.0%})"
    )


def main() -> None:
    """Measure the cases that are here."""
    with tempfile.TemporaryDirectory() as scratch:
        case = DATA / "reirr_hn"
        if case.is_dir():
            courses = ["--course", str(case / "course1"), "--course", str(case / "course2")]
            measure("run, two head-and-neck courses", ["run", *courses, "--out", f"{scratch}/hn"])
        else:
            print("the head-and-neck case is not here (set REIRRADIATION_DATA)")
        measure("demo, making the case included", ["demo", "--out", f"{scratch}/demo"])


if __name__ == "__main__":
    main()
