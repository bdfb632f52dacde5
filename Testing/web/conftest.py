"""A served review and a browser that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from review_page import START_SECONDS, show

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
# Chromium looks up hosts of its own at every start, which a page's requests must not be mistaken for.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Served:
    """A server process and the address that it printed."""

    address: str
    process: subprocess.Popen[str]

    @property
    def origin(self) -> str:
        return self.address.split("/?")[0]

    @property
    def key(self) -> str:
        return self.address.split("key=")[1]

    def resident_mb(self) -> float:
        """Return the memory that the server holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1024


def start_server(*arguments: str) -> Served:
    """Start `reirradiation-review serve` on a free port and wait for its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ReirradiationReviewLib.cli", "serve", "--port", "0", "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "ReirradiationReview")},
    )
    said = []
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        match = re.search(r"https?://\S+", line)
        if match:
            watchdog.cancel()
            # Nobody reads on; a full pipe would stop the server.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return Served(match[0], process)
    watchdog.cancel()
    raise AssertionError("the server did not start: " + "".join(said))


def stop(served: Served) -> int:
    """Interrupt a server as Ctrl+C does; return its exit status."""
    served.process.send_signal(signal.SIGINT)
    return served.process.wait(timeout=30)


@pytest.fixture(scope="session")
def served(demo_case: Any) -> Iterator[Served]:
    """Return a server that shows the demo case; shared, so every test leaves it as it found it."""
    served = start_server(
        "--course", str(demo_case.course1), "--course", str(demo_case.course2), "--root", str(demo_case.course1.parent)
    )
    yield served
    stop(served)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the test extra)")
    if not CHROMIUM:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Any]:
    """Return a function that opens a window of its own, with no memory of others; errors of its page fail the test."""
    contexts, errors = [], []

    def open_window(**options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1500, "height": 950}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        context.close()
    # "Object": what trame's client says of a call that a closing window no longer waits for.
    assert [error for error in errors if error != "Object"] == []


@pytest.fixture
def page(new_page: Any, served: Served) -> Page:
    """Return the page of the served demo case, with its table and all four pictures there."""
    page = new_page()
    show(page, served.address)
    return page
