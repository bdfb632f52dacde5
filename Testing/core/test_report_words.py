"""The report's words and digits: unknown is a word, and what is not zero never reads as zero."""

from __future__ import annotations

import math

import pytest
from ReirradiationReviewLib.core.report import document as words


@pytest.mark.parametrize("value", [None, "", math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_the_word_unknown(value):
    assert words.plain_text(value) == "unknown"
    assert words.number(value) == "unknown"
    assert words.volume(value) == "unknown"
    assert words.limit_text(value) == "unknown"
    assert words.limit_text(value, "<=") == "unknown"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 1, "0.0"),
        (0.0, 2, "0.00"),
        (56.996, 2, "57.00"),
        (63.418, 1, "63.4"),
        (-6.418, 2, "−6.42"),
        (0.004, 2, "<0.01"),
        (-0.004, 2, "> −0.01"),
        (0.04, 1, "<0.1"),
        (0.3, 0, "<1"),
        (1034.2, 1, "1034.2"),
    ],
)
def test_numbers_keep_their_digits_and_never_round_to_zero(value, decimals, text):
    assert words.number(value, decimals) == text


def test_small_volumes_get_a_second_decimal():
    assert (words.volume(0.123), words.volume(9.87), words.volume(1204.06)) == ("0.12", "9.87", "1204.1")


@pytest.mark.parametrize(
    ("limit", "direction", "text"),
    [
        (57.0, "<=", "≤ 57"),
        (800, ">=", "≥ 800"),
        (57.5, "<", "< 57.5"),
        ([85.0, 90.0], "<=", "≤ 85–90"),
        (57.0, None, "57"),
        ("by judgement", None, "by judgement"),
    ],
)
def test_a_limit_shows_its_sense_and_its_band(limit, direction, text):
    assert words.limit_text(limit, direction) == text


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("D0.03cc_gy", ("D0.03cc", "Gy")),
        ("V20Gy_percent", ("V20Gy", "%")),
        ("CV15Gy_cc", ("CV15Gy", "cc")),
        ("mean_landmark_error_mm", ("mean landmark error", "mm")),
        ("similarity_name", ("similarity name", "")),
        ("mm", ("mm", "")),
    ],
)
def test_keys_split_into_name_and_unit(key, parts):
    assert words.label_and_unit(key) == parts


def test_person_names_lose_their_carets():
    assert words.person_name("Doe^Jane^Q") == "Doe, Jane Q"
    assert words.person_name("Demo") == "Demo"
    assert words.person_name("^^") == "unknown"


def test_moments_keep_their_zone():
    assert words.moment("2026-11-24T05:18:49+00:00") == "2026-11-24 05:18 UTC"
    assert words.moment("2026-11-24T05:18:49Z") == "2026-11-24 05:18 UTC"
    assert words.moment("last week") == "last week"


def test_intervals_tell_before_from_after():
    assert words.interval(36.24) == "36.2 months before the reference course"
    assert words.interval(-3.0) == "3.0 months after the reference course"
    assert words.interval(None) == "interval to the reference course unknown"


def test_urgent_constraints_come_first_and_odd_verdicts_count_as_unknown():
    rows = [{"id": n, "verdict": v} for n, v in enumerate(["pass", "note", "odd", "near", "fail", None, "fail"])]
    assert [row["id"] for row in words.by_urgency(rows)] == [4, 6, 3, 2, 5, 1, 0]
    assert words.verdict_counts(rows) == {"fail": 2, "near": 1, "unknown": 2, "note": 1, "pass": 1}


def test_a_failed_row_is_never_taken_for_not_contoured():
    assert words.not_contoured({"structure": None, "verdict": "unknown"})
    assert not words.not_contoured({"structure": None, "verdict": "fail"})
    assert not words.not_contoured({"structure": "Cord", "verdict": "unknown"})


def test_upper_bound_and_recovery_are_left_out_only_where_they_are_known_to_add_nothing():
    figures = {"Dmean_gy": 1.0}
    structure = {
        "physical": [{"course": "course 1", **figures}, figures],
        "composite_eqd2": figures,
        "composite_eqd2_upper": figures,
        "composite_eqd2_recovered": figures,
    }
    courses = [{"label": "course 1"}, {"label": "course 2"}]

    def names(**changes):
        return [name for name, _ in words.dose_rows({**structure, **changes}, courses)]

    first = ["course 1, dose as planned", "course 2, dose as planned", "Composite EQD2"]
    assert names(outside_dose_grid_percent=0.0, recovery=0.0) == first
    assert names(outside_dose_grid_percent=0.01, recovery=0.0) == [*first, "Composite EQD2, upper bound"]
    assert names(outside_dose_grid_percent=None, recovery=0.0) == [*first, "Composite EQD2, upper bound"]
    assert names(outside_dose_grid_percent=0.0, recovery=0.25) == [*first, "Composite EQD2 after recovery"]
