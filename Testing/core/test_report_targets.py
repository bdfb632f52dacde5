"""The report's page of targets says what the data says, and no more."""

from __future__ import annotations

import pytest
from html_page import Page
from made_up_review import a_review, two_courses
from ReirradiationReviewLib.core.report.html import render_report
from ReirradiationReviewLib.core.results.document import review_document
from ReirradiationReviewLib.core.results.target_relations import margin_entry
from ReirradiationReviewLib.core.targets.margin_recipe import smallest_margin

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def document():
    return review_document(a_review(two_courses()))


def targets_text(document):
    text = Page(render_report(document, [], [])).text
    return text.split("Targets and how they were made")[1].split("Warnings")[0]


def test_the_kind_of_recurrence_stands_with_its_rule_and_its_doubt(document):
    text = targets_text(document)
    # 40 Gy against 50 Gy prescribed: inside the 80 % isodose, outside the 95 % one.
    assert "PTV_new course 1 out-of-field 0.0 40.0 40.0 40.0 40.0" in text
    assert "0.0 % of the target lie inside the 95 % isodose (47.5 Gy) of the 50 Gy prescribed" in text
    assert "80 %: 100.0 %" in text
    assert "Dawson 2000" in text
    assert "source unverified" in text


def test_coverage_is_held_against_the_prescription(document):
    text = targets_text(document)
    assert "against its highest prescription (50.0 Gy)" in text
    assert "PTV_new 0.0 0.0 20.0 20.0 20.0 20.0" in text


def test_a_target_of_an_older_file_without_these_figures_is_still_shown(document):
    (target,) = document["targets"]
    bare = {key: target[key] for key in ("name", "method", "volume_cc", "suv_max")}
    text = targets_text({**document, "targets": [bare]})
    assert "PTV_new contour of the structure set" in text
    assert "earlier courses gave" not in text


def test_agreement_margin_and_function_are_shown_where_there_are_any(document):
    pair = {
        "first": "GTV_PT", "second": "GTV_MR", "dice": 0.871, "mean_distance_mm": 1.26, "centroid_shift_mm": 2.04,
        "first_cc": 10.0, "second_cc": 12.0, "common_cc": 9.5, "first_only_cc": 0.5, "second_only_cc": 2.5,
    }  # fmt: skip
    entered = {
        "organ": "SpinalCord", "overlap_cc": 0.42, "overlap_percent": 3.1, "verdict": "fail", "protocol": "p",
        "metric": "D0.03cc", "headroom": -4.2, "unit": "Gy",
    }  # fmt: skip
    target = {**document["targets"][0], "organs_entered": [entered]}
    figures = {"Dmean_gy": 12.34, "V5Gy_percent": 50.0, "V20Gy_percent": 20.0, "V40Gy_percent": None, "D2%_gy": 60.0}
    dose = {"course": "composite", "quantity": "EQD2", "plain": figures, "weighted": {**figures, "Dmean_gy": 9.87}}
    functional = {"structure": "Lungs", "map": "NM perfusion", "map_registration": "identity", "doses": [dose]}
    margin = margin_entry(smallest_margin(1.6))
    page = Page(
        render_report(
            {**document, "targets": [target], "target_agreements": [pair], "smallest_margin": margin,
             "functional": [functional]}, [], [],
        )
    )  # fmt: skip
    assert "GTV_PT GTV_MR 0.87 1.3 2.0 10.0 12.0 9.50 0.50 2.50" in page.text
    assert "belongs to no target unless the user merges them" in page.text
    assert "PTV_new SpinalCord 0.42 3.1 \u2717 fail p: D0.03cc \u22124.2 Gy" in page.text
    assert "At least 2.5 mm" in page.text
    assert "by function 9.87 50.0 20.0 unknown 60.00" in page.text


def test_without_maps_there_is_no_page_about_function(document):
    assert "Function-weighted dose" not in Page(render_report(document, [], [])).text
