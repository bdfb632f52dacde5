"""What the tests share: the reference cases, which may be absent, and the demo case, which is made on the spot."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter
    from ReirradiationReviewLib.core.demo import DemoCase

PROJECT_ROOT = Path(__file__).resolve().parents[1]
NO_CASES = "the reference cases are not here (set REIRRADIATION_DATA to their folder)"
DEMO_TIMEOUT_SECONDS = 240


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of the reference cases; skip where it is absent."""
    folder = Path(os.environ.get("REIRRADIATION_DATA", PROJECT_ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(NO_CASES)
    return folder.resolve()


@pytest.fixture(scope="session")
def demo_case(tmp_path_factory: pytest.TempPathFactory) -> DemoCase:
    """Return the demo case, written once per test session and shared by all workers; treat it as read-only."""
    base = tmp_path_factory.getbasetemp()
    # Each worker has a folder of its own inside the session's; what they share lies one level up.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    lock = shared / "demo_case.lock"
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        return _demo_case_of_other_worker(shared)
    return _write_demo_case(shared)


def _write_demo_case(shared: Path) -> DemoCase:
    from ReirradiationReviewLib.core.demo import write_demo_case

    outcome = {}
    try:
        case = write_demo_case(shared / "demo_case")
        outcome = {name: str(path) for name, path in asdict(case).items()}
    finally:
        part = shared / "demo_case.part"
        part.write_text(json.dumps(outcome), encoding="utf-8")
        part.replace(shared / "demo_case.json")  # in one step, so that nobody reads half of it
    return case


def _demo_case_of_other_worker(shared: Path) -> DemoCase:
    from ReirradiationReviewLib.core.demo import DemoCase

    outcome = shared / "demo_case.json"
    deadline = time.monotonic() + DEMO_TIMEOUT_SECONDS
    while not outcome.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    paths = json.loads(outcome.read_text(encoding="utf-8")) if outcome.exists() else {}
    if not paths:
        pytest.fail("another worker failed to write the demo case: see its error")
    return DemoCase(**{name: Path(path) for name, path in paths.items()})


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say plainly how much was not tested for want of the reference cases."""
    missing = sum(NO_CASES in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if missing:
        terminalreporter.write_line(f"{missing} tests were skipped because {NO_CASES}.", yellow=True)
