"""Function-weighted dose-volume figures against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_review import a_course, a_cylinder, a_grid, a_review
from ReirradiationReviewLib.core.dose_mapping import sum_physical
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.dvh import metric
from ReirradiationReviewLib.core.organs.functional import functional_dose

RADIUS_MM = 15.0


def along_x(values_of_x, half_width_mm=60.0):
    grid = a_grid(0.0, half_width_mm)
    x = -half_width_mm + 3.0 * np.arange(grid.array.shape[2])
    return grid.like(np.broadcast_to(values_of_x(x), grid.array.shape).astype(np.float32))


@pytest.fixture(scope="module")
def lung():
    """A cylinder about the origin whose new dose is 20 Gy + 1 Gy/mm along x."""
    structure = a_cylinder("Lung_R", 1, radius_mm=RADIUS_MM)
    new = a_course("course 2", "2022-01-01", along_x(lambda x: np.maximum(20.0 + x, 0.0)), 25, [structure])
    return a_review([a_course("course 1", "2020-01-01", a_grid(0.0), 25), new])


def weighted(review, function):
    organ = review.organ("Lung_R")
    return functional_dose(sum_physical(organ.moments, review.weights([1])), organ.samples, function, organ.name)


def test_a_uniform_map_in_any_unit_changes_nothing(lung):
    for value in (1.0, 480.0):
        found = weighted(lung, a_grid(value))
        assert found.mean_function == pytest.approx(value)
        for name in ("Dmean", "D2%", "D50%", "V20Gy%"):
            assert metric(name)(found.weighted) == pytest.approx(metric(name)(found.plain), rel=1e-9)
        assert found.weighted.total_volume_cc == pytest.approx(lung.organ("Lung_R").samples.volume_cc)


def test_a_map_that_rises_with_dose_raises_the_mean_by_the_variance_over_the_mean(lung):
    # f = 30 + x: mean dose 20 + <x f> / <f> = 20 + <x^2> / 30, and <x^2> = R^2 / 4 in a circle.
    found = weighted(lung, along_x(lambda x: np.maximum(30.0 + x, 0.0)))
    assert found.plain.dmean_gy == pytest.approx(20.0, abs=0.02)
    assert found.weighted.dmean_gy == pytest.approx(20.0 + RADIUS_MM**2 / 4 / 30.0, abs=0.02)
    # fV20: half the circle, weighted: 1/2 + <x where x > 0> / 30, and that mean is 2 R / (3 pi) over the whole circle.
    expected = 50.0 + 100.0 * (2 * RADIUS_MM / (3 * np.pi)) / 30.0
    assert metric("V20Gy%")(found.weighted) == pytest.approx(expected, abs=0.6)
    assert metric("V20Gy%")(found.plain) == pytest.approx(50.0, abs=0.6)


def test_dose_where_nothing_works_does_not_count(lung):
    working_half = along_x(lambda x: np.where(x < 0, 1.0, 0.0))
    found = weighted(lung, working_half)
    # Only x < 0 works, up to interpolation between voxels of 3 mm.
    assert metric("V23Gy%")(found.weighted) == 0.0
    assert metric("V23Gy%")(found.plain) > 30.0
    assert found.unknown_percent == pytest.approx(0.0)


def test_what_the_map_does_not_cover_is_told_and_counted_in_neither(lung):
    found = weighted(lung, along_x(lambda x: np.where(x < 0, 1.0, np.nan)))
    assert 50.0 < found.unknown_percent < 65.0  # voxel centres from -3 mm on are known
    assert found.plain.total_volume_cc == pytest.approx(found.weighted.total_volume_cc)
    assert metric("V20Gy%")(found.plain) == 0.0


def test_a_map_that_cannot_be_a_weight_is_refused(lung):
    with pytest.raises(ReirradiationError, match="negative in Lung_R"):
        weighted(lung, along_x(lambda x: x))
    with pytest.raises(ReirradiationError, match="zero in all of Lung_R"):
        weighted(lung, a_grid(0.0))
    with pytest.raises(ReirradiationError, match="does not cover Lung_R"):
        weighted(lung, a_grid(np.nan))
