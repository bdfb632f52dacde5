"""All constraint values after a change of settings, beside the limit of 10 ms and beside evaluating every sample.

Twenty organs with two million samples together in two made-up plans with a hot spot each.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from ReirradiationReviewLib.core.courses import Course, ImageSeries, Patient, Plan, Structure
from ReirradiationReviewLib.core.dose_mapping import sum_eqd2
from ReirradiationReviewLib.core.organs.dvh import dose_volume, metric
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings
from ReirradiationReviewLib.core.volume import Volume

LIMIT_MS = 10.0
REPEATS = 21
PATIENT = Patient("BENCH", "Bench^Mark", "1960-01-01", "F")
ORGANS = (
    "SpinalCord", "Esophagus", "Heart", "Lung_L", "Lung_R", "Liver", "Trachea", "A_Aorta", "GreatVes", "BrachialPlex_L",
    "BrachialPlex_R", "Bronchus_L", "Bronchus_R", "A_Carotid_L", "A_Carotid_R", "V_Venacava_S", "A_Pulmonary",
    "Bowel_Small", "Colon", "Duodenum",
)  # fmt: skip


def a_cylinder(name: str, number: int, radius_mm: float = 15.5) -> Structure:
    """Return an organ of 75 cc somewhere in the patient."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    centre = np.array([(number % 5 - 2) * 45.0, (number // 5 - 1.5) * 45.0])
    ring = centre + radius_mm * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    planes = np.arange(-50.0, 50.1, 2.5)
    contours = tuple(np.column_stack([ring, np.full(len(ring), z)]) for z in planes)
    return Structure(name, number, contours, interpreted_type="ORGAN", frame_of_reference_uid="1.2")


def a_dose(centre_mm: tuple[float, float, float], peak_gy: float, seed: int) -> Volume:
    """Return a dose that falls off from a plateau, with the ripple of an intensity-modulated plan."""
    axis = np.arange(-125.0, 125.1, 2.5)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    distance = np.sqrt((x - centre_mm[0]) ** 2 + (y - centre_mm[1]) ** 2 + (0.7 * (z - centre_mm[2])) ** 2)
    ripple = np.random.default_rng(seed).normal(1.0, 0.02, x.shape)
    dose = peak_gy * (1 / (1 + np.exp((distance - 45) / 8)) * 0.85 + 0.15 * np.exp(-distance / 60)) * ripple
    matrix = np.diag([2.5, 2.5, 2.5, 1.0])
    matrix[:3, 3] = -125.0
    return Volume(dose.astype(np.float32), matrix, "1.2")


def a_review() -> Review:
    """Return a review of two courses on twenty organs."""
    structures = tuple(a_cylinder(name, number) for number, name in enumerate(ORGANS))
    courses = []
    for label, date, dose, fractions in (
        ("course 1", "2020-01-01", a_dose((-20.0, -10.0, 0.0), 62.0, 1), 30),
        ("course 2", "2022-01-01", a_dose((25.0, 20.0, 10.0), 40.0, 2), 5),
    ):
        plan = Plan(label, dose, fractions, "plan", "PHYSICAL", "PLAN", f"p {label}", (f"d {label}",), 50.0)
        ct = ImageSeries(dose.like(np.zeros(dose.array.shape, np.int16)), "CT", units="HU", patient=PATIENT)
        courses.append(Course(label, date, PATIENT, ct, structures, (plan,)))
    return Review(courses, [CourseRegistration(SpatialTransform(), "identity")] * 2)


def median_ms(work: Callable[[int], object]) -> float:
    """Return the median time of some calls, each of which is told its number."""
    times = []
    for number in range(REPEATS):
        started = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


def plainly(review: Review, number: int) -> list[float]:
    """Evaluate the same rows with every sample."""
    values = []
    for result in review.constraints():
        if result.structure is not None and "+" not in result.structure and result.quantity == "EQD2":
            organ = review.organ(result.structure)
            total = sum_eqd2(organ.moments, review.weights(), 2.0 + 0.01 * number)
            values.append(metric(result.metric)(dose_volume(total.low_gy, organ.samples.volumes_cc)))
    return values


def main() -> None:
    """Time changes of alpha/beta, recovery and fractions."""
    review = a_review()
    samples = sum(len(organ.samples.volumes_cc) for organ in review.organs)
    review.constraints()  # the blocks are made once
    rows = [result for result in review.constraints() if result.structure is not None]
    print(f"{len(rows)} constraint rows on {len(review.organs)} organs with {samples / 1e6:.2f} million samples")
    changes: dict[str, Callable[[int], Review]] = {
        "alpha/beta of all organs": lambda n: review.with_settings(
            Settings(alpha_beta_gy=dict.fromkeys(ORGANS, 2.0 + 0.01 * n))
        ),
        "recovery of all organs": lambda n: review.with_settings(Settings(recovery=dict.fromkeys(ORGANS, 0.01 * n))),
        "fractions of the new plan": lambda n: review.with_fractions({"course 2": 5 + n}),
    }
    plain = median_ms(lambda n: plainly(review, n))
    for what, change in changes.items():
        taken = median_ms(lambda n, change=change: change(n).constraints())
        print(f"{what:28s} {taken:7.2f} ms   {taken / LIMIT_MS:5.2f} of the limit   {plain / taken:6.1f} x plain")


if __name__ == "__main__":
    main()
