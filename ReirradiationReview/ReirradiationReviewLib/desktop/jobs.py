"""Long work beside the window: in a thread, watched from the window by a timer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from ..core.errors import Cancelled, Progress, ReirradiationError

_TICK_MILLISECONDS = 5
# Slicer's event loop keeps Python's global lock: a thread gets on only while the window's own Python code sleeps.
_YIELD_SECONDS = 0.02

Work = Callable[[Progress], Any]


class Jobs:
    """Runs one job at a time. The work is pure: it must not touch the scene, Qt or anything of the window.

    Parameters
    ----------
    onState
        Called on the window's thread when a job starts, gets on and ends: with its title and text, the fraction done,
        and None instead of the title when no job is running.
    onError
        Called on the window's thread with one plain sentence.
    """

    def __init__(self, onState: Callable[[str | None, str, float], None], onError: Callable[[str], None]) -> None:
        self.onState = onState
        self.onError = onError
        self.title: str | None = None
        self._cancelled = threading.Event()
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._timer.connect("timeout()", self._onTick)

    @property
    def isRunning(self) -> bool:
        """Whether a job is running."""
        return self.title is not None

    def start(self, title: str, work: Work, done: Callable[[Any], None]) -> bool:
        """Start work; ``done`` is called on the window's thread with its result. False where a job is running.

        ``done`` is not called where the work fails (the error is told) or is cancelled.
        """
        if self.isRunning:
            return False
        self._cancelled.clear()
        self.title, self._done = title, done
        self._progress: tuple[float, str] = (0.0, title)
        self._outcome: tuple[str, Any] | None = None
        self.onState(title, title, 0.0)
        threading.Thread(target=self._work, args=(work,), name=title, daemon=True).start()
        self._timer.start()
        return True

    def cancel(self) -> None:
        """Ask the running job to stop where it next tells its progress."""
        self._cancelled.set()

    def _work(self, work: Work) -> None:
        """Run in the thread."""
        try:
            self._outcome = ("result", work(self._report))
        except Cancelled:
            self._outcome = ("cancelled", None)
        except BaseException as error:  # noqa: BLE001 - told on the window's thread
            self._outcome = ("error", error)

    def _report(self, fraction: float, text: str) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._progress = (fraction, text)

    def _onTick(self) -> None:
        if self._outcome is None:
            time.sleep(_YIELD_SECONDS)
            fraction, text = self._progress
            self.onState(self.title, text, fraction)
            return
        self._timer.stop()
        self.title = None
        kind, value = self._outcome
        self.onState(None, "", 0.0)
        if kind == "result":
            self._done(value)
        elif kind == "error":
            self.onError(sentence(value))


def sentence(error: BaseException) -> str:
    """Return what the user is told of an error; one that is no plain sentence goes to the log as well."""
    if isinstance(error, ReirradiationError):
        return str(error)
    logging.error("Re-irradiation Review failed", exc_info=error)
    return _("Unexpected error ({kind}): {error}. The details are in Slicer's error log.").format(
        kind=type(error).__name__, error=error
    )
