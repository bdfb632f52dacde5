"""The review on two made-up courses whose every number follows by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_up_review import a_course, a_cylinder, a_grid, a_review, two_courses
from ReirradiationReviewLib.core.courses import Patient
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.course import register_courses
from ReirradiationReviewLib.core.results.document import review_document
from ReirradiationReviewLib.core.settings import Settings


@pytest.fixture
def courses():
    return two_courses()


def result_of(review, row_part, structure=None):
    found = [r for r in review.constraints() if row_part in r.id and structure in (None, r.structure)]
    assert found, [r.id for r in review.constraints()]
    return found[0]


def test_the_composite_of_uniform_doses_is_their_eqd2_sum(courses):
    review = a_review(courses)
    cord = review.organ("Cord").eqd2(review.weights()).low
    assert cord.dmean_gy == pytest.approx(75.0, rel=1e-5)
    assert cord.dose_at_volume_cc(0.03) == pytest.approx(75.0, rel=1e-5)
    assert cord.total_volume_cc == pytest.approx(np.pi * 100 * 60 / 1000, rel=0.06)


def test_the_cord_row_fails_above_57_gy_and_passes_below(courses):
    assert result_of(a_review(courses), "cord").verdict == "fail"
    courses[0] = a_course("course 1", "2020-01-01", a_grid(10.0), 20)  # 6.25 Gy EQD2 at alpha/beta 2
    passing = result_of(a_review(courses), "cord")
    assert passing.verdict == "pass"
    assert passing.value == pytest.approx(41.25, rel=1e-4)


def test_the_users_alpha_beta_wins_and_is_marked(courses):
    organ = a_review(courses, alpha_beta_gy={"Cord": 3.0}).organ("Cord")
    assert organ.alpha_beta_gy == 3.0
    assert "user" in organ.alpha_beta_source


def test_recovery_forgives_only_the_earlier_course(courses):
    review = a_review(courses, recovery={"Cord": 0.5})
    document = review_document(review)
    cord = next(s for s in document["structures"] if s["name"] == "Cord")
    assert cord["composite_eqd2"]["Dmean_gy"] == pytest.approx(75.0, rel=1e-4)
    assert cord["composite_eqd2_recovered"]["Dmean_gy"] == pytest.approx(20.0 + 35.0, rel=1e-4)


def test_a_setting_for_an_unknown_structure_is_refused_and_the_known_ones_are_named(courses):
    with pytest.raises(ReirradiationError, match=r"Kord.*Cord"):
        a_review(courses, alpha_beta_gy={"Kord": 2.0})


def test_a_target_never_recovers(courses):
    assert a_review(courses, recovery={"PTV_new": 0.5}).organ("PTV_new").recovery == (0.0, 0.0)


def test_both_lungs_are_joined_for_a_row_about_the_lungs(courses):
    result = result_of(a_review(courses), "lung")
    assert result.structure == "Lung_L + Lung_R"
    assert result.verdict == "fail"  # all of it receives more than 20 Gy


def test_what_is_not_contoured_is_unknown_and_listed(courses):
    review = a_review(courses)
    assert result_of(review, "brachial").verdict == "unknown"
    assert result_of(review, "brachial").structure is None
    assert any("rachial" in line for line in review_document(review)["not_covered"])


class TestWhereADoseGridEndsInsideTheCord:
    def a_review_with_edge_dose(self, courses, edge_gy):
        """The new plan's grid covers the lower half of the cord with this dose."""
        courses[0] = a_course("course 1", "2020-01-01", a_grid(45.0), 25)  # 42.75 Gy EQD2 at alpha/beta 2
        courses[1] = replace(
            courses[1],
            plans=(replace(courses[1].plans[0], dose=a_grid(edge_gy, z_mm=(-60.0, 0.0)), fractions=10),),
        )
        return a_review(courses)

    def test_a_cold_edge_leaves_the_verdict_standing(self, courses):
        result = result_of(self.a_review_with_edge_dose(courses, 1.0), "cord")
        assert result.verdict == "pass"
        assert result.outside_dose_grid_percent == pytest.approx(50, abs=5)

    def test_an_organ_outside_every_grid_is_unknown(self, courses):
        far = a_cylinder("Brainstem", 9, z_mm=(300.0, 330.0))
        courses[1] = replace(courses[1], structures=(*courses[1].structures, far))
        document = review_document(a_review(courses))
        brainstem = next(s for s in document["structures"] if s["name"] == "Brainstem")
        assert brainstem["composite_eqd2"]["Dmax_gy"] is None
        assert brainstem["outside_dose_grid_percent"] == pytest.approx(100.0)

    def test_a_hot_edge_makes_the_lungs_unknown(self, courses):
        # Half of each lung is known to stay below 20 Gy; what the other half receives would decide the verdict.
        courses[0] = a_course("course 1", "2020-01-01", a_grid(0.0), 25)
        hot_end = a_grid(10.0, z_mm=(-60.0, 0.0))
        hot_end.array[-1] = 60.0
        courses[1] = replace(courses[1], plans=(replace(courses[1].plans[0], dose=hot_end, fractions=30),))
        result = result_of(a_review(courses), "lung")
        assert result.verdict == "unknown"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: [c[0], replace(c[1], plans=(replace(c[1].plans[0], fractions=None),))],
            r"\(300A,0078\).*--fractions",
        ),
        (lambda c: [c[0], replace(c[1], plans=c[0].plans)], "counted twice"),
        (lambda c: [c[0], replace(c[1], ct=None)], "no CT"),
        (lambda c: [replace(c[0], plans=()), c[1]], "no RTDOSE"),
        (lambda c: c[1:], "two courses"),
    ],
)
def test_courses_that_cannot_be_summed_are_refused_with_the_remedy(courses, change, message):
    with pytest.raises(ReirradiationError, match=message):
        a_review(change(courses))


