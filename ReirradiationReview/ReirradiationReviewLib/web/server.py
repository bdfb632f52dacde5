"""The web server of one review: private to its user, and with no need of any other machine."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import socket
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from trame.app import get_server
from trame_client.module import vue3

from ..core.errors import ReirradiationError
from .access import Gatekeeper, OneWindow, make_key
from .files import Downloads, Uploads

WEB_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "Web"
WEBSOCKET_PATH = "/ws"
STATIC_PATH = "review"

_POLICY = (
    "default-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; "
    # The page's templates are compiled in the browser, hence unsafe-eval.
    "script-src 'self' 'unsafe-eval' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; font-src 'self' data:; connect-src 'self' {websocket}"
)


@dataclass(frozen=True)
class ServeOptions:
    """Where and how the review is served.

    Parameters
    ----------
    port
        0 for any free one.
    certificate, certificate_key
        PEM files for HTTPS; needed where ``host`` is not this machine itself.
    opens_browser
        Open the address in the user's browser.
    """

    host: str = "localhost"
    port: int = 8321
    certificate: Path | None = None
    certificate_key: Path | None = None
    opens_browser: bool = False

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in ("localhost", "127.0.0.1", "::1")


class ReviewServer:
    """A trame server behind a gatekeeper.

    Parameters
    ----------
    folder
        Private to this run; everything written for the browser goes below it.
    """

    def __init__(self, options: ServeOptions, folder: Path) -> None:
        if not options.is_local and options.certificate is None:
            raise ReirradiationError(
                f"--host {options.host}: patient data would cross the network unencrypted. Give --certificate and "
                "--certificate-key, or keep the default host and reach it with: ssh -L PORT:localhost:PORT MACHINE"
            )
        self.options = options
        self.trame = get_server(f"reirradiation-review-{secrets.token_hex(4)}", client_type="vue3")
        self.uploads = Uploads(folder / "uploads")
        self.downloads = Downloads(folder / "downloads")
        self._key, key_file = make_key(folder)
        self._gatekeeper = Gatekeeper(self._key, options.host)
        self._one_window = OneWindow(WEBSOCKET_PATH, self._close_connections)
        self.trame.cli.set_defaults(server=True, authKeyFile=str(key_file), host=options.host, nosignalhandlers=True)
        if options.certificate is not None:
            self.trame.cli.set_defaults(ssl=f"{options.certificate},{options.certificate_key or options.certificate}")
        self.trame.enable_module(
            {
                "serve": {STATIC_PATH: str(WEB_FOLDER)},
                "styles": [f"{STATIC_PATH}/review.css"],
                "scripts": [f"{STATIC_PATH}/review.js"],
                "vue_use": ["reviewPage"],
            }
        )
        self.trame.controller.on_server_bind.add(self._bind)

    @property
    def address(self) -> str:
        """The address that lets its reader in."""
        scheme = "http" if self.options.certificate is None else "https"
        return f"{scheme}://{self.options.host}:{self.trame.port}/?key={self._key}"

    def run(self, prepare: Callable[[], Awaitable[None]], on_ready: Callable[[], None]) -> None:
        """Serve until interrupted.

        Parameters
        ----------
        prepare
            Builds the page, on the loop, before anything is served.
        on_ready
            Called once the address answers.

        Raises
        ------
        ReirradiationError
            If the port cannot be used.
        """
        # What our own command line was called with is none of trame's business.
        os.environ["TRAME_ARGS"] = ""
        _refuse_taken_port(self.options)
        asyncio.run(self._serve(prepare, on_ready))

    async def _serve(self, prepare: Callable[[], Awaitable[None]], on_ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        await prepare()
        serving = self.trame.start(
            port=self.options.port, exec_mode="task", timeout=0, show_connection_info=False, open_browser=False
        )
        assert serving is not None  # a task, in this mode
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, lambda: loop.create_task(self.trame.stop()))
        await self.trame.ready
        on_ready()
        if self.options.opens_browser:
            webbrowser.open(self.address)
        await serving

    def _bind(self, server: Any) -> None:
        application: web.Application = server.app
        application.middlewares.extend([self._gatekeeper.middleware, self._one_window.middleware])
        application.on_response_prepare.append(_harden)
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/index.html", self._index),
                web.get("/session", self._session),
                web.post("/session/take", self._take),
                web.post("/upload", self.uploads.receive),
                web.get("/download/{token}", self.downloads.send),
            ]
        )

    async def _index(self, request: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(12)
        template = (WEB_FOLDER / "index.html").read_text(encoding="utf-8")
        script, style = _client_assets()
        page = template.replace("{{nonce}}", nonce).replace("{{secret}}", self._key)
        page = page.replace("{{client_script}}", script).replace("{{client_style}}", style)
        response = web.Response(text=page, content_type="text/html")
        scheme = "wss" if request.secure else "ws"
        policy = _POLICY.format(nonce=nonce, websocket=f"{scheme}://{request.host}")
        response.headers["Content-Security-Policy"] = policy
        self._gatekeeper.let_in(request, response)
        return response

    async def _session(self, _request: web.Request) -> web.Response:
        return web.json_response({"free": await self._one_window.is_free()})

    async def _take(self, _request: web.Request) -> web.Response:
        await self._one_window.take_over()
        return web.json_response({"free": await self._one_window.is_free()})

    async def _close_connections(self) -> None:
        for handler in self.trame._server._ws_handlers:
            for connection in list(handler.connections.values()):
                await connection.close(code=4001, message=b"opened in another window")


def _refuse_taken_port(options: ServeOptions) -> None:
    """Say plainly where the port is taken, before anything slow is done."""
    try:
        socket.create_server((options.host, options.port)).close()
    except OSError as error:
        raise ReirradiationError(
            f"port {options.port} of {options.host} cannot be used ({error.strerror}); choose another --port"
        ) from error


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cache-Control", "no-store")


def _client_assets() -> tuple[str, str]:
    """Return the addresses of trame's own script and style sheet, whose names hang on its version."""
    page = (Path(vue3.www) / "index.html").read_text(encoding="utf-8")
    script, style = (re.search(rf'"\./(assets/[^"]+\.{kind})"', page) for kind in ("js", "css"))
    assert script is not None
    assert style is not None
    return script[1], style[1]


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new folder that only this user can enter and that is deleted at the end."""
    return tempfile.TemporaryDirectory(prefix="reirradiation-review-")
