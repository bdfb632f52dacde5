"""Figures from blocks of samples are those of all samples, whatever is asked and however a plan is weighted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ReirradiationReviewLib.core.biology.delivery import Fractions
from ReirradiationReviewLib.core.biology.rbe import VARIABLE_RBE, LetMoments
from ReirradiationReviewLib.core.dose_blocks import dose_blocks
from ReirradiationReviewLib.core.dose_mapping import DoseMoments, PlanWeight, sum_eqd2, sum_physical
from ReirradiationReviewLib.core.linear_dose import eqd2_terms, features, physical_terms
from ReirradiationReviewLib.core.organs.dvh import dose_volume, metric

METRICS = (
    "Dmin", "Dmean", "Dmax", "D0.03cc", "D0.1cc", "D2cc", "D2%", "D40%", "D95%", "D100%", "V20Gy%", "V0Gycc",
    "V33.3Gycc", "V500Gy%", "CV15Gycc", "CV40Gy%",
)  # fmt: skip


def some_moments(random, count, *, smooth, ends, with_let=False):
    """Return moments of one plan at points on a line; ``ends`` is the share that lies outside its grid."""
    along = np.linspace(0, 1, count)
    if smooth:
        p_gy = 60 / (1 + np.exp((along - random.uniform(0, 1)) * random.uniform(3, 40)))
    else:
        p_gy = np.round(random.gamma(2.0, 12.0, count), random.integers(0, 3))
    s_gy2 = p_gy**2 * random.uniform(1.0, 1.1, count)
    let = LetMoments(p_gy * 2.5, s_gy2 * 2.5, s_gy2 * 7.0) if with_let else None
    return DoseMoments(p_gy, s_gy2, along >= ends * random.uniform(0, 1), let)


@st.composite
def an_organ_and_weights(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.sampled_from([1, 2, 95, 96, 97, 3_000, 20_000]))
    ends = draw(st.sampled_from([0.0, 0.0, 0.5, 1.5]))
    plans = draw(st.integers(1, 3))
    smooth = draw(st.booleans())
    moments = [some_moments(random, count, smooth=smooth, ends=ends) for _ in range(plans)]
    weights = [
        PlanWeight(
            int(random.integers(1, 40)),
            float(random.choice([0.0, 0.5, 1.0])),
            float(random.choice([1.0, 0.6])),
            float(random.choice([1.0, 1.1])),
            delivery=Fractions(2, 6.0) if random.random() < 0.2 else Fractions(),
        )
        for _ in range(plans)
    ]
    # Which of several samples of one dose comes first is open, so these have one volume.
    shares = random.uniform(0.2, 1.0, count) if smooth else np.ones(count)
    volumes_cc = shares * draw(st.sampled_from([1e-4, 1e-3, 0.05]))
    return moments, weights, volumes_cc


def blocks_of(moments, volumes_cc):
    return dose_blocks([features(m) for m in moments], [m.inside for m in moments], volumes_cc)


@settings(max_examples=150, deadline=None)
@given(an_organ_and_weights(), st.floats(0.5, 15), st.booleans())
def test_every_figure_is_that_of_all_samples(case, alpha_beta_gy, as_eqd2):
    moments, weights, volumes_cc = case
    if as_eqd2:
        total, terms = (sum_of(moments, weights, alpha_beta_gy, 4.0) for sum_of in (sum_eqd2, eqd2_terms))
    else:
        total, terms = sum_physical(moments, weights), physical_terms(moments, weights)
    blocks = blocks_of(moments, volumes_cc)
    low = dose_volume(total.low_gy[total.known], volumes_cc[total.known], volumes_cc[~total.known].sum())
    high = dose_volume(total.high_gy, volumes_cc)
    quick_low = blocks.dose(terms.coefficients, terms.active)
    quick_high = blocks.dose(terms.coefficients, terms.active, assume_unknown=True)
    for name in METRICS:
        assert metric(name)(quick_low) == pytest.approx(metric(name)(low), rel=1e-9, abs=1e-12, nan_ok=True), name
        assert metric(name)(quick_high) == pytest.approx(metric(name)(high), rel=1e-9, abs=1e-12), name
    assert quick_low.unknown_volume_cc == pytest.approx(low.unknown_volume_cc, rel=1e-9, abs=1e-12)
    assert blocks.incomplete_cc(terms.active) == pytest.approx(volumes_cc[~total.complete].sum(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("model", VARIABLE_RBE.values(), ids=lambda model: model.name)
def test_a_variable_rbe_whose_terms_have_either_sign_is_bounded_too(model):
    random = np.random.default_rng(3)
    moments = [
        some_moments(random, 5_000, smooth=True, ends=0.0, with_let=True),
        some_moments(random, 5_000, smooth=False, ends=0.0),
    ]
    weights = [PlanWeight(30, rbe_model=model), PlanWeight(5)]
    volumes_cc = np.full(5_000, 1e-3)
    terms = eqd2_terms(moments, weights, 2.0, 4.0)
    quick = blocks_of(moments, volumes_cc).dose(terms.coefficients, terms.active)
    plain = dose_volume(sum_eqd2(moments, weights, 2.0, 4.0).low_gy, volumes_cc)
    for name in METRICS:
        assert metric(name)(quick) == pytest.approx(metric(name)(plain), rel=1e-9, abs=1e-12), name


def test_the_curve_is_that_of_all_samples():
    random = np.random.default_rng(4)
    moments = [some_moments(random, 4_000, smooth=True, ends=0.3)]
    volumes_cc = random.uniform(1e-3, 2e-3, 4_000)
    total = sum_eqd2(moments, [PlanWeight(20)], 3.0)
    terms = eqd2_terms(moments, [PlanWeight(20)], 3.0, 4.0)
    quick = blocks_of(moments, volumes_cc).dose(terms.coefficients, terms.active).curve(50)
    plain = dose_volume(total.low_gy[total.known], volumes_cc[total.known], volumes_cc[~total.known].sum()).curve(50)
    np.testing.assert_allclose(quick, plain, rtol=1e-9, atol=1e-12)


def test_the_curve_of_a_dose_that_is_nowhere_known_is_empty():
    random = np.random.default_rng(4)
    moments = [some_moments(random, 100, smooth=True, ends=1e9)]
    terms = eqd2_terms(moments, [PlanWeight(20)], 3.0, 4.0)
    unknown = blocks_of(moments, np.ones(100)).dose(terms.coefficients, terms.active)
    assert [len(part) for part in unknown.curve(50)] == [0, 0]
    assert unknown.all_samples.unknown_volume_cc == pytest.approx(100.0)


@given(st.floats(0.0, 3.0), st.integers(1, 40), st.floats(0.5, 15))
def test_scaling_a_plan_scales_dose_and_its_square(scale, fractions, alpha_beta_gy):
    random = np.random.default_rng(5)
    moments = [some_moments(random, 50, smooth=True, ends=0.0) for _ in range(2)]
    weights = [PlanWeight(fractions), PlanWeight(5)]
    scaled = [DoseMoments(moments[0].p_gy * scale, moments[0].s_gy2 * scale**2, moments[0].inside), moments[1]]
    expected = sum_eqd2(scaled, weights, alpha_beta_gy).low_gy
    terms = eqd2_terms(moments, weights, alpha_beta_gy, 4.0).with_scaled(np.array([True, False]), scale)
    stacked = np.stack([column for m in moments for column in features(m)])
    np.testing.assert_allclose(terms.coefficients @ stacked, expected, rtol=1e-9, atol=1e-12)
