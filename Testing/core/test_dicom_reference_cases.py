"""The reference cases: the right dose at every point, or the plain refusal that was asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dicom_case import points_inside, worst_dose_error_gy
from ReirradiationReviewLib.core.dicom import inspect, read_course, read_series
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.volume import sample_linear

# Notices that must be there; the dose must be right in each of these folders.
LOADS = {
    "01_plain_hfs": set(),
    "02_gfov_absolute": set(),
    "03_gfov_negative": set(),
    "05_hfp": set(),
    "07_decubitus_hfdr": set(),
    "09_gantry_tilt": {"roi-empty"},
    "11_missing_slice": {"ct-missing-slices"},
    "12_duplicate_slice": {"ct-duplicate-slice"},
    "14_per_beam_and_plan": {"beam-doses-ignored"},
    "17_dose_effective": {"dose-effective"},
    "20_no_for_dose": {"dose-frame-assumed"},
    "21_no_plan_ref": {"dose-plan-assumed"},
    "26_roi_zoo": {"roi-empty", "roi-renamed"},
    "28_unicode_names": {"patient-mismatch"},
    "29_plan_no_fractiongroup": {"fractions-unknown"},
    "30_plan_no_nfractions": {"fractions-unknown"},
    "31_plan_zero_fractions": {"fractions-unknown"},
    "35_junk_files": {"files-ignored"},
    "36_implicit_vr": set(),
    "38_deflated": set(),
    "40_patient_mismatch": {"patient-mismatch"},
}
REFUSED = {
    "16_dose_relative_units": ("DoseUnits (3004,0002)", "RD.dcm"),
    "19_no_gfov": ("GridFrameOffsetVector (3004,000C)", "RD.dcm"),
    "33_truncated_ct": ("CT_0013.dcm", "cut short"),
}
PET = ("43_pet_ok", "44_pet_no_weight", "45_pet_cnts", "46_pet_gml", "47_pet_no_radiopharm")


def true_dose_gy(points):
    x, y, z = points.T
    return np.maximum(0, 30 + 0.30 * (x - 10) + 0.10 * (y + 150) - 0.25 * (z - 40))


@pytest.fixture(scope="module")
def awkward(data_dir):
    return data_dir / "awkward"


@pytest.mark.parametrize("name", LOADS)
def test_the_dose_is_right_at_every_point(awkward, name):
    course = read_course(awkward / name, "course 1")
    # The dose bends where it reaches 0, so between voxels there it is off by up to a part of one step.
    points = points_inside(course.plans[0].dose, 400)
    points = points[true_dose_gy(points) > 3]
    values, _ = sample_linear(course.plans[0].dose, points)
    assert np.abs(values - true_dose_gy(points)).max() < 0.01
    assert {notice.code for notice in course.notices} == LOADS[name]


@pytest.mark.parametrize("name", REFUSED)
def test_the_refusal_names_file_and_tag(awkward, name):
    with pytest.raises(ReirradiationError) as caught:
        read_course(awkward / name, "course 1")
    assert all(part in str(caught.value) for part in REFUSED[name])


def test_every_folder_is_accounted_for(awkward):
    folders = {folder.name for folder in awkward.iterdir() if folder.is_dir()}
    assert folders == {*LOADS, *REFUSED, *PET, "24_zero_dose", "25_dose_without_pixels"}


def test_a_dose_of_zero_is_zero(awkward):
    course = read_course(awkward / "24_zero_dose", "course 1")
    assert not course.plans[0].dose.array.any()
    assert "dose-all-zero" in {notice.code for notice in course.notices}


def test_a_dose_without_pixels_leaves_no_plan(awkward):
    course = read_course(awkward / "25_dose_without_pixels", "course 1")
    assert course.plans == ()
    assert "dose-without-pixels" in {notice.code for notice in course.notices}


def test_the_bright_sphere_of_the_ct_lies_where_it_was_put(awkward):
    truth = json.loads((awkward / "manifest.json").read_text())
    for name in ("01_plain_hfs", "05_hfp", "07_decubitus_hfdr", "09_gantry_tilt", "11_missing_slice"):
        volume = read_course(awkward / name, "course 1").ct.volume
        sphere = truth[name]["sphere_L"]
        values, inside = sample_linear(volume, np.array([sphere["center"]]))
        assert inside.all()
        assert values[0] == pytest.approx(sphere["hu"], abs=1)
        bright = volume.centres_lps()[volume.array.ravel() > 250]
        assert np.linalg.norm(bright.mean(axis=0) - sphere["center"]) < 1.0


def test_odd_rois_keep_all_their_contours(awkward):
    structures = {s.name: s for s in read_course(awkward / "26_roi_zoo", "course 1").structures}
    counts = {name: len(structure.contours_lps) for name, structure in structures.items()}
    assert counts["Ring_two_contours"] == 22
    assert counts["Two_lungs"] == 14
    assert (counts["Same name"], counts["Same name (2)"], counts["single_slice"]) == (5, 5, 1)
    assert not {"Empty_noseq", "Empty_seq0"} & set(counts)


def test_unicode_names_are_right(awkward):
    course = read_course(awkward / "28_unicode_names", "course 1")
    assert "Rückenmark – 脊髄/β" in [structure.name for structure in course.structures]


@pytest.mark.parametrize("name", PET)
def test_pet_series_load_with_their_units(awkward, name):
    series = read_series(awkward / name, "PT")
    assert series.volume.shape_ijk == (48, 40, 15)
    peak = 6.0 if series.units == "GML" else 6.0 / 0.0002960750161260463
    assert float(series.volume.array.max()) == pytest.approx(peak, rel=1e-3)


def test_inspect_reports_what_is_refused_and_goes_on(awkward):
    folders = [awkward / name for name in ("01_plain_hfs", *REFUSED, "43_pet_ok")]
    report = inspect(folders)
    refused = {folder.folder.rsplit("/", 1)[-1] for folder in report.folders if folder.refusal}
    assert refused == set(REFUSED)
    assert len(report.lines()) > 3 * len(folders)


@pytest.fixture(scope="module")
def two_courses(data_dir):
    folder = data_dir / "reirr_hn"
    truth = json.loads((folder / "truth.json").read_text())
    return [read_course(folder / f"course{n}", f"course {n}") for n in (1, 2)], truth


@pytest.mark.parametrize("number", [1, 2])
def test_sixty_points_of_the_two_course_case_have_their_dose(two_courses, number):
    courses, truth = two_courses
    points = np.array([point[f"x{number}"] for point in truth["points"]])
    expected = np.array([point[f"D{number}"] for point in truth["points"]])
    values, inside = sample_linear(courses[number - 1].plans[0].dose, points)
    assert np.abs(values - expected)[inside].max() < 0.01
    assert inside.sum() > 20
    assert not expected[~inside].any()  # the truth writes 0 where the review says "unknown"


def test_the_two_course_case_is_read_with_its_facts(two_courses):
    (first, second), truth = two_courses
    assert (first.date, second.date) == ("2017-03-06", "2020-03-09")
    assert (first.plans[0].fractions, second.plans[0].fractions) == (35, 30)
    assert (first.plans[0].prescription_gy, second.plans[0].prescription_gy) == (70, 60)
    assert (first.plans[0].modality, second.plans[0].modality) == ("RTPLAN", "RTIONPLAN")
    assert first.frame_of_reference_uid == truth["course1"]["FOR"]
    assert second.frame_of_reference_uid == truth["course2"]["FOR"]
    assert {notice.code for notice in (*first.notices, *second.notices)} == {"dose-effective"}


def test_real_pet_and_mr_are_read(data_dir):
    folder = data_dir / "pet_mr_sts001"
    pet = read_series(folder / "PET" / "image", "PT")
    mr = read_series(folder / "MR_T1" / "image", "MR")
    assert pet.units == "GML"
    assert pet.volume.frame_of_reference_uid == mr.volume.frame_of_reference_uid != ""


def test_the_plain_case_is_right_to_the_rounding_of_its_pixels(awkward):
    course = read_course(awkward / "01_plain_hfs", "course 1")
    assert worst_dose_error_gy(course.plans[0].dose, true_dose_gy) < 0.05
