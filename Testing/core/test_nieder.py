"""The spinal cord score: its points, groups and the region of small risk that the abstract gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_review import a_course, a_cylinder, a_grid, a_review
from ReirradiationReviewLib.core.nieder import nieder_scores, points, risk_of, score_cord
from ReirradiationReviewLib.core.results.document import review_document


@pytest.mark.parametrize(
    ("cumulative", "expected"),
    [
        (0, 0), (120, 0), (120.1, 1), (130, 1), (130.1, 2), (140, 2), (150, 3), (150.1, 4), (160, 4), (170, 5),
        (180, 6), (190, 7), (200, 8), (200.1, 9), (400, 9),
    ],
)  # fmt: skip
def test_the_sum_has_a_point_for_every_ten_gray_above_120(cumulative, expected):
    assert points(cumulative, 90, 12) == expected


def test_a_short_interval_and_a_large_course_cost_four_and_a_half_points_each():
    assert points(120, 101.9, 6.0) == 0
    assert points(120, 101.9, 5.9) == 4.5
    assert points(120, 102, 6.0) == 4.5
    assert points(150, 102, 5.9) == 12


@pytest.mark.parametrize(
    ("score", "risk"), [(0, "low"), (3, "low"), (4, "intermediate"), (6, "intermediate"), (6.5, "high"), (18, "high")]
)
def test_the_groups(score, risk):
    assert risk_of(score) == risk


@pytest.mark.parametrize(("risk", "percent", "cumulative", "months"), [
    ("low", 3, 150, 12), ("intermediate", 25, 160, 12), ("high", 90, 160, 3),
])  # fmt: skip
def test_each_group_has_its_share_of_patients(risk, percent, cumulative, months):
    result = score_cord("Cord", 2.0, cumulative, 80, months)
    assert (result.risk, result.risk_percent) == (risk, percent)
    assert result.status == "unverified"
    assert "unverified" in result.message


@pytest.mark.parametrize(
    ("cumulative", "course", "months", "small"),
    [
        (135.5, 98, 6, True), (135.6, 98, 6, False), (135.5, 98.1, 6, False), (135.5, 98, 5.9, False),
        (135.5, 98, None, None), (140, 98, None, False),
    ],
)  # fmt: skip
def test_the_region_of_small_risk_is_that_of_the_abstract(cumulative, course, months, small):
    assert score_cord("Cord", 2.0, cumulative, course, months).in_region_of_small_risk is small


def test_an_interval_that_is_not_known_gives_both_scores_and_the_worse_group():
    result = score_cord("Cord", 2.0, 140, 80, None)
    assert (result.points, result.points_if_unknown, result.risk) == (2, 6.5, "high")
    assert "2 points if the interval is 6 months or more, else 6.5" in result.message


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0, 60), st.floats(0, 50))
def test_more_dose_or_less_time_never_lowers_the_score(cumulative, course, months, more):
    now = points(cumulative, course, months)
    assert points(cumulative + more, course, months) >= now
    assert points(cumulative, course + more, months) >= now
    assert points(cumulative, course, max(months - more, 0)) >= now


def a_case(**settings):
    # 40 Gy in 20: BED 80 Gy2; 20 Gy in 4 at alpha/beta 2: 70 Gy2; together 150. At alpha/beta 4: 60 and 45.
    structures = (a_cylinder("Cord", 1), a_cylinder("SpinalCord_Lum", 2, (30.0, 0.0)), a_cylinder("SpinalCanal", 3))
    courses = [
        a_course("course 1", "2020-01-01", a_grid(40.0), 20),
        a_course("course 2", "2022-01-01", a_grid(20.0), 4, structures),
    ]
    return a_review(courses, **settings)


def test_it_is_evaluated_on_the_cord_and_not_on_the_canal():
    found = {score.structure: score for score in nieder_scores(a_case())}
    assert set(found) == {"Cord", "SpinalCord_Lum"}
    cord, lumbar = found["Cord"], found["SpinalCord_Lum"]
    assert (cord.cumulative_bed_gy, cord.highest_course_bed_gy) == (pytest.approx(150, 1e-4), pytest.approx(80, 1e-4))
    assert (lumbar.cumulative_bed_gy, lumbar.alpha_beta_gy) == (pytest.approx(105, 1e-4), 4.0)
    assert cord.interval_months == pytest.approx(24, abs=0.1)
    assert cord.risk == "low"


def test_it_follows_the_interval_and_what_is_left_out_and_knows_no_recovery():
    def cord(**settings):
        return nieder_scores(a_case(**settings))[0]

    assert cord(interval_months={"course 1": 3.0}).risk == "high"
    assert cord(left_out=frozenset({0})).cumulative_bed_gy == pytest.approx(70, 1e-4)
    assert cord(recovery={"Cord": 0.5}).cumulative_bed_gy == pytest.approx(150, 1e-4)


def test_it_is_in_the_document():
    entry = json.loads(json.dumps(review_document(a_case()), allow_nan=False))["nieder"][0]
    assert (entry["structure"], entry["points"], entry["risk"], entry["status"]) == ("Cord", 3.0, "low", "unverified")
