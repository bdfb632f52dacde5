"""BED and EQD2 against published and hand-computed values, and the inequalities that make naive sums unsafe."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.biology import bed_gy, eqd2_from_moments, eqd2_gy, load_alpha_beta_table
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.names import match_organ
from ReirradiationReviewLib.core.organs.vocabulary import vocabulary

DOSES = st.floats(0, 150, allow_subnormal=False)
FRACTIONS = st.integers(1, 45)
ALPHA_BETAS = st.floats(0.5, 20)


def rounded(value, printed):
    """Return the value with as many decimals as the printed figure has."""
    return f"{value:.{len(printed.partition('.')[2])}f}"


# Published examples: total dose, fractions, alpha/beta, what, printed value.
PUBLISHED = [
    (50, 25, 2, bed_gy, "100"),  # PMID 17084560
    (50, 25, 4, bed_gy, "75"),
    (26, 4, 2, bed_gy, "110.5"),  # PMC6236857, Table 1
    (34.8, 4, 3, bed_gy, "135.7"),
    (30, 4, 3, bed_gy, "105"),
    (34, 4, 3, bed_gy, "130.3"),
    (36, 4, 3, bed_gy, "144"),
    (20, 4, 3, bed_gy, "53.3"),
    (55, 20, 10, bed_gy, "70.125"),
    (55, 20, 3, bed_gy, "105.417"),
    (55, 20, 2, bed_gy, "130.625"),
    (20, 1, 10, bed_gy, "60"),
    (20, 5, 3, eqd2_gy, "28"),
    (60, 20, 1.5, eqd2_gy, "77.14"),
    (25.3, 5, 2, eqd2_gy, "44.65"),
]
# LQ-L with dT = 2 ab and gamma/alpha = 5.
PUBLISHED_LQL = [
    (25.3, 5, 2, bed_gy, "86.50"),
    (25.3, 5, 2, eqd2_gy, "43.25"),
    (36.25, 5, 3.1, bed_gy, "119.25"),
    (36.25, 5, 3.1, eqd2_gy, "72.49"),
]
# Dose, fractions, alpha/beta, BED, EQD2, EQD2 by LQ-L.
SCHEDULES = [
    (60, 30, 3, "100", "60", "60"),
    (54, 3, 3, "378", "226.8", "140.4"),
    (54, 3, 10, "151.2", "126", "126"),
    (48, 4, 10, "105.6", "88", "88"),
    (60, 8, 10, "105", "87.5", "87.5"),
    (35, 5, 3, "116.67", "70", "69"),
    (50, 5, 3, "216.67", "130", "114"),
    (30, 10, 2, "75", "37.5", "37.5"),
    (20, 5, 2, "60", "30", "30"),
    (8, 1, 2, "40", "20", "16"),
    (24, 2, 2, "168", "84", "52"),
    (27, 3, 2, "148.5", "74.25", "55.5"),
    (45, 25, 2, "85.5", "42.75", "42.75"),
    (54, 30, 2, "102.6", "51.3", "51.3"),
    (55, 20, 3, "105.417", "63.25", "63.25"),
    (34, 1, 3, "419.33", "251.6", "94.8"),
    (26, 5, 3, "71.067", "42.64", "42.64"),
    (40.05, 15, 3, "75.6945", "45.4167", "45.4167"),
]


@pytest.mark.parametrize(("dose", "fractions", "alpha_beta", "measure", "printed"), PUBLISHED)
def test_lq_gives_the_published_values_to_the_printed_digits(dose, fractions, alpha_beta, measure, printed):
    assert rounded(measure(dose, fractions, alpha_beta), printed) == printed


@pytest.mark.parametrize(("dose", "fractions", "alpha_beta", "measure", "printed"), PUBLISHED_LQL)
def test_lql_gives_the_published_values_to_the_printed_digits(dose, fractions, alpha_beta, measure, printed):
    assert rounded(measure(dose, fractions, alpha_beta, "lql"), printed) == printed


@pytest.mark.parametrize("row", SCHEDULES)
def test_the_schedule_table_holds_to_the_printed_digits(row):
    dose, fractions, alpha_beta, bed, eqd2, lql = row
    # A billionth is added because halves of the last digit (75.6945) have no exact binary form.
    assert rounded(bed_gy(dose, fractions, alpha_beta) + 1e-9, bed) == bed
    assert rounded(eqd2_gy(dose, fractions, alpha_beta) + 1e-9, eqd2) == eqd2
    assert rounded(eqd2_gy(dose, fractions, alpha_beta, "lql") + 1e-9, lql) == lql


def test_bed_and_eqd2_are_one_thing_on_two_scales():
    for bed, alpha_beta, eqd2 in ((135.5, 2, 67.75), (98, 2, 49.0), (104, 3, 62.4), (98, 3, 58.8), (113, 3, 67.8)):
        assert bed / (1 + 2 / alpha_beta) == pytest.approx(eqd2)
    assert bed_gy(98, 49, 2) == pytest.approx(2 * 98)


def test_the_hytec_examples_add_up():
    assert rounded(eqd2_gy(50, 25, 2) + eqd2_gy(14, 3, 2), "73.33") == "73.33"
    assert eqd2_gy(50, 25, 2) + eqd2_gy(11, 2, 2) == pytest.approx(70.625)


def test_a_missed_dose_per_fraction_is_made_good_by_the_known_schedule():
    # 66 Gy in 33 planned; 20 fractions of 1.8 Gy given by mistake; the other 13 have to be of about 2.3 Gy.
    assert eqd2_gy(20 * 1.8, 20, 10) + eqd2_gy(13 * 2.297, 13, 10) == pytest.approx(66, abs=0.01)


@given(st.floats(0.1, 100), FRACTIONS)
def test_two_gray_per_fraction_is_its_own_eqd2(alpha_beta, fractions):
    assert eqd2_gy(2.0 * fractions, fractions, alpha_beta) == pytest.approx(2.0 * fractions)
    if alpha_beta >= 1:
        assert eqd2_gy(2.0 * fractions, fractions, alpha_beta, "lql") == pytest.approx(2.0 * fractions)


@given(DOSES, FRACTIONS)
def test_the_limits_of_a_large_and_a_small_alpha_beta(dose, fractions):
    per_fraction = dose / fractions
    assert eqd2_gy(dose, fractions, 1e9) == pytest.approx(dose, rel=1e-6, abs=1e-6)
    assert eqd2_gy(dose, fractions, 1e-9) == pytest.approx(dose * per_fraction / 2, rel=1e-6, abs=1e-6)


@given(DOSES, FRACTIONS, ALPHA_BETAS)
def test_lql_equals_lq_up_to_its_transition_and_never_exceeds_it(dose, fractions, alpha_beta):
    lq, lql = eqd2_gy(dose, fractions, alpha_beta), eqd2_gy(dose, fractions, alpha_beta, "lql")
    assert lql <= lq * (1 + 1e-12)
    if dose / fractions <= 2 * alpha_beta:
        assert lql == pytest.approx(lq)


@given(ALPHA_BETAS)
def test_lql_has_no_step_and_no_kink_at_its_transition(alpha_beta):
    transition, step = 2 * alpha_beta, 1e-4 * alpha_beta
    below, at, above = (bed_gy(transition + shift, 1, alpha_beta, "lql") for shift in (-step, 0.0, step))
    assert (above - at) / step == pytest.approx(5.0, rel=1e-6)
    assert (at - below) / step == pytest.approx(5.0, rel=1e-3)


@given(DOSES, DOSES, FRACTIONS, FRACTIONS, ALPHA_BETAS)
def test_summing_dose_and_fractions_first_never_exceeds_the_true_sum(dose_1, dose_2, n_1, n_2, alpha_beta):
    """Titu's lemma: why plans given in different fractions are converted one by one."""
    right = eqd2_gy(dose_1, n_1, alpha_beta) + eqd2_gy(dose_2, n_2, alpha_beta)
    naive = eqd2_gy(dose_1 + dose_2, n_1 + n_2, alpha_beta)
    assert naive <= right + 1e-9 * (1 + right)


