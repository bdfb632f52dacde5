"""Who, when and where of the demo case: geometry, prescriptions, structure names, identifiers."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

import numpy as np

from ..volume import Volume
from . import organs, skeleton
from .grid import axial_grid
from .motion import Motion, rigid_matrix
from .shapes import Array, Shape, grown

PATIENT_NAME, PATIENT_ID = "Demo^Reirradiation", "RERT-DEMO-1"
BIRTH_DATE, SEX, SIZE_M, WEIGHT_KG = "19560704", "M", 1.76, 82.0


def make_uid(seed: int, *name: object) -> str:
    """Return a UID under 2.25 (PS3.5 B.2) that follows from the seed and a name."""
    digest = hashlib.sha256("/".join(["reirradiation-demo", str(seed), *map(str, name)]).encode()).digest()
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=5).int}"


@dataclass(frozen=True)
class Roi:
    """A structure of a course: its name there, its shape, RT ROI Interpreted Type (3006,00A4), colour, alpha/beta."""

    name: str
    shape: Shape
    interpreted_type: str
    colour: tuple[int, int, int]
    alpha_beta_gy: float


@dataclass(frozen=True)
class CourseData:
    """What makes a course: dates, grids, structures, plan."""

    seed: int
    number: int
    study_date: str
    plan_date: str
    label: str
    target: str
    prescription_gy: float
    fractions: int
    gantry_deg: tuple[float, ...]
    ct: Volume
    dose: Volume
    rois: tuple[Roi, ...]


# Shape, type, colour, alpha/beta (Gy; domain values of re-irradiation practice), name in course 1, name in course 2.
_ORGANS: tuple[tuple[Shape, str, tuple[int, int, int], float, str, str], ...] = (
    (skeleton.BODY, "EXTERNAL", (0, 255, 0), 3.0, "BODY", "External"),
    (organs.LUNGS, "ORGAN", (135, 206, 250), 3.0, "Lungs", "Lung_Total"),
    (organs.LUNG_R, "ORGAN", (0, 191, 255), 3.0, "Lung_R", "Lung R"),
    (organs.LUNG_L, "ORGAN", (30, 144, 255), 3.0, "Lung_L", "Lung L"),
    (organs.HEART, "ORGAN", (255, 105, 180), 2.5, "Heart", "Heart_1"),
    (skeleton.CORD, "ORGAN", (255, 255, 0), 2.0, "SpinalCord", "Cord"),
    (skeleton.CANAL, "ORGAN", (240, 230, 140), 2.0, "SpinalCanal", "Spinal Canal"),
    (organs.OESOPHAGUS, "ORGAN", (210, 105, 30), 3.0, "Esophagus", "Oesophagus"),
    (organs.TRACHEA, "ORGAN", (64, 224, 208), 3.0, "Trachea", "Trachea"),
    (organs.BRONCHI, "ORGAN", (0, 206, 209), 3.0, "Bronchus", "PBT"),
    (organs.AORTA, "ORGAN", (220, 20, 60), 3.0, "A_Aorta", "Aorta"),
    (organs.GREAT_VESSELS, "ORGAN", (178, 34, 34), 3.0, "GreatVes", "Great_Vessels"),
    (organs.PLEXUS_R, "ORGAN", (154, 205, 50), 2.0, "BrachialPlex_R", "BrachialPlexus_R"),
    (organs.LIVER, "ORGAN", (160, 82, 45), 3.0, "Liver", "Liver"),
)


def _rois(course: int, gtv: Shape, margins_mm: tuple[float, float], names: tuple[str, str, str]) -> tuple[Roi, ...]:
    healthy = [
        Roi((first, second)[course - 1], shape, kind, colour, ab) for shape, kind, colour, ab, first, second in _ORGANS
    ]
    shapes = (gtv, grown(gtv, margins_mm[0]), grown(gtv, margins_mm[1]))
    kinds = (("GTV", (255, 0, 0)), ("CTV", (255, 140, 0)), ("PTV", (255, 0, 255)))
    targets = [Roi(n, s, kind, colour, 10.0) for n, s, (kind, colour) in zip(names, shapes, kinds, strict=True)]
    return (*healthy, *targets)


def course_1(seed: int) -> CourseData:
    """Return the first course: 60 Gy in 30 to the tumour and two involved nodes, 2 mm CT, 3 mm dose."""
    frame = make_uid(seed, "frame", 1)
    return CourseData(
        seed, 1, "20210308", "20210315", "RUL 60Gy/30", "PTV_6000", 60.0, 30,
        (0.0, 50.0, 140.0, 180.0, 230.0, 310.0),
        axial_grid((-199.0, -124.0, -160.0), (2.0, 2.0, 3.0), (200, 140, 90), frame),
        axial_grid((-172.5, -108.0, -151.0), (3.0, 3.0, 3.0), (116, 77, 85), frame),
        _rois(1, organs.TUMOUR, (6.0, 12.0), ("GTV", "CTV", "PTV_6000")),
    )  # fmt: skip


def course_2(seed: int) -> CourseData:
    """Return the second course: 50 Gy in 5 to the recurrence, on another scanner, 2 mm dose grid around the target."""
    frame = make_uid(seed, "frame", 2)
    return CourseData(
        seed, 2, "20240513", "20240521", "ReRT SBRT 50/5", "PTV_5000", 50.0, 5,
        tuple(float(a) for a in range(180, 391, 21)),
        axial_grid((-181.6, -318.2, -798.0), (2.1484, 2.1484, 3.0), (184, 136, 90), frame),
        axial_grid((-98.0, -242.0, -684.0), (2.0, 2.0, 2.0), (84, 80, 68), frame),
        _rois(2, organs.RECURRENCE, (2.0, 4.0), ("GTV_recur", "ITV_recur", "PTV_5000")),
    )  # fmt: skip


def motion() -> Motion:
    """Return the map from course 2 to course 1."""
    return Motion(rigid_matrix((1.8, -2.2, 3.0), np.array([14.0, -182.0, -655.5]), np.array([0.0, 6.0, -15.0])))


def mr_to_course2() -> Array:
    """Return the 4x4 matrix, LPS mm, from the MR's frame to that of course 2."""
    return rigid_matrix((-2.0, 1.5, -2.5), np.array([3.0, -11.0, 6.0]), np.array([14.0, -178.0, -645.0]))


def pet_grid(seed: int) -> Volume:
    """Return the PET grid; it shares the Frame of Reference of course 2."""
    return axial_grid((-191.4, -326.1, -787.2), (4.0728, 4.0728, 3.27), (100, 76, 82), make_uid(seed, "frame", 2))


def mr_grid(seed: int) -> Volume:
    """Return the MR grid in its own Frame of Reference: 5 mm slices with a 1 mm gap."""
    return axial_grid((-180.0, -147.0, -112.0), (1.6406, 1.6406, 6.0), (224, 172, 38), make_uid(seed, "frame", "MR"))
