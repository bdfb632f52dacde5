"""Which RTDOSE objects make up a plan's dose: added up, multiplied, left out or refused, but never counted twice."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_case import (
    FRACTIONS,
    add_second_plan,
    codes,
    make_beam_dose,
    make_case,
    reference,
    refusal,
    set_dose,
    stored_dose_gy,
    worst_dose_error_gy,
)
from pydicom.sequence import Sequence


@pytest.mark.parametrize("text", ["EQD2 ab=3", "composite_eqd2", "PLAN SUM", "BED Gy10", "Plan sum", "eval EQD_2"])
def test_a_converted_dose_is_not_taken_for_a_plan_dose(tmp_path, text):
    case = make_case()
    case["RD.dcm"].DoseType, case["RD.dcm"].SeriesDescription = "EFFECTIVE", text
    refusal(case, tmp_path, "RD.dcm", "plan by plan")


def test_a_converted_dose_beside_the_plan_dose_is_left_out(tmp_path):
    case = make_case()
    case["RD_eqd2.dcm"] = case.copy_of("RD.dcm")
    case["RD_eqd2.dcm"].DoseComment = "EQD2, alpha/beta 3 Gy"
    set_dose(case["RD_eqd2.dcm"], 2 * stored_dose_gy(case["RD.dcm"]))
    course = case.read(tmp_path)
    assert worst_dose_error_gy(course.plans[0].dose) < 1e-4
    assert "dose-not-of-one-plan" in codes(course)


def test_words_that_only_resemble_converted_doses_are_accepted(tmp_path):
    case = make_case()
    case["RD.dcm"].SeriesDescription = "Bedded patient, embedded couch"
    assert len(case.read(tmp_path).plans) == 1


def test_beam_doses_beside_the_plan_dose_are_not_counted_again(tmp_path):
    case = make_case()
    for number, share in ((1, 0.7), (2, 0.3)):
        case[f"RD_{number}.dcm"] = make_beam_dose(case, number, share)
    course = case.read(tmp_path)
    assert worst_dose_error_gy(course.plans[0].dose) < 1e-4
    assert "beam-doses-ignored" in codes(course)


def test_beam_doses_that_do_not_add_up_to_the_plan_dose_are_reported(tmp_path):
    case = make_case()
    for number, share in ((1, 0.7), (2, 0.2)):
        case[f"RD_{number}.dcm"] = make_beam_dose(case, number, share)
    assert "beam-doses-differ" in codes(case.read(tmp_path))


@pytest.fixture
def beams_only():
    case = make_case()
    case["RD_1.dcm"], case["RD_2.dcm"] = make_beam_dose(case, 1, 0.7), make_beam_dose(case, 2, 0.3)
    del case["RD.dcm"]
    return case


def test_an_unusable_beam_dose_beside_the_plan_dose_does_no_harm(tmp_path):
    case = make_case()
    for number, share in ((1, 0.7), (2, 0.3)):
        case[f"RD_{number}.dcm"] = make_beam_dose(case, number, share)
    case["RD_2.dcm"].DoseUnits = "RELATIVE"
    course = case.read(tmp_path)
    assert worst_dose_error_gy(course.plans[0].dose) < 1e-4
    assert "DoseUnits (3004,0002)" in course.notices[0].text


def test_all_beam_doses_of_a_plan_are_added_up(tmp_path, beams_only):
    course = beams_only.read(tmp_path)
    plan = course.plans[0]
    assert worst_dose_error_gy(plan.dose) < 1e-4
    assert plan.dose_summation_type == "BEAM"
    assert set(plan.dose_uids) == {beams_only[f"RD_{n}.dcm"].SOPInstanceUID for n in (1, 2)}
    assert "beam-doses-added" in codes(course)


def test_a_missing_beam_dose_is_refused(tmp_path, beams_only):
    del beams_only["RD_2.dcm"]
    refusal(beams_only, tmp_path, "beams [1, 2]", "export the PLAN dose")


def test_a_beam_dose_that_is_there_twice_is_refused(tmp_path, beams_only):
    beams_only["RD_2b.dcm"] = beams_only.copy_of("RD_2.dcm")
    refusal(beams_only, tmp_path, "beam 2 is there more than once", "RD_2b.dcm")


def test_beam_doses_on_different_grids_are_refused(tmp_path, beams_only):
    beams_only["RD_2.dcm"].PixelSpacing = [3, 3.5]
    refusal(beams_only, tmp_path, "different grids", "RD_2.dcm")


def test_a_beam_dose_without_its_number_is_refused(tmp_path, beams_only):
    del beams_only["RD_2.dcm"].ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence
    refusal(beams_only, tmp_path, "ReferencedBeamNumber (300C,0006)", "RD_2.dcm")


def test_two_plan_doses_of_one_plan_are_refused_by_name(tmp_path):
    case = make_case()
    case["RD_other.dcm"] = case.copy_of("RD.dcm")
    refusal(case, tmp_path, "RD.dcm", "RD_other.dcm")


@pytest.mark.parametrize("kind", ["FRACTION", "FRACTION_SESSION"])
def test_the_dose_of_one_fraction_is_multiplied_where_the_prescription_says_so(tmp_path, kind):
    case = make_case()
    case["RD.dcm"].DoseSummationType = kind
    set_dose(case["RD.dcm"], stored_dose_gy(case["RD.dcm"]) / FRACTIONS)
    course = case.read(tmp_path)
    assert worst_dose_error_gy(course.plans[0].dose) < 1e-4
    assert "dose-of-fraction" in codes(course)


def test_the_dose_of_a_whole_fraction_group_is_not_multiplied(tmp_path):
    case = make_case()
    case["RD.dcm"].DoseSummationType = "FRACTION"
    assert worst_dose_error_gy(case.read(tmp_path).plans[0].dose) < 1e-4


def test_a_fraction_dose_that_could_be_either_is_refused(tmp_path):
    case = make_case()
    case["RD.dcm"].DoseSummationType = "FRACTION"
    del case["RP.dcm"].DoseReferenceSequence
    refusal(case, tmp_path, "DoseSummationType (3004,000A)", "RD.dcm")


def test_a_sum_over_plans_is_left_out_beside_the_doses_of_its_plans(tmp_path):
    case = make_case()
    add_second_plan(case)
    case["RD_sum.dcm"] = case.copy_of("RD.dcm")
    case["RD_sum.dcm"].DoseSummationType = "MULTI_PLAN"
    case["RD_sum.dcm"].ReferencedRTPlanSequence = Sequence([reference(case["RP.dcm"]), reference(case["RP2.dcm"])])
    course = case.read(tmp_path)
    assert len(course.plans) == 2
    assert "dose-not-of-one-plan" in codes(course)


def test_a_sum_over_plans_of_which_one_has_no_dose_is_refused(tmp_path):
    case = make_case()
    add_second_plan(case)
    case["RD_sum.dcm"] = case.copy_of("RD.dcm")
    case["RD_sum.dcm"].ReferencedRTPlanSequence = Sequence([reference(case["RP.dcm"]), reference(case["RP2.dcm"])])
    del case["RD2.dcm"]
    refusal(case, tmp_path, "RD_sum.dcm", "plan by plan")


def test_each_plan_of_a_course_keeps_its_own_dose_and_fractions(tmp_path):
    case = make_case()
    add_second_plan(case)
    first, second = sorted(case.read(tmp_path).plans, key=lambda plan: plan.fractions, reverse=True)
    assert (first.fractions, second.fractions) == (FRACTIONS, 5)
    assert second.plan_uid == case["RP2.dcm"].SOPInstanceUID
    assert np.allclose(second.dose.array, first.dose.array / 2, atol=1e-5)
