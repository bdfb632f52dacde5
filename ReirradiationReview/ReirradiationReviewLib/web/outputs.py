"""The files of a review for the browser: made by the command line's own code, in a process beside the server."""

from __future__ import annotations

import multiprocessing
import zipfile
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from trame_server import Server

from ..beside import Beside
from ..core.courses import Patient
from ..core.errors import Progress, ReirradiationError
from ..core.review import Review
from ..run import write_review
from ..scene.annotations import blank_figure, draw_header, draw_image
from .files import Downloads
from .jobs import sentence

_LABELS = {
    "report.html": "Report",
    "review.json": "All numbers (JSON)",
    "review.mrb": "Slicer scene",
}
_HEADER_PIXELS = 48


class OutputPanel:
    """The list of files that were made."""

    def __init__(self, server: Server, downloads: Downloads) -> None:
        self._server = server
        self._downloads = downloads
        self.forget()

    def forget(self) -> None:
        """Take the list off the page, as the review has changed."""
        self._server.state.files = {"made": "", "list": []}

    def make(self, review: Review, beside: Beside, progress: Progress) -> Path:
        """Write all files, beside the loop and in a process of its own; return their folder."""
        folder = self._downloads.new_folder() / "review"
        write_beside(review, beside, folder, progress)
        return folder

    def offer(self, folder: Path) -> None:
        """Put a folder's files on the page."""
        archive = folder.parent / "review.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    file.write(path, path.relative_to(folder))
        single = sorted(path for path in folder.iterdir() if path.is_file())
        self._server.state.files = {
            "made": f"made at {datetime.now():%H:%M}",
            "list": [self._entry(archive, "Everything in one archive"), *(self._entry(path) for path in single)],
        }

    def picture(self, pixels: NDArray[np.uint8], patient: Patient, caption: str, name: str) -> str:
        """Return the address of a view's picture with whose it is and what it shows."""
        height, width, _ = pixels.shape
        figure = blank_figure(width, height + _HEADER_PIXELS)
        draw_image(figure, pixels, 0)
        draw_header(figure, patient, caption)
        path = self._downloads.folder() / name
        figure.savefig(path)
        return self._downloads.offer(path)

    def _entry(self, path: Path, label: str = "") -> dict[str, Any]:
        kind = "RTDOSE, composite EQD2" if path.suffix == ".dcm" and "composite" in path.name else path.name
        size = path.stat().st_size / 2**20
        return {
            "name": path.name,
            "label": label or _LABELS.get(path.name, kind),
            "address": self._downloads.offer(path),
            "size": f"{size:.1f} MB",
        }


def write_beside(review: Review, beside: Beside, folder: Path, progress: Progress) -> None:
    """Write a review's files in a process of its own: the scene it builds must not meet the one that is looked at.

    Raises
    ------
    ReirradiationError
        If they could not be written.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_write, args=(theirs, review, beside, folder), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while True:
            kind, value = ours.recv()
            if kind == "done":
                break
            if kind == "error":
                raise ReirradiationError(value)
            progress(*value)
    except EOFError:
        raise ReirradiationError("the files could not be made: the process that writes them ended early") from None
    finally:
        process.terminate()
        process.join()


def _write(pipe: Connection, review: Review, beside: Beside, folder: Path) -> None:
    """Run in the process beside."""
    try:
        write_review(review, beside, folder, lambda fraction, text: pipe.send(("progress", (fraction, text))))
        pipe.send(("done", None))
    except Exception as error:  # noqa: BLE001 - told in the browser
        pipe.send(("error", sentence(error)))
