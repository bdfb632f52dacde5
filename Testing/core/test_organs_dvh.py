"""Near-maximum doses found without putting all samples in order are those of the whole order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.dvh import dose_volume, metric


def in_full_order(dose_gy, volumes_cc, volume_cc):
    order = np.argsort(-dose_gy, kind="stable")
    reached = np.cumsum(volumes_cc[order]) - volumes_cc[order] / 2
    return np.interp(volume_cc, reached, dose_gy[order])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-5, 1e-4, 1e-3, 0.1]), st.booleans())
def test_the_hottest_part_is_that_of_the_whole_order(seed, size_cc, with_ties):
    random = np.random.default_rng(seed)
    dose_gy = random.gamma(2.0, 10.0, 40_000)
    if with_ties:
        dose_gy = np.round(dose_gy, 0)
    volumes_cc = random.uniform(0.2, 1.0, len(dose_gy)) * size_cc
    dose = dose_volume(dose_gy, volumes_cc)
    for volume_cc in (0.0, 0.03, 0.1, 1.0, 2.0, 2.5, 50.0):
        assert dose.dose_at_volume_cc(volume_cc) == pytest.approx(in_full_order(dose_gy, volumes_cc, volume_cc))


def test_known_figures_of_evenly_spread_doses():
    dose = dose_volume(np.arange(0.5, 100.0), np.full(100, 0.1), unknown_volume_cc=10.0)
    assert metric("Dmean")(dose) == pytest.approx(50.0)
    assert metric("D1cc")(dose) == pytest.approx(90.0)
    assert metric("D25%")(dose) == pytest.approx(50.0)
    assert metric("V60Gycc")(dose) == pytest.approx(4.0)
    assert metric("V60Gy%")(dose) == pytest.approx(20.0)
    assert metric("CV60Gycc")(dose) == pytest.approx(6.0)
    assert metric("CV60Gy%")(dose) == pytest.approx(30.0)


def test_a_dose_that_is_met_exactly_counts_as_received():
    dose = dose_volume(np.array([10.0, 20.0, 30.0]), np.ones(3))
    assert dose.volume_cc_at_dose(20.0) == 2.0
    assert dose.spared_volume_cc_at_dose(20.0) == 1.0


def test_more_than_the_organ_holds_is_its_minimum():
    dose = dose_volume(np.array([10.0, 20.0]), np.full(2, 0.01))
    assert dose.dose_at_volume_cc(0.03) == dose.dmin_gy == 10.0


def test_the_curve_falls_from_the_whole_volume_at_zero_dose():
    dose_gy, volume_cc = dose_volume(np.array([10.0, 20.0, 30.0]), np.array([1.0, 2.0, 4.0])).curve(4)
    assert dose_gy.tolist() == [0.0, 10.0, 20.0, 30.0]
    assert volume_cc.tolist() == [7.0, 7.0, 6.0, 4.0]


def test_the_curve_says_at_every_dose_what_the_volume_metric_says():
    random = np.random.default_rng(3)
    dose = dose_volume(random.uniform(0.0, 60.0, 5_000), random.uniform(0.001, 0.002, 5_000), 2.0)
    dose_gy, volume_cc = dose.curve(61)
    by_metric = [metric(f"V{level:.6f}Gycc")(dose) for level in dose_gy]
    assert volume_cc == pytest.approx(by_metric, abs=0.003)
    assert volume_cc[0] == pytest.approx(dose.known_volume_cc)


@pytest.mark.parametrize("name", ["D1.2.3cc", "D.cc", "Dcc", "V20%", "v20Gy%", "CV15", "D0.03cc ", "D٣cc"])
def test_a_malformed_number_or_unit_is_refused(name):
    with pytest.raises(ReirradiationError, match="no dose-volume metric"):
        metric(name)


def test_all_of_a_uniform_dose_reaches_that_dose_whatever_interpolation_rounded():
    dose = dose_volume(20.0 * (1 - np.array([0.0, 1e-15, 3e-15])), np.full(3, 0.1))
    assert metric("V20Gy%")(dose) == pytest.approx(100.0)
    assert metric("CV20Gycc")(dose) == 0.0
    assert metric("V20.001Gy%")(dose) == 0.0
