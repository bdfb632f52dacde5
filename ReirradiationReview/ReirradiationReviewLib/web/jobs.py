"""Long work beside the event loop: in a thread, with progress, cancel, and its failure as one plain sentence."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ..core.errors import Cancelled, Progress, ReirradiationError

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TICK_SECONDS = 0.2


@dataclass(frozen=True)
class JobStatus:
    """What is under way.

    Parameters
    ----------
    title
        Empty where nothing is.
    fraction
        0 to 1.
    """

    title: str = ""
    text: str = ""
    fraction: float = 0.0
    can_cancel: bool = False

    @property
    def is_running(self) -> bool:
        """Whether something is under way."""
        return bool(self.title)


class Jobs:
    """Runs one job at a time. The work must not touch the scene: it gets what it needs, and returns its result.

    Parameters
    ----------
    on_status
        Called on the loop's thread with what is under way.
    on_error
        Called on the loop's thread with one plain sentence.
    """

    def __init__(self, on_status: Callable[[JobStatus], None], on_error: Callable[[str], None]) -> None:
        self._on_status = on_status
        self._on_error = on_error
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="review-job")
        self._cancelled = threading.Event()
        self._latest = JobStatus()

    @property
    def status(self) -> JobStatus:
        """What is under way."""
        return self._latest

    async def run(self, title: str, work: Callable[[Progress], T]) -> T | None:
        """Run work in a thread.

        Returns
        -------
        T or None
            The result; None where the work failed (its error is told), was cancelled, or another job is running.
        """
        if self._latest.is_running:
            self._on_error(f"{self._latest.title} is still running: wait for it, or cancel it first")
            return None
        self._cancelled.clear()
        self._set(JobStatus(title, title, 0.0, can_cancel=True))
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, self._report)
        try:
            while not future.done():
                await asyncio.wait([future], timeout=_TICK_SECONDS)
                self._on_status(self._latest)
            return future.result()
        except Cancelled:
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the user is told and the review goes on
            self._on_error(sentence(error))
            return None
        finally:
            self._set(JobStatus())

    def cancel(self) -> None:
        """Ask the running job to stop where it next tells its progress."""
        self._cancelled.set()

    def _report(self, fraction: float, text: str) -> None:
        """Take progress, in the job's thread."""
        if self._cancelled.is_set():
            raise Cancelled
        self._latest = JobStatus(self._latest.title, text, fraction, can_cancel=True)

    def _set(self, status: JobStatus) -> None:
        self._latest = status
        self._on_status(status)


def sentence(error: BaseException) -> str:
    """Return what the user is told of an error; one that is no plain sentence goes to the log as well."""
    if isinstance(error, ReirradiationError):
        return str(error)
    logger.error("unexpected error", exc_info=error)
    return f"Unexpected error ({type(error).__name__}): {error}. The details are in the terminal."
