"""Constraints as data: headroom, ranges and what the user is told of them."""

from __future__ import annotations

import json

import pytest
from made_up_courses import a_cylinder, a_protocol, a_review
from ReirradiationReviewLib.core.results.document import review_document

CORD = a_cylinder("SpinalCord")
TARGET = a_cylinder("PTV_new", 4, (0.0, 30.0), kind="PTV")


def the_document(tmp_path, first, second, **row):
    review = a_review(first, second, (CORD, TARGET), (30, 3), (60.0, 24.0), protocols=(a_protocol(tmp_path, **row),))
    return json.loads(json.dumps(review_document(review), allow_nan=False))


def test_a_verdict_that_is_not_firm_says_so_and_why(tmp_path):
    document = the_document(tmp_path, lambda x, y, z: 15.0, lambda x, y, z: 20.0)
    (row,) = document["constraints"]
    assert (row["verdict"], row["verdict_is_firm"], row["verdict_range"]) == ("pass", False, ["pass", "fail"])
    assert "not firm" in row["message"]
    assert row["range"]["why"].startswith("alpha/beta 0.87 to 3.7 Gy")
    assert {source["name"] for source in row["range_sources"]} >= {"alpha_beta", "search", "registration_error"}


def test_a_firm_one_is_not_said_to_be_otherwise(tmp_path):
    (row,) = the_document(tmp_path, lambda x, y, z: 10.0, lambda x, y, z: 5.0)["constraints"]
    assert row["verdict_is_firm"] is True
    assert "not firm" not in row["message"]


def test_headroom_is_in_numbers_and_words(tmp_path):
    (row,) = the_document(tmp_path, lambda x, y, z: 15.0, lambda x, y, z: 12.0)["constraints"]
    assert row["dose_left_gy"] == pytest.approx(57 - row["value"])
    assert row["new_plan_scale_text"] == f"{row['new_plan_scale']:.2f} times"
    assert row["binds_first"] is True
    assert [dose["fractions"] for dose in row["further_doses"]] == [1, 3, 5, 10, 15, 25, 30]
    assert all(dose["on_top_gy"] < dose["instead_of_new_plan_gy"] for dose in row["further_doses"])


def test_what_cannot_be_a_number_is_null_with_words_beside_it(tmp_path):
    (unlimited,) = the_document(tmp_path, lambda x, y, z: 15.0, lambda x, y, z: 0.0)["constraints"]
    assert (unlimited["new_plan_scale"], unlimited["binds_first"]) == (None, False)
    assert "not limited" in unlimited["new_plan_scale_text"]
    (broken,) = the_document(tmp_path, lambda x, y, z: 90.0, lambda x, y, z: 5.0)["constraints"]
    assert broken["new_plan_scale"] == 0.0
    assert "broken without the new plan" in broken["new_plan_scale_text"]


def test_a_row_without_its_organ_has_neither(tmp_path):
    (row,) = the_document(tmp_path, lambda x, y, z: 15.0, lambda x, y, z: 5.0, organs=["Larynx"])["constraints"]
    assert (row["range"], row["range_sources"], row["verdict_is_firm"]) == (None, [], None)
    assert (row["dose_left_gy"], row["further_doses"]) == (None, [])


def test_the_document_says_what_the_ranges_were_worked_out_for(tmp_path):
    document = the_document(tmp_path, lambda x, y, z: 15.0, lambda x, y, z: 5.0)
    assert document["uncertainty"]["search_mm"] == 3.0
    (error,) = document["uncertainty"]["registration_errors"]
    assert error["course"] == "course 1"
    assert error["mean_error_mm"] == pytest.approx(6.0, abs=0.1)


def test_the_tumors_dose_stands_beside_the_first_prescription(tmp_path):
    document = the_document(tmp_path, lambda x, y, z: 15.0, lambda x, y, z: 24.0)
    assert [course["eqd2_gy"] for course in document["prescriptions"]["courses"]] == [
        pytest.approx(60.0), pytest.approx(36.0)
    ]  # fmt: skip
    (target,) = document["prescriptions"]["targets"]
    assert target["share_of_first"] == pytest.approx(0.6)
