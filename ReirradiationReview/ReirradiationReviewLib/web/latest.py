"""Work that follows a control: while it runs, only the latest wish waits, and all between are skipped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestWins(Generic[T]):
    """Runs ``work`` on wishes, never twice at a time, and always ends on the latest.

    Parameters
    ----------
    work
        Gets a wish, and a function that tells whether a newer one has come, so that it can stop half-way.
    """

    def __init__(self, work: Callable[[T, Callable[[], bool]], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: list[T] = []
        self._task: asyncio.Task[None] | None = None

    def wish(self, value: T) -> None:
        """Ask for ``value``; what was asked before and has not begun is forgotten."""
        self._waiting = [value]
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def settled(self) -> None:
        """Wait until the latest wish is fulfilled."""
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            await self._work(self._waiting.pop(), lambda: bool(self._waiting))
