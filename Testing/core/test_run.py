"""The whole command on the demo case: what it writes, read back by other software, against the case's truth."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from ReirradiationReviewLib.cli import main

ORGANS = ("Cord", "Oesophagus", "Trachea", "PBT", "Heart_1", "Aorta", "Lung R", "GTV_recur")


def near_maxima_agree(document, truth):
    figures = {structure["name"]: structure["composite_eqd2"] for structure in document["structures"]}
    for name in ORGANS:
        expected = truth["structures"][name]["composite_eqd2"]["D1cc_gy"]
        assert figures[name]["D1cc_gy"] == pytest.approx(expected, rel=0.02, abs=0.5), name


def the_composite_is_an_rtdose_with_the_true_values(path, truth):
    dataset = pydicom.dcmread(path)
    assert (dataset.DoseType, dataset.DoseSummationType, dataset.DoseUnits) == ("EFFECTIVE", "MULTI_PLAN", "GY")
    image = sitk.ReadImage(str(path))
    differences = []
    for point in truth["points"]:
        if point["eqd2_sum_ab3_gy"] is None:  # outside a dose grid
            continue
        index = image.TransformPhysicalPointToContinuousIndex(point["x2"])
        if not all(0 <= i < n - 1 for i, n in zip(index, image.GetSize(), strict=True)):
            continue
        value = image.EvaluateAtContinuousIndex(index) * float(dataset.DoseGridScaling)
        differences.append(value / point["eqd2_sum_ab3_gy"] - 1)
    assert len(differences) > 20
    assert np.abs(differences).max() < 0.03, "within 3 % at points in steep and in flat dose"


def the_transform_brings_landmarks_together(path, truth):
    transform = sitk.ReadTransform(str(path))
    moved = np.array([transform.TransformPoint(point) for point in truth["landmarks"]["course2"]])
    error_mm = np.linalg.norm(moved - np.array(truth["landmarks"]["course1"]), axis=1)
    assert error_mm.mean() < 0.3


def the_pet_shows_the_recurrence(document, truth):
    pet, mr = document["images"]
    assert (pet["units"], pet["registration"]["method"], mr["registration"]["method"]) == (
        "SUVbw (g/mL)",
        "identity",
        "file",
    )
    assert pet["suv"]["suv_per_stored_unit"] == pytest.approx([truth["pet"]["suv_per_bqml"]], rel=1e-3)
    np.testing.assert_allclose(np.linalg.inv(mr["registration"]["matrix_lps"]), truth["mr_to_course2"], atol=1e-3)
    targets = {target["name"]: target for target in document["targets"]}
    for name in ("GTV_recur", "GTV_PT_percent", "GTV seen"):
        assert targets[name]["suv_max"] == pytest.approx(truth["pet"]["suv_max_recurrence"], rel=1e-3)
    made = targets["GTV_PT_percent"]
    assert made["volume_cc"] == pytest.approx(truth["pet"]["volume_at_41_percent_cc"], rel=0.1)
    assert made["made_here"]["status"] == "unverified"
    assert made["earlier_courses"][0]["recurrence"] == targets["GTV_recur"]["earlier_courses"][0]["recurrence"]
    assert "image-listed-only" not in {warning["code"] for warning in document["warnings"]}


def the_new_contours_are_an_rtstruct(path):
    dataset = pydicom.dcmread(path)
    assert [roi.ROIName for roi in dataset.StructureSetROISequence] == ["GTV_PT_percent", "GTV seen", "PTV seen"]
    assert "41 % of the maximum" in dataset.StructureSetROISequence[0].ROIDescription


def the_margin_and_the_function_are_told(document):
    targets = {target["name"]: target for target in document["targets"]}
    assert targets["PTV seen"]["made_here"]["margin_around"] == "GTV seen"
    # A ball of the GTV's volume with 5 mm more: any other shape gains more.
    radius_mm = np.cbrt(targets["GTV seen"]["volume_cc"] * 3000 / (4 * np.pi))
    gained = targets["PTV seen"]["volume_cc"] / targets["GTV seen"]["volume_cc"]
    assert 0.97 * (1 + 5 / radius_mm) ** 3 < gained < 1.3 * (1 + 5 / radius_mm) ** 3
    assert document["smallest_margin"]["margin_mm"] == pytest.approx(2.5 * 1 + 0.7 * 2)
    assert document["smallest_margin"]["is_lower_bound"]
    (weighted,) = document["functional"]
    assert weighted["structure"] == "Lung R"
    assert 0.0 < weighted["outside_map_percent"] < 0.1  # the PET ends in its very tip
    assert any(name.endswith("figure1_plan_axial.png") for name in document["files"]["screenshots"])


@pytest.mark.timeout(900)
def test_a_run_with_the_true_deformation_has_the_true_numbers(tmp_path, demo_case, capsys):
    truth = json.loads(demo_case.truth.read_text(encoding="utf-8"))
    arguments = ["run", "--course", str(demo_case.course1), "--course", str(demo_case.course2)]
    arguments += ["--pet", str(demo_case.pet), "--mr", str(demo_case.mr)]
    arguments += ["--image-registration", "auto", "--image-registration", str(demo_case.registration)]
    arguments += ["--gtv", "percent:41@GTV_recur", "--gtv", "adapted@GTV_recur;name=GTV seen"]
    arguments += ["--margin", "PTV seen=GTV seen+5;skin=3", "--setup-error", "1", "2", "--function", "Lung R=FDG"]
    out = tmp_path / "review"
    assert main([*arguments, "--registration", str(demo_case.displacement), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "report.html" in said.out
    assert "[100%] done" in said.err
    document = json.loads((out / "review.json").read_text(encoding="utf-8"))
    near_maxima_agree(document, truth)
    the_composite_is_an_rtdose_with_the_true_values(out / "composite_eqd2_ab3.dcm", truth)
    the_transform_brings_landmarks_together(out / "transforms" / "course1.h5", truth)
    the_pet_shows_the_recurrence(document, truth)
    the_new_contours_are_an_rtstruct(out / "new_contours.dcm")
    the_margin_and_the_function_are_told(document)
    assert (out / "review.mrb").stat().st_size > 1_000_000
    for names in document["files"].values():
        for name in [names] if isinstance(names, str) else names:
            assert (out / name).is_file(), name
    report = (out / "report.html").read_text(encoding="utf-8")
    assert document["patient"]["id"] in report
    assert report.count("data:image/png;base64,") == len(document["files"]["screenshots"])


def test_what_cannot_be_reviewed_is_refused_before_the_long_work(tmp_path, demo_case, capsys):
    one = ["run", "--course", str(demo_case.course1)]
    both = [*one, "--course", str(demo_case.course2)]
    pet = str(demo_case.pet)
    blocked = tmp_path / "a file"
    blocked.touch()
    cases = (
        ([*one, "--out", str(tmp_path / "x")], "at least two courses"),
        ([*both, "--out", str(tmp_path / "x"), "--protocol", "nope"], "there is no protocol 'nope'"),
        ([*both, "--out", str(blocked / "x")], "choose another --out"),
        ([*both, "--out", str(tmp_path / "x"), "--reference", "3"], "numbered 1 to 2"),
        ([*both, "--out", str(tmp_path / "x"), "--gtv", "fixed@1,2,3"], "add its folder with --pet or --mr"),
        ([*both, "--out", str(tmp_path / "x"), "--pet", pet, "--gtv", "fixed@Tumour"], "no structure 'Tumour'"),
    )
    for arguments, reason in cases:
        assert main(arguments) == 1
        assert reason in capsys.readouterr().err.splitlines()[-1]
