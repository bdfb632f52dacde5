"""DICOM objects as the readers see them: every access is checked and every complaint names file and tag."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..courses import Patient
from ..errors import ReirradiationError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def unreadable() -> tuple[type[Exception], ...]:
    """Return what pydicom raises while it parses, converts or decodes damaged content."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    own = (BytesLengthException, InvalidDicomError)
    conversion = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RuntimeError)
    return (*own, *conversion, OSError, EOFError, struct.error, zlib.error)


@contextmanager
def quiet_values() -> Iterator[None]:
    """Silence pydicom's remarks: what matters is checked by the readers, and what fails is raised by them."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pydicom")
            yield
    finally:
        logger.setLevel(level)


def tag(keyword: str) -> str:
    """Return a keyword with its tag, e.g. ``"DoseUnits (3004,0002)"``."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.tag import Tag

    number = tag_for_keyword(keyword)
    if number is None:
        raise KeyError(keyword)
    return f"{keyword} ({Tag(number).group:04X},{Tag(number).element:04X})"


def iso_date(text: str) -> str:
    """Return a DICOM date (DA, ``20240102`` or the older ``2024.01.02``) in ISO form, empty where it is none."""
    digits = text.strip()[:10].replace(".", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).isoformat()
    except ValueError:
        return ""


@dataclass(frozen=True)
class Item:
    """A data set or a sequence item, with the name of the file it is from.

    Parameters
    ----------
    dataset
        As parsed by pydicom.
    name
        The file's path relative to the folder that was read: for messages.
    """

    dataset: Dataset
    name: str

    def bad(self, keyword: str, what: str, remedy: str = "export the object again") -> ReirradiationError:
        """Return the error to raise about one attribute of this object."""
        return ReirradiationError(f"{self.name}: {tag(keyword)} {what}; {remedy}")

    def value(self, keyword: str) -> Any:
        """Return the value as pydicom converts it; None where absent or empty."""
        try:
            value = self.dataset.get(keyword)
        except unreadable() as error:
            raise self.bad(keyword, "cannot be read") from error
        return None if value is None or (hasattr(value, "__len__") and len(value) == 0) else value

    def text(self, keyword: str) -> str:
        """Return a text; empty where absent, parts of a multiple value joined by a backslash."""
        value = self.value(keyword)
        if value is None:
            return ""
        parts = value if _is_multiple(value) else [value]
        return "\\".join(str(part).strip(" \0") for part in parts)

    def code(self, keyword: str) -> str:
        """Return a code string (CS) in upper case; empty where absent."""
        return self.text(keyword).upper()

    def iso_date(self, keyword: str) -> str:
        """Return a date in ISO form; empty where absent or not a date."""
        return iso_date(self.text(keyword))

    def numbers(self, keyword: str, count: int | None = None) -> NDArray[np.float64] | None:
        """Return a numeric value as a 1-D array; None where absent.

        Raises
        ------
        ReirradiationError
            If a number is malformed or not finite, or if there are not ``count`` of them.
        """
        value = self.value(keyword)
        if value is None:
            return None
        try:
            numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
        except unreadable() as error:
            raise self.bad(keyword, "is not a number") from error
        if numbers.ndim != 1 or not np.isfinite(numbers).all():
            raise self.bad(keyword, "is not a finite number")
        if count is not None and len(numbers) != count:
            raise self.bad(keyword, f"has {len(numbers)} values instead of {count}")
        return numbers

    def number(self, keyword: str) -> float | None:
        """Return a single number; None where absent."""
        numbers = self.numbers(keyword, 1)
        return None if numbers is None else float(numbers[0])

    def integer(self, keyword: str) -> int | None:
        """Return a single whole number; None where absent."""
        number = self.number(keyword)
        if number is not None and number != round(number):
            raise self.bad(keyword, f"is {number:g}, not a whole number")
        return None if number is None else round(number)

    def items(self, keyword: str) -> list[Item]:
        """Return the items of a sequence; an empty list where absent."""
        from pydicom.sequence import Sequence

        value = self.value(keyword)
        if value is None:
            return []
        if not isinstance(value, Sequence):
            raise self.bad(keyword, "is not a sequence")
        return [Item(dataset, self.name) for dataset in value]

    def uids(self, sequence: str, keyword: str = "ReferencedSOPInstanceUID") -> tuple[str, ...]:
        """Return the UIDs that the items of a sequence refer to, in order, without empty ones."""
        return tuple(uid for item in self.items(sequence) if (uid := item.text(keyword)))


@dataclass(frozen=True)
class DicomFile(Item):
    """The header of one DICOM file: everything before its pixel data."""

    path: Path

    @property
    def sop_class(self) -> str:
        """SOP Class UID (0008,0016)."""
        return self.text("SOPClassUID")

    @property
    def uid(self) -> str:
        """SOP Instance UID (0008,0018)."""
        return self.text("SOPInstanceUID")

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return self.code("Modality")

    @property
    def frame_of_reference(self) -> str:
        """Frame of Reference UID (0020,0052); empty where absent."""
        return self.text("FrameOfReferenceUID")


def patient_of(file: Item) -> Patient:
    """Return the identity that an object states."""
    return Patient(
        id=file.text("PatientID"),
        name=_readable_name(file.value("PatientName")),
        birth_date=file.iso_date("PatientBirthDate"),
        sex=file.code("PatientSex"),
    )


def _readable_name(name: Any) -> str:
    """Return a person name (PN, PS3.5 6.2.1.2) as "Family, Given Middle", alphabetic form first."""
    if name is None:
        return ""
    groups = (group for group in str(name).split("=") if group.strip(" ^"))
    parts = [part.strip() for part in next(groups, "").split("^")] + [""] * 5
    family, given, middle, prefix, suffix = parts[:5]
    first = " ".join(part for part in (prefix, given, middle, suffix) if part)
    return ", ".join(part for part in (family, first) if part)


def _is_multiple(value: Any) -> bool:
    from pydicom.multival import MultiValue

    return isinstance(value, MultiValue | list | tuple)