def test_the_naive_sum_is_low_by_the_known_amounts():
    assert eqd2_gy(50, 25, 2) + eqd2_gy(2, 10, 2) == pytest.approx(51.10)
    assert rounded(eqd2_gy(52, 35, 2), "45.31") == "45.31"
    assert eqd2_gy(60, 30, 3) + eqd2_gy(30, 5, 3) == pytest.approx(114.0)
    assert rounded(eqd2_gy(90, 35, 3), "100.3") == "100.3"


@given(DOSES, DOSES, st.floats(0, 1), FRACTIONS, ALPHA_BETAS)
def test_interpolating_dose_before_conversion_is_low_by_the_closed_form(dose_1, dose_2, w, n, alpha_beta):
    """Jensen's inequality: why EQD2 is formed on the plan's own grid before it is warped."""
    after = w * eqd2_gy(dose_1, n, alpha_beta) + (1 - w) * eqd2_gy(dose_2, n, alpha_beta)
    before = eqd2_gy(w * dose_1 + (1 - w) * dose_2, n, alpha_beta)
    closed_form = w * (1 - w) * (dose_1 - dose_2) ** 2 / (n * (2 + alpha_beta))
    assert after - before == pytest.approx(closed_form, rel=1e-6, abs=1e-8 * (1 + after))


