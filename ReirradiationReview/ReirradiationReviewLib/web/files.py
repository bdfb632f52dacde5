"""Files that come from the browser and go to it, in one private folder that ends with the run."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from aiohttp import web

from .access import safe_relative_path

# Two planning CTs with doses are below 1 GB; this only keeps a slip from filling the disk.
MOST_UPLOADED_BYTES = 8 * 2**30
MOST_UPLOADED_FILES = 20_000
_CHUNK_BYTES = 2**20


class Uploads:
    """What was sent from the browser: a folder for each course or image.

    Parameters
    ----------
    folder
        Private to this run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes = 0
        self._files = 0

    def folder_of(self, slot: str) -> Path | None:
        """Return the folder of what was sent for a slot; None where nothing was."""
        path = self._folder / slot
        return path if slot.isalnum() and path.is_dir() else None

    def clear(self) -> None:
        """Delete everything that was sent."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._bytes = self._files = 0

    async def receive(self, request: web.Request) -> web.Response:
        """Take one file: ``POST /upload?slot=SLOT&name=PATH`` with the bytes as body."""
        slot, name = request.query.get("slot", ""), safe_relative_path(request.query.get("name", ""))
        if not slot.isalnum() or name is None:
            return web.Response(status=400, text="a file without a usable name was refused")
        self._files += 1
        if self._files > MOST_UPLOADED_FILES:
            return web.Response(
                status=413, text=f"more than {MOST_UPLOADED_FILES} files: choose a folder on the server"
            )
        path = self._folder / slot / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return await self._write(request, path)
        except OSError as error:
            return web.Response(status=507, text=f"{name} could not be kept: {error.strerror}")

    async def _write(self, request: web.Request, path: Path) -> web.Response:
        # A second file of the same name, from another folder, is kept beside the first.
        if path.exists():
            path = path.with_name(f"{secrets.token_hex(4)}_{path.name}")
        with path.open("xb") as file:
            async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
                self._bytes += len(chunk)
                if self._bytes > MOST_UPLOADED_BYTES:
                    path.unlink()
                    return web.Response(status=413, text="more than 8 GB: choose a folder on the server instead")
                file.write(chunk)
        return web.Response(text="kept")


class Downloads:
    """Files made for the browser, each at an address of its own.

    Parameters
    ----------
    folder
        Private to this run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offered: dict[str, Path] = {}

    def folder(self) -> Path:
        """Return a folder to write into that stays."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._folder

    def new_folder(self) -> Path:
        """Return an empty folder to write into; those before it are deleted."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._offered.clear()
        path = self._folder / secrets.token_hex(8)
        path.mkdir(parents=True, mode=0o700)
        return path

    def offer(self, path: Path) -> str:
        """Return the address at which the file can be fetched."""
        token = secrets.token_urlsafe(16)
        self._offered[token] = path
        return f"download/{token}"

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer ``GET /download/TOKEN``."""
        path = self._offered.get(request.match_info["token"])
        if path is None or not path.is_file():
            return web.Response(status=404, text="this file is no longer there: make it again")
        return web.FileResponse(path, headers={"Content-Disposition": f'attachment; filename="{path.name}"'})
