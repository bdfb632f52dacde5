"""Registrations that were found before, kept in a folder by what they were found from.

An entry is an ITK transform and its figures in JSON; its name is a hash of both images, how they were registered and
the software's version, and says nothing about the patient.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from ..errors import ReirradiationError
from ..plain_data import plain_data
from ..volume import Volume
from .files import read_transform, write_transform
from .rigid import RegistrationResult


@dataclass(frozen=True)
class RegistrationCache:
    """A folder of registrations.

    Parameters
    ----------
    folder
        Made when the first one is kept.
    """

    folder: Path

    def result(
        self, reference: Volume, moving: Volume, method: str, find: Callable[[], RegistrationResult]
    ) -> RegistrationResult:
        """Return the registration of two images, found now or before; one that failed is not kept.

        Parameters
        ----------
        method
            What else decides about the result: the method with its options.
        find
            Finds it.
        """
        key = _key(reference, moving, method)
        known = self._read(key, reference)
        if known is not None:
            return known
        found = find()
        if not found.failed:
            self._write(key, found)
        return found

    def _read(self, key: str, reference: Volume) -> RegistrationResult | None:
        record_path = self.folder / f"{key}.json"
        try:
            record = json.loads(record_path.read_text(encoding="utf-8"))
            transform = read_transform(self.folder / record["transform"], reference)
        except (OSError, ValueError, KeyError):
            return None  # absent, or not whole: it is found again
        return RegistrationResult(transform, "", record["seconds"], record["method"], record["qa"])

    def _write(self, key: str, found: RegistrationResult) -> None:
        name = f"{key}.{'tfm' if found.transform.displacement is None else 'h5'}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_transform(self.folder / name, found.transform)
            record = {"transform": name, "method": found.method, "seconds": found.seconds, "qa": plain_data(found.qa)}
            part = self.folder / f"{key}.part"
            part.write_text(json.dumps(record), encoding="utf-8")
            part.replace(self.folder / f"{key}.json")  # last and in one step: an entry is whole or absent
        except OSError as error:
            raise ReirradiationError(
                f"the registration cannot be kept in {self.folder}: {error.strerror}; name another folder"
            ) from error


def _key(reference: Volume, moving: Volume, method: str) -> str:
    digest = hashlib.sha256(f"{__version__}\n{method}\n".encode())
    for volume in (reference, moving):
        digest.update(f"{volume.array.dtype.str} {volume.array.shape}\n".encode())
        digest.update(volume.index_to_lps.astype("<f8").tobytes())
        digest.update(volume.array.tobytes())
    return digest.hexdigest()[:32]
