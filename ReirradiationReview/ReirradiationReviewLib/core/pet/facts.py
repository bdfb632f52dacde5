"""What a PET series says about its tracer, its times and its patient, and what a user adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from ..errors import ReirradiationError


@dataclass(frozen=True)
class SliceTimes:
    """Times of one slice; None where it does not say.

    Parameters
    ----------
    acquired
        Acquisition Date and Time (0008,0022), (0008,0032): its counting began.
    duration_s
        Actual Frame Duration (0018,1242).
    frame_reference_s
        Frame Reference Time (0054,1300): from the series' reference time to the time of the pixel values.
    """

    acquired: datetime | None = None
    duration_s: float | None = None
    frame_reference_s: float | None = None


@dataclass(frozen=True)
class PetFacts:
    """Facts of one PET series; None or empty where it does not say.

    Parameters
    ----------
    name
        Of the series, for messages.
    units
        Units (0054,1001) of the rescaled values.
    suv_type
        SUV Type (0054,1006) of values that are SUV already.
    decay_correction
        Decay Correction (0054,1102): ``"START"``, ``"ADMIN"`` or ``"NONE"``.
    corrections
        Corrected Image (0028,0051).
    dose_bq
        Radionuclide Total Dose (0018,1074) as it stands, though some write MBq.
    injected_at, injected_time_s
        Radiopharmaceutical Start DateTime (0018,1078), and Start Time (0018,1072) in seconds since midnight.
    series_at
        Series Date and Time (0008,0021), (0008,0031).
    stated_reference
        The time that the values are decay-corrected to, where an attribute states it, and the attribute's name:
        Decay Correction DateTime (0018,9701), or that of Siemens (0071,1022) or GE (0009,100D).
    philips_suv_factor, philips_bqml_factor
        SUV and activity concentration scale factors (7053,1000), (7053,1009) of counts; None where absent or 0.
    slices
        By SOP Instance UID.
    entered
        What a user entered, in words.
    """

    name: str
    units: str
    suv_type: str = ""
    decay_correction: str = ""
    corrections: tuple[str, ...] = ()
    manufacturer: str = ""
    weight_kg: float | None = None
    height_m: float | None = None
    sex: str = ""
    radionuclide: str = ""
    half_life_s: float | None = None
    dose_bq: float | None = None
    injected_at: datetime | None = None
    injected_time_s: float | None = None
    series_at: datetime | None = None
    stated_reference: tuple[datetime, str] | None = None
    philips_suv_factor: float | None = None
    philips_bqml_factor: float | None = None
    slices: Mapping[str, SliceTimes] = field(default_factory=dict)
    entered: tuple[str, ...] = ()

    def missing(self, what: str, option: str) -> ReirradiationError:
        """Return the error about something that is needed and not there; ``option`` is where it can be entered."""
        return ReirradiationError(
            f"PET {self.name!r}: {what}, so no SUV can be computed; enter it with {option}, or go on without SUV "
            "(--suv none)"
        )


@dataclass(frozen=True)
class EnteredPet:
    """Values that a user enters because the files lack them, or state them wrongly; None where nothing was entered.

    Parameters
    ----------
    injection, decay_reference
        Local time, like the times in the files.
    bqml_per_count
        Bq/mL per unit of the rescaled values, for series in counts.
    """

    weight_kg: float | None = None
    height_m: float | None = None
    sex: str | None = None
    dose_mbq: float | None = None
    injection: datetime | None = None
    half_life_s: float | None = None
    decay_correction: str | None = None
    decay_reference: datetime | None = None
    bqml_per_count: float | None = None

    def over(self, facts: PetFacts) -> PetFacts:
        """Return the facts with what was entered in the place of what the files say, and marked so."""
        changes: dict[str, object] = {
            name: value
            for name in ("weight_kg", "height_m", "sex", "half_life_s", "decay_correction")
            if (value := getattr(self, name)) is not None
        }
        if self.dose_mbq is not None:
            changes["dose_bq"] = self.dose_mbq * 1e6
        if self.injection is not None:
            changes |= {"injected_at": self.injection, "injected_time_s": None}
        if self.decay_reference is not None:
            changes["stated_reference"] = (self.decay_reference, "entered by the user")
        if self.bqml_per_count is not None:
            changes |= {"philips_bqml_factor": self.bqml_per_count, "philips_suv_factor": None}
        words = tuple(
            f"{entry.name} = {value}" for entry in fields(self) if (value := getattr(self, entry.name)) is not None
        )
        return replace(facts, entered=words, **changes)  # type: ignore[arg-type]
