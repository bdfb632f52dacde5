"""Who may talk to the web review: the holder of this run's key, from this page, one window at a time."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import os
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# A reloaded page comes back while the old one is still closing its connection.
_RELOAD_SECONDS = 2.0

NO_KEY = (
    "This page needs the key of the running review. Open the address that reirradiation-review printed when it "
    "started; it holds for this run only."
)
WRONG_HOST = "Refused: this server is not addressed by that name."
FOREIGN_ORIGIN = "Refused: the request comes from another web page."
IN_USE = "This review is open in another window. Close it there, or use it here instead."


def make_key(folder: Path) -> tuple[str, Path]:
    """Return a new random key, and a file in ``folder`` that holds it and that only its owner can read."""
    key = secrets.token_urlsafe(32)
    path = folder / "key"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
    return key, path


class Gatekeeper:
    """Refuses, before anything else sees it, what does not come from the user of this run.

    Parameters
    ----------
    key
        The key of this run.
    host
        The interface that the server listens on.
    """

    def __init__(self, key: str, host: str) -> None:
        self._key = key
        self._host = host

    @property
    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """What the web application runs around every request."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self._refusal(request)
            if refusal is not None:
                return web.Response(status=403, text=refusal)
            return await handler(request)

        return check

    def let_in(self, request: web.Request, response: web.Response) -> None:
        """Let the browser keep the key as a cookie that scripts and other sites cannot use."""
        response.set_cookie(_cookie_name(request), self._key, httponly=True, samesite="Strict", secure=request.secure)

    def _refusal(self, request: web.Request) -> str | None:
        if not self._is_own_name(request):
            return WRONG_HOST
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.scheme}://{request.host}":
            return FOREIGN_ORIGIN
        given = request.query.get("key") or request.cookies.get(_cookie_name(request), "")
        return None if hmac.compare_digest(given.encode(), self._key.encode()) else NO_KEY

    def _is_own_name(self, request: web.Request) -> bool:
        """Return whether the Host header names this server: another name that leads here is somebody's DNS."""
        parts = urlsplit(f"//{request.host}")
        if (parts.port or (443 if request.secure else 80)) != _port(request):
            return False
        if self._host in _LOCAL_NAMES:
            return parts.hostname in _LOCAL_NAMES
        return parts.hostname in {self._host, *_LOCAL_NAMES} or _is_address(parts.hostname)


def _port(request: web.Request) -> int:
    transport = request.transport
    return int(transport.get_extra_info("sockname")[1]) if transport is not None else 0


def _cookie_name(request: web.Request) -> str:
    # Cookies are shared between all ports of a machine.
    return f"reirradiation_review_{_port(request)}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class OneWindow:
    """Keeps the websocket to one browser window at a time.

    Parameters
    ----------
    path
        Path of the websocket.
    close_all
        Closes the connections that are open.
    """

    def __init__(self, path: str, close_all: Callable[[], Awaitable[None]]) -> None:
        self._path = path
        self._close_all = close_all
        self._held = asyncio.Lock()

    @property
    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """What the web application runs around every request."""

        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path != self._path:
                return await handler(request)
            if not await self._take():
                return web.Response(status=409, text=IN_USE)
            try:
                return await handler(request)
            finally:
                self._held.release()

        return admit

    async def is_free(self) -> bool:
        """Return whether a window may connect, after waiting for one that is being closed."""
        if not await self._take():
            return False
        self._held.release()
        return True

    async def take_over(self) -> None:
        """Close the window that is open, for another to come in."""
        await self._close_all()
        await self.is_free()

    async def _take(self) -> bool:
        try:
            await asyncio.wait_for(self._held.acquire(), _RELOAD_SECONDS)
        except asyncio.TimeoutError:
            return False
        return True


def allowed_folder(root: Path, relative: str) -> Path | None:
    """Return the folder ``relative`` to ``root``; None if it is none or lies outside, also by a link."""
    root = root.resolve()
    path = (root / relative).resolve()
    return path if path.is_dir() and path.is_relative_to(root) else None


def safe_relative_path(name: str) -> Path | None:
    """Return an uploaded file's path as a relative one that cannot leave its folder; None if it has no name."""
    parts = ["".join(c for c in part if c.isprintable() and c not in '<>:"|?*') for part in re.split(r"[/\\]", name)]
    named = [part[:120] for part in parts if part.strip(" .")]
    return Path(*named) if named else None
