"""Triggers: what the page's templates may ask for, each checked, and each failure told as one sentence."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from trame_server import Server

from ..core.errors import ReirradiationError
from .jobs import sentence


class Triggers:
    """Registers actions with the server.

    Parameters
    ----------
    say
        Shows the user one plain sentence.
    """

    def __init__(self, server: Server, say: Callable[[str], None]) -> None:
        self._server = server
        self._say = say
        self._running: set[asyncio.Task[None]] = set()

    def add(self, actions: Mapping[str, Callable[..., Any]]) -> None:
        """Make actions known by name; one that takes time goes on beside the loop, and the page is answered at once."""
        for name, action in actions.items():
            self._server.controller.trigger(name)(self._guarded(action))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work beside what the page does."""
        task = asyncio.get_running_loop().create_task(self._told(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _guarded(self, action: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            try:
                result = action(*arguments)
            except (ReirradiationError, TypeError, ValueError) as error:
                self._say(sentence(error))
                return None
            if inspect.iscoroutine(result):
                self.start(result)
                return None
            return result

        return run

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the user is told, and the review goes on
            self._say(sentence(error))
