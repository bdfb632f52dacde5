"""CT, MR and PET slices become one volume with every voxel at its place, or are refused."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pydicom
import pytest
from dicom_case import CT_SIZE_MM, axes, codes, hounsfield, make_case, points_inside, set_pixels
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)
from ReirradiationReviewLib.core.dicom import read_course, read_series
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.volume import sample_linear

COS, SIN = np.cos(0.3), np.sin(0.3)


def worst_ct_error(series):
    points = points_inside(series.volume)
    values, inside = sample_linear(series.volume, points)
    assert inside.all()
    return np.abs(values - hounsfield(points)).max()


def renumber(case):
    """Give the CT's files names that say nothing about their order."""
    for number, name in enumerate([name for name in case if name.startswith("CT/")]):
        case[f"scan {(7 * number) % 11}"] = case.pop(name)
    return case


@pytest.mark.parametrize(
    ("row", "column"),
    [((1, 0, 0), (0, 1, 0)), ((-1, 0, 0), (0, 1, 0)), ((0, -1, 0), (1, 0, 0)), ((1, 0, 0), (0, COS, SIN))],
    ids=["HFS", "FFS", "HFDR", "tilted"],
)
def test_every_ct_voxel_has_its_value_at_its_place(tmp_path, row, column):
    ct = renumber(make_case(row, column)).read(tmp_path).ct
    assert worst_ct_error(ct) < 1.0  # stored values are rounded to slopes of 0.5 and 0.75
    assert np.allclose(ct.volume.spacing_mm, CT_SIZE_MM[::-1])
    assert ct.units == "HU"


def test_slices_are_named_in_the_order_of_the_volume(tmp_path):
    case = make_case()
    uids = [case[f"CT/{number}.dcm"].SOPInstanceUID for number in range(5)]
    assert renumber(case).read(tmp_path).ct.sop_instance_uids == tuple(uids)


def test_a_missing_slice_is_interpolated_in_place_and_reported(tmp_path):
    case = make_case()
    del case["CT/2.dcm"]
    course = case.read(tmp_path)
    assert course.ct.volume.shape_ijk == (9, 8, 5)
    assert worst_ct_error(course.ct) < 1.0
    assert course.ct.sop_instance_uids[2] == ""
    assert [notice.code for notice in course.notices] == ["ct-missing-slices"]
    assert "CT/1.dcm" in course.notices[0].text


def test_slices_at_uneven_distances_keep_their_places(tmp_path):
    case = make_case()
    move(case["CT/1.dcm"], 1.0)
    course = case.read(tmp_path)
    assert "ct-missing-slices" in codes(course)
    assert worst_ct_error(course.ct) < 1.0


def move(dataset, shift_mm):
    """Move a slice along z, with the values of its new place."""
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, y, z + shift_mm]
    stored = np.frombuffer(dataset.PixelData, np.int16).reshape(dataset.Rows, dataset.Columns)
    per_mm = hounsfield(axes()[2:])[0] / dataset.RescaleSlope
    set_pixels(dataset, np.rint(stored + shift_mm * per_mm).astype(np.int16))


def test_a_gap_too_wide_to_bridge_is_refused(tmp_path):
    case = make_case()
    move(case["CT/4.dcm"], 20.0)
    with pytest.raises(ReirradiationError, match=r"CT/3\.dcm.*gap of 23\.0 mm"):
        case.read(tmp_path)


def test_a_repeated_slice_with_equal_pixels_is_left_out(tmp_path):
    case = make_case()
    case["CT/again.dcm"] = case.copy_of("CT/2.dcm")
    course = case.read(tmp_path)
    assert course.ct.volume.shape_ijk == (9, 8, 5)
    assert codes(course) == {"ct-duplicate-slice"}


def test_two_different_slices_at_one_position_are_reported(tmp_path):
    case = make_case()
    case["CT/again.dcm"] = case.copy_of("CT/2.dcm")
    case["CT/again.dcm"].InstanceNumber = 99
    case["CT/again.dcm"].RescaleIntercept = 0
    course = case.read(tmp_path)
    assert codes(course) == {"ct-conflicting-slices"}
    assert worst_ct_error(course.ct) < 1.0


