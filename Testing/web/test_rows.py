"""What the page shows of a review whose every number follows by hand."""

import math
from dataclasses import replace

import pytest
from made_up_review import a_review, two_courses
from ReirradiationReviewLib.web import rows


@pytest.fixture
def review():
    return a_review(two_courses())


def test_the_most_urgent_constraint_comes_first_and_what_is_not_contoured_last(review):
    results = review.constraints()
    shown = rows.constraint_rows(results)
    assert len(shown) == len(results)
    verdicts = [row["verdict"] for row in shown if row["can_jump"]]
    order = list(rows.VERDICTS)
    assert verdicts == sorted(verdicts, key=order.index)
    contoured = [row["can_jump"] for row in shown]
    assert contoured == sorted(contoured, reverse=True)


def test_two_rows_of_one_verdict_stand_in_the_order_of_their_headroom(review):
    result = next(result for result in review.constraints() if result.structure is not None)
    tight, loose = (replace(result, id=name, headroom=left) for name, left in (("tight", 0.5), ("loose", 20.0)))
    assert [row["key"].split("/")[1] for row in rows.constraint_rows([loose, tight])] == ["tight", "loose"]


def test_a_verdict_is_said_by_a_sign_and_a_word(review):
    for row in rows.constraint_rows(review.constraints()):
        assert row["sign"].strip()
        assert row["word"].strip()
    assert len({sign for sign, _ in rows.VERDICTS.values()}) == len(rows.VERDICTS)


def test_the_value_is_the_constraints_own_with_its_unit(review):
    # 40 Gy in 20 is 40 Gy EQD2 and 20 Gy in 4 is 35 Gy at alpha/beta 2.
    cord = next(row for row in rows.constraint_rows(review.constraints()) if row["organ"] == "Cord")
    assert cord["value"] == "75.0 Gy"


def test_an_unknown_number_is_a_dash_and_never_zero():
    assert rows.number(math.nan, "Gy") == "–"
    assert rows.number(-1.25, "Gy", signed=True) == "−1.2 Gy"


def test_a_constraint_in_full_tells_each_courses_share_at_the_hottest_point(review):
    place, result = next((n, r) for n, r in enumerate(review.constraints()) if r.structure == "Cord")
    focus = rows.focus(review, result, review.headroom()[place])
    assert [share["text"] for share in focus["shares"]] == ["40.0 Gy", "35.0 Gy"]
    assert ": 75.0 Gy EQD2 (α/β 2 Gy) at " in focus["where"]


def test_a_dvh_of_a_uniform_dose_is_a_step(review):
    shown = rows.dvh(review, {"Cord"}, shows_courses=True)
    assert [curve["label"] for curve in shown["curves"]] == ["Cord", "Cord, course 1", "Cord, course 2"]
    composite, first, second = shown["curves"]
    assert (composite["last"], first["last"], second["last"]) == pytest.approx((75.0, 40.0, 35.0))
    assert set(composite["volumes"]) == {1000}
    assert [organ["is_on"] for organ in shown["organs"] if organ["name"] != "Cord"] == [False] * 3


def test_the_courses_tell_their_plans_and_which_is_left_out():
    first, second = rows.course_rows(a_review(two_courses(), left_out=frozenset({0})))
    assert (first["is_on"], second["is_on"], second["is_reference"]) == (False, True, True)
    assert first["interval"] == ", 24 months before"
    assert (first["plans"][0]["fractions"], first["plans"][0]["dose_max"]) == (20, "40.0 Gy")


def test_the_biology_is_that_of_the_review():
    shown = rows.biology_rows(a_review(two_courses(), recovery={"Cord": 0.25}, alpha_beta_gy={"Cord": 1.5}))
    cord = shown["organs"][0]
    assert (cord["name"], cord["alpha_beta_gy"], cord["recovery"]) == ("Cord", 1.5, 0.25)
    assert [organ["is_target"] for organ in shown["organs"]] == [False, False, False, True]
