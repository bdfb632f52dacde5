"""The report's page of targets says what the data says, and no more."""

from __future__ import annotations

import pytest
from html_page import Page
from made_up_review import a_review, two_courses
from ReirradiationReviewLib.core.report.html import render_report
from ReirradiationReviewLib.core.results.document import review_document

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
