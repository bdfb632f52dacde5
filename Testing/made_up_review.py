"""Two made-up courses of uniform doses, whose every number follows by hand."""

from __future__ import annotations

import numpy as np
from ReirradiationReviewLib.core.courses import Course, ImageSeries, Patient, Plan, Structure
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings
from ReirradiationReviewLib.core.volume import Volume

PATIENT = Patient("ID-1", "Test Person", "1960-01-01", "F")


def a_cylinder(name, number, centre_xy=(0.0, 0.0), *, radius_mm=10.0, z_mm=(-30.0, 30.0), kind="ORGAN"):
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.stack([centre_xy[0] + radius_mm * np.cos(angle), centre_xy[1] + radius_mm * np.sin(angle)], axis=1)
    planes = np.arange(z_mm[0], z_mm[1] + 0.1, 3.0)
    contours = tuple(np.column_stack([ring, np.full(len(ring), z)]) for z in planes)
    return Structure(name, number, contours, interpreted_type=kind, frame_of_reference_uid="1.2")


def a_grid(value, half_width_mm=60.0, z_mm=(-60.0, 60.0), spacing_mm=3.0):
    size = int(2 * half_width_mm / spacing_mm) + 1
    frames = int((z_mm[1] - z_mm[0]) / spacing_mm) + 1
    matrix = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    matrix[:3, 3] = [-half_width_mm, -half_width_mm, z_mm[0]]
    return Volume(np.full((frames, size, size), value, dtype=np.float32), matrix, "1.2")


def a_course(label, date, dose, fractions, structures=()):
    plan = Plan(f"plan of {label}", dose, fractions, "plan", "PHYSICAL", "PLAN", f"p-{label}", (f"d-{label}",), 50.0)
    ct = ImageSeries(a_grid(0.0), "CT", units="HU", patient=PATIENT)
    return Course(label, date, PATIENT, ct, tuple(structures), (plan,))


def four_structures():
    return (
        a_cylinder("Cord", 1),
        a_cylinder("Lung_L", 2, (30.0, 0.0)),
        a_cylinder("Lung_R", 3, (-30.0, 0.0)),
        a_cylinder("PTV_new", 4, (0.0, 30.0), kind="PTV"),
    )


def two_courses():
    # 40 Gy in 20 is 40 Gy EQD2; 20 Gy in 4 at alpha/beta 2 is 35 Gy, at 3 it is 32 Gy.
    return [
        a_course("course 1", "2020-01-01", a_grid(40.0), 20),
        a_course("course 2", "2022-01-01", a_grid(20.0), 4, four_structures()),
    ]


def a_review(courses, **settings):
    here = CourseRegistration(SpatialTransform(), "identity")
    return Review(courses, [here] * len(courses), Settings(**settings))
