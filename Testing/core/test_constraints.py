"""Verdicts: pass, near, fail, unknown and note, and what is refused, on doses whose metrics are plain."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.constraints import evaluate, not_contoured
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


def result_of(row, low, high=None, **more):
    row = the_row(row) if isinstance(row, str) else row
    return evaluate("beddok_2022", row, structure="it", low=low, high=high, alpha_beta_gy=NO_ALPHA_BETA, **more)


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
