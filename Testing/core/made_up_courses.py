"""Two courses in one frame with doses that are functions of space, for tests whose numbers follow by hand."""

from __future__ import annotations

import json

import numpy as np
from ReirradiationReviewLib.core.courses import Course, ImageSeries, Patient, Plan, Structure
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings
from ReirradiationReviewLib.core.volume import Volume

PATIENT = Patient("ID-1", "Test^Person", "1960-01-01", "F")


def a_cylinder(name, number=1, centre_xy=(0.0, 0.0), *, radius_mm=10.0, z_mm=(-30.0, 30.0), kind="ORGAN"):
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.stack([centre_xy[0] + radius_mm * np.cos(angle), centre_xy[1] + radius_mm * np.sin(angle)], axis=1)
    planes = np.arange(z_mm[0], z_mm[1] + 0.1, 3.0)
    contours = tuple(np.column_stack([ring, np.full(len(ring), z)]) for z in planes)
    return Structure(name, number, contours, interpreted_type=kind, frame_of_reference_uid="1.2")


def a_box(name, low_mm, high_mm, number=1, kind="ORGAN"):
    """Return a box between two corners; contoured every mm."""
    (x0, y0, z0), (x1, y1, z1) = low_mm, high_mm
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    # Half a slice is added beyond the outermost planes.
    planes = np.arange(z0 + 0.5, z1, 1.0)
    contours = tuple(np.array([(x, y, z) for x, y in corners]) for z in planes)
    return Structure(name, number, contours, interpreted_type=kind, frame_of_reference_uid="1.2")


def a_dose(function, half_width_mm=60.0, spacing_mm=2.0):
    """Return a dose grid of ``function(x, y, z)``, Gy, around the origin."""
    axis = np.arange(-half_width_mm, half_width_mm + 0.1, spacing_mm)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    matrix = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    matrix[:3, 3] = -half_width_mm
    values = np.broadcast_to(np.asarray(function(x, y, z), dtype=np.float32), x.shape)
    return Volume(np.array(values), matrix, "1.2")


def a_course(label, date, dose, fractions, structures=(), *, prescription_gy=50.0):
    plan = Plan(
        f"plan of {label}", dose, fractions, "plan", "PHYSICAL", "PLAN", f"p-{label}", (f"d-{label}",), prescription_gy
    )
    ct = ImageSeries(a_dose(lambda x, y, z: 0.0, spacing_mm=4.0), "CT", units="HU", patient=PATIENT)
    return Course(label, date, PATIENT, ct, tuple(structures), (plan,))


def a_review(first, second, structures, fractions=(30, 5), prescriptions_gy=(50.0, 50.0), **settings):
    """Return a review of two doses, each a function of space, on structures of the second course."""
    courses = [
        a_course("course 1", "2020-01-01", a_dose(first), fractions[0], prescription_gy=prescriptions_gy[0]),
        a_course(
            "course 2", "2022-01-01", a_dose(second), fractions[1], structures, prescription_gy=prescriptions_gy[1]
        ),
    ]
    here = CourseRegistration(SpatialTransform(), "identity")
    return Review(courses, [here] * 2, Settings(**settings))


def a_protocol(folder, *rows, **row):
    """Write a protocol, by default of one row about the cord, and return its path; rows say what differs from that."""
    base = {
        "id": "the_row", "label": "Spinal cord", "organs": ["SpinalCord"], "metric": "D0.03cc", "quantity": "EQD2",
        "alpha_beta_gy": 2, "model": "LQ", "direction": "<", "limit": 57, "unit": "Gy",
        "basis": "cumulative_undiscounted", "source": "a test", "evidence": "none", "status": "verified",
        "printed": "Dmax < 57", "correction": None,
    }  # fmt: skip
    document = {
        "schema": "reirradiation-review/protocol/1", "id": "test", "title": "A test", "source": "a test",
        "near_fraction": 0.05, "rows": [base | each for each in rows or [row]],
    }  # fmt: skip
    path = folder / "protocol.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)