def test_another_patient_is_warned_about_loudly(courses):
    courses[0] = replace(courses[0], patient=Patient("ID-2", "Someone Else", "1960-01-01", "F"))
    codes = [notice["code"] for notice in review_document(a_review(courses))["warnings"]]
    assert codes.count("patient-mismatch") == 2


def test_identity_is_used_within_one_frame_and_refused_between_two(courses):
    assert [r.method for r in register_courses(courses, 1, ["auto"])] == ["identity", "reference"]
    moved = replace(courses[0].plans[0].dose, frame_of_reference_uid="9.9")
    courses[0] = replace(courses[0], plans=(replace(courses[0].plans[0], dose=moved),))
    with pytest.raises(ReirradiationError, match="Frame"):
        register_courses(courses, 1, ["identity"])


def test_the_document_is_json_with_the_agreed_keys(courses):
    document = json.loads(json.dumps(review_document(a_review(courses)), allow_nan=False))
    assert document["schema"] == "reirradiation-review/1"
    agreed = {
        "software", "created", "patient", "courses", "registrations", "structures", "constraints", "targets",
        "warnings", "files",
    }  # fmt: skip
    assert agreed <= set(document)
    assert document["courses"][0]["interval_to_reference_months"] == pytest.approx(24.0, abs=0.1)
    assert {
        "protocol", "id", "structure", "metric", "quantity", "basis", "value", "limit", "unit", "verdict", "range",
        "source", "status", "message",
    } <= set(document["constraints"][0])  # fmt: skip


def test_the_hot_spot_says_each_courses_share(courses):
    spot = next(s for s in review_document(a_review(courses))["hot_spots"] if s["structure"] == "Cord")
    assert [share["dose_gy"] for share in spot["shares"]] == [pytest.approx(40.0), pytest.approx(35.0)]
    assert spot["dose_gy"] == pytest.approx(75.0)


def test_new_settings_share_the_mapped_doses_and_leave_the_first_review_as_it_was(courses):
    review = a_review(courses)
    changed = review.with_settings(Settings(alpha_beta_gy={"Cord": 3.0}, recovery={"Cord": 0.5}))
    assert changed.mapped is review.mapped
    assert changed.organ("Cord").eqd2(changed.weights()).low.dmean_gy == pytest.approx(40.0 + 32.0, rel=1e-5)
    assert review.organ("Cord").eqd2(review.weights()).low.dmean_gy == pytest.approx(75.0, rel=1e-5)
    assert changed.organ("Cord").recovery == (0.5, 0.0)


def test_a_course_that_is_left_out_enters_no_sum_and_is_named(courses):
    review = a_review(courses).with_settings(Settings(left_out=frozenset({0})))
    assert review.organ("Cord").eqd2(review.weights()).low.dmean_gy == pytest.approx(35.0, rel=1e-5)
    assert review.organ("Cord").eqd2(review.weights([0])).low.dmean_gy == pytest.approx(40.0, rel=1e-5)
    assert "course 1 is left out of every sum." in review_document(review)["assumptions"]
    with pytest.raises(ReirradiationError, match="keep at least one"):
        review.with_settings(Settings(left_out=frozenset({0, 1})))


def test_an_edited_structure_is_sampled_again_and_the_others_are_kept(courses):
    review = a_review(courses)
    others = review.reference.structures[1:]
    edited = review.with_structures([a_cylinder("Cord", 1, radius_mm=5.0), *others])
    assert edited.organ("Cord").samples.volume_cc == pytest.approx(np.pi * 25 * 60 / 1000, rel=0.06)
    assert edited.organ("Lung_L").sampled is review.organ("Lung_L").sampled
    assert review.organ("Cord").samples.volume_cc == pytest.approx(np.pi * 100 * 60 / 1000, rel=0.06)