def test_a_series_of_several_volumes_is_refused(tmp_path):
    case = make_case()
    for number in range(5):
        case[f"CT/phase2_{number}.dcm"] = case.copy_of(f"CT/{number}.dcm")
    with pytest.raises(ReirradiationError, match="several volumes"):
        case.read(tmp_path)


def test_an_exact_copy_of_a_file_is_read_once(tmp_path):
    case = make_case()
    case["backup/2.dcm"] = deepcopy(case["CT/2.dcm"])
    case["backup/RD.dcm"] = deepcopy(case["RD.dcm"])
    assert codes(case.read(tmp_path)) == {"files-copied"}


def test_two_files_with_one_uid_and_different_content_are_refused(tmp_path):
    case = make_case()
    case["RD2.dcm"] = deepcopy(case["RD.dcm"])
    case["RD2.dcm"].DoseGridScaling = 2e-6
    with pytest.raises(ReirradiationError, match=r"SOPInstanceUID \(0008,0018\).*RD\.dcm"):
        case.read(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PixelSpacing", [5, 4.5]), ("ImageOrientationPatient", [0, 1, 0, -1, 0, 0]), ("NumberOfFrames", 4)],
)
def test_slices_that_do_not_match_are_refused_by_name(tmp_path, keyword, value):
    case = make_case()
    setattr(case["CT/3.dcm"], keyword, value)
    with pytest.raises(ReirradiationError, match=rf"CT/3\.dcm: {keyword}"):
        case.read(tmp_path)


def test_a_multi_frame_ct_is_refused_rather_than_passed_over(tmp_path):
    case = make_case()
    for number in range(1, 5):
        del case[f"CT/{number}.dcm"]
    del case["CT/0.dcm"].ImagePositionPatient
    case["CT/0.dcm"].SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    with pytest.raises(ReirradiationError, match="multi-frame"):
        case.read(tmp_path)


def test_a_slice_of_the_series_without_position_is_refused(tmp_path):
    case = make_case()
    del case["CT/2.dcm"].ImagePositionPatient
    with pytest.raises(ReirradiationError, match=r"CT/2\.dcm: ImagePositionPatient \(0020,0032\)"):
        case.read(tmp_path)


def test_slices_that_no_regular_grid_fits_are_refused(tmp_path):
    case = make_case()
    move(case["CT/1.dcm"], -2.8)
    move(case["CT/2.dcm"], 0.7)
    with pytest.raises(ReirradiationError, match="no regular grid"):
        case.read(tmp_path)


def test_sheared_slices_are_refused(tmp_path):
    case = make_case()
    for number in range(5):
        x, y, z = case[f"CT/{number}.dcm"].ImagePositionPatient
        case[f"CT/{number}.dcm"].ImagePositionPatient = [x, y + 0.8 * number, z]
    with pytest.raises(ReirradiationError, match="sheared"):
        case.read(tmp_path)


def test_localizers_are_passed_over(tmp_path):
    case = make_case()
    case["scout.dcm"] = case.copy_of("CT/2.dcm")
    case["scout.dcm"].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    course = case.read(tmp_path)
    assert course.ct.volume.shape_ijk == (9, 8, 5)
    assert not course.notices


def test_the_ct_that_the_structures_were_drawn_on_is_used(tmp_path):
    case = make_case()
    other = generate_uid()
    for number in range(5):
        case[f"other/{number}.dcm"] = case.copy_of(f"CT/{number}.dcm")
        case[f"other/{number}.dcm"].SeriesInstanceUID = other
    course = case.read(tmp_path)
    assert course.ct.series_uid == case["CT/0.dcm"].SeriesInstanceUID
    assert codes(course) == {"ct-series-unused"}


def test_several_cts_without_a_link_are_refused(tmp_path):
    case = make_case()
    for number in range(5):
        case[f"other/{number}.dcm"] = case.copy_of(f"CT/{number}.dcm")
        case[f"other/{number}.dcm"].SeriesInstanceUID = "1.2.3"
    del case["RS.dcm"]
    with pytest.raises(ReirradiationError, match="2 CT series"):
        case.read(tmp_path)


