"""A review's registrations are measured organ by organ, and what is not measured is never called good."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from drawn_shapes import a_ball, textured
from made_up_review import a_course, a_cylinder
from ReirradiationReviewLib.cli import main
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.dicom.registration import read_registration
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.files import read_transform
from ReirradiationReviewLib.core.registration.qa.landmarks import read_landmarks
from ReirradiationReviewLib.core.registration.qa.of_review import assess_review, high_dose_points
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.report.html import write_report
from ReirradiationReviewLib.core.results.document import review_document
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings
from ReirradiationReviewLib.core.volume import Volume

SHIFT = np.array([40.0, -25.0, 90.0])  # from the reference to the earlier course
SLOPE_GY_PER_MM = 0.4


def a_shift(shift_mm) -> SpatialTransform:
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    return SpatialTransform(matrix)


def moved(volume: Volume) -> Volume:
    matrix = volume.index_to_lps.copy()
    matrix[:3, 3] += SHIFT
    return replace(volume, index_to_lps=matrix)


def centred(volume: Volume) -> Volume:
    matrix = volume.index_to_lps.copy()
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(volume.shape_ijk) - 1) / 2
    return replace(volume, index_to_lps=matrix)


CT = centred(textured(1, (60, 60, 60)))
GRID = centred(Volume(np.zeros((41, 41, 41), dtype=np.float32), np.diag([3.0, 3.0, 3.0, 1.0])))


def a_sloping_dose() -> Volume:
    z = GRID.centres_lps()[:, 2].reshape(GRID.array.shape)
    return GRID.like((30.0 + SLOPE_GY_PER_MM * z).astype(np.float32))


def a_review(off_by=(0.0, 0.0, 0.0), earlier_structures=(), **settings) -> Review:
    """Return a review whose earlier course lies SHIFT away, registered as well as asked for."""
    earlier = a_course("course 1", "2020-01-01", moved(a_sloping_dose()), 30, earlier_structures)
    new = a_course(
        "course 2",
        "2022-01-01",
        GRID.like(np.full(GRID.array.shape, 10.0, dtype=np.float32)),
        5,
        (a_ball((0, 0, 0), 15.0, "Parotid_L"), a_cylinder("Cord", 2, (20.0, 0.0))),
    )
    courses = [
        replace(earlier, ct=replace(earlier.ct, volume=moved(CT))),
        replace(new, ct=replace(new.ct, volume=CT)),
    ]
    registrations = [
        CourseRegistration(a_shift(SHIFT + off_by), "rigid"),
        CourseRegistration(SpatialTransform(), "reference"),
    ]
    return Review(courses, registrations, Settings(**settings))


PAROTID = a_ball(SHIFT, 15.0, "LeftParotid")


def organ(review: Review, name: str):
    return next(organ for organ in review.quality[0].organs if organ.structure == name)


def entry(review: Review, name: str | None = None):
    qa = review_document(review)["registrations"][0]["qa"]
    return qa if name is None else next(organ for organ in qa["organs"] if organ["structure"] == name)


def test_a_right_registration_is_good_and_a_wrong_one_is_not():
    right = assess_review(a_review(earlier_structures=(PAROTID,)))
    assert right.quality[0].verdict == "good"
    assert organ(right, "Parotid_L").verdict == "good"
    assert organ(right, "Parotid_L").contours.mean_distance_mm < 0.3
    wrong = assess_review(a_review((12.0, 0.0, 0.0), (PAROTID,)))
    assert wrong.quality[0].verdict == "do not use"
    assert organ(wrong, "Parotid_L").verdict == "do not use"
    assert any("mean distance" in reason for reason in organ(wrong, "Parotid_L").reasons)


def test_an_organ_whose_place_was_not_measured_is_never_good():
    review = assess_review(a_review(earlier_structures=(PAROTID,)))
    assert organ(review, "Cord").uncertainty_mm is None
    assert organ(review, "Cord").verdict == "caution"
    assert "neither contours nor landmarks" in organ(review, "Cord").reasons[-1]
    assert entry(review, "Cord")["eqd2_error_gy"]["mean"] is None


def test_dice_says_nothing_of_a_thin_organ_whose_outlines_agree_as_far_as_the_images_tell():
    thin = a_cylinder("Cord", 1, (SHIFT[0] + 20.0, SHIFT[1]), radius_mm=3.0, z_mm=(60.0, 120.0))
    reference = a_review((1.4, 0.0, 0.0), (thin,))
    cord = a_cylinder("Cord", 2, (20.0, 0.0), radius_mm=3.0)
    review = assess_review(reference.with_structures((cord,)))
    found = organ(review, "Cord")
    assert found.contours.dice < 0.8
    assert found.contours.mean_distance_mm < 1.5 == found.resolution_mm
    assert found.verdict == "good"


def test_landmarks_measure_the_organs_that_they_are_near():
    reference = {"in the parotid": np.zeros(3), "far": np.array([80.0, 80.0, 80.0])}
    course = {"in the parotid": SHIFT + np.array([0.0, 0.0, 4.0]), "far": SHIFT + 80.0}
    review = assess_review(a_review(), {0: course, 1: reference})
    assert review.quality[0].landmarks.mean_mm == pytest.approx(2.0)
    assert organ(review, "Parotid_L").landmarks_near.count == 1
    assert organ(review, "Parotid_L").uncertainty_mm == pytest.approx(4.0)
    assert organ(review, "Parotid_L").verdict == "caution"


def test_landmarks_of_one_course_alone_measure_nothing():
    assert assess_review(a_review(), {1: {"a": np.zeros(3)}}).quality[0].landmarks is None


def test_the_dose_error_is_the_slope_of_eqd2_times_the_uncertainty():
    review = assess_review(a_review((0.0, 0.0, 6.0), (PAROTID,), alpha_beta_gy={"Parotid_L": 3.0}))
    found = entry(review, "Parotid_L")
    # d EQD2 / dz = slope (ab + 2 D / n) / (2 + ab), with the dose that the registration brings to the ball's centre.
    dose_gy = 30.0 + SLOPE_GY_PER_MM * 6.0
    slope = SLOPE_GY_PER_MM * (3.0 + 2 * dose_gy / 30) / 5.0
    assert found["eqd2_gradient_gy_per_mm"]["mean"] == pytest.approx(slope, rel=0.01)
    top = SLOPE_GY_PER_MM * (3.0 + 2 * (dose_gy + SLOPE_GY_PER_MM * 14.6) / 30) / 5.0
    assert found["eqd2_gradient_gy_per_mm"]["hottest"] == pytest.approx(top, rel=0.01)
    assert found["uncertainty_mm"] == pytest.approx(3.0, abs=0.2)  # balls 6 mm apart: half of it on average
    assert found["eqd2_error_gy"]["mean"] == pytest.approx(
        found["eqd2_gradient_gy_per_mm"]["mean"] * found["uncertainty_mm"]
    )


def test_the_dose_error_follows_alpha_beta_without_being_measured_anew():
    review = assess_review(a_review((0.0, 0.0, 6.0), (PAROTID,)))
    other = review.with_settings(Settings(alpha_beta_gy={"Parotid_L": 10.0}))
    assert other.quality[0] is review.quality[0]
    dose_gy = 30.0 + SLOPE_GY_PER_MM * 6.0
    slope = SLOPE_GY_PER_MM * (10.0 + 2 * dose_gy / 30) / 12.0
    assert entry(other, "Parotid_L")["eqd2_gradient_gy_per_mm"]["mean"] == pytest.approx(slope, rel=0.01)


def test_other_contours_or_registrations_make_the_quality_unknown():
    review = assess_review(a_review(earlier_structures=(PAROTID,)))
    assert review.with_structures(review.reference.structures[:1]).quality == {}
    assert review.with_registrations(review.registrations).quality == {}
    assert "verdict" not in entry(a_review())


def test_the_high_dose_region_reaches_two_centimetres_beyond_the_half_isodose():
    away = np.linalg.norm(GRID.centres_lps(), axis=1).reshape(GRID.array.shape)
    ball = GRID.like(np.where(away < 15.0, 40.0, 2.0).astype(np.float32))
    courses = [a_course("course 1", "2020-01-01", ball, 20), a_course("course 2", "2022-01-01", ball, 20)]
    here = CourseRegistration(SpatialTransform(), "identity")
    points = high_dose_points(Review(courses, [here, here]))
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(35.0, abs=3.0)
    assert np.linalg.norm(points, axis=1).min() < 3.0


def test_a_fold_inside_an_organ_rules_it_out():
    nodes = GRID.centres_lps()
    # Around the origin x turns back: 1 + du/dx is negative within 8 mm.
    push = -20.0 * np.exp(-np.sum(nodes**2, axis=1) / (2 * 8.0**2))
    vectors = np.column_stack([push * nodes[:, 0] / 8.0, 0 * push, 0 * push])
    field = GRID.like(vectors.reshape(*GRID.array.shape, 3))
    review = a_review()
    folded = CourseRegistration(SpatialTransform(a_shift(SHIFT).matrix_lps, field), "deformable")
    review = assess_review(review.with_registrations([folded, review.registrations[1]]))
    assert organ(review, "Parotid_L").jacobian.folded_percent > 0
    assert organ(review, "Parotid_L").verdict == "do not use"
    assert organ(review, "Cord").jacobian.folded_percent == 0
    assert review.quality[0].verdict == "caution"


def test_the_report_tells_which_organs_a_registration_must_not_be_used_for(tmp_path):
    review = assess_review(a_review((12.0, 0.0, 0.0), (PAROTID,)))
    write_report(tmp_path / "report.html", review_document(review), [], [])
    page = (tmp_path / "report.html").read_text()
    assert "Do not use its dose in Parotid_L" in page
    assert "Registration quality" in page
    assert "Latifi 2018" not in page  # no landmarks, so no bound for them
    assert "Nenoff 2023" in page


def test_landmarks_are_asked_for_by_course(tmp_path, capsys):
    (tmp_path / "points.json").write_text("{}")
    folder = str(tmp_path)
    common = ["run", "--course", folder, "--course", folder, "--out", str(tmp_path / "out")]
    assert main([*common, "--landmarks", f"3={tmp_path / 'points.json'}"]) == 1
    assert "--landmarks 3" in capsys.readouterr().err
    for nonsense in ("points.json", "1=absent.json", f"one={tmp_path / 'points.json'}"):
        with pytest.raises(SystemExit) as stopped:
            main([*common, "--landmarks", nonsense])
        assert stopped.value.code == 2


@pytest.fixture(scope="module")
def reirr_hn(data_dir):
    case = data_dir / "reirr_hn"
    courses = [read_course(case / f"course{n}", f"course {n}") for n in (1, 2)]
    organs = [structure for structure in courses[1].structures if "PTV" not in structure.name][2:]
    courses[1] = replace(courses[1], structures=tuple(organs))
    landmarks = {n - 1: read_landmarks(case / f"landmarks_course{n}.mrk.json") for n in (1, 2)}

    def assessed(transform):
        registrations = [CourseRegistration(transform, "file"), CourseRegistration(SpatialTransform(), "reference")]
        return assess_review(Review(courses, registrations), landmarks)

    return case, courses, assessed


def test_under_the_true_field_everything_is_good(reirr_hn):
    case, courses, assessed = reirr_hn
    review = assessed(read_transform(case / "truth_dvf_c2_to_c1.mha", courses[1].ct.volume))
    quality = review.quality[0]
    assert quality.landmarks.mean_mm < 0.05
    assert quality.landmarks.max_mm < 0.2
    truth = json.loads((case / "truth.json").read_text())
    # The truth's Jacobian is of the formula itself, ours of its samples at 4 mm.
    assert quality.jacobian.minimum == pytest.approx(truth["jacobian_min"], abs=0.06)
    assert quality.jacobian.maximum == pytest.approx(truth["jacobian_max"], abs=0.06)
    assert {organ.verdict for organ in quality.organs} == {"good"}
    assert len(quality.organs) == 7
    assert max(organ.contours.mean_distance_mm for organ in quality.organs) < 0.8


def test_the_true_rigid_part_alone_has_its_known_landmark_errors_and_fails_where_tissue_moved(reirr_hn):
    case, courses, assessed = reirr_hn
    frames = courses[1].frame_of_reference_uid, courses[0].frame_of_reference_uid
    quality = assessed(read_registration(case / "registration/REG_rigid_course1_to_course2.dcm", *frames)).quality[0]
    mean_mm, max_mm = json.loads((case / "truth.json").read_text())["landmarks"]["tre_if_rigid_truth_only_mean_max"]
    assert quality.landmarks.mean_mm == pytest.approx(mean_mm, abs=1e-3)
    assert quality.landmarks.max_mm == pytest.approx(max_mm, abs=1e-3)
    verdicts = {organ.structure: organ.verdict for organ in quality.organs}
    assert verdicts["Larynx"] == verdicts["Esophagus"] == "do not use"
    assert verdicts["Spinal_Cord"] == "good"  # the truth holds the cord rigid
