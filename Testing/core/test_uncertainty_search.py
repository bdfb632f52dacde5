"""The k-mm search: RADAR's invariants, and what a search through all pairs of points finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_courses import a_box, a_cylinder, a_protocol, a_review
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.uncertainty import UncertaintySettings
from ReirradiationReviewLib.core.uncertainty.search import SearchGrid


def by_all_pairs(points, values, radius_mm):
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    return np.where(apart <= radius_mm, values[None], -np.inf).max(axis=1)


@st.composite
def points_and_values(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.sampled_from([1, 2, 30, 300]))
    points = random.uniform(-1, 1, (count, 3)) * draw(st.sampled_from([2.0, 20.0])) + random.uniform(-300, 300, 3)
    return points, random.gamma(2.0, 10.0, count)


@settings(max_examples=60, deadline=None)
@given(points_and_values(), st.floats(0.5, 8.0))
def test_it_finds_what_lies_within_the_radius_give_or_take_a_cell(case, radius_mm):
    points, values = case
    grid = SearchGrid.around(points, radius_mm)
    found = grid.highest(values)
    diagonal_mm = np.sqrt(3) * grid.cell_mm
    assert np.all(found >= by_all_pairs(points, values, radius_mm - diagonal_mm) * (1 - 1e-6))
    assert np.all(found <= by_all_pairs(points, values, radius_mm + diagonal_mm) * (1 + 1e-6))


def test_a_cell_is_a_third_of_the_radius_unless_the_organ_is_very_large():
    points = np.array([[0.0, 0.0, 0.0], [60.0, 60.0, 90.0]])
    assert SearchGrid.around(points, 3.0).cell_mm == pytest.approx(1.0)
    assert SearchGrid.around(points * 5, 3.0).cell_mm == pytest.approx(2.16, abs=0.1)


@settings(max_examples=60, deadline=None)
@given(points_and_values(), st.floats(0.5, 8.0))
def test_within_the_organ_no_sum_exceeds_the_sum_of_maxima(case, radius_mm):
    points, earlier = case
    new = np.random.default_rng(1).gamma(2.0, 10.0, len(points))
    found = SearchGrid.around(points, radius_mm).highest(earlier)
    assert np.all(found >= earlier)
    assert (new + found).max() <= new.max() + earlier.max()
    assert (new + found).max() >= (new + earlier).max()


@settings(max_examples=30, deadline=None)
@given(points_and_values(), st.floats(0.5, 4.0))
def test_twice_as_far_finds_no_less(case, radius_mm):
    points, values = case
    near, far = (SearchGrid.around(points, radius).highest(values) for radius in (radius_mm, 2 * radius_mm))
    # Cells grow with the radius; all that lies within the near ball lies within the far one.
    assert np.all(far >= near * (1 - 1e-6))


def test_points_outside_are_found_only_if_they_are_offered():
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    grid = SearchGrid.around(points, 3.0)
    centres = grid.centres_mm(grid.near_cells)
    assert np.linalg.norm(centres - points[0], axis=1).max() <= 3.0 + 1.0 + np.sqrt(3)
    hot = np.where(centres[:, 1] > 2.0, 50.0, 1.0)
    assert grid.highest(np.array([5.0, 5.0])).max() == 5.0
    assert grid.highest(np.array([5.0, 5.0]), hot).tolist() == [50.0, 50.0]


class TestACordBesideAnOldTarget:
    """The old course's edge runs along the cord; the new plan is hottest at the cord's other end."""

    @pytest.fixture
    def review(self, tmp_path):
        return a_review(
            lambda x, y, z: np.clip(60 - 6 * (x - 4), 0, 60) * (z > 0) + 10,
            lambda x, y, z: np.clip(30 + z, 0, 60),
            (a_cylinder("SpinalCord", centre_xy=(18.0, 0.0), radius_mm=6.0),),
            fractions=(30, 30),
            protocols=(a_protocol(tmp_path, metric="Dmax", limit=100),),
        )

    def ranges_of(self, review, **settings):
        (found,) = review.uncertainty(UncertaintySettings(samples=0, **settings))
        return {source.name: source for source in found.sources}

    def test_restricted_it_stays_below_the_sum_of_maxima_and_unrestricted_it_goes_above(self, review):
        cord = review.organ("SpinalCord")
        maxima = sum(cord.eqd2(review.weights([index]), 2.0).low.dmax_gy for index in (0, 1))
        plain = cord.eqd2(review.weights(), 2.0).low.dmax_gy
        inside = self.ranges_of(review, search_mm=3.0)["search"].high
        anywhere = self.ranges_of(review, search_mm=3.0, search_within_organ=False)["search"].high
        assert plain < inside <= maxima + 1e-9
        assert anywhere > maxima

    def test_without_a_radius_there_is_no_search(self, review):
        assert "search" not in self.ranges_of(review, search_mm=0.0)

    def test_the_search_in_a_known_gradient_gains_the_gradient_times_the_radius(self, tmp_path):
        # EQD2 of a dose in 2 Gy fractions is the dose, nearly so around 40 Gy in 20 fractions.
        protocol = a_protocol(tmp_path, metric="Dmean", quantity="physical", alpha_beta_gy=None, model=None, limit=200)
        organ = a_box("SpinalCord", (-15, -15, -15), (15, 15, 15))
        review = a_review(lambda x, y, z: 40 + 0.5 * x, lambda x, y, z: 0.0, (organ,), protocols=(protocol,))
        gain = self.ranges_of(review, search_mm=6.0, search_within_organ=False)["search"].high - 40.0
        assert gain == pytest.approx(0.5 * 6.0, abs=0.5 * 2.0)


@pytest.mark.parametrize("radius_mm", [-1.0, 50.0, float("nan")])
def test_a_radius_out_of_range_is_refused(radius_mm):
    with pytest.raises(ReirradiationError, match="search radius"):
        UncertaintySettings(search_mm=radius_mm)