@given(DOSES, FRACTIONS, ALPHA_BETAS, st.floats(0, 1))
def test_discounting_physical_dose_forgives_more_than_discounting_effect(dose, fractions, alpha_beta, recovery):
    of_dose = eqd2_gy((1 - recovery) * dose, fractions, alpha_beta)
    assert of_dose <= (1 - recovery) * eqd2_gy(dose, fractions, alpha_beta) + 1e-9


def test_half_of_50_gy_in_25_is_25_gy_and_not_18_75():
    assert 0.5 * eqd2_gy(50, 25, 2) == pytest.approx(25.0)
    assert eqd2_gy(25, 25, 2) == pytest.approx(18.75)


def test_the_mean_eqd2_of_a_linear_dose_is_not_the_eqd2_of_its_mean():
    dose = 4 + 24 * (np.arange(20000) + 0.5) / 20000
    assert eqd2_gy(dose, 5, 2).mean() == pytest.approx(23.2, abs=1e-6)
    assert eqd2_gy(16, 5, 2) == pytest.approx(20.8)


@given(st.lists(st.tuples(DOSES, st.floats(0.01, 1)), min_size=1, max_size=8), FRACTIONS, ALPHA_BETAS)
def test_the_moments_of_dose_give_the_warped_eqd2_exactly(samples, fractions, alpha_beta):
    dose, weight = np.array(samples).T
    weight /= weight.sum()
    direct = weight @ eqd2_gy(dose, fractions, alpha_beta)
    moments = np.array([weight @ dose]), np.array([weight @ dose**2])
    assert eqd2_from_moments(*moments, fractions, alpha_beta)[0] == pytest.approx(direct, rel=1e-12, abs=1e-12)


def test_moments_can_be_converted_in_place_and_are_otherwise_left_alone():
    p_gy, s_gy2 = np.array([10.0, 20.0]), np.array([100.0, 400.0])
    fresh = eqd2_from_moments(p_gy, s_gy2, 5, 3.0)
    np.testing.assert_allclose(fresh, eqd2_gy(p_gy, 5, 3.0))
    np.testing.assert_array_equal(s_gy2, [100.0, 400.0])
    assert eqd2_from_moments(p_gy, s_gy2, 5, 3.0, out=s_gy2) is s_gy2
    np.testing.assert_array_equal(s_gy2, fresh)
    np.testing.assert_array_equal(p_gy, [10.0, 20.0])


def test_arrays_keep_their_shape_and_numbers_stay_numbers():
    assert eqd2_gy(np.full((2, 3, 4), 10.0, dtype=np.float32), 5, 3.0).shape == (2, 3, 4)
    assert isinstance(bed_gy(10.0, 5, 3.0), float)
    assert isinstance(eqd2_gy(10, 5, 3), float)


