"""The whole review against the truth of a two-course head-and-neck case."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ReirradiationReviewLib.core.biology import eqd2_gy
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.dose_mapping import sum_eqd2
from ReirradiationReviewLib.core.organs.dvh import dose_volume
from ReirradiationReviewLib.core.registration.course import register_courses
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def case(data_dir):
    return data_dir / "reirr_hn"


@pytest.fixture(scope="module")
def truth(case):
    return json.loads((case / "truth.json").read_text())


@pytest.fixture(scope="module")
def courses(case):
    return [read_course(case / f"course{n}", f"course {n}") for n in (1, 2)]


@pytest.fixture(scope="module")
def true_rigid_file(truth, tmp_path_factory):
    from ReirradiationReviewLib.core.registration.files import write_transform
    from ReirradiationReviewLib.core.registration.transform import SpatialTransform

    path = tmp_path_factory.mktemp("transform") / "true_rigid.tfm"
    write_transform(path, SpatialTransform(np.array(truth["transform"]["M21_course2_to_course1"])))
    return path


@pytest.fixture(scope="module")
def rigid_review(courses, true_rigid_file):
    return Review(courses, register_courses(courses, 1, [str(true_rigid_file)]))


@pytest.fixture(scope="module")
def deformed_review(courses, case):
    return Review(courses, register_courses(courses, 1, [str(case / "truth_dvf_c2_to_c1.mha")]))


def test_the_cord_has_the_true_composite_under_the_true_rigid_transform(rigid_review, truth):
    expected = truth["structures"]["Spinal_Cord"]["sum_eqd2_rigid_only"]
    dose = rigid_review.organ("Spinal_Cord").eqd2(rigid_review.weights(), 2.0).low
    assert dose.dose_at_volume_cc(1.0) == pytest.approx(expected["D1.0cc"], abs=0.3)
    assert dose.dmean_gy == pytest.approx(expected["mean"], abs=0.1)


@pytest.mark.parametrize("name", ["GTV_recur", "PTV70_C1", "BRAINSTEM", "Mandible", "Parotid R", "Spinal_Cord"])
def test_organs_have_the_true_composite_under_the_true_deformation(deformed_review, truth, name):
    # The field's file is up to 0.55 Gy off at steep points, and the truth's masks are whole voxels, ours are contours.
    entry = truth["structures"][name]
    dose = deformed_review.organ(name).eqd2(deformed_review.weights(), entry["alpha_beta"]).low
    assert dose.dose_at_volume_cc(1.0) == pytest.approx(entry["sum_eqd2_recovery0"]["D1.0cc"], abs=0.5)
    assert dose.dmean_gy == pytest.approx(entry["sum_eqd2_recovery0"]["mean"], abs=0.2)


ROIS = (
    "External", "GTV_recur", "PTV_ReRT", "BRAINSTEM", "Esophagus", "PTV63_C1", "PTV70_C1", "PTV56_C1", "Parotid L",
    "Larynx", "Mandible", "Parotid R", "Spinal_Cord",
)  # fmt: skip


@pytest.fixture(scope="module")
def true_voxels(case, courses):
    """Return a function from an ROI's name to its voxels' centres in the truth's mask, LPS mm, and one voxel's cc."""
    packed = np.load(case / "truth.npz")
    grid = courses[1].ct.volume
    centres = grid.centres_lps()

    def of(name):
        mask = np.unpackbits(packed[f"mask_{name}"])[: len(centres)].reshape(grid.array.shape)
        return centres[mask.ravel() == 1], abs(np.linalg.det(grid.index_to_lps[:3, :3])) / 1000

    return of


@pytest.mark.parametrize("name", ROIS)
def test_recovery_gives_the_true_discounted_sum_in_every_roi(deformed_review, truth, true_voxels, name):
    # On the truth's own voxels, so that nothing but the sum is compared. The truth interpolates dose and converts then;
    # converting first is never lower (Jensen).
    points, voxel_cc = true_voxels(name)
    moments = [field.moments(points) for field in deformed_review.mapped.fields]
    for percent in (0, 25, 50):
        expected = truth["structures"][name][f"sum_eqd2_recovery{percent}"]
        weights = deformed_review.weights(recovery=percent / 100)
        total_gy = sum_eqd2(moments, weights, truth["structures"][name]["alpha_beta"]).low_gy
        dose = dose_volume(total_gy, np.full(len(points), voxel_cc))
        assert len(points) == expected["n_voxels"]
        assert -0.005 <= dose.dmean_gy - expected["mean"] <= 0.1
        assert -0.005 <= dose.dmax_gy - expected["max"] <= 0.15
        for volume_cc in (1.0, 2.0):
            assert dose.dose_at_volume_cc(volume_cc) == pytest.approx(expected[f"D{volume_cc:.1f}cc"], abs=0.25)


@pytest.mark.parametrize("percent", [25, 50])
def test_recovery_of_an_organ_reaches_its_own_samples(courses, deformed_review, truth, percent):
    entry = truth["structures"]["Spinal_Cord"]
    review = deformed_review.with_settings(Settings(recovery={"Spinal_Cord": percent / 100}))
    organ = review.organ("Spinal_Cord")
    dose = organ.eqd2(review.weights(recovery=organ.recovery), 2.0).low
    assert dose.dose_at_volume_cc(1.0) == pytest.approx(entry[f"sum_eqd2_recovery{percent}"]["D1.0cc"], abs=0.3)


def test_dose_at_the_true_points(courses, truth):
    from ReirradiationReviewLib.core.dose_mapping import PlanWeight, dose_moments
    from ReirradiationReviewLib.core.registration.transform import SpatialTransform

    here = SpatialTransform()
    x1 = np.array([point["x1"] for point in truth["points"]])
    x2 = np.array([point["x2"] for point in truth["points"]])
    first = dose_moments(courses[0].plans[0].dose, here, x1)
    second = dose_moments(courses[1].plans[0].dose, here, x2)
    np.testing.assert_allclose(first.p_gy, [p["D1"] for p in truth["points"]], atol=2e-3)
    known = second.inside
    np.testing.assert_allclose(second.p_gy[known], np.array([p["D2"] for p in truth["points"]])[known], atol=2e-3)
    for alpha_beta_gy in (2, 3, 10):
        # The truth interpolates dose first; converting first is never lower (Jensen), and nearly equal here.
        total = sum_eqd2([first, second], [PlanWeight(35), PlanWeight(30)], alpha_beta_gy).low_gy
        expected = np.array([p[f"eqd2_sum_ab{alpha_beta_gy}"] for p in truth["points"]])
        assert np.all(total >= expected - 5e-3)
        assert np.median(total - expected) < 0.1


def test_summing_physical_dose_first_is_lower_by_what_the_truth_says(deformed_review, truth):
    entry = truth["structures"]["GTV_recur"]
    organ = deformed_review.organ("GTV_recur")
    right = organ.eqd2(deformed_review.weights(), entry["alpha_beta"]).low.dmean_gy
    total_gy = organ.moments[0].p_gy + organ.moments[1].p_gy
    naive = float(np.average(eqd2_gy(total_gy, 35 + 30, entry["alpha_beta"]), weights=organ.samples.volumes_cc))
    stated = entry["sum_eqd2_recovery0"]["mean"] - entry["sum_eqd2_wrong_summing_physical_first_n_total"]["mean"]
    assert right > naive
    assert right - naive == pytest.approx(stated, abs=0.1)


def test_the_part_outside_the_proton_grid_is_unknown_and_not_zero(deformed_review):
    cord = deformed_review.organ("Spinal_Cord")
    of_course2 = cord.eqd2(deformed_review.weights([1]))
    assert of_course2.incomplete_percent > 50
    assert of_course2.low.known_volume_cc < 0.5 * cord.samples.volume_cc


def test_automatic_rigid_registration_puts_landmarks_in_place(courses, truth):
    found = register_courses(courses, 1, ["rigid"])[0].transform
    error = found.apply(np.array(truth["landmarks"]["course2"])) - np.array(truth["landmarks"]["course1"])
    assert np.linalg.norm(error, axis=1).mean() <= 2.8
