"""How plans were given, intervals, recovery and rows of every basis, on two courses whose numbers follow by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_review import a_course, a_cylinder, a_grid, a_review
from ReirradiationReviewLib.core.biology import eqd2_gy
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.results.courses import course_entry
from ReirradiationReviewLib.core.results.document import review_document
from ReirradiationReviewLib.core.results.models import model_entries
from ReirradiationReviewLib.core.results.prescriptions import prescription_entry
from ReirradiationReviewLib.core.results.statements import all_notices
from ReirradiationReviewLib.core.results.structures import structure_entry

ALPHA_BETA = 2.0  # of the cord


@pytest.fixture
def courses():
    # 40 Gy in 20 is 40 Gy EQD2; 20 Gy in 4 at alpha/beta 2 is 35 Gy. Twenty-four months apart.
    structures = (a_cylinder("Cord", 1), a_cylinder("ThecalSac", 2, (30.0, 0.0)), a_cylinder("PTV_new", 3, (0.0, 30.0)))
    return [
        a_course("course 1", "2020-01-01", a_grid(40.0), 20),
        a_course("course 2", "2022-01-01", a_grid(20.0), 4, structures),
    ]


def with_plan(courses, index, **values):
    plan = replace(courses[index].plans[0], **values)
    courses[index] = replace(courses[index], plans=(plan,))
    return courses


def cord_eqd2(review):
    return review.organ("Cord").eqd2(review.weights()).low.dmean_gy


def rows(review):
    return {result.id: result for result in review.constraints()}


def plan_entry(review, index):
    return course_entry(review, index)["plans"][0]


class TestDeliveredFractions:
    def test_of_the_records_are_counted(self, courses):
        review = a_review(with_plan(courses, 0, delivered_fractions=15))
        assert cord_eqd2(review) == pytest.approx(30.0 + 35.0, rel=1e-4)
        physical = review.organ("Cord").physical(review.weights()).low.dmean_gy
        assert physical == pytest.approx(30.0 + 20.0, rel=1e-4)
        entry = plan_entry(review, 0)
        assert (entry["fractions"], entry["fractions_planned"], entry["fractions_source"]) == (15, 20, "record")
        assert any(notice.code == "fractions-counted" for notice in all_notices(review))

    def test_as_many_as_planned_change_nothing_but_the_source(self, courses):
        review = a_review(with_plan(courses, 0, delivered_fractions=20))
        assert cord_eqd2(review) == pytest.approx(75.0, rel=1e-4)
        assert plan_entry(review, 0)["fractions_source"] == "record"
        assert not review.settings_notices()

    def test_of_the_new_plan_are_not_counted_unasked(self, courses):
        with_plan(courses, 1, delivered_fractions=2)
        assert cord_eqd2(a_review(courses)) == pytest.approx(75.0, rel=1e-4)
        assert "the records show 2" in a_review(courses).settings_notices()[0].text.replace("treatment ", "")
        entered = a_review(courses, delivered={"plan of course 2": 2})
        assert cord_eqd2(entered) == pytest.approx(40.0 + 17.5, rel=1e-4)

    @pytest.mark.parametrize("name", ["plan of course 1", "p-course 1"])
    def test_of_the_user_win_by_label_or_uid(self, courses, name):
        with_plan(courses, 0, delivered_fractions=15)
        review = a_review(courses).with_settings(replace(a_review(courses).settings, delivered={name: 10}))
        assert cord_eqd2(review) == pytest.approx(20.0 + 35.0, rel=1e-4)
        assert plan_entry(review, 0)["fractions_source"] == "user"

    def test_none_leaves_the_plan_out(self, courses):
        assert cord_eqd2(a_review(courses, delivered={"plan of course 1": 0})) == pytest.approx(35.0, rel=1e-4)

    @pytest.mark.parametrize(
        ("delivered", "message"),
        [
            ({"plan": 3}, "no.*plan of course 1"),
            ({"plan of course 1": 2.5}, "whole number"),
            ({"p-course 1": -1}, "0 or"),
        ],
    )
    def test_without_meaning_are_refused(self, courses, delivered, message):
        with pytest.raises(ReirradiationError, match=f"--delivered.*{message}"):
            a_review(courses, delivered=delivered)

    def test_of_a_label_that_two_plans_have_are_refused(self, courses):
        with_plan(courses, 1, label="plan of course 1")
        with pytest.raises(ReirradiationError, match="several plans"):
            a_review(courses, delivered={"plan of course 1": 3})


class TestDelivery:
    def test_twice_a_day_raises_the_effect_by_incomplete_repair(self, courses):
        entered = {"plan of course 1": "hyperfractionated:per-day=2,interval-hours=6"}
        review = a_review(courses, delivery=entered, repair_half_time_hours={"Cord": 5.0})
        extra = 0.5 ** (6 / 5) * 40**2 / 20 / (2 + ALPHA_BETA)
        assert cord_eqd2(review) == pytest.approx(75.0 + extra, rel=1e-4)
        assert "2 a day 6 h apart" in plan_entry(review, 0)["delivery"]

    def test_of_the_plan_file_is_used_and_the_user_wins(self, courses):
        with_plan(courses, 0, fractions=1, delivery="permanent:half-life-days=59.4")
        # lambda / (mu + lambda) with a repair half-time of 5 h in the cord.
        factor = 5.0 / (5.0 + 59.4 * 24)
        expected = (ALPHA_BETA * 40 + factor * 40**2) / (2 + ALPHA_BETA)
        assert cord_eqd2(a_review(courses)) == pytest.approx(expected + 35.0, rel=1e-4)
        acute = a_review(courses, delivery={"p-course 1": "daily"})
        assert cord_eqd2(acute) == pytest.approx(eqd2_gy(40, 1, ALPHA_BETA) + 35.0, rel=1e-4)

    def test_that_cannot_be_read_is_refused(self, courses):
        with pytest.raises(ReirradiationError, match="write one of daily"):
            a_review(courses, delivery={"p-course 1": "weekly"})


class TestRbe:
    def test_of_a_physical_proton_dose_is_applied_on_the_users_word(self, courses):
        with_plan(courses, 1, modality="RTIONPLAN")
        assert cord_eqd2(a_review(courses)) == pytest.approx(75.0, rel=1e-4)
        review = a_review(courses, rbe={"p-course 2": "1.1"})
        assert cord_eqd2(review) == pytest.approx(40.0 + eqd2_gy(22, 4, ALPHA_BETA), rel=1e-4)

    def test_is_not_applied_twice_nor_to_photons(self, courses):
        with_plan(courses, 1, modality="RTIONPLAN", dose_type="EFFECTIVE")
        with pytest.raises(ReirradiationError, match="EFFECTIVE"):
            a_review(courses, rbe={"p-course 2": "1.1"})
        with_plan(courses, 0, modality="RTPLAN")
        with pytest.raises(ReirradiationError, match="no RBE applies"):
            a_review(courses, rbe={"p-course 1": "1.1"})

    def test_of_heavy_ions_needs_the_users_word(self, courses):
        with_plan(courses, 1, modality="RTIONPLAN", dose_type="EFFECTIVE", is_heavy_ion=True)
        with pytest.raises(ReirradiationError, match=r"heavier than protons.*--rbe 'plan of course 2'=included"):
            a_review(courses)
        assert cord_eqd2(a_review(courses, rbe={"p-course 2": "included"})) == pytest.approx(75.0, rel=1e-4)

    def test_that_varies_needs_letd_and_follows_its_model(self, courses):
        with_plan(courses, 1, modality="RTIONPLAN", dose_type="EFFECTIVE")
        with pytest.raises(ReirradiationError, match="--let"):
            a_review(courses, rbe={"p-course 2": "wedenberg"})
        letd = 0 * courses[1].plans[0].dose.array.astype(float) + 5.0
        review = a_review(with_plan(courses, 1, letd_kev_um=letd), rbe={"p-course 2": "wedenberg"})
        # BED = D (1 + 0.434 L / ab) + D^2 / (n ab), D being the physical dose.
        physical = 20 / 1.1
        bed = physical * (1 + 0.434 * 5 / ALPHA_BETA) + physical**2 / (4 * ALPHA_BETA)
        assert cord_eqd2(review) == pytest.approx(40.0 + bed / (1 + 2 / ALPHA_BETA), rel=1e-4)
        assert plan_entry(review, 1)["rbe"].startswith("variable RBE of Wedenberg 2013")
        assert structure_entry(review, review.organ("Cord"))["physical"][1]["Dmean_gy"] == pytest.approx(20.0, rel=1e-4)


class TestIntervals:
    def test_are_counted_from_the_last_treatment_where_records_tell(self, courses):
        courses[0] = replace(courses[0], end_date="2020-03-01")
        entry = course_entry(a_review(courses), 0)
        assert entry["interval_to_reference_months"] == pytest.approx(22.05, abs=0.05)
        assert entry["interval_source"] == "records"
        assert course_entry(a_review(courses), 1)["interval_to_reference_months"] == 0

    def test_of_the_user_win(self, courses):
        entry = course_entry(a_review(courses, interval_months={"course 1": 5.5}), 0)
        assert (entry["interval_to_reference_months"], entry["interval_source"]) == (5.5, "user")

    @pytest.mark.parametrize(
        ("months", "message"),
        [({"course 9": 3.0}, "course 1"), ({"course 2": 3.0}, "course 1"), ({"course 1": -1}, "0")],
    )
    def test_without_meaning_are_refused(self, courses, months, message):
        with pytest.raises(ReirradiationError, match=f"--interval-months.*{message}"):
            a_review(courses, interval_months=months)

    def test_that_are_not_known_stay_unknown(self, courses):
        courses[0] = replace(courses[0], date="")
        review = a_review(courses, recovery_table="umich", protocols=("umich_paradis",))
        assert course_entry(review, 0)["interval_to_reference_months"] is None
        cord = structure_entry(review, review.organ("Cord"))
        assert cord["recovery"] == 0
        assert "not known" in cord["recovery_by_course"][0]["source"]
        assert "Nothing is forgiven (table umich, but the interval is not known" in rows(review)["cord"].message


class TestRecovery:
    def test_of_a_table_is_counted_in_discounted_rows_alone(self, courses):
        # Alpha/beta 2.5 is the row's: 40 Gy in 20 stays 40, 20 Gy in 4 is 20 (5 + 2.5) / 4.5.
        review = a_review(courses, recovery_table="umich", protocols=("umich_paradis", "beddok_2022"))
        discounted = rows(review)["cord"]
        assert discounted.value == pytest.approx(0.5 * 40 + 20 * 7.5 / 4.5, rel=1e-4)
        assert "Recovery counted: 50% of course 1 (table umich at 24.0 months" in discounted.message
        cumulative = rows(review)["cord_dmax"]
        assert cumulative.value == pytest.approx(75.0, rel=1e-4)
        assert "is not counted here" in cumulative.message

    def test_follows_an_edited_interval(self, courses):
        review = a_review(courses, recovery_table="umich", interval_months={"course 1": 7.0})
        assert review.organ("Cord").recovery == (0.25, 0.0)

    def test_without_any_the_whole_sum_is_held_against_the_first_courses_limit(self, courses):
        result = rows(a_review(courses, protocols=("umich_paradis",)))["cord"]
        assert result.value == pytest.approx(40 + 20 * 7.5 / 4.5, rel=1e-4)
        assert result.verdict == "fail"
        assert "No recovery is set" in result.message

    def test_never_touches_a_target_or_the_new_course(self, courses):
        review = a_review(courses, recovery_table="umich", recovery={"PTV_new": 0.5})
        assert review.organ("PTV_new").recovery == (0.0, 0.0)
        assert review.organ("Cord").recovery[review.reference_index] == 0.0

    @pytest.mark.parametrize("value", [1.5, -0.5])
    def test_out_of_range_is_refused(self, courses, value):
        with pytest.raises(ReirradiationError, match="0 to 1"):
            a_review(courses, recovery={"Cord": value})

    def test_near_a_step_of_the_table_is_warned_about_where_the_end_is_not_known(self, courses):
        courses[0] = replace(courses[0], date="2021-06-20")  # 6.4 months; 20 fractions take four weeks
        review = a_review(courses, recovery_table="umich")
        notice = next(n for n in review.settings_notices() if n.code == "recovery-near-step")
        assert "Cord 25% instead of 10%" in notice.text
        assert "PTV_new" not in notice.text
        courses[0] = replace(courses[0], end_date="2021-06-20")
        assert not a_review(courses, recovery_table="umich").settings_notices()
        courses[0] = replace(courses[0], date="2020-01-01", end_date="")
        assert not a_review(courses, recovery_table="umich", interval_months={"course 1": 6.4}).settings_notices()


def test_a_value_may_be_given_for_an_organ_without_its_side(courses):
    sides = (a_cylinder("Parotid_L", 1), a_cylinder("Parotid_R", 2, (30.0, 0.0)))
    courses[1] = replace(courses[1], structures=sides)
    review = a_review(courses, alpha_beta_gy={"Parotids": 4.0}, recovery={"Parotids": 0.25})
    assert [organ.alpha_beta_gy for organ in review.organs] == [4.0, 4.0]
    assert review.organs[1].recovery == (0.25, 0.0)


class TestTheSpineCriteria:
    def test_are_evaluated_one_by_one_on_the_thecal_sac(self, courses):
        found = rows(a_review(courses, protocols=("hytec_2021_spine",)))
        assert {result.structure for result in found.values()} == {"ThecalSac"}
        assert found["cumulative_dmax"].value == pytest.approx(75.0, rel=1e-4)
        assert found["sbrt_dmax"].value == pytest.approx(35.0, rel=1e-4)
        assert found["sbrt_share"].value == pytest.approx(35.0 / 75.0, rel=1e-4)
        assert found["interval"].value == pytest.approx(24.0, abs=0.1)
        assert [found[i].verdict for i in ("cumulative_dmax", "sbrt_dmax", "sbrt_share", "interval")] == [
            "fail", "fail", "pass", "pass",
        ]  # fmt: skip

    def test_the_reports_own_example_breaks_the_first_and_keeps_the_others(self, courses):
        # 50 Gy in 25, then 14 Gy in 3: 23.33 of 73.33 Gy EQD2 at alpha/beta 2.
        with_plan(courses, 0, dose=a_grid(50.0), fractions=25)
        with_plan(courses, 1, dose=a_grid(14.0), fractions=3)
        found = rows(a_review(courses, protocols=("hytec_2021_spine",)))
        assert found["cumulative_dmax"].value == pytest.approx(73.33, abs=0.01)
        assert found["sbrt_share"].value == pytest.approx(23.33 / 73.33, abs=1e-3)
        verdicts = {row_id: result.verdict for row_id, result in found.items()}
        assert verdicts == {"cumulative_dmax": "fail", "sbrt_dmax": "pass", "sbrt_share": "pass", "interval": "pass"}

    def test_do_not_judge_a_conventional_course(self, courses):
        found = rows(a_review(with_plan(courses, 1, fractions=10), protocols=("hytec_2021_spine",)))
        assert {found[row].verdict for row in ("cumulative_dmax", "sbrt_dmax", "sbrt_share")} == {"note"}
        assert "new course has 10 fractions" in found["sbrt_dmax"].message


def test_a_set_for_6_to_12_months_does_not_pass_at_24(courses):
    with_plan(courses, 0, dose=a_grid(4.0))
    result = rows(a_review(courses, protocols=("paradis_2019_thorax",)))["cord_d01cc"]
    assert result.value < result.limit
    assert (result.verdict, result.conditions_met) == ("note", False)
    inside = rows(a_review(courses, protocols=("paradis_2019_thorax",), interval_months={"course 1": 9}))["cord_d01cc"]
    assert (inside.verdict, inside.conditions_met) == ("pass", True)


def test_a_course_that_is_left_out_does_not_set_the_interval(courses):
    third = a_course("course 0", "2021-11-01", a_grid(1.0), 1)
    both = [third, *courses]
    assert a_review(both).circumstances.interval_months == pytest.approx(2.0, abs=0.1)
    assert a_review(both, left_out=frozenset({0})).circumstances.interval_months == pytest.approx(24.0, abs=0.1)


class TestHowMuchTheModelMatters:
    def entry(self, review, structure="Cord"):
        return next(each for each in model_entries(review) if each["structure"] == structure)

    def test_lql_is_lower_where_fractions_are_large(self, courses):
        # 20 Gy in 4 at alpha/beta 2 is above the transition at 4 Gy: BED 4 [4 (1 + 2) + 5 (5 - 4)] = 68 Gy, EQD2 34 Gy.
        entry = self.entry(a_review(courses))
        assert entry["composite_eqd2_lq"]["Dmean_gy"] == pytest.approx(75.0, rel=1e-4)
        assert entry["composite_eqd2_lql"]["Dmean_gy"] == pytest.approx(40.0 + 34.0, rel=1e-4)
        delivered = self.entry(a_review(courses, delivered={"p-course 1": 10}))
        assert delivered["composite_eqd2_lql"]["Dmean_gy"] == pytest.approx(20.0 + 34.0, rel=1e-4)

    def test_it_is_converted_on_the_plans_own_grid_before_it_is_warped(self, courses):
        steps = a_grid(0.0)
        steps.array[:, :, ::2] = 40.0  # half way between 0 and 40 Gy, LQ-L of 20 Gy is not half of LQ-L of 40 Gy
        review = a_review(with_plan(courses, 1, dose=steps))
        mean = self.entry(review)["composite_eqd2_lql"]["Dmean_gy"] - 40.0
        assert mean == pytest.approx(eqd2_gy(40.0, 4, ALPHA_BETA, "lql") / 2, rel=0.02)

    def test_small_fractions_are_the_same_in_both(self, courses):
        entry = self.entry(a_review(with_plan(courses, 1, fractions=5)))
        assert entry["composite_eqd2_lql"] is None
        assert "equals LQ" in entry["note"]

    def test_it_is_not_defined_for_incomplete_repair(self, courses):
        review = a_review(courses, delivery={"p-course 1": "hyperfractionated:per-day=2,interval-hours=6"})
        assert "not defined for plan of course 1" in self.entry(review)["note"]

    def test_no_limit_is_held_against_it(self, courses):
        assert rows(a_review(courses))["cord_dmax"].value == pytest.approx(75.0, rel=1e-4)


class TestRepopulation:
    def test_is_said_of_a_target_and_leaves_every_dose_as_it_is(self, courses):
        growth = {"PTV_new": "overall-days=40, kick-off-days=21, dprolif=0.8"}
        plain, growing = (
            prescription_entry(a_review(courses, repopulation=each))["targets"][0] for each in ({}, growth)
        )
        assert growing["repopulation_gy"] == pytest.approx(0.8 * 19)
        assert {**growing, "repopulation_gy": 0.0} == plain

    @pytest.mark.parametrize(
        ("growth", "message"),
        [
            ({"Cord": "overall-days=40,kick-off-days=21,dprolif=0.8"}, "tumour only"),
            ({"PTV": "overall-days=40,kick-off-days=21,dprolif=0.8"}, "tumour only|no such structure"),
            ({"PTV_new": "dprolif=0.8"}, "write overall-days"),
            ({"PTV_new": "overall-days=40,kick-off-days=21,dprolif=-1"}, "above 0"),
        ],
    )
    def test_of_an_organ_or_without_its_numbers_is_refused(self, courses, growth, message):
        with pytest.raises(ReirradiationError, match=message):
            a_review(courses, repopulation=growth)


def test_a_plan_with_a_variable_rbe_has_a_whole_document(courses):
    letd = 0 * courses[1].plans[0].dose.array.astype(float) + 5.0
    with_plan(courses, 1, modality="RTIONPLAN", dose_type="EFFECTIVE", letd_kev_um=letd)
    document = review_document(a_review(courses, rbe={"p-course 2": "carabe"}))
    # A prescription is in Gy(RBE) with the constant RBE: 50 Gy in 4 at alpha/beta 10.
    assert document["prescriptions"]["courses"][1]["eqd2_gy"] == pytest.approx(eqd2_gy(50.0, 4, 10.0))
