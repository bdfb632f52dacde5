"""The composite on its grid against sums by hand."""

import numpy as np
import pytest
from made_up_review import a_course, a_grid, a_review, four_structures


def a_rising_dose():
    dose = a_grid(0.0)
    return dose.like(np.linspace(0.0, 70.0, dose.array.size, dtype=np.float32).reshape(dose.array.shape))


@pytest.mark.parametrize("alpha_beta_gy", [1.0, 2.5, 10.0])
def test_every_voxel_is_the_sum_of_the_courses_eqd2(alpha_beta_gy):
    review = a_review(
        [
            a_course("course 1", "2020-01-01", a_rising_dose(), 35),
            a_course("course 2", "2022-01-01", a_grid(20.0), 4, four_structures()),
        ]
    )
    composite = review.composite.eqd2(review.weights(), alpha_beta_gy)
    first = a_rising_dose().array.astype(np.float64)
    by_hand = first * (first / 35 + alpha_beta_gy) / (2 + alpha_beta_gy) + 20 * (5 + alpha_beta_gy) / (
        2 + alpha_beta_gy
    )
    np.testing.assert_allclose(composite.array, by_hand, rtol=1e-6)


def test_a_voxel_outside_every_grid_of_the_sum_is_unknown_and_one_inside_a_single_grid_has_its_dose():
    small, large = a_grid(40.0, half_width_mm=30.0), a_grid(20.0)
    review = a_review(
        [a_course("course 1", "2020-01-01", small, 20), a_course("course 2", "2022-01-01", large, 4, four_structures())]
    )
    edge, centre = (20, 0, 0), (20, 20, 20)
    both = review.composite.eqd2(review.weights(), 3.0).array
    assert (both[edge], both[centre]) == (pytest.approx(32.0), pytest.approx(72.0))
    only_first = review.composite.eqd2(review.weights([0]), 3.0).array
    assert np.isnan(only_first[edge])
    assert only_first[centre] == pytest.approx(40.0)
    reduced = review.composite.eqd2(review.weights(recovery=0.5), 3.0).array
    assert reduced[centre] == pytest.approx(52.0)


def test_the_hot_spot_is_the_hottest_voxels_centre():
    dose = a_grid(20.0)
    dose.array[7, 11, 30] = 25.0
    review = a_review(
        [
            a_course("course 1", "2020-01-01", dose, 10),
            a_course("course 2", "2022-01-01", a_grid(20.0), 4, four_structures()),
        ]
    )
    np.testing.assert_allclose(review.hot_spot_lps(), [-60 + 3 * 30, -60 + 3 * 11, -60 + 3 * 7])
