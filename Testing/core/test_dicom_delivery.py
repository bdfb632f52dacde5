"""What was delivered of a plan, and how: treatment records, brachytherapy and ion plans made up for the purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dicom_case import codes, item, make_case, reference, sop, text_of
from pydicom.sequence import Sequence
from ReirradiationReviewLib.core.dicom import inspect
from ReirradiationReviewLib.core.dicom.records import read_delivered
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.plan_given import plans_given
from ReirradiationReviewLib.core.settings import Settings

SOP_CLASSES = {
    "beam": "1.2.840.10008.5.1.4.1.1.481.4",
    "brachy": "1.2.840.10008.5.1.4.1.1.481.6",
    "summary": "1.2.840.10008.5.1.4.1.1.481.7",
    "ion": "1.2.840.10008.5.1.4.1.1.481.9",
}
SESSIONS = {
    "beam": "TreatmentSessionBeamSequence",
    "ion": "TreatmentSessionIonBeamSequence",
    "brachy": "TreatmentSessionApplicationSetupSequence",
}


def a_record(case, kind, *sessions, date="20240115", **values):
    dataset = sop(case["RP.dcm"], "RTRECORD")
    dataset.SOPClassUID = SOP_CLASSES[kind]
    dataset.ReferencedRTPlanSequence = Sequence([reference(case["RP.dcm"])])
    dataset.TreatmentDate = date
    if sessions:
        setattr(dataset, SESSIONS[kind], Sequence(sessions))
    for keyword, value in values.items():
        setattr(dataset, keyword, Sequence(value) if keyword.endswith("Sequence") else value)
    return dataset


def a_beam(fraction, meterset=50.0, beam=1, status="NORMAL", **more):
    values = {"DeliveredPrimaryMeterset": meterset, "ReferencedBeamNumber": beam, "TreatmentTerminationStatus": status}
    return item(CurrentFractionNumber=fraction, **values, **more)


def plan_of(case, folder):
    return case.read(folder).plans[0]


class TestFractions:
    @pytest.mark.parametrize("kind", ["beam", "ion"])
    def test_are_the_distinct_numbers_with_dose(self, tmp_path, kind):
        case = make_case()
        for number in range(1, 5):
            sessions = [a_beam(number, beam=1), a_beam(number, beam=2)]
            case[f"RT{number}.dcm"] = a_record(case, kind, *sessions, date=f"202401{20 + number}")
        case["RT5.dcm"] = a_record(case, kind, a_beam(5, meterset=0.0), date="20240130")
        case["copy.dcm"] = a_record(case, kind, a_beam(4), date="20240124")
        course = case.read(tmp_path)
        assert course.plans[0].delivered_fractions == 4
        assert course.plans[0].fractions == 10
        assert (course.date, course.end_date) == ("2024-01-21", "2024-01-30")
        assert "4 fractions delivered of 10" in text_of(course, "fractions-delivered-differ")

    def test_of_two_groups_are_told_apart(self, tmp_path):
        case = make_case()
        for group in (1, 2):
            case[f"RT{group}.dcm"] = a_record(case, "beam", a_beam(1), ReferencedFractionGroupNumber=group)
        assert plan_of(case, tmp_path).delivered_fractions == 2

    def test_of_brachytherapy_need_source_time(self, tmp_path):
        case = make_case()
        for number, seconds in ((1, [300.0, 0.0]), (2, [0.0]), (3, [120.0])):
            channels = [item(DeliveredChannelTotalTime=time) for time in seconds]
            session = item(CurrentFractionNumber=number, RecordedChannelSequence=channels)
            case[f"RT{number}.dcm"] = a_record(case, "brachy", session)
        assert plan_of(case, tmp_path).delivered_fractions == 2

    def test_of_a_summary_count_where_it_tells_more(self, tmp_path):
        case = make_case()
        groups = [item(NumberOfFractionsDelivered=7), item(NumberOfFractionsDelivered=1)]
        summary = {"FractionGroupSummarySequence": groups, "FirstTreatmentDate": "20240110"}
        case["RT.dcm"] = a_record(case, "summary", MostRecentTreatmentDate="20240219", **summary)
        course = case.read(tmp_path)
        assert course.plans[0].delivered_fractions == 8
        assert (course.date, course.end_date) == ("2024-01-10", "2024-02-19")

    def test_are_not_imaging_sessions(self, tmp_path):
        case = make_case()
        kinds = {1: "TREATMENT", 2: "SETUP", 3: "CONTINUATION"}
        sessions = [a_beam(number, TreatmentDeliveryType=kind) for number, kind in kinds.items()]
        case["RT.dcm"] = a_record(case, "beam", *sessions)
        assert plan_of(case, tmp_path).delivered_fractions == 2

    def test_of_unknown_meterset_count(self, tmp_path):
        case = make_case()
        case["RT.dcm"] = a_record(case, "beam", item(CurrentFractionNumber=1))
        assert plan_of(case, tmp_path).delivered_fractions == 1

    def test_that_are_all_planned_ones_need_no_word(self, tmp_path):
        case = make_case()
        case["RT.dcm"] = a_record(case, "beam", *(a_beam(number) for number in range(1, 11)))
        course = case.read(tmp_path)
        assert course.plans[0].delivered_fractions == 10
        assert course.notices == ()

    def test_without_number_are_not_guessed(self, tmp_path):
        case = make_case()
        case["RT.dcm"] = a_record(case, "beam", item(DeliveredPrimaryMeterset=50.0))
        course = case.read(tmp_path)
        assert course.plans[0].delivered_fractions is None
        assert "--delivered 'Lung 30/10'=N" in text_of(course, "fraction-number-missing")

    def test_of_another_plan_are_not_this_ones(self, tmp_path):
        case = make_case()
        case["RT.dcm"] = a_record(case, "beam", a_beam(1))
        case["RT.dcm"].ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = "1.2.3"
        course = case.read(tmp_path)
        assert (course.plans[0].delivered_fractions, course.end_date) == (None, "")
        assert read_delivered([], "1.2.3") is None

    def test_that_ended_early_are_said_unless_they_were_resumed(self, tmp_path):
        case = make_case()
        sessions = [
            a_beam(1, status="MACHINE"), a_beam(1, status="NORMAL"), a_beam(2, status="OPERATOR"),
            a_beam(2, beam=2, status="NORMAL"),
        ]  # fmt: skip
        case["RT.dcm"] = a_record(case, "beam", *sessions)
        course = case.read(tmp_path)
        assert "fraction 2 did not end normally" in text_of(course, "fraction-cut-short")
        assert course.plans[0].delivered_fractions == 2

    def test_reach_the_sum_as_records(self, tmp_path):
        case = make_case()
        case["RT.dcm"] = a_record(case, "beam", *(a_beam(number) for number in range(1, 5)))
        course = case.read(tmp_path)
        earlier, new = plans_given([course, replace(course, label="new")], 1, Settings())
        assert (earlier.fractions, earlier.planned_fractions, earlier.source) == (4, 10, "record")
        assert (new.fractions, new.source) == (10, "plan")
        assert earlier.weight(1.0).delivered_share == 0.4


class TestBrachytherapy:
    @pytest.mark.parametrize(
        ("plan", "delivery"),
        [
            ({"BrachyTreatmentType": "HDR"}, "hdr"),
            (
                {
                    "BrachyTreatmentType": "LDR",
                    "ApplicationSetupSequence": [
                        item(ChannelSequence=[item(ChannelTotalTime=216000.0), item(ChannelTotalTime=216001.0)])
                    ],
                },
                "ldr:hours=60.0003",
            ),
            (
                {
                    "BrachyTreatmentType": "MANUAL",
                    "BrachyTreatmentTechnique": "PERMANENT",
                    "SourceSequence": [item(SourceIsotopeHalfLife=59.4)],
                },
                "permanent:half-life-days=59.4",
            ),
        ],
    )
    def test_that_the_plan_describes_is_taken_from_it(self, tmp_path, plan, delivery):
        case = make_case()
        for keyword, value in plan.items():
            setattr(case["RP.dcm"], keyword, Sequence(value) if isinstance(value, list) else value)
        course = case.read(tmp_path)
        assert course.plans[0].delivery == delivery
        assert codes(course) == {"plan-brachytherapy"}
        given = plans_given([course, replace(course, label="new")], 1, Settings())[0]
        assert given.delivery.text()

    @pytest.mark.parametrize(
        ("plan", "form"),
        [
            ({"BrachyTreatmentType": "LDR"}, "ldr:hours=N"),
            (
                {
                    "BrachyTreatmentType": "LDR",
                    "ApplicationSetupSequence": [
                        item(ChannelSequence=[item(ChannelTotalTime=100.0), item(ChannelTotalTime=300.0)])
                    ],
                },
                "ldr:hours=N",
            ),
            ({"BrachyTreatmentTechnique": "PERMANENT"}, "permanent:half-life-days=N"),
            (
                {
                    "BrachyTreatmentType": "PDR",
                    "ApplicationSetupSequence": [
                        item(ChannelSequence=[item(NumberOfPulses=60, PulseRepetitionInterval=3600.0)])
                    ],
                },
                "pdr:pulses=60,pulse-minutes=N,period-minutes=60",
            ),
        ],
    )
    def test_that_the_plan_describes_in_part_is_asked_for(self, tmp_path, plan, form):
        case = make_case()
        for keyword, value in plan.items():
            setattr(case["RP.dcm"], keyword, Sequence(value) if isinstance(value, list) else value)
        course = case.read(tmp_path)
        assert course.plans[0].delivery == ""
        assert f"--delivery 'Lung 30/10'={form}" in text_of(course, "plan-protracted")


@pytest.mark.parametrize(("number", "is_heavy"), [(1, False), (6, True), (None, False)])
def test_ions_heavier_than_protons_are_told_by_their_atomic_number(tmp_path, number, is_heavy):
    case = make_case()
    plan = case["RP.dcm"]
    plan.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.8"
    plan.IonBeamSequence = Sequence([item(RadiationType="ION", RadiationAtomicNumber=number)])
    course = case.read(tmp_path)
    assert course.plans[0].is_heavy_ion == is_heavy
    if is_heavy:
        with pytest.raises(ReirradiationError, match="heavier than protons"):
            plans_given([course, replace(course, label="new")], 1, Settings())


def test_inspection_lists_the_records(tmp_path):
    case = make_case()
    case["RT.dcm"] = a_record(case, "beam", a_beam(1))
    lines = inspect([case.write(tmp_path)]).lines()
    assert any("RTRECORD" in line and "2024-01-15" in line for line in lines)
