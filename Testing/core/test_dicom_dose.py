"""RTDOSE: the right Gy at the right place, or a refusal that names the tag."""

from __future__ import annotations

import numpy as np
import pytest
from dicom_case import (
    DOSE_ORIGIN,
    DOSE_SHAPE,
    FRACTIONS,
    codes,
    item,
    make_case,
    refusal,
    set_dose,
    set_pixels,
    stored_dose_gy,
    worst_dose_error_gy,
)
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

COS, SIN = np.cos(0.3), np.sin(0.3)
ORIENTATIONS = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDR": ((0, -1, 0), (1, 0, 0)),
    "HFDL": ((0, 1, 0), (-1, 0, 0)),
    "FFDR": ((0, 1, 0), (1, 0, 0)),
    "FFDL": ((0, -1, 0), (-1, 0, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "oblique": ((COS, SIN, 0), (-SIN * COS, COS * COS, SIN)),
}


@pytest.mark.parametrize("step", [2.0, -2.0])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_dose_is_at_its_place_in_every_orientation_and_frame_order(tmp_path, orientation, step):
    plan = make_case(*ORIENTATIONS[orientation], frame_step_mm=step).read(tmp_path).plans[0]
    assert worst_dose_error_gy(plan.dose) < 1e-4
    assert plan.dose.shape_ijk == DOSE_SHAPE[::-1]
    assert np.linalg.det(plan.dose.index_to_lps[:3, :3]) > 0


@pytest.mark.parametrize("step", [2.0, -2.0])
def test_absolute_frame_offsets_are_z_positions(tmp_path, step):
    case = make_case(frame_step_mm=step)
    case["RD.dcm"].GridFrameOffsetVector = [DOSE_ORIGIN[2] + step * k for k in range(DOSE_SHAPE[0])]
    assert worst_dose_error_gy(case.read(tmp_path).plans[0].dose) < 1e-4


def test_absolute_frame_offsets_in_another_orientation_are_refused(tmp_path):
    case = make_case(*ORIENTATIONS["FFS"])
    case["RD.dcm"].GridFrameOffsetVector = [DOSE_ORIGIN[2] + 2.0 * k for k in range(DOSE_SHAPE[0])]
    refusal(case, tmp_path, "GridFrameOffsetVector (3004,000C)", "RD.dcm")


@pytest.mark.parametrize(
    "offsets",
    [
        None,
        [0, 2, 4, 6, 8],
        [0, 2, 4, 3, 8, 10],
        [0, 0, 0, 0, 0, 0],
        [0, 2, 4, 7, 9, 11],
        [5, 7, 9, 11, 13, 15],
    ],
    ids=["missing", "too short", "back and forth", "all equal", "uneven", "neither relative nor absolute"],
)
def test_frame_offsets_that_do_not_fix_the_grid_are_refused(tmp_path, offsets):
    case = make_case()
    case["RD.dcm"].GridFrameOffsetVector = offsets
    refusal(case, tmp_path, "GridFrameOffsetVector (3004,000C)", "RD.dcm")


@pytest.mark.parametrize("scaling", [None, 0, -1e-6, "NaN", "inf"])
def test_a_scaling_that_is_no_positive_number_is_refused(tmp_path, scaling):
    case = make_case()
    case["RD.dcm"].DoseGridScaling = scaling
    refusal(case, tmp_path, "DoseGridScaling (3004,000E)", "RD.dcm")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("DoseUnits", "RELATIVE"),
        ("DoseUnits", None),
        ("DoseUnits", "CGY"),
        ("DoseType", "ERROR"),
        ("DoseType", None),
        ("DoseSummationType", None),
        ("DoseSummationType", "CONTROL_POINT"),
        ("DoseSummationType", "RECORD"),
        ("DoseSummationType", "MULTI_PLAN"),
        ("DoseSummationType", "PLAN_OVERVIEW"),
        ("ImageOrientationPatient", [1, 0, 0, 0.5, 0.5, 0]),
        ("ImagePositionPatient", None),
        ("PixelSpacing", [0, 3]),
    ],
)
def test_a_dose_of_unknown_meaning_or_place_is_refused(tmp_path, keyword, value):
    case = make_case()
    setattr(case["RD.dcm"], keyword, value)
    refusal(case, tmp_path, keyword, "RD.dcm")


