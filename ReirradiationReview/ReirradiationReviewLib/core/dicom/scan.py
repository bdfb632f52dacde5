"""Which files of a folder are DICOM objects, and which are not."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..errors import Notice, Progress, ReirradiationError, no_progress
from .objects import DicomFile, unreadable

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_PREAMBLE_BYTES = 128  # PS3.10 7.1: 128 bytes, then "DICM"
_ELEMENT_HEADER_BYTES = 8  # PS3.5 7.1: tag, and VR with length or length alone
# A file without preamble starts with its first element: group 0002 or 0008, little or big endian.
_BARE_STARTS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory: a DICOMDIR
_NAMED_FILES = 10


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    Parameters
    ----------
    files
        DICOM objects, in the order of their names.
    ignored
        Names of the files that are no DICOM objects, relative to the folder.
    damaged
        Complaints about files that are DICOM but cut short or unreadable.
    """

    folder: Path
    files: tuple[DicomFile, ...]
    ignored: tuple[str, ...]
    damaged: tuple[str, ...]

    def notices(self) -> list[Notice]:
        """Return the one notice about everything that was passed over."""
        if not self.ignored:
            return []
        names = ", ".join(self.ignored[:_NAMED_FILES])
        more = f" and {len(self.ignored) - _NAMED_FILES} more" if len(self.ignored) > _NAMED_FILES else ""
        text = f"files ignored because they are no DICOM objects ({len(self.ignored)}): {names}{more}"
        return [Notice("files-ignored", text, self.folder.name)]

    def require_sound(self) -> None:
        """Raise ReirradiationError if there is nothing to read, or something that is damaged."""
        if self.damaged:
            raise ReirradiationError("; ".join(self.damaged[:_NAMED_FILES]))
        if not self.files:
            raise ReirradiationError(f"{self.folder}: there are no DICOM files in this folder; check the path")


def scan_folder(folder: Path, progress: Progress = no_progress) -> Scan:
    """Read the headers of all DICOM files below a folder.

    Parameters
    ----------
    folder
        Walked recursively. Links that lead out of it are not followed; hidden files are ignored.

    Raises
    ------
    ReirradiationError
        If the folder does not exist.
    """
    if not folder.is_dir():
        raise ReirradiationError(f"{folder}: there is no such folder; check the path")
    names = {path: path.relative_to(folder).as_posix() for path in _walk(folder)}
    return _scan(folder, names, lambda path: _may_be_read(path, folder), progress)


def scan_files(paths: Sequence[Path], progress: Progress = no_progress) -> Scan:
    """Read the headers of the DICOM files among these: what a DICOM database names as one course.

    Raises
    ------
    ReirradiationError
        If a file is not there any more.
    """
    gone = [path for path in paths if not path.is_file()]
    if gone:
        raise ReirradiationError(f"{gone[0]}: the DICOM database names this file, but it is gone; import it again")
    folder = paths[0].parent if paths else Path()  # the files may be spread; only messages name it
    return _scan(folder, {path: path.name for path in sorted(paths)}, lambda _path: True, progress)


def _scan(folder: Path, names: Mapping[Path, str], may_be_read: Callable[[Path], bool], progress: Progress) -> Scan:
    """Return what the files are, by the names they are known by."""
    files, ignored, damaged = [], [], []
    for number, (path, name) in enumerate(names.items()):
        progress(number / len(names), f"reading {folder.name}")
        try:
            dataset = _read_header(path) if may_be_read(path) else None
        except unreadable() as error:
            damaged.append(f"{name}: the file is cut short or damaged ({error}); export it again")
            continue
        if dataset is None:
            ignored.append(name)
        else:
            files.append(DicomFile(dataset, name, path))
    return Scan(folder, tuple(files), tuple(ignored), tuple(damaged))


def read_dicom_file(path: Path) -> DicomFile:
    """Read the header of one DICOM file.

    Raises
    ------
    ReirradiationError
        If it is not there, is no DICOM object, or is damaged.
    """
    try:
        dataset = _read_header(path)
    except unreadable() as error:
        raise ReirradiationError(f"{path.name}: the file is cut short or damaged ({error}); export it again") from error
    if dataset is None:
        raise ReirradiationError(f"{path.name} is no DICOM object")
    return DicomFile(dataset, path.name, path)


def is_dicom(path: Path) -> bool:
    """Return whether a file carries the mark of a DICOM file (PS3.10 7.1)."""
    with path.open("rb") as stream:
        return stream.read(_PREAMBLE_BYTES + 4)[_PREAMBLE_BYTES:] == b"DICM"


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names))


def _may_be_read(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _read_header(path: Path) -> Dataset | None:
    """Return everything before the pixel data; None if the file is no DICOM object."""
    import pydicom

    with path.open("rb") as stream:
        start = stream.read(_PREAMBLE_BYTES + 4)
    marked = start[_PREAMBLE_BYTES:] == b"DICM"
    if not marked and start[:2] not in _BARE_STARTS:
        return None
    try:
        with path.open("rb") as stream:
            watched = _EndWatch(stream)
            dataset = pydicom.dcmread(watched, stop_before_pixels=True, force=True)
        is_directory = dataset.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY_CLASS
        is_object = bool(dataset.get("SOPClassUID")) and bool(dataset.get("SOPInstanceUID"))
    except unreadable():
        if marked:
            raise
        return None  # no preamble and no sense: it only looked like DICOM
    if is_directory or not (is_object or marked):
        return None
    if watched.ends_in_element_header:
        raise EOFError("it ends within the header of an element")
    require_complete(dataset)
    if not is_object:
        raise ValueError("SOPClassUID (0008,0016) or SOPInstanceUID (0008,0018) is missing")
    return dataset


class _EndWatch:
    """A file that notices when its end cuts the eight bytes of an element's header: pydicom takes that for the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.ends_in_element_header = False
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        content = self._stream.read(size)
        self.ends_in_element_header |= size == _ELEMENT_HEADER_BYTES and 0 < len(content) < size
        return content


def require_complete(dataset: Dataset) -> None:
    """Raise EOFError if the file ends within one of its elements.

    pydicom hands out the shorter value without a word, and half an RTSTRUCT looks like a whole one.
    """
    from pydicom.dataelem import RawDataElement

    for element in dataset.values():
        if isinstance(element, RawDataElement) and element.value is not None:
            expected, found = element.length, len(element.value)
            if expected != 0xFFFFFFFF and found < expected:
                raise EOFError(f"it ends within {element.tag}, {expected - found} bytes early")


def without_copies(files: Iterable[DicomFile]) -> tuple[list[DicomFile], list[Notice]]:
    """Return the files with one for each SOP Instance UID (0008,0018), and a notice about the copies.

    Raises
    ------
    ReirradiationError
        If two files with one UID differ: which of them is right cannot be known.
    """
    kept: dict[str, DicomFile] = {}
    copies = []
    for file in files:
        first = kept.setdefault(file.uid, file)
        if first is file:
            continue
        if not filecmp.cmp(first.path, file.path, shallow=False):
            raise file.bad(
                "SOPInstanceUID", f"is also that of {first.name}, but the files differ", "remove one of them"
            )
        copies.append(file.name)
    if not copies:
        return list(kept.values()), []
    text = f"files ignored because they are exact copies of others ({len(copies)}): {', '.join(copies[:_NAMED_FILES])}"
    return list(kept.values()), [Notice("files-copied", text)]
