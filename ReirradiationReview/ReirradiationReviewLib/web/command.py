"""The command `reirradiation-review serve`."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ReirradiationError
from ..run_options import add_run_options, run_inputs

if TYPE_CHECKING:
    from ..run import RunInputs

Say = Callable[[str], None]

_PORT = 8321


def add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
    """Add the command, which takes the same inputs as ``run``; ``say`` puts out a line."""
    serve = commands.add_parser(
        "serve",
        help="open the review in the browser",
        description="Open the review in the browser: for one user, on this machine. Without --course, the review is "
        "chosen in the page. Research use only; not a medical device.",
    )
    serve.add_argument("--port", type=int, default=_PORT, metavar="N", help=f"(default: {_PORT}; 0 for any free one)")
    serve.add_argument("--host", default="localhost", metavar="H", help="interface to listen on (default: localhost)")
    serve.add_argument("--certificate", type=Path, metavar="PEM", help="for HTTPS; needed with another --host")
    serve.add_argument("--certificate-key", type=Path, metavar="PEM", help="if it is not in the same file")
    serve.add_argument("--root", type=Path, metavar="DIR", help="folders below it can be opened from the page")
    serve.add_argument("--no-browser", action="store_true", help="print the address only")
    add_run_options(serve, courses_needed=False)
    serve.set_defaults(command=lambda options: _serve(options, say))


def _serve(options: argparse.Namespace, say: Say) -> None:
    if options.root is not None and not options.root.is_dir():
        raise ReirradiationError(f"--root {options.root} is not a folder")
    serve_review(
        run_inputs(options) if options.course else None,
        say,
        root=options.root,
        host=options.host,
        port=options.port,
        certificate=options.certificate,
        certificate_key=options.certificate_key,
        opens_browser=not options.no_browser,
    )


def serve_review(
    inputs: RunInputs | None,
    say: Say,
    *,
    root: Path | None = None,
    host: str = "localhost",
    port: int = _PORT,
    certificate: Path | None = None,
    certificate_key: Path | None = None,
    opens_browser: bool = True,
) -> None:
    """Serve the review until interrupted.

    Raises
    ------
    ReirradiationError
        If the review extra is not installed, nothing can be drawn here, or the port cannot be used.
    """
    try:
        from ..scene.environment import check_rendering
        from ..scene.messages import vtk_messages_in_log
        from .app import serve
        from .server import ReviewServer, ServeOptions, private_folder
    except ImportError as error:
        raise ReirradiationError(
            f"the web review needs the review extra ({error}): pip install 'reirradiation-review[review]'"
        ) from error
    check_rendering()
    logging.getLogger("ReirradiationReviewLib.scene.messages").setLevel(logging.ERROR)
    with private_folder() as folder, vtk_messages_in_log():
        server = ReviewServer(ServeOptions(host, port, certificate, certificate_key, opens_browser), Path(folder))

        def say_address() -> None:
            say(f"The review is open at  {server.address}")
            say("Only the holder of this address can open it, until this command ends (Ctrl+C).")

        serve(server, inputs, root, say_address)