def test_negative_stored_doses_are_refused(tmp_path):
    case = make_case()
    set_pixels(case["RD.dcm"], np.full(DOSE_SHAPE, -5, dtype=np.int32))
    refusal(case, tmp_path, "PixelData (7FE0,0010)", "negative")


def test_sixteen_bit_doses_are_read(tmp_path):
    case = make_case()
    true_gy = stored_dose_gy(case["RD.dcm"])
    set_pixels(case["RD.dcm"], np.rint(true_gy / 1e-3).astype(np.uint16))
    case["RD.dcm"].DoseGridScaling = 1e-3
    assert worst_dose_error_gy(case.read(tmp_path).plans[0].dose) < 6e-4


def test_fewer_frames_than_stated_are_refused(tmp_path):
    case = make_case()
    case["RD.dcm"].PixelData = case["RD.dcm"].PixelData[:-224]
    refusal(case, tmp_path, "RD.dcm")


def test_a_single_plane_is_refused(tmp_path):
    case = make_case()
    set_pixels(case["RD.dcm"], np.ones(DOSE_SHAPE[1:], dtype=np.uint32))
    case["RD.dcm"].NumberOfFrames, case["RD.dcm"].GridFrameOffsetVector = 1, [0]
    refusal(case, tmp_path, "NumberOfFrames (0028,0008)")


def test_a_dose_of_zero_everywhere_loads_with_a_notice(tmp_path):
    case = make_case()
    set_dose(case["RD.dcm"], np.zeros(DOSE_SHAPE))
    course = case.read(tmp_path)
    assert not course.plans[0].dose.array.any()
    assert "dose-all-zero" in codes(course)


def test_a_dose_without_pixels_is_skipped_with_a_notice(tmp_path):
    case = make_case()
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(case["RD.dcm"], keyword)
    refusal(case, tmp_path / "nothing", "PixelData (7FE0,0010)", "RD.dcm")
    case["RD.dcm"].DVHSequence = Sequence([item(DVHType="CUMULATIVE")])
    course = case.read(tmp_path / "dvh")
    assert course.plans == ()
    assert {"dose-without-pixels", "plan-without-dose"} <= codes(course)


def test_a_dose_unlike_its_prescription_is_pointed_out(tmp_path):
    case = make_case()
    set_dose(case["RD.dcm"], stored_dose_gy(case["RD.dcm"]) / FRACTIONS)
    assert "dose-unlike-prescription" in codes(case.read(tmp_path))


@pytest.mark.parametrize(
    ("plan_class", "dose_type", "code"),
    [
        ("1.2.840.10008.5.1.4.1.1.481.8", "PHYSICAL", "dose-rbe-missing"),
        ("1.2.840.10008.5.1.4.1.1.481.8", "EFFECTIVE", "dose-effective"),
        ("1.2.840.10008.5.1.4.1.1.481.5", "EFFECTIVE", "dose-effective"),
    ],
)
def test_whether_the_rbe_is_in_is_said_and_nothing_is_multiplied(tmp_path, plan_class, dose_type, code):
    case = make_case()
    case["RP.dcm"].SOPClassUID, case["RD.dcm"].DoseType = plan_class, dose_type
    course = case.read(tmp_path)
    assert code in codes(course)
    assert course.plans[0].dose_type == dose_type
    assert worst_dose_error_gy(course.plans[0].dose) < 1e-4


def test_a_dose_without_frame_of_reference_takes_the_one_that_all_others_share(tmp_path):
    case = make_case()
    del case["RD.dcm"].FrameOfReferenceUID
    course = case.read(tmp_path)
    assert course.frame_of_reference_uid == case["RP.dcm"].FrameOfReferenceUID
    assert "dose-frame-assumed" in codes(course)


def test_a_dose_without_frame_of_reference_is_refused_where_the_others_disagree(tmp_path):
    case = make_case()
    del case["RD.dcm"].FrameOfReferenceUID
    case["RP.dcm"].FrameOfReferenceUID = generate_uid()
    refusal(case, tmp_path, "FrameOfReferenceUID (0020,0052)", "RD.dcm")


def test_a_dose_in_another_frame_than_the_ct_is_refused(tmp_path):
    case = make_case()
    case["RD.dcm"].FrameOfReferenceUID = generate_uid()
    refusal(case, tmp_path, "FrameOfReferenceUID (0020,0052)")
