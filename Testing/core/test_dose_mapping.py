"""Dose is converted on its own grid, then warped, then summed; what a grid does not cover stays unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.dose_mapping import PlanWeight, dose_moments, sum_eqd2, sum_physical
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume, sample_linear


def eqd2(dose_gy, fractions, alpha_beta_gy):
    return dose_gy * (dose_gy / fractions + alpha_beta_gy) / (2 + alpha_beta_gy)


@pytest.fixture
def a_steep_dose() -> Volume:
    random = np.random.default_rng(3)
    matrix = np.diag([2.5, 2.0, 3.0, 1.0])
    matrix[:3, 3] = [-20.0, 10.0, 5.0]
    return Volume(random.uniform(0, 60, (9, 11, 10)), matrix, "1.2.3")


@pytest.fixture
def a_tilt() -> SpatialTransform:
    angle = np.radians(7.0)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = [-3.0, 2.0, 4.0]
    return SpatialTransform(matrix)


def random_points_inside(dose: Volume, transform: SpatialTransform, count: int = 500):
    random = np.random.default_rng(5)
    points = dose.to_lps(random.uniform(0, 1, (count, 3)) * (np.array(dose.shape_ijk) - 1))
    inverse = np.linalg.inv(transform.matrix_lps)
    return points @ inverse[:3, :3].T + inverse[:3, 3]


@pytest.mark.parametrize("alpha_beta_gy", [0.5, 2.0, 3.0, 10.0])
def test_moments_give_the_eqd2_converted_before_the_warp(a_steep_dose, a_tilt, alpha_beta_gy):
    points = random_points_inside(a_steep_dose, a_tilt)
    moments = dose_moments(a_steep_dose, a_tilt, points)
    assert moments.inside.all()
    composite = sum_eqd2([moments], [PlanWeight(5)], alpha_beta_gy)
    converted_first = a_steep_dose.like(eqd2(a_steep_dose.array, 5, alpha_beta_gy))
    expected, _ = sample_linear(converted_first, a_tilt.apply(points))
    np.testing.assert_allclose(composite.low_gy, expected, rtol=1e-10)


def test_converting_after_the_warp_would_be_lower(a_steep_dose, a_tilt):
    points = random_points_inside(a_steep_dose, a_tilt)
    moments = dose_moments(a_steep_dose, a_tilt, points)
    after_warp = eqd2(moments.p_gy, 5, 2.0)
    before_warp = sum_eqd2([moments], [PlanWeight(5)], 2.0).low_gy
    assert np.all(before_warp >= after_warp - 1e-9)
    assert np.max(before_warp - after_warp) > 5.0


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 40)), min_size=2, max_size=4), st.floats(0.5, 20))
def test_summing_physical_dose_first_never_gives_more(plans, alpha_beta_gy):
    one_point = np.zeros((1, 3))
    moments = [dose_moments(Volume(np.full((2, 2, 2), d), np.eye(4)), SpatialTransform(), one_point) for d, _ in plans]
    composite = sum_eqd2(moments, [PlanWeight(n) for _, n in plans], alpha_beta_gy).low_gy[0]
    total_gy, total_fractions = sum(d for d, _ in plans), sum(n for _, n in plans)
    assert composite >= eqd2(total_gy, total_fractions, alpha_beta_gy) - 1e-9


def test_two_courses_of_the_published_example_add_up():
    # 60 Gy in 30 and 30 Gy in 5 at alpha/beta 3: 60 + 54 = 114 Gy; the sum of doses in 35 fractions gives 100.3.
    point = np.zeros((1, 3))
    moments = [dose_moments(Volume(np.full((2, 2, 2), d), np.eye(4)), SpatialTransform(), point) for d in (60.0, 30.0)]
    assert sum_eqd2(moments, [PlanWeight(30), PlanWeight(5)], 3.0).low_gy[0] == pytest.approx(114.0)
    assert eqd2(90.0, 35, 3.0) == pytest.approx(100.3, abs=0.05)


def test_a_known_translation_moves_dose_the_right_way():
    array = np.zeros((5, 5, 5))
    array[2, 2, 3] = 40.0  # at LPS (3, 2, 2) of the earlier course
    matrix = np.eye(4)
    matrix[:3, 3] = [10.0, 0.0, 0.0]  # a reference point lies 10 mm further left in the earlier course
    moments = dose_moments(Volume(array, np.eye(4)), SpatialTransform(matrix), np.array([[-7.0, 2.0, 2.0]]))
    assert moments.p_gy[0] == 40.0


class TestOutsideADoseGrid:
    """Two plans on a line: the second one's grid ends at x = 4 mm with 6 Gy at its edge."""

    @pytest.fixture
    def moments(self):
        points = np.array([[2.0, 0, 0], [7.0, 0, 0], [50.0, 0, 0]])
        long = Volume(np.full((2, 2, 11), 20.0), np.eye(4))
        short = Volume(np.broadcast_to(np.array([2.0, 3, 4, 5, 6]), (2, 2, 5)).copy(), np.eye(4))
        return [dose_moments(dose, SpatialTransform(), points) for dose in (long, short)]

    def test_the_known_part_is_counted_and_the_rest_is_bounded_by_the_edge(self, moments):
        total = sum_physical(moments, [PlanWeight(10), PlanWeight(2)])
        np.testing.assert_allclose(total.low_gy, [24.0, 20.0, 0.0])
        np.testing.assert_allclose(total.high_gy, [24.0, 26.0, 26.0])

    def test_it_is_said_what_is_known_and_what_is_complete(self, moments):
        total = sum_physical(moments, [PlanWeight(10), PlanWeight(2)])
        assert total.known.tolist() == [True, True, False]
        assert total.complete.tolist() == [True, False, False]

    def test_a_plan_left_out_of_the_sum_is_not_missed(self, moments):
        total = sum_physical(moments, [PlanWeight(10), PlanWeight(2, weight=0.0)])
        assert total.complete.tolist() == [True, True, False]


def test_recovery_scales_eqd2_and_not_dose():
    # 50 Gy in 25, alpha/beta 2, half recovered: 25 Gy; halving the physical dose instead would give 18.75 Gy.
    point = np.zeros((1, 3))
    moments = dose_moments(Volume(np.full((2, 2, 2), 50.0), np.eye(4)), SpatialTransform(), point)
    assert sum_eqd2([moments], [PlanWeight(25, 0.5)], 2.0).low_gy[0] == pytest.approx(25.0)
    assert eqd2(25.0, 25, 2.0) == pytest.approx(18.75)
