"""What a course of radiotherapy is, once read and checked: plain values, no files, no DICOM objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import Notice
from .volume import Volume

FractionsSource = Literal["plan", "record", "user", "unknown"]


@dataclass(frozen=True)
class Patient:
    """Identity as the files state it; dates are ISO 8601, unknown values empty."""

    id: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True)
class ImageSeries:
    """One image series (CT, MR, PT) with the identifiers that other objects refer to.

    Parameters
    ----------
    volume
        Rescaled values: HU for CT, stored unit for MR, the unit of ``units`` for PT.
    modality
        DICOM Modality (0008,0060).
    sop_instance_uids
        One per slice, in the order of the volume's k axis.
    units
        DICOM Units (0054,1001) for PT, ``"HU"`` for CT, else empty.
    """

    volume: Volume
    modality: str
    description: str = ""
    series_uid: str = ""
    study_uid: str = ""
    date: str = ""
    sop_class_uid: str = ""
    sop_instance_uids: tuple[str, ...] = ()
    units: str = ""
    patient: Patient = field(default_factory=Patient)


@dataclass(frozen=True)
class Structure:
    """One ROI of an RTSTRUCT.

    Parameters
    ----------
    contours_lps
        Closed planar contours, each of shape ``(N, 3)`` in LPS mm, in file order. Contours in one plane combine by
        exclusive or, so a contour inside another is a hole (PS3.3 C.8.8.6 key-hole and multi-contour technique).
    colour
        ROI Display Color (3006,002A), 0 to 255.
    interpreted_type
        RT ROI Interpreted Type (3006,00A4), e.g. ``"PTV"``, ``"ORGAN"``, ``"EXTERNAL"``; empty where absent.
    """

    name: str
    number: int
    contours_lps: tuple[NDArray[np.float64], ...]
    colour: tuple[int, int, int] = (255, 255, 0)
    interpreted_type: str = ""
    frame_of_reference_uid: str = ""


@dataclass(frozen=True)
class Plan:
    """One plan and the dose of all its planned fractions.

    Parameters
    ----------
    dose
        Total dose over all ``fractions`` in Gy, float32, on the grid it was computed on.
    fractions
        Number of fractions the dose stands for; None where no file says it.
    dose_type
        DICOM Dose Type (3004,0004): PHYSICAL or EFFECTIVE (RBE already included).
    dose_summation_type
        DICOM Dose Summation Type (3004,000A) as read.
    dose_uids
        SOP Instance UIDs of the RTDOSE objects behind ``dose``; several where beam doses were added up.
    prescription_gy
        Highest Target Prescription Dose (300A,0026) of the plan's targets; None where absent.
    modality
        ``"RTPLAN"``, ``"RTIONPLAN"`` or empty where the plan file is absent.
    delivered_fractions
        Fractions that treatment records show as delivered; None where none tell.
    delivery
        How each fraction is given, as `biology.delivery.parse_delivery` reads it, where the plan file says that it is
        anything but external fractions; else empty.
    is_heavy_ion
        An ion plan of particles heavier than protons.
    letd_kev_um
        Dose-averaged LET on the dose's grid; None where not given.
    parts
        Label, plan UID and modality of the plans whose doses were given in the same fractions and are summed in
        ``dose``; empty for a plan by itself.
    """

    label: str
    dose: Volume
    fractions: int | None
    fractions_source: FractionsSource
    dose_type: str
    dose_summation_type: str
    plan_uid: str = ""
    dose_uids: tuple[str, ...] = ()
    prescription_gy: float | None = None
    modality: str = ""
    date: str = ""
    delivered_fractions: int | None = None
    delivery: str = ""
    is_heavy_ion: bool = False
    letd_kev_um: NDArray[np.float64] | None = None
    parts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Course:
    """One course: its planning CT, its structures and its plans.

    Parameters
    ----------
    label
        Unique within the review, e.g. ``"course 1"``.
    date
        ISO date the course is placed at: the first treatment where records say it, else RT Plan Date (300A,0006),
        else Study Date (0008,0020); empty where unknown.
    end_date
        ISO date of the last treatment by the records; empty where none tell.
    ct
        Planning CT; None where the folder has none.
    registration_files
        Spatial registration objects (REG) in the folder, of whatever images.
    """

    label: str
    date: str
    patient: Patient
    ct: ImageSeries | None
    structures: tuple[Structure, ...]
    plans: tuple[Plan, ...]
    notices: tuple[Notice, ...] = ()
    folder: str = ""
    structure_set_uid: str = ""
    registration_files: tuple[Path, ...] = ()
    end_date: str = ""

    @property
    def frame_of_reference_uid(self) -> str:
        """Frame of Reference UID (0020,0052) that the course's doses live in; its CT's where it has none."""
        if self.plans:
            return self.plans[0].dose.frame_of_reference_uid
        return self.ct.volume.frame_of_reference_uid if self.ct else ""


def as_points(data: Any) -> NDArray[np.float64]:
    """Return DICOM Contour Data (3006,0050), a flat list of 3N numbers in mm, as points of shape ``(N, 3)``."""
    return np.asarray(data, dtype=np.float64).reshape(-1, 3)
