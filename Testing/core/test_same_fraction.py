"""Plans of one fraction are summed before they are converted; what cannot have been one fraction is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_review import a_course, a_cylinder, a_grid, a_review
from ReirradiationReviewLib.core.biology import eqd2_gy
from ReirradiationReviewLib.core.course_record import course_of, course_record
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.letd import with_letd
from ReirradiationReviewLib.core.results.courses import course_entry
from ReirradiationReviewLib.core.same_fraction import merge_same_fraction
from ReirradiationReviewLib.core.volume import Volume, sample_linear


def a_ramp(slope_per_mm, origin, spacing_mm, size):
    """Return a dose that grows linearly along x from 10 Gy at x = 0: linear interpolation is exact on it."""
    matrix = np.diag([*spacing_mm, 1.0])
    matrix[:3, 3] = origin
    x = origin[0] + spacing_mm[0] * np.arange(size[0])
    return Volume(np.broadcast_to(10 + slope_per_mm * x, size[::-1]).astype(np.float32), matrix, "1.2")


@pytest.fixture
def courses():
    first = a_course("course 1", "2020-01-01", a_grid(30.0), 10)
    boost = replace(first.plans[0], label="boost", plan_uid="p-boost", dose=a_grid(20.0), dose_uids=("d-boost",))
    new = a_course("course 2", "2022-01-01", a_grid(20.0), 4, (a_cylinder("Cord", 1),))
    return [replace(first, plans=(first.plans[0], boost)), new]


GROUP = [("plan of course 1", "boost")]


def test_the_effect_is_that_of_the_whole_dose_of_each_fraction(courses):
    apart, together = (a_review(each) for each in (courses, merge_same_fraction(courses, GROUP)))
    values = [review.organ("Cord").eqd2(review.weights([0])).low.dmean_gy for review in (apart, together)]
    assert values[0] == pytest.approx(eqd2_gy(30, 10, 2) + eqd2_gy(20, 10, 2), rel=1e-4)
    assert values[1] == pytest.approx(eqd2_gy(50, 10, 2), rel=1e-4)


def test_a_review_can_be_told_so_later(courses):
    review = a_review(courses, alpha_beta_gy={"Cord": 3.0}).with_same_fraction(GROUP)
    cord = review.organ("Cord").eqd2(review.weights([0])).low.dmean_gy
    assert cord == pytest.approx(eqd2_gy(50, 10, 3), rel=1e-4)


@given(st.floats(0, 60), st.floats(0, 60), st.integers(1, 40), st.floats(0.5, 20))
def test_one_fraction_is_never_less_than_two(first, second, n, alpha_beta):
    together = eqd2_gy(first + second, n, alpha_beta)
    assert together >= eqd2_gy(first, n, alpha_beta) + eqd2_gy(second, n, alpha_beta) - 1e-9


def test_the_merged_plan_says_what_it_is_made_of(courses):
    course = merge_same_fraction(courses, GROUP)[0]
    plan = course.plans[0]
    assert (plan.label, plan.fractions, plan.prescription_gy) == ("plan of course 1 + boost", 10, None)
    assert plan.dose_uids == ("d-course 1", "d-boost")
    assert plan.parts == (("plan of course 1", "p-course 1", ""), ("boost", "p-boost", ""))
    assert [notice.code for notice in course.notices] == ["same-fraction"]
    entry = course_entry(a_review(merge_same_fraction(courses, GROUP)), 0)["plans"]
    assert [each["same_fraction_plans"] for each in entry] == [["plan of course 1", "boost"]]


def test_other_grids_are_brought_onto_the_finest_as_far_as_all_reach(courses):
    fine = a_ramp(0.1, (-20.0, -20.0, -20.0), (2.0, 2.0, 2.0), (21, 21, 21))
    coarse = a_ramp(-0.05, (-30.0, -9.0, -30.0), (5.0, 5.0, 5.0), (13, 13, 8))
    first, boost = courses[0].plans
    courses[0] = replace(courses[0], plans=(replace(first, dose=coarse), replace(boost, dose=fine)))
    course = merge_same_fraction(courses, GROUP)[0]
    total = course.plans[0].dose
    assert [notice.code for notice in course.notices] == ["same-fraction", "same-fraction-resampled"]
    # From the larger of the first to the smaller of the last voxel centres; -9 lies between two of the fine grid.
    np.testing.assert_allclose(total.corners_lps().min(axis=0), [-20.0, -8.0, -20.0])
    np.testing.assert_allclose(total.corners_lps().max(axis=0), [20.0, 20.0, 4.0])
    points = np.random.default_rng(0).uniform([-20, -8, -20], [20, 20, 4], (50, 3))
    values, inside = sample_linear(total, points)
    assert inside.all()
    np.testing.assert_allclose(values, 20 + 0.05 * points[:, 0], rtol=1e-6)


def turned(volume):
    matrix = volume.index_to_lps.copy()
    cosine, sine = np.cos(0.3), np.sin(0.3)
    matrix[:3, :3] = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ matrix[:3, :3]
    return Volume(volume.array, matrix, volume.frame_of_reference_uid)


def with_boost(courses, **values):
    first, boost = courses[0].plans
    return [replace(courses[0], plans=(first, replace(boost, **values))), courses[1]]


@pytest.mark.parametrize(
    ("change", "groups", "message"),
    [
        (lambda c: c, [("boost",)], "two or more"),
        (lambda c: c, [("boost", "boost")], "two or more different"),
        (lambda c: c, [("boost", "other")], "'other' is not one plan: there are 'plan of course 1'"),
        (lambda c: c, [("boost", "plan of course 2")], "different courses"),
        (lambda c: with_boost(c, fractions=5), GROUP, "different numbers of fractions: 10, 5"),
        (lambda c: with_boost(c, delivered_fractions=5), GROUP, "different delivered fractions"),
        (lambda c: with_boost(c, delivery="hdr"), GROUP, "different deliveries"),
        (lambda c: with_boost(c, modality="RTIONPLAN"), GROUP, "not RBE-weighted"),
        (
            lambda c: with_boost(c, label="plan of course 2"),
            [("plan of course 1", "plan of course 2")],
            "several plans",
        ),
        (lambda c: with_boost(c, dose=turned(a_grid(1.0))), GROUP, "turned to each other"),
        (lambda c: with_boost(c, dose=a_ramp(0, (500, 0, 0), (3, 3, 3), (9, 9, 9))), GROUP, "no part in common"),
    ],
)
def test_what_was_not_one_fraction_is_refused(courses, change, groups, message):
    with pytest.raises(ReirradiationError, match=message):
        merge_same_fraction(change(courses), groups)


class TestLetd:
    def written(self, folder, value=5.0, half_width_mm=60.0):
        import SimpleITK as sitk

        path = folder / "letd.mha"
        sitk.WriteImage(a_grid(value, half_width_mm).to_sitk(), str(path))
        return path

    def test_is_brought_to_the_dose_grid_and_survives_a_record(self, courses, tmp_path):
        path = self.written(tmp_path, half_width_mm=63.0)
        course = with_letd(courses, {"boost": path})[0]
        first, boost = course.plans
        assert first.letd_kev_um is None
        np.testing.assert_allclose(boost.letd_kev_um, np.full(boost.dose.array.shape, 5.0))
        restored = course_of(course_record(course), course.ct.volume, [plan.dose for plan in course.plans])
        np.testing.assert_array_equal(restored.plans[1].letd_kev_um, boost.letd_kev_um)

    @pytest.mark.parametrize(
        ("value", "half_width_mm", "message"),
        [(5.0, 30.0, "does not cover"), (500.0, 60.0, "keV/um"), (-1.0, 60.0, "keV/um")],
    )
    def test_that_does_not_fit_is_refused(self, courses, tmp_path, value, half_width_mm, message):
        with pytest.raises(ReirradiationError, match=message):
            with_letd(courses, {"boost": self.written(tmp_path, value, half_width_mm)})

    def test_needs_a_plan_and_an_image(self, courses, tmp_path):
        with pytest.raises(ReirradiationError, match="not one plan"):
            with_letd(courses, {"none": self.written(tmp_path)})
        (tmp_path / "text.mha").write_text("no image")
        with pytest.raises(ReirradiationError, match="cannot be read as an image"):
            with_letd(courses, {"boost": tmp_path / "text.mha"})
