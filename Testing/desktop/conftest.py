"""The panel on the stand-in for Slicer's Python; see `standin` for what that does not prove."""

from __future__ import annotations

import time
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from segment_editor import editor  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from ReirradiationReviewLib.core.review import Review
    from standin.install import StandIn

RESOURCES = Path(__file__).resolve().parents[2] / "ReirradiationReview" / "Resources"
JOB_TIMEOUT_SECONDS = 120


def pytest_configure() -> None:
    """Say plainly why the panel's tests cannot run, where Qt cannot be loaded."""
    pytest.importorskip("PySide6.QtUiTools", reason="PySide6 or its system libraries are missing", exc_type=ImportError)


@pytest.fixture
def slicer_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """Slicer's Python, stood in for; an exception in a slot fails the test."""
    from standin.install import install
    from standin.proxy import slot_errors

    standin = install(monkeypatch, tmp_path)
    yield standin
    assert not slot_errors, slot_errors


@pytest.fixture
def panel(slicer_app: StandIn) -> Iterator[Any]:
    """The module's panel with no review open."""
    import qt
    from ReirradiationReviewLib.desktop.panel import ReviewPanel

    frame = qt.QWidget()
    layout = qt.QVBoxLayout(frame)
    panel = ReviewPanel(layout, lambda name: str(RESOURCES / name))
    panel.frame = frame
    yield panel
    panel.close()


@pytest.fixture(scope="session")
def made_up_review() -> Review:
    """A review of two made-up courses, mapped once: what changes it makes another one."""
    from made_up_review import a_review, two_courses

    return a_review(two_courses())


@pytest.fixture
def open_panel(panel: Any, made_up_review: Review) -> Any:
    """The panel on a review of two made-up courses, everything unfolded."""
    review = copy(made_up_review)
    review.notices = list(made_up_review.notices)
    panel.open(review)
    for section in panel.sections:
        section.heading.collapsed = False
    for group in (panel.registration.ui.manualGroup, panel.biology.ui.deliveryGroup, panel.constraints.ui.dvhGroup):
        group.collapsed = False
    return panel


def wait_for_job(panel: Any) -> None:
    """Let the window live until its job has ended."""
    import slicer

    deadline = time.monotonic() + JOB_TIMEOUT_SECONDS
    while panel.jobs.isRunning:
        slicer.app.processEvents()
        assert time.monotonic() < deadline, f"{panel.jobs.title} takes too long"
    settle(panel)


def settle(panel: Any) -> None:
    """Let everything happen that was asked for."""
    import slicer

    for _ in range(3):
        slicer.app.processEvents()
    panel.applyNow()