def transcode(path, syntax):
    dataset = pydicom.dcmread(path)
    little = syntax != ExplicitVRBigEndian
    if not little and "PixelData" in dataset:
        dataset.PixelData = dataset.pixel_array.astype(f">i{dataset.BitsAllocated // 8}").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_native_transfer_syntax_gives_the_same_course(tmp_path, syntax):
    case = make_case()
    expected = case.read(tmp_path)
    for path in tmp_path.rglob("*.dcm"):
        transcode(path, syntax)
    course = read_course(tmp_path, "course 1")
    assert np.array_equal(course.ct.volume.array, expected.ct.volume.array)
    assert np.array_equal(course.plans[0].dose.array, expected.plans[0].dose.array)
    assert np.array_equal(course.structures[0].contours_lps[1], expected.structures[0].contours_lps[1])


def test_run_length_encoded_slices_are_read(tmp_path):
    case = make_case()
    expected = case.read(tmp_path).ct.volume.array
    for path in (tmp_path / "CT").iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    assert np.array_equal(read_course(tmp_path, "course 1").ct.volume.array, expected)


def test_jpeg_compressed_slices_are_read(tmp_path):
    import SimpleITK as sitk

    case = make_case()
    expected = case.read(tmp_path).ct.volume.array
    for path in (tmp_path / "CT").iterdir():
        original = pydicom.dcmread(path)
        image = sitk.GetImageFromArray(original.pixel_array[None])
        image.SetMetaData("0008|0060", "CT")
        writer = sitk.ImageFileWriter()
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
        writer.SetFileName(str(path))
        writer.Execute(image)
        encoded = pydicom.dcmread(path)
        original.file_meta.TransferSyntaxUID = encoded.file_meta.TransferSyntaxUID
        assert original.file_meta.TransferSyntaxUID.is_compressed
        original.PixelData = encoded.PixelData
        original["PixelData"].VR = "OB"
        original.save_as(path, enforce_file_format=True)
    assert np.array_equal(read_course(tmp_path, "course 1").ct.volume.array, expected)


def test_pixels_that_cannot_be_decoded_are_refused_by_file(tmp_path):
    case = make_case()
    case.write(tmp_path)
    dataset = pydicom.dcmread(tmp_path / "CT/3.dcm")
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.PixelData = dataset.PixelData[:30] + bytes(len(dataset.PixelData) - 30)
    dataset.save_as(tmp_path / "CT/3.dcm")
    with pytest.raises(ReirradiationError, match=r"CT/3\.dcm: PixelData \(7FE0,0010\)"):
        read_course(tmp_path, "course 1")


def pet_case():
    """Return a PET series of the CT's slices, with a slope per slice."""
    case = make_case()
    for name in [name for name in case if not name.startswith("CT/")]:
        del case[name]
    for dataset in case.values():
        dataset.Modality, dataset.Units = "PT", "BQML"
    return case


def test_a_pet_series_is_rescaled_slice_by_slice(tmp_path):
    series = read_series(pet_case().write(tmp_path), "PT")
    assert (series.modality, series.units) == ("PT", "BQML")
    assert worst_ct_error(series) < 1.0


def test_a_pet_series_with_a_gap_is_refused(tmp_path):
    case = pet_case()
    del case["CT/2.dcm"]
    with pytest.raises(ReirradiationError, match="missing"):
        read_series(case.write(tmp_path), "PT")


def test_two_series_where_one_is_expected_are_refused(tmp_path):
    case = pet_case()
    case["CT/3.dcm"].SeriesInstanceUID = "1.2.3"
    with pytest.raises(ReirradiationError, match="found 2"):
        read_series(case.write(tmp_path), "PT")


def test_a_folder_without_the_modality_is_refused(tmp_path):
    with pytest.raises(ReirradiationError, match="MR and found 0"):
        read_series(pet_case().write(tmp_path), "MR")
