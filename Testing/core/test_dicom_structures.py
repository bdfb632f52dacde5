"""RTSTRUCT: every closed contour at its place, and whatever is left out is named."""

from __future__ import annotations

import pytest
from dicom_case import add_roi, codes, make_case, square, text_of
from pydicom.uid import generate_uid
from ReirradiationReviewLib.core.errors import ReirradiationError


def test_structures_keep_name_colour_type_and_every_point(tmp_path):
    structure = make_case().read(tmp_path).structures[0]
    assert (structure.name, structure.colour, structure.interpreted_type) == ("Cord", (10, 20, 30), "ORGAN")
    assert [contour.tolist() for contour in structure.contours_lps] == [
        [[-10, -5, z], [0, -5, z], [0, 5, z], [-10, 5, z]] for z in (33, 36)
    ]


def test_odd_rois_are_named_and_never_silently_smaller(tmp_path):
    case = make_case()
    closed, rs = ("CLOSED_PLANAR", square(33)), case["RS.dcm"]
    add_roi(rs, "Nothing", [])
    add_roi(rs, "Isocentre", [("POINT", [1, 2, 3])])
    add_roi(rs, "Wire", [("OPEN_PLANAR", square(33)), closed])
    add_roi(rs, "Line", [("CLOSED_PLANAR", [0, 0, 33, 1, 1, 33]), closed])
    add_roi(rs, "Cord", [closed])
    add_roi(rs, "Elsewhere", [closed]).ReferencedFrameOfReferenceUID = generate_uid()
    add_roi(rs, "Odd", [closed, ("CLOSED_PLANAR", [1, 2, 3, 4])])
    add_roi(rs, "", [closed])
    add_roi(rs, "Rückenmark – 脊髄", [closed])
    course = case.read(tmp_path)
    assert [s.name for s in course.structures] == ["Cord", "Wire", "Line", "Cord (2)", "ROI 9", "Rückenmark – 脊髄"]
    assert "Nothing, Isocentre" in text_of(course, "roi-empty")
    assert "Isocentre, Wire" in text_of(course, "roi-not-closed")
    assert "Line" in text_of(course, "roi-short-contour")
    assert "Cord (2)" in text_of(course, "roi-renamed")
    assert "Elsewhere" in text_of(course, "roi-other-frame")
    assert "Odd" in text_of(course, "roi-unreadable")


def test_an_roi_without_contour_item_is_empty(tmp_path):
    case = make_case()
    add_roi(case["RS.dcm"], "Drawn", [("CLOSED_PLANAR", square(33))])
    del case["RS.dcm"].ROIContourSequence[0]
    course = case.read(tmp_path)
    assert [structure.name for structure in course.structures] == ["Drawn"]
    assert "Cord" in text_of(course, "roi-empty")


def test_the_structure_set_of_the_plan_is_used(tmp_path):
    case = make_case()
    case["RS_other.dcm"] = case.copy_of("RS.dcm")
    course = case.read(tmp_path)
    assert course.structure_set_uid == case["RS.dcm"].SOPInstanceUID
    assert "RS_other.dcm" in text_of(course, "structure-sets-unused")


def test_an_unlinked_structure_set_is_used_only_if_it_is_the_only_one(tmp_path):
    case = make_case()
    del case["RP.dcm"].ReferencedStructureSetSequence
    assert codes(case.read(tmp_path / "one")) == {"structure-set-assumed"}
    case["RS_other.dcm"] = case.copy_of("RS.dcm")
    with pytest.raises(ReirradiationError, match=r"RS\.dcm, RS_other\.dcm"):
        case.read(tmp_path / "two")


def test_a_folder_without_ct_or_structures_still_has_its_dose(tmp_path):
    case = make_case()
    for name in [name for name in case if name.startswith(("CT", "RS"))]:
        del case[name]
    course = case.read(tmp_path)
    assert course.ct is None
    assert (len(course.plans), course.structures) == (1, ())
    assert "no-ct" in codes(course)
