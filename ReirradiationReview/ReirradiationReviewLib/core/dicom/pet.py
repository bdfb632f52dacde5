"""What the headers of a PET series say, for SUV: PS3.3 C.8.9, and the private attributes of three vendors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from ..pet.facts import PetFacts, SliceTimes
from .objects import DicomFile, Item, tag

# Private attributes: group, last two digits of the element, creator of the block (vendors' conformance statements).
_GE_SCAN = (0x0009, 0x0D, "GEMS_PETD_01")
_SIEMENS_DECAY = (0x0071, 0x22, "SIEMENS MED PT")
_PHILIPS_SUV = (0x7053, 0x00, "Philips PET Private Group")
_PHILIPS_BQML = (0x7053, 0x09, "Philips PET Private Group")
# Radionuclide Code Sequence (0054,0300), SNOMED CT and RT codes of PS3.16 CID 4020.
_NUCLIDES = {"77004003": "F-18", "C-111A1": "F-18", "35337001": "Ga-68", "C-131A3": "Ga-68"}
_ALIKE = ("Units", "SUVType", "DecayCorrection", "PatientWeight")
_DATE_TIME = re.compile(r"(\d{8})(\d{2})(\d{2})?(\d{2})?(\.\d+)?([+-]\d{4})?")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d+)?")


def pet_facts(files: Sequence[DicomFile]) -> PetFacts:
    """Return what the slices of one series say.

    Raises
    ------
    ReirradiationError
        If an attribute is malformed, or differs between slices where it must not.
    """
    first = files[0]
    for file in files:
        for keyword in _ALIKE:
            if file.text(keyword) != first.text(keyword):
                raise file.bad(keyword, f"differs from {first.name} of the same series", "export one series per scan")
    tracer = next(iter(first.items("RadiopharmaceuticalInformationSequence")), None)
    return PetFacts(
        name=first.text("SeriesDescription") or first.text("SeriesInstanceUID"),
        units=first.code("Units"),
        suv_type=first.code("SUVType"),
        decay_correction=first.code("DecayCorrection"),
        corrections=tuple(filter(None, first.code("CorrectedImage").split("\\"))),
        manufacturer=first.text("Manufacturer"),
        weight_kg=first.number("PatientWeight"),
        height_m=first.number("PatientSize"),
        sex=first.code("PatientSex"),
        radionuclide=_nuclide(tracer),
        half_life_s=tracer.number("RadionuclideHalfLife") if tracer else None,
        dose_bq=tracer.number("RadionuclideTotalDose") if tracer else None,
        injected_at=_date_time(tracer, "RadiopharmaceuticalStartDateTime", _offset(first)) if tracer else None,
        injected_time_s=_time_s(tracer, "RadiopharmaceuticalStartTime") if tracer else None,
        series_at=_at(first, "SeriesDate", "SeriesTime"),
        stated_reference=_stated_reference(first),
        philips_suv_factor=_private_number(first, *_PHILIPS_SUV),
        philips_bqml_factor=_private_number(first, *_PHILIPS_BQML),
        slices={file.uid: _slice_times(file) for file in files},
    )


def _slice_times(file: DicomFile) -> SliceTimes:
    duration_ms, reference_ms = file.number("ActualFrameDuration"), file.number("FrameReferenceTime")
    return SliceTimes(
        acquired=_at(file, "AcquisitionDate", "AcquisitionTime"),
        duration_s=None if duration_ms is None else duration_ms / 1000.0,
        frame_reference_s=None if reference_ms is None else reference_ms / 1000.0,
    )


def _nuclide(tracer: Item | None) -> str:
    codes = [item.text("CodeValue") for item in (tracer.items("RadionuclideCodeSequence") if tracer else ())]
    return next((_NUCLIDES[code] for code in codes if code in _NUCLIDES), "")


def _stated_reference(file: DicomFile) -> tuple[datetime, str] | None:
    if (standard := _date_time(file, "DecayCorrectionDateTime", _offset(file))) is not None:
        return standard, tag("DecayCorrectionDateTime")
    for private, words in (
        (_SIEMENS_DECAY, "Siemens' decay correction time (0071,1022)"),
        (_GE_SCAN, "GE's scan time (0009,100D)"),
    ):
        if (stated := _parsed(_private_text(file, *private), _offset(file))) is not None:
            return stated, words
    return None


def _private_text(file: DicomFile, group: int, element: int, creator: str) -> str:
    """Return a private attribute as text; anonymised files may have lost the block's creator."""
    dataset = file.dataset
    try:
        found = dataset.private_block(group, creator).get_tag(element)
    except KeyError:
        found = (group, 0x1000 + element)  # type: ignore[assignment]
    value = dataset[found].value if found in dataset else ""
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str("" if value is None else value)
    return text.strip(" \0")


def _private_number(file: DicomFile, group: int, element: int, creator: str) -> float | None:
    """Return a private factor; None where absent, malformed or 0, which means that there is none."""
    try:
        return float(_private_text(file, group, element, creator)) or None
    except ValueError:
        return None


def _offset(file: Item) -> str:
    return file.text("TimezoneOffsetFromUTC")


def _at(item: Item, date_keyword: str, time_keyword: str) -> datetime | None:
    day, seconds = item.iso_date(date_keyword), _time_s(item, time_keyword)
    return None if not day or seconds is None else datetime.fromisoformat(day) + timedelta(seconds=seconds)


def _time_s(item: Item, keyword: str) -> float | None:
    """Return a time of day (TM) in seconds since midnight; None where absent."""
    text = item.text(keyword)
    if not text:
        return None
    found = _TIME.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3]) if found else (99, 0, 0)
    if found is None or hours > 23 or minutes > 59 or seconds > 60:
        raise item.bad(keyword, f"is {text!r}, not a time")
    return hours * 3600 + minutes * 60 + seconds + float(found.group(4) or 0)


def _date_time(item: Item, keyword: str, offset: str) -> datetime | None:
    """Return a date and time (DT), None where absent, in the time zone of the files' other times."""
    text = item.text(keyword)
    stated = _parsed(text, offset)
    if text and stated is None:
        raise item.bad(keyword, f"is {text!r}, not a date with a time")
    return stated


def _parsed(text: str, offset: str) -> datetime | None:
    """Return a date and time; None where it is none. A stated zone that differs from the files' is converted."""
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        return None
    day, hours, minutes, seconds, fraction, zone = found.groups()
    try:
        stated = datetime.strptime(day + hours + (minutes or "00") + (seconds or "00"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    stated += timedelta(seconds=float(fraction or 0))
    if zone and re.fullmatch(r"[+-]\d{4}", offset):
        stated += timedelta(minutes=_minutes(offset) - _minutes(zone))
    return stated


def _minutes(zone: str) -> int:
    return int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:5]))
