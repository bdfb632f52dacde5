"""What a review puts into the scene: core values only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..core.courses import Course, Patient, Structure
from ..core.images import PlacedImage
from ..core.registration.course import CourseRegistration
from ..core.registration.transform import SpatialTransform
from ..core.settings import Settings
from ..core.volume import Volume


@dataclass(frozen=True)
class PlacedCourse:
    """A course and where it lies in reference space.

    Parameters
    ----------
    eqd2
        EQD2 of the whole course in Gy on a grid in reference space, float32, NaN where unknown; None to leave it out.
    """

    course: Course
    registration: CourseRegistration
    eqd2: Volume | None = None

    @property
    def transform(self) -> SpatialTransform:
        """Reference point to this course's point, LPS mm; the identity for the reference course."""
        return self.registration.transform


@dataclass(frozen=True)
class SceneOrgan:
    """A structure of the reference course as it is drawn.

    Parameters
    ----------
    name
        The structure's own name.
    tg263
        TG-263 name; empty where none was matched.
    colour
        0 to 255.
    is_target
        GTV, CTV, PTV and their like.
    """

    name: str
    tg263: str
    colour: tuple[int, int, int]
    structure: Structure
    is_target: bool = False

    @property
    def is_body(self) -> bool:
        """The patient's outline: RT ROI Interpreted Type (3006,00A4) EXTERNAL, or TG-263 "External"."""
        return self.structure.interpreted_type.upper() == "EXTERNAL" or self.tg263 == "External"


@dataclass(frozen=True)
class IsodoseLevel:
    """One isodose line.

    Parameters
    ----------
    colour
        0 to 255.
    """

    dose_gy: float
    colour: tuple[int, int, int]

    @property
    def label(self) -> str:
        """The dose with its unit, e.g. ``"60 Gy"``."""
        return f"{self.dose_gy:g} Gy"


@dataclass(frozen=True)
class SceneContent:
    """Everything the scene and the pictures show.

    Parameters
    ----------
    courses
        All courses, oldest first.
    reference_index
        Which of them the review is made in.
    composite
        EQD2 of all courses in Gy on a grid in reference space, float32, NaN where no course's dose is known.
    alpha_beta_gy
        The alpha/beta that ``composite`` and the courses' ``eqd2`` were made with.
    assumptions
        One short line each (alpha/beta, recovery, registration), for the corner of every picture.
    levels
        Isodose levels by rising dose.
    hot_spot_lps, target_lps
        Points of interest in reference space, LPS mm, shape ``(3,)``; None where there is none.
    plan_dose
        The reference course's own dose as planned, Gy, on the composite's grid, NaN where it is not known; None to
        leave its isodoses out.
    plan_dose_unit
        ``"Gy"``, or ``"Gy (RBE)"`` where the dose is one that is weighted by its biological effect.
    images
        PET, MR and others beside the courses.
    """

    patient: Patient
    courses: tuple[PlacedCourse, ...]
    reference_index: int
    composite: Volume
    alpha_beta_gy: float
    organs: tuple[SceneOrgan, ...]
    levels: tuple[IsodoseLevel, ...]
    assumptions: tuple[str, ...] = ()
    hot_spot_lps: NDArray[np.float64] | None = None
    target_lps: NDArray[np.float64] | None = None
    plan_dose: Volume | None = None
    plan_dose_unit: str = "Gy"
    images: tuple[PlacedImage, ...] = ()
    settings: Settings = field(default_factory=Settings)

    @property
    def reference(self) -> Course:
        """The course the review is made in."""
        return self.courses[self.reference_index].course
