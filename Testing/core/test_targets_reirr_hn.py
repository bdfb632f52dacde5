"""Targets of the two-course head-and-neck case against its truth."""

from __future__ import annotations

import json

import pytest
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.registration.course import register_courses
from ReirradiationReviewLib.core.results.targets import target_entries
from ReirradiationReviewLib.core.review import Review

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def case(data_dir):
    return data_dir / "reirr_hn"


@pytest.fixture(scope="module")
def review(case):
    courses = [read_course(case / f"course{n}", f"course {n}") for n in (1, 2)]
    return Review(courses, register_courses(courses, 1, [str(case / "truth_dvf_c2_to_c1.mha")]))


@pytest.fixture(scope="module")
def truth(case):
    return json.loads((case / "truth.json").read_text())


def test_the_recurrence_lies_in_the_field_and_its_doses_are_the_true_ones(review, truth):
    gtv = next(target for target in target_entries(review) if target["name"] == "GTV_recur")
    (earlier,) = gtv["earlier_courses"]
    assert earlier["recurrence"] == "in-field"  # the case says: a recurrence in the old 70 Gy volume
    assert earlier["prescription_gy"] == truth["course1"]["rx"]
    expected = truth["structures"]["GTV_recur"]
    assert earlier["physical"]["Dmean_gy"] == pytest.approx(expected["course1_physical"]["mean"], abs=0.05)
    assert earlier["eqd2"]["Dmean_gy"] == pytest.approx(expected["course1_eqd2"]["mean"], abs=0.05)
    assert gtv["coverage"]["D50%_gy"] == pytest.approx(expected["course2_physical"]["median"], abs=0.1)
    assert gtv["coverage"]["V95%_percent"] == pytest.approx(100.0, abs=0.1)
    assert gtv["composite_eqd2"]["Dmean_gy"] == pytest.approx(expected["sum_eqd2_recovery0"]["mean"], abs=0.1)