@pytest.mark.parametrize(
    ("dose", "fractions", "alpha_beta", "message"),
    [
        (10.0, 0, 3.0, "number of fractions is 0"),
        (10.0, -5, 3.0, "number of fractions"),
        (10.0, 2.5, 3.0, "whole number"),
        (10.0, np.nan, 3.0, "number of fractions"),
        (10.0, 5, 0.0, "alpha/beta is 0"),
        (10.0, 5, -2.0, "alpha/beta"),
        (10.0, 5, np.inf, "alpha/beta"),
        (-0.1, 5, 3.0, "negative"),
        (np.nan, 5, 3.0, "undefined"),
        (np.array([1.0, np.inf]), 5, 3.0, "undefined"),
    ],
)
def test_what_has_no_bed_is_refused(dose, fractions, alpha_beta, message):
    with pytest.raises(ReirradiationError, match=message):
        eqd2_gy(dose, fractions, alpha_beta)
    if np.all(np.isfinite(dose)) and np.all(dose >= 0):
        with pytest.raises(ReirradiationError, match=message):
            eqd2_from_moments(np.array([dose]), np.array([dose]), fractions, alpha_beta)


def test_a_model_that_does_not_exist_is_refused():
    with pytest.raises(ReirradiationError, match="lq or lql"):
        bed_gy(10.0, 5, 3.0, "linear")


@pytest.mark.parametrize(
    ("structure", "alpha_beta", "status"),
    [
        ("Spinal_Cord", 2, "verified"),
        ("BrachialPlex_L", 2, "verified"),
        ("Oesophagus", 3, "verified"),
        ("Lung_L", 3, "verified"),
        ("Heart_1", 2.5, "verified"),
        ("Brainstem", 2, "unverified"),
        ("Optic Nerve R", 2, "unverified"),
        ("Parotid L", 3, "unverified"),
        ("Sphere_L", 3, "unverified"),
        ("PTV_ReRT", 10, "unverified"),
        ("SpinalCord_PRV05", 2, "verified"),  # a margin has its organ's tissue
        ("Lungs-GTV", 3, "verified"),
        ("SpinalCanal", 2, "unverified"),
    ],
)
def test_each_structure_gets_its_organs_alpha_beta(structure, alpha_beta, status):
    entry = load_alpha_beta_table().find(match_organ(structure), structure)
    assert (entry.value, entry.status) == (alpha_beta, status)
    assert entry.source


@pytest.mark.parametrize("name", ["Parotid L", "Parotid_L", "Parotids"])
def test_the_users_alpha_beta_wins_by_any_of_its_names(name):
    entry = load_alpha_beta_table().find(match_organ("Parotid L"), "Parotid L", {name: 4.5})
    assert entry.value == 4.5
    assert entry.status == "user"
    assert name in entry.source


def test_the_structures_own_name_wins_over_its_tg263_name():
    entry = load_alpha_beta_table().find(match_organ("Cord"), "Cord", {"SpinalCord": 3.0, "Cord": 1.5})
    assert entry.value == 1.5


def test_the_users_alpha_beta_of_zero_is_refused():
    with pytest.raises(ReirradiationError, match=r"Cord.*above 0"):
        load_alpha_beta_table().find(match_organ("Cord"), "Cord", {"Cord": 0.0})


def test_every_organ_of_the_table_is_one_that_names_are_matched_to():
    unknown = [organ for organ in load_alpha_beta_table().organs if organ not in vocabulary().by_name]
    assert unknown == []


ENTRY = {"alpha_beta_gy": 3, "source": "s", "status": "verified"}
A_ROW = {"id": "a", "organs": ["Heart"], **ENTRY}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{**A_ROW, "alpha_beta_gy": -1}], r"row 'a'.*alpha_beta_gy.*above 0"),
        ([{**A_ROW, "alpha_beta_gy": "3"}], "alpha_beta_gy"),
        ([{**A_ROW, "alpha_beta_gy": True}], "alpha_beta_gy"),
        ([{**A_ROW, "status": "sure"}], "status"),
        ([{**A_ROW, "sauce": "s"}], "sauce"),
        ([{k: v for k, v in A_ROW.items() if k != "source"}], "source.*missing"),
        ([A_ROW, {**A_ROW, "id": "b"}], "Heart has its alpha/beta in another row"),
        ([], "rows"),
    ],
)
def test_a_faulty_alpha_beta_table_is_refused_with_row_and_key(tmp_path, rows, message):
    table = {"schema": "reirradiation-review/alpha-beta/1", "title": "t", "default": ENTRY, "target": ENTRY}
    path = tmp_path / "table.json"
    path.write_text(json.dumps({**table, "rows": rows}))
    with pytest.raises(ReirradiationError, match=message):
        load_alpha_beta_table(path)
