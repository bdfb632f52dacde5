"""Verdicts: pass, near, fail, unknown and note, and what is refused, on doses whose metrics are plain."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.constraints import (
    Circumstances,
    RowDose,
    Span,
    evaluate,
    evaluate_time,
    not_contoured,
)
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.dvh import dose_volume
from ReirradiationReviewLib.core.protocols import load_protocol

NO_ALPHA_BETA = 3.0  # what most of these tests hand in; no row of the paper asks for one


def the_row(row_id):
    return next(row for row in load_protocol("beddok_2022").rows if row.id == row_id)


def parts(*pieces, unknown_cc=0.0):
    """Return the dose-volume relation of (dose in Gy, volume in cc) pieces, each of many samples."""
    dose = np.concatenate([np.full(200, dose_gy) for dose_gy, _ in pieces]) if pieces else np.empty(0)
    volume = np.concatenate([np.full(200, volume_cc / 200) for _, volume_cc in pieces]) if pieces else np.empty(0)
    return dose_volume(dose, volume, unknown_cc)


def a_dose(row, low, high=None, incomplete_percent=0.0, **labels):
    """Return a dose with the labels of the row, as far as others are not given."""
    own = {"quantity": row.quantity, "basis": row.basis, "alpha_beta_gy": NO_ALPHA_BETA}
    return RowDose(**{**own, **labels}, low=low, high=high, incomplete_percent=incomplete_percent)


def result_of(row, low, high=None, circumstances=None, relative=None, **more):
    row = the_row(row) if isinstance(row, str) else row
    return evaluate(
        "beddok_2022",
        row,
        structure="it",
        dose=a_dose(row, low, high, **more),
        relative=relative,
        circumstances=circumstances or Circumstances(),
    )


class TestTheVerdictOfASingleLimit:
    @pytest.mark.parametrize(
        ("dose_gy", "verdict"),
        [(30.0, "pass"), (54.1, "pass"), (54.2, "near"), (56.9, "near"), (57.0, "fail"), (60.0, "fail")],
    )
    def test_near_is_within_five_percent_and_at_the_limit_it_is_broken(self, dose_gy, verdict):
        result = result_of("cord_dmax", parts((dose_gy, 20)))
        assert result.verdict == verdict
        assert result.value == pytest.approx(dose_gy)
        assert result.headroom == pytest.approx(57 - dose_gy)

    def test_a_limit_that_includes_itself_is_kept_at_itself(self):
        row = replace(the_row("cord_dmax"), direction="<=")
        assert result_of(row, parts((57.0, 20))).verdict == "near"
        assert result_of(row, parts((57.01, 20))).verdict == "fail"

    def test_the_share_of_a_volume(self):
        assert result_of("lung_v20", parts((25, 300), (5, 700))).verdict == "pass"
        assert result_of("lung_v20", parts((25, 390), (5, 610))).verdict == "near"
        failed = result_of("lung_v20", parts((25, 450), (5, 550)))
        assert (failed.verdict, failed.unit) == ("fail", "%")
        assert failed.value == pytest.approx(45)
        assert failed.headroom == pytest.approx(-5)


@pytest.mark.parametrize(
    ("row", "dose_gy", "verdict"),
    [
        ("esophagus_dmax_fistula", 84.9, "pass"),
        ("esophagus_dmax_fistula", 85.1, "near"),
        ("esophagus_dmax_fistula", 89.9, "near"),
        ("esophagus_dmax_fistula", 90.0, "fail"),
        ("esophagus_dmax_ars", 99.9, "pass"),
        ("esophagus_dmax_ars", 100.1, "near"),
        ("esophagus_dmax_ars", 110.0, "fail"),
    ],
)
def test_a_printed_band_is_where_a_value_is_near(row, dose_gy, verdict):
    assert result_of(row, parts((dose_gy, 30))).verdict == verdict


class TestTheLiverRuleIsTheRightWayRound:
    def test_a_liver_that_is_largely_spared_passes(self):
        result = result_of("liver_cv15", parts((40, 500), (5, 1000)))
        assert (result.verdict, result.unit, result.direction) == ("pass", "cc", ">=")
        assert result.value == pytest.approx(1000)
        assert result.headroom == pytest.approx(200)

    def test_a_destroyed_liver_fails_though_less_than_800_cc_receive_15_gy(self):
        # As printed, "V15Gy < 800cc" would pass this liver.
        small = parts((40, 700))
        assert small.volume_cc_at_dose(15) < 800
        result = result_of("liver_cv15", small)
        assert result.verdict == "fail"
        assert result.value == pytest.approx(0)
        assert result.headroom == pytest.approx(-800)

    def test_a_liver_spared_by_less_than_800_cc_fails_and_by_a_little_more_is_near(self):
        assert result_of("liver_cv15", parts((40, 800), (5, 790))).verdict == "fail"
        assert result_of("liver_cv15", parts((40, 700), (5, 810))).verdict == "near"

    def test_a_contour_smaller_than_what_is_to_be_spared_is_explained(self):
        result = result_of("liver_cv15", parts((1, 600)))
        assert result.verdict == "fail"
        assert "600 cc" in result.message
        assert "only a part of the organ" in result.message
        assert "only a part of the organ" not in result_of("liver_cv15", parts((40, 500), (5, 1000))).message

    def test_tg101_rows_ask_for_physical_dose_and_say_so(self):
        result = result_of("liver_cv19", parts((40, 500), (18, 800)))
        assert (result.verdict, result.quantity, result.alpha_beta_gy) == ("pass", "physical", None)
        assert "TG-101" in result.message
        assert result.status == "unverified"
        assert result_of("liver_dmean", parts((10, 1000), (22, 1000))).verdict == "fail"


@pytest.mark.parametrize("row", ["bowel", "ducts"])
@given(dose_gy=st.floats(0, 300))
def test_a_disputed_row_never_passes_or_fails(row, dose_gy):
    result = result_of(row, parts((dose_gy, 30)), parts((dose_gy + 50, 30)))
    assert result.verdict == "note"
    assert result.status == "disputed"
    assert np.isnan(result.headroom)
    assert "neither passes nor fails" in result.message


def test_a_disputed_row_still_shows_its_value_and_why_it_is_disputed():
    result = result_of("bowel", parts((95.0, 30)))
    assert result.value == pytest.approx(95.0)
    assert "54.0-58.8" in result.message


class TestWhereADoseGridEnds:
    def test_the_verdict_stands_if_the_upper_bound_agrees(self):
        result = result_of("cord_dmax", parts((40, 20)), parts((45, 20)), incomplete_percent=12.34)
        assert result.verdict == "pass"
        assert result.value == pytest.approx(40)
        assert (result.range.low, result.range.high) == (pytest.approx(40), pytest.approx(45))
        assert "12.3 %" in result.range.why
        assert "12.3 % of the volume" in result.message
        assert "rests on the dose not rising" in result.message
        assert result.outside_dose_grid_percent == 12.34

    def test_headroom_is_counted_from_the_less_favorable_bound(self):
        assert result_of("cord_dmax", parts((40, 20)), parts((45, 20))).headroom == pytest.approx(12)
        spared = result_of("liver_cv15", parts((40, 100), (5, 1500)), parts((40, 600), (5, 1000)))
        assert spared.headroom == pytest.approx(200)

    def test_it_is_unknown_if_the_bounds_disagree(self):
        for low_gy, high_gy in ((40, 60), (40, 56), (56, 60)):
            result = result_of("cord_dmax", parts((low_gy, 20)), parts((high_gy, 20)), incomplete_percent=30)
            assert result.verdict == "unknown"
            assert f"{low_gy:.2f} and {high_gy:.2f} Gy" in result.message

    def test_it_fails_if_the_known_dose_alone_breaks_the_limit(self):
        assert result_of("cord_dmax", parts((60, 20)), parts((80, 20))).verdict == "fail"

    def test_a_spared_volume_is_unknown_if_the_unknown_part_decides(self):
        assert result_of("liver_cv15", parts((5, 900)), parts((5, 500), (30, 400))).verdict == "unknown"
        # The known part alone is too small, but with the rest enough may be spared.
        assert result_of("liver_cv15", parts((5, 700), unknown_cc=300), parts((5, 1000))).verdict == "unknown"

    def test_an_organ_without_any_known_dose_is_unknown_and_has_no_number(self):
        result = result_of("cord_dmax", parts(unknown_cc=20), parts((1, 20)), incomplete_percent=100)
        assert result.verdict == "unknown"
        assert np.isnan(result.value)
        assert np.isnan(result.headroom)
        assert result.range is None
        assert "no dose is known" in result.message

    def test_bounds_that_are_equal_are_no_range(self):
        dose = parts((40, 20))
        assert result_of("cord_dmax", dose, dose, incomplete_percent=5).range is None


class TestAMaximumThatIsNotDefined:
    def test_the_point_maximum_is_said(self):
        result = result_of("cord_dmax", parts((50, 0.01), (40, 2)))
        assert result.value == pytest.approx(40)
        assert result.metric == "D0.03cc"
        assert "Dmax without defining it" in result.message
        assert "50.00 Gy" in result.message

    def test_a_pass_becomes_near_if_the_point_maximum_breaks_the_limit(self):
        result = result_of("cord_dmax", parts((60, 0.01), (40, 2)))
        assert result.verdict == "near"
        assert "beyond the limit" in result.message
        assert "point maximum" in result.message

    def test_so_it_does_if_only_the_upper_bound_of_the_point_maximum_does(self):
        assert result_of("cord_dmax", parts((40, 2)), parts((60, 0.01), (40, 2))).verdict == "near"

    def test_a_row_with_a_metric_of_its_own_does_not_speak_of_it(self):
        assert "point maximum" not in result_of("lung_v20", parts((25, 300), (5, 700))).message


def test_a_structure_smaller_than_the_metrics_volume_is_said_to_show_its_minimum():
    row = replace(the_row("cord_dmax"), metric="D2cc")
    result = result_of(row, parts((50, 0.5), (30, 0.5)))
    assert result.value == pytest.approx(30)
    assert "smaller (1.000 cc) than 2 cc" in result.message
    partly_known = result_of(row, parts((30, 1.0), unknown_cc=9.0), parts((30, 10.0)))
    assert "part with known dose is smaller" in partly_known.message.replace("The part", "part")
    assert "smaller" not in result_of(row, parts((50, 3.0))).message


class TestAMixIsRefused:
    def test_of_basis(self):
        with pytest.raises(ReirradiationError, match=r"cord_dmax.*cumulative_undiscounted.*discounted_vs_first"):
            result_of("cord_dmax", parts((40, 20)), basis="discounted_vs_first")

    def test_of_quantity(self):
        with pytest.raises(ReirradiationError, match=r"liver_cv19.*physical.*EQD2"):
            result_of("liver_cv19", parts((5, 1500)), quantity="EQD2")

    def test_of_alpha_beta(self):
        row = replace(the_row("cord_dmax"), alpha_beta_gy=2.0)
        with pytest.raises(ReirradiationError, match=r"alpha/beta 2 Gy.*3 Gy"):
            result_of(row, parts((40, 20)))

    def test_what_fits_is_not_refused(self):
        fitting = {"basis": "cumulative_undiscounted", "quantity": "EQD2"}
        assert result_of("cord_dmax", parts((40, 20)), **fitting).verdict == "pass"


def spine(row_id):
    return next(row for row in load_protocol("hytec_2021_spine").rows if row.id == row_id)


SBRT = Circumstances(interval_months=8.0, new_course_fractions=3)


class TestARatio:
    def result(self, new, whole, circumstances=SBRT, **labels):
        row = spine("sbrt_share")
        both = {"alpha_beta_gy": 2.0, **labels}
        relative = a_dose(row, *whole, basis="cumulative_undiscounted", alpha_beta_gy=2.0)
        return result_of(row, *new, circumstances=circumstances, relative=relative, **both)

    @pytest.mark.parametrize(("new_gy", "verdict"), [(20, "pass"), (33.6, "near"), (35, "near"), (35.1, "fail")])
    def test_is_the_new_courses_share_of_the_maximum(self, new_gy, verdict):
        result = self.result([parts((new_gy, 2))], [parts((70, 2))])
        assert (result.verdict, result.unit) == (verdict, "ratio")
        assert result.value == pytest.approx(new_gy / 70)
        assert result.headroom == pytest.approx(0.5 - new_gy / 70)

    def test_is_bounded_where_a_dose_grid_ends(self):
        low, high = parts((20, 2)), parts((30, 2))
        result = self.result([low, high], [parts((50, 2)), parts((80, 2))])
        assert (result.range.low, result.range.high) == (pytest.approx(20 / 80), pytest.approx(30 / 50))
        assert result.verdict == "unknown"

    @given(st.floats(0.1, 60), st.floats(0, 40), st.floats(0, 60))
    def test_never_exceeds_one_whatever_is_unknown(self, new_gy, more_gy, earlier_gy):
        whole = [parts((new_gy + earlier_gy, 2)), parts((new_gy + more_gy + earlier_gy, 2))]
        result = self.result([parts((new_gy, 2)), parts((new_gy + more_gy, 2))], whole)
        ends = (result.range.low, result.range.high) if result.range else (result.value, result.value)
        assert 0 <= ends[0] <= result.value * (1 + 1e-12)
        assert result.value <= ends[1] * (1 + 1e-12) <= 1 + 1e-9

    def test_without_any_dose_is_zero(self):
        assert self.result([parts((0, 2))], [parts((0, 2))]).value == 0

    def test_needs_the_whole_on_its_own_basis(self):
        row = spine("sbrt_share")
        with pytest.raises(ReirradiationError, match="relative to"):
            result_of(row, parts((20, 2)), alpha_beta_gy=2.0)
        discounted = a_dose(row, parts((50, 2)), basis="discounted_vs_first", alpha_beta_gy=2.0)
        with pytest.raises(ReirradiationError, match=r"cumulative_undiscounted.*discounted_vs_first"):
            result_of(row, parts((20, 2)), relative=discounted, alpha_beta_gy=2.0)


class TestARuleAboutTime:
    @pytest.mark.parametrize(("months", "verdict"), [(4.9, "fail"), (5.0, "near"), (5.3, "pass"), (None, "unknown")])
    def test_is_held_against_the_interval(self, months, verdict):
        circumstances = Circumstances(months, 3)
        result = evaluate_time("hytec_2021_spine", spine("interval"), structure="it", circumstances=circumstances)
        assert (result.verdict, result.unit, result.alpha_beta_gy) == (verdict, "months", None)
        assert ("not known" in result.message) == (months is None)


class TestTheCaseThatARowWasMadeFor:
    def made_for(self, **case):
        return replace(the_row("cord_dmax"), **case)

    def test_a_row_for_another_interval_does_not_pass_and_says_so(self):
        row = self.made_for(interval_months=Span(6, 12))
        for dose_gy, verdict in ((30, "note"), (56, "note"), (60, "fail")):
            result = result_of(row, parts((dose_gy, 2)), circumstances=Circumstances(3.2, 10))
            assert (result.verdict, result.conditions_met) == (verdict, False)
            assert "CONDITION NOT MET: the row was made for 6 to 12 months" in result.message
            assert "is 3.2 months" in result.message

    def test_a_row_for_another_fractionation_says_nothing_of_this_one(self):
        row = self.made_for(new_course_fractions=Span(1, 5))
        for dose_gy in (30, 60):
            result = result_of(row, parts((dose_gy, 2)), circumstances=Circumstances(8, 30))
            assert (result.verdict, result.conditions_met) == ("note", False)
            assert "has 30 fractions" in result.message

    def test_an_interval_that_is_not_known_leaves_a_pass_unknown(self):
        row = self.made_for(interval_months=Span(6, None))
        assert result_of(row, parts((30, 2))).verdict == "unknown"
        assert result_of(row, parts((60, 2))).verdict == "fail"
        assert "not known" in result_of(row, parts((30, 2))).message

    def test_in_its_case_the_row_speaks(self):
        row = self.made_for(interval_months=Span(6, 12), new_course_fractions=Span(1, 5))
        result = result_of(row, parts((30, 2)), circumstances=SBRT)
        assert (result.verdict, result.conditions_met) == ("pass", True)
        assert "NOT MET" not in result.message
        assert "Made for: an interval of 6 to 12 months." in result.message


def test_what_was_forgiven_is_in_the_message():
    row = next(row for row in load_protocol("umich_paradis").rows if row.id == "cord")
    result = result_of(row, parts((40, 2)), alpha_beta_gy=2.5, recovery="Recovery counted: 25% of course 1.")
    assert "Recovery counted: 25% of course 1." in result.message


def test_an_organ_that_is_not_contoured_is_unknown():
    result = not_contoured("beddok_2022", the_row("brachial_plexus_dmax"))
    assert (result.verdict, result.structure) == ("unknown", None)
    assert np.isnan(result.value)
    assert "Brachial plexus" in result.organs
    assert "BrachialPlex_L" in result.organs
    assert "not evaluated" in result.message


def test_what_the_paper_leaves_open_is_in_the_message():
    assert "Recovery ?" in result_of("cord_dmax", parts((40, 20))).message
    assert "upside down" in result_of("liver_cv15", parts((5, 1500))).message
    assert "slipped" in result_of("esophagus_dmax_ars", parts((40, 30))).message


def test_a_result_is_plain_data_with_the_agreed_keys():
    result = asdict(result_of("cord_dmax", parts((40, 20)), parts((45, 20)), incomplete_percent=5.0))
    assert {
        "protocol", "id", "structure", "metric", "quantity", "basis", "value", "limit", "unit", "verdict", "range",
        "source", "status", "message",
    } <= set(result)  # fmt: skip
    assert set(result["range"]) == {"low", "high", "why"}
    assert json.loads(json.dumps(result)) == result


ROWS = st.sampled_from([row.id for row in load_protocol("beddok_2022").rows])
PIECES = st.lists(st.tuples(st.floats(0, 150), st.floats(0.1, 900)), min_size=1, max_size=4)


@given(ROWS, PIECES, st.floats(0, 60))
def test_more_dose_never_improves_a_verdict(row, pieces, more_gy):
    badness = ["pass", "near", "fail"]
    now = result_of(row, parts(*pieces)).verdict
    then = result_of(row, parts(*((dose + more_gy, volume) for dose, volume in pieces))).verdict
    if now != "note":
        assert badness.index(then) >= badness.index(now)


@given(ROWS, PIECES, st.floats(0, 60))
def test_bounds_never_lead_to_a_better_verdict_than_the_upper_one_alone(row, pieces, more_gy):
    low, high = parts(*pieces), parts(*((dose + more_gy, volume) for dose, volume in pieces))
    both, worst = result_of(row, low, high).verdict, result_of(row, high).verdict
    assert both in (worst, "unknown") or (both, worst) == ("note", "note")


@given(ROWS, PIECES)
def test_headroom_is_negative_exactly_where_the_rule_fails(row, pieces):
    result = result_of(row, parts(*pieces))
    if result.verdict == "fail":
        assert result.headroom <= 0
    elif result.verdict != "note":
        assert result.headroom >= 0
