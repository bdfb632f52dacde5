"""A folder becomes one course: linked by UID, with everything doubtful said and nothing guessed."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pydicom
import pytest
from dicom_case import FRACTIONS, codes, make_case, reference, text_of
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from ReirradiationReviewLib.core.dicom import inspect, read_course
from ReirradiationReviewLib.core.errors import Cancelled, ReirradiationError

FRACTIONS_TAG = r"NumberOfFractionsPlanned \(300A,0078\)"


def test_a_sound_folder_gives_a_course_without_a_single_notice(tmp_path):
    case = make_case()
    course = case.read(tmp_path)
    plan = course.plans[0]
    assert course.notices == ()
    assert (course.label, course.date, course.folder) == ("course 1", "2024-01-10", str(tmp_path))
    assert (plan.label, plan.fractions, plan.fractions_source) == ("Lung 30/10", FRACTIONS, "plan")
    assert (plan.prescription_gy, plan.modality, plan.dose_type) == (30.0, "RTPLAN", "PHYSICAL")
    assert (plan.plan_uid, plan.dose_uids) == (case["RP.dcm"].SOPInstanceUID, (case["RD.dcm"].SOPInstanceUID,))
    assert course.structure_set_uid == case["RS.dcm"].SOPInstanceUID
    assert course.frame_of_reference_uid == case["RD.dcm"].FrameOfReferenceUID
    assert (course.patient.id, course.patient.name) == ("P1", "Doe, Jo")
    assert (course.patient.birth_date, course.patient.sex) == ("1960-02-03", "F")


# --- fractions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [None, 0, -3])
def test_an_unknown_number_of_fractions_stays_unknown_and_is_asked_for(tmp_path, number):
    case = make_case()
    case["RP.dcm"].FractionGroupSequence[0].NumberOfFractionsPlanned = number
    course = case.read(tmp_path)
    assert (course.plans[0].fractions, course.plans[0].fractions_source) == (None, "unknown")
    assert "--fractions 'Lung 30/10'=N" in text_of(course, "fractions-unknown")


def test_a_plan_without_fraction_groups_has_unknown_fractions(tmp_path):
    case = make_case()
    del case["RP.dcm"].FractionGroupSequence
    assert case.read(tmp_path).plans[0].fractions is None


@pytest.mark.parametrize("by", ["RTPlanLabel", "SOPInstanceUID"])
def test_the_user_may_enter_the_fractions_by_label_or_uid(tmp_path, by):
    case = make_case()
    course = case.read(tmp_path, fractions={str(case["RP.dcm"].get(by)): 7})
    assert (course.plans[0].fractions, course.plans[0].fractions_source) == (7, "user")
    assert f"the plan file says {FRACTIONS}" in text_of(course, "fractions-entered")


@pytest.mark.parametrize("number", [0, -1, 2.5, True])
def test_an_entered_number_that_is_no_count_is_refused(tmp_path, number):
    with pytest.raises(ReirradiationError, match="--fractions"):
        make_case().read(tmp_path, fractions={"Lung 30/10": number})


def test_several_fraction_groups_are_not_lumped_together(tmp_path):
    case = make_case()
    groups = case["RP.dcm"].FractionGroupSequence
    groups.append(deepcopy(groups[0]))
    groups[1].NumberOfFractionsPlanned = 3
    course = case.read(tmp_path)
    assert course.plans[0].fractions is None
    assert "2 fraction groups of 10 and 3" in text_of(course, "fractions-unknown")


def test_a_dose_whose_plan_is_not_there_has_unknown_fractions(tmp_path):
    case = make_case()
    uid = case.pop("RP.dcm").SOPInstanceUID
    course = case.read(tmp_path)
    assert (course.plans[0].fractions, course.plans[0].plan_uid, course.plans[0].modality) == (None, uid, "")
    assert course.plans[0].label == "RD"


def test_the_plan_of_another_dose_does_not_lend_its_fractions(tmp_path):
    case = make_case()
    case["RP.dcm"].SOPInstanceUID = generate_uid()
    course = case.read(tmp_path)
    assert course.plans[0].fractions is None
    assert {"plan-without-dose", "fractions-unknown"} <= codes(course)


# --- plans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("ApprovalStatus", "REJECTED", "plan-not-approved"),
        ("ApprovalStatus", "UNAPPROVED", "plan-not-approved"),
        ("PlanIntent", "VERIFICATION", "plan-not-for-treatment"),
    ],
)
def test_what_makes_a_plan_doubtful_is_said(tmp_path, keyword, value, code):
    case = make_case()
    setattr(case["RP.dcm"], keyword, value)
    assert codes(case.read(tmp_path)) == {code}


def test_dose_from_earlier_treatment_that_the_plan_knows_of_is_said(tmp_path):
    case = make_case()
    case["RP.dcm"].DoseReferenceSequence[0].NominalPriorDose = 45
    assert "45 Gy" in text_of(case.read(tmp_path), "plan-prior-dose")


def test_a_dose_without_plan_reference_belongs_to_the_only_plan(tmp_path):
    case = make_case()
    del case["RD.dcm"].ReferencedRTPlanSequence
    course = case.read(tmp_path)
    assert course.plans[0].fractions == FRACTIONS
    assert codes(course) == {"dose-plan-assumed"}


def test_a_dose_without_plan_reference_is_refused_where_there_is_a_choice(tmp_path):
    case = make_case()
    case["RP2.dcm"] = case.copy_of("RP.dcm")
    del case["RD.dcm"].ReferencedRTPlanSequence
    with pytest.raises(ReirradiationError, match=r"RD\.dcm: ReferencedRTPlanSequence \(300C,0002\)"):
        case.read(tmp_path)


def test_plans_with_one_label_are_told_apart(tmp_path):
    case = make_case()
    case["RP2.dcm"], case["RD2.dcm"] = case.copy_of("RP.dcm"), case.copy_of("RD.dcm")
    case["RD2.dcm"].ReferencedRTPlanSequence = Sequence([reference(case["RP2.dcm"])])
    assert [plan.label for plan in case.read(tmp_path).plans] == ["Lung 30/10", "Lung 30/10 (2)"]
    with pytest.raises(ReirradiationError, match="several plans have this label"):
        case.read(tmp_path, fractions={"Lung 30/10": 5})


def test_doses_in_two_frames_are_not_one_course(tmp_path):
    case = make_case()
    case["RP2.dcm"], case["RD2.dcm"] = case.copy_of("RP.dcm"), case.copy_of("RD.dcm")
    case["RD2.dcm"].ReferencedRTPlanSequence = Sequence([reference(case["RP2.dcm"])])
    case["RD2.dcm"].FrameOfReferenceUID = generate_uid()
    with pytest.raises(ReirradiationError, match=r"RD\.dcm, RD2\.dcm .*different Frames"):
        case.read(tmp_path)


# --- identity and files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyword", ["PatientID", "PatientName", "PatientBirthDate", "PatientSex"])
def test_objects_of_different_patients_are_pointed_out(tmp_path, keyword):
    case = make_case()
    setattr(case["RD.dcm"], keyword, {"PatientBirthDate": "19610203", "PatientSex": "M"}.get(keyword, "other"))
    course = case.read(tmp_path)
    text = text_of(course, "patient-mismatch")
    assert keyword in text
    assert "RD.dcm" in text
    assert course.patient.id == "P1"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Müller^Jörg", "Müller, Jörg"),
        ("Doe^Jane^Q^Dr", "Doe, Dr Jane Q"),
        ("=山田^太郎", "山田, 太郎"),
        ("Solo", "Solo"),
    ],
)
def test_names_are_shown_as_people_write_them(tmp_path, stored, shown):
    case = make_case()
    for dataset in case.values():
        dataset.PatientName = stored
    assert case.read(tmp_path).patient.name == shown


def test_junk_is_ignored_with_one_notice_that_names_it(tmp_path):
    case = make_case()
    case.write(tmp_path)
    (tmp_path / "zero.dcm").touch()
    (tmp_path / "notes.dcm").write_text("no dose here")
    (tmp_path / ".hidden.dcm").write_bytes((tmp_path / "RD.dcm").read_bytes())
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "RD.dcm").write_bytes((tmp_path / "RD.dcm").read_bytes())
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + dicomdir_meta())
    course = read_course(tmp_path, "course 1")
    assert codes(course) == {"files-ignored"}
    text = course.notices[0].text
    assert "(5)" in text
    assert all(name in text for name in ("zero.dcm", "notes.dcm", ".hidden.dcm", "DICOMDIR"))


def dicomdir_meta():
    """Return the file meta group of a DICOMDIR: its SOP class and its transfer syntax."""
    elements = b""
    for number, uid in ((0x02, b"1.2.840.10008.1.3.10"), (0x10, b"1.2.840.10008.1.2.1\0")):
        elements += bytes([2, 0, number, 0]) + b"UI" + len(uid).to_bytes(2, "little") + uid
    return bytes([2, 0, 0, 0]) + b"UL" + bytes([4, 0]) + len(elements).to_bytes(4, "little") + elements


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    case = make_case()
    inside, outside = tmp_path / "in", tmp_path / "out"
    case.write(inside)
    outside.mkdir()
    (inside / "RD.dcm").rename(outside / "RD.dcm")
    (inside / "RD.dcm").symlink_to(outside / "RD.dcm")
    course = read_course(inside, "course 1")
    assert course.plans == ()
    assert "RD.dcm" in text_of(course, "files-ignored")


def test_files_without_preamble_are_read(tmp_path):
    case = make_case()
    expected = case.read(tmp_path).plans[0].dose.array
    dataset = pydicom.dcmread(tmp_path / "RD.dcm")
    del dataset.file_meta
    dataset.preamble = None
    dataset.save_as(tmp_path / "RD.dcm", implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert (tmp_path / "RD.dcm").read_bytes()[:2] == b"\x08\x00"
    assert np.array_equal(read_course(tmp_path, "course 1").plans[0].dose.array, expected)


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    with pytest.raises(ReirradiationError, match="no DICOM files"):
        read_course(tmp_path, "course 1")
    with pytest.raises(ReirradiationError, match="no such folder"):
        read_course(tmp_path / "nowhere", "course 1")


def test_reading_reports_progress_and_can_be_stopped(tmp_path):
    folder = make_case().write(tmp_path)
    seen = []
    read_course(folder, "course 1", lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1

    def stop(fraction, text):
        raise Cancelled

    with pytest.raises(Cancelled):
        read_course(folder, "course 1", stop)


def test_inspect_tells_what_is_there_and_never_raises(tmp_path):
    case = make_case()
    case.write(tmp_path / "good")
    case["RD.dcm"].DoseUnits = "RELATIVE"
    case.write(tmp_path / "bad")
    report = inspect([tmp_path / "good", tmp_path / "bad", tmp_path / "nowhere"])
    good, bad, nowhere = report.folders
    assert good.course.plans[0].fractions == FRACTIONS
    assert "DoseUnits (3004,0002)" in bad.refusal
    assert "no such folder" in nowhere.refusal
    text = "\n".join(report.lines())
    assert "'Lung 30/10': 10 fractions (plan), prescription 30 Gy" in text
    assert "REFUSED" in text
