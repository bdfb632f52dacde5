"""The demo case as written: readable by others, and what its truth says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from ReirradiationReviewLib.core.demo import case_data, write_demo_case
from ReirradiationReviewLib.core.demo.case import write_course
from ReirradiationReviewLib.core.demo.grid import axial_grid
from ReirradiationReviewLib.core.demo.texture import make_texture
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.errors import Cancelled, no_progress
from ReirradiationReviewLib.core.registration.files import read_transform
from ReirradiationReviewLib.core.volume import Volume, sample_linear

SERIES = {"course1": "CT", "course2": "CT", "pet": "PT", "mr": "MR"}


@pytest.fixture(scope="module")
def truth(demo_case):
    return json.loads(demo_case.truth.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def objects(demo_case):
    """Return every DICOM object's header by its path within the case."""
    files = sorted(demo_case.folder.rglob("*.dcm"))
    return {str(f.relative_to(demo_case.folder)): pydicom.dcmread(f, stop_before_pixels=True) for f in files}


@pytest.fixture(scope="module")
def images(demo_case):
    """Return the four image series as SimpleITK reads them: HU for CT, Bq/mL for PET."""
    return {name: read_with_simpleitk(demo_case.folder / name) for name in SERIES}


def read_with_simpleitk(folder):
    reader = sitk.ImageSeriesReader()
    series = [s for s in reader.GetGDCMSeriesIDs(str(folder)) if len(reader.GetGDCMSeriesFileNames(str(folder), s)) > 1]
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), series[0]))
    return Volume.from_sitk(sitk.Cast(reader.Execute(), sitk.sitkFloat32))


def read_dose(path):
    """Return the dose grid in Gy straight from the tags, without the project's reader."""
    dataset = pydicom.dcmread(path)
    offsets = np.array([float(o) for o in dataset.GridFrameOffsetVector])
    z = offsets if offsets[0] else offsets + float(dataset.ImagePositionPatient[2])
    matrix = np.diag([float(dataset.PixelSpacing[1]), float(dataset.PixelSpacing[0]), z[1] - z[0], 1.0])
    matrix[:3, 3] = [*map(float, dataset.ImagePositionPatient[:2]), z[0]]
    assert np.allclose(np.diff(z), z[1] - z[0])
    return Volume(dataset.pixel_array * float(dataset.DoseGridScaling), matrix)


def moved_by_formula(points, transform):
    """Return course-1 points from truth.json alone: the printed formula, programmed anew."""
    matrix = np.array(transform["matrix_course2_to_course1"])
    y = points @ matrix[:3, :3].T + matrix[:3, 3]
    shift = np.zeros_like(y)
    for bump in transform["bumps"]:
        u = (y - np.array(bump["centre"])) / np.array(bump["sigma"])
        shift += np.exp(-0.5 * (u**2).sum(axis=1))[:, None] * np.array(bump["amplitude"])
    d = np.hypot(y[:, 0], y[:, 1] - (55 - 0.0009 * (y[:, 2] + 10) ** 2) - 11)
    r = np.clip((d - transform["rigid_mm"]) / (transform["free_mm"] - transform["rigid_mm"]), 0, 1)
    return y + (r**2 * (3 - 2 * r))[:, None] * shift


# --- objects -------------------------------------------------------------------------------------------------------
def test_every_object_is_one_synthetic_patient_with_unique_valid_uids(objects):
    assert {(str(o.PatientName), o.PatientID) for o in objects.values()} == {("Demo^Reirradiation", "RERT-DEMO-1")}
    assert all("not a patient" in o.PatientComments for o in objects.values())
    uids = [o.SOPInstanceUID for o in objects.values()]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid and uid.startswith("2.25.") for uid in uids)
    assert all(o.file_meta.MediaStorageSOPInstanceUID == o.SOPInstanceUID for o in objects.values())


def test_objects_refer_to_each_other_within_a_course(objects):
    for course in ("course1", "course2"):
        plan, structures, dose = (objects[f"{course}/{name}.dcm"] for name in ("RTPLAN", "RTSTRUCT", "RTDOSE"))
        slices = {o.SOPInstanceUID for path, o in objects.items() if path.startswith(f"{course}/CT_")}
        assert dose.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == plan.SOPInstanceUID
        assert plan.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID == structures.SOPInstanceUID
        frame = structures.ReferencedFrameOfReferenceSequence[0]
        listed = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0].ContourImageSequence
        assert {item.ReferencedSOPInstanceUID for item in listed} == slices
        frames = {o.FrameOfReferenceUID for path, o in objects.items() if path.startswith(course)}
        assert frames == {frame.FrameOfReferenceUID}


def test_studies_and_frames_differ_as_on_several_scanners(objects):
    of = {name: objects[f"{name}/{kind}_001.dcm"] for name, kind in SERIES.items()}
    assert len({o.StudyInstanceUID for o in of.values()}) == 4
    assert of["pet"].FrameOfReferenceUID == of["course2"].FrameOfReferenceUID
    assert len({o.FrameOfReferenceUID for o in of.values()}) == 3
    assert of["course1"].StudyDate < of["pet"].StudyDate < of["course2"].StudyDate


def test_one_dose_grid_counts_from_its_first_plane_and_the_other_gives_absolute_z(objects):
    first, second = objects["course1/RTDOSE.dcm"], objects["course2/RTDOSE.dcm"]
    assert (first.GridFrameOffsetVector[0], first.BitsStored) == (0, 32)
    assert (second.GridFrameOffsetVector[0], second.BitsStored) == (second.ImagePositionPatient[2], 16)


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    course = case_data.course_2(1)
    coarse = replace(
        course,
        ct=axial_grid((-181.0, -318.0, -798.0), (6.0, 6.0, 9.0), (66, 48, 30), course.ct.frame_of_reference_uid),
        dose=axial_grid((-98.0, -242.0, -684.0), (8.0, 8.0, 8.0), (21, 20, 17), course.dose.frame_of_reference_uid),
        gantry_deg=(0.0, 120.0, 240.0),
    )
    for folder in (tmp_path / "once", tmp_path / "again"):
        write_course(folder, coarse, case_data.motion().to_course1, make_texture(1), no_progress)
    assert digests(tmp_path / "once") == digests(tmp_path / "again")
    assert len(digests(tmp_path / "once")) == 33


def test_the_case_is_the_one_that_the_seed_stands_for(demo_case, objects):
    """Identifiers and dates follow from the seed and the case; nothing of the day or the machine is in them."""
    assert objects["course1/RTPLAN.dcm"].SOPInstanceUID == case_data.make_uid(1, "COURSE1", "RTPLAN", 1)
    assert {o.InstanceCreationDate for o in objects.values()} == {"20210308", "20240429", "20240502", "20240513"}


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_another_seed_gives_other_identifiers():
    assert case_data.make_uid(1, "frame", 1) != case_data.make_uid(2, "frame", 1)


def test_the_projects_reader_has_nothing_to_complain_about(demo_case):
    for number, fractions, prescription in ((1, 30, 60.0), (2, 5, 50.0)):
        course = read_course(getattr(demo_case, f"course{number}"), f"course {number}")
        (plan,) = course.plans
        assert (plan.fractions, plan.prescription_gy, plan.dose_type) == (fractions, prescription, "PHYSICAL")
        assert course.notices == ()
        assert len(course.structures) == 17


def test_an_independent_reader_finds_the_dose_maximum_and_the_structures(demo_case, truth, monkeypatch):
    # dicompyler-core 0.5.6 still asks for the name that pydicom 3 dropped.
    monkeypatch.setattr("pydicom.dicomio.read_file", pydicom.dcmread, raising=False)
    dicomparser = pytest.importorskip("dicompylercore.dicomparser")
    for number in (1, 2):
        folder = getattr(demo_case, f"course{number}")
        dose = dicomparser.DicomParser(str(folder / "RTDOSE.dcm")).GetDoseData()
        expected = truth["courses"][number - 1]["dose_max_gy"]
        assert dose["dosemax"] * float(dose["dosegridscaling"]) == pytest.approx(expected, rel=1e-6)
        names = {s["name"] for s in dicomparser.DicomParser(str(folder / "RTSTRUCT.dcm")).GetStructures().values()}
        assert names == {roi.name for roi in getattr(case_data, f"course_{number}")(1).rois}


# --- geometry ------------------------------------------------------------------------------------------------------
def test_landmarks_follow_the_printed_formula(truth):
    marks = truth["landmarks"]
    assert len(marks["names"]) == 40
    moved = moved_by_formula(np.array(marks["course2"]), truth["transform"])
    assert moved == pytest.approx(np.array(marks["course1"]), abs=1e-4)


def test_the_displacement_image_is_the_formula_to_a_few_hundredths_of_a_millimetre(demo_case, truth, images):
    field = Volume.from_sitk(sitk.ReadImage(str(demo_case.displacement)))
    points = np.random.default_rng(0).uniform(*np.sort(images["course2"].corners_lps(), axis=0)[[0, -1]], (500, 3))
    shift = np.stack([sample_linear(field.like(field.array[..., axis]), points)[0] for axis in range(3)], axis=1)
    assert points + shift == pytest.approx(moved_by_formula(points, truth["transform"]), abs=0.06)
    assert field.inside(images["course2"].corners_lps()).all()


def test_the_displacement_image_reads_as_a_transform(demo_case, truth, images):
    transform = read_transform(demo_case.displacement, images["course2"])
    marks = truth["landmarks"]
    assert transform.apply(np.array(marks["course2"])) == pytest.approx(np.array(marks["course1"]), abs=0.06)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("trachea 30 mm above the carina", -1050, -900),
        ("left main bronchus", -1050, -800),
        ("descending aorta", 0, 220),
        ("vertebra 5", 60, 500),
    ],
)
def test_both_cts_show_the_tissue_of_a_landmark_in_its_place(truth, images, name, low, high):
    n = truth["landmarks"]["names"].index(name)
    for number in (1, 2):
        place = np.array(truth["landmarks"][f"course{number}"][n])
        around = place + np.random.default_rng(0).uniform(-2.5, 2.5, (60, 3))
        assert low < sample_linear(images[f"course{number}"], around)[0].mean() < high


def test_the_cts_agree_through_the_true_map_and_not_without_it(truth, images):
    points = np.random.default_rng(0).uniform([-120, -270, -740], [140, -110, -580], (4000, 3))
    second = np.clip(sample_linear(images["course2"], points)[0], -1000, 300)

    def correlation(moved):
        return np.corrcoef(second, np.clip(sample_linear(images["course1"], moved)[0], -1000, 300))[0, 1]

    matrix = np.array(truth["transform"]["matrix_course2_to_course1"])
    true = correlation(moved_by_formula(points, truth["transform"]))
    assert true > 0.97
    assert correlation(points @ matrix[:3, :3].T + matrix[:3, 3]) < true - 0.02


def test_contours_enclose_the_volumes_of_the_shapes(demo_case, truth):
    slice_mm = 3.0
    for structure in read_course(demo_case.course2, "course 2").structures:
        signed = [
            0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
            for x, y, _ in (c.T for c in structure.contours_lps)
        ]
        expected = truth["structures"][structure.name]["volume_cc"]
        # An organ's ends fall between slices; the plexus is 8 mm thick and runs nearly within a slice.
        tolerance = 0.01 if expected > 10 else 0.04
        assert abs(sum(signed)) * slice_mm / 1000 == pytest.approx(expected, rel=tolerance), structure.name


def test_the_mr_shows_course_2_through_its_matrix(demo_case, truth, images):
    matrix = np.array(truth["mr_to_course2"])
    points = images["mr"].centres_lps()[::97]
    hu, known = sample_linear(images["course2"], points @ matrix[:3, :3].T + matrix[:3, 3])
    signal = sample_linear(images["mr"], points)[0]
    assert signal[known & (np.abs(hu + 102) < 8)].mean() > 2 * signal[known & (np.abs(hu - 52) < 8)].mean()
    assert signal[known & (hu < -850)].mean() < 60


def test_the_registration_object_carries_the_mr_matrix(objects, truth):
    registration = objects["registration/REG_mr_to_course2.dcm"]
    mr_frame = objects["mr/MR_001.dcm"].FrameOfReferenceUID
    (item,) = [i for i in registration.RegistrationSequence if i.FrameOfReferenceUID == mr_frame]
    values = item.MatrixRegistrationSequence[0].MatrixSequence[0].FrameOfReferenceTransformationMatrix
    assert np.array(values, dtype=float).reshape(4, 4) == pytest.approx(np.array(truth["mr_to_course2"]), abs=1e-8)


# --- dose ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def doses(demo_case):
    return [read_dose(getattr(demo_case, f"course{number}") / "RTDOSE.dcm") for number in (1, 2)]


def test_point_doses_and_eqd2_sums_follow_from_the_written_grids(truth, doses):
    points = np.array([p["x2"] for p in truth["points"]])
    moved = moved_by_formula(points, truth["transform"])
    assert len(points) == 60
    for alpha_beta in (2, 3, 10):
        total = np.zeros(60)
        for dose, where, fractions in zip(doses, (moved, points), (30, 5), strict=True):
            d = dose.array
            values, known = sample_linear(dose.like(d * (d / fractions + alpha_beta) / (2 + alpha_beta)), where)
            total += np.where(known, values, np.nan)
        expected = np.array([p[f"eqd2_sum_ab{alpha_beta}_gy"] for p in truth["points"]], dtype=float)
        assert np.array_equal(np.isnan(expected), np.isnan(total))
        assert np.nanmax(np.abs(total - expected)) < 1e-3
        assert np.isfinite(expected).sum() > 40


def test_the_airway_and_the_lungs_get_dose_as_the_tissue_around_them(doses, truth):
    trachea = truth["structures"]["Trachea"]["physical_course1"]
    assert trachea["Dmax_gy"] > 55
    high = np.array(truth["landmarks"]["course1"])[truth["landmarks"]["names"].index("trachea 30 mm above the carina")]
    wall_and_lumen = sample_linear(doses[0], high + np.array([[0, 0, 0], [0, 9, 0], [0, -9, 0.0]]))[0]
    assert wall_and_lumen.min() > 0.6 * wall_and_lumen.max()


def test_the_new_target_gets_its_prescription_and_lies_in_the_old_one(truth):
    ptv = truth["structures"]["PTV_5000"]
    assert ptv["physical_course2"]["D95%_gy"] == pytest.approx(50.0, abs=1.0)
    assert ptv["physical_course2"]["Dmax_gy"] < 75
    assert ptv["physical_course1"]["D95%_gy"] > 55
    assert truth["courses"][0]["dose_max_gy"] < 60 * 1.15


def test_the_case_is_worth_reviewing(truth):
    """Cord below 57 Gy but not trivially, airway above 110 Gy, vessels near 120 Gy, oesophagus near 85 to 90 Gy."""
    near_maximum = {
        n: s["composite_eqd2"]["D0.03cc_gy"] for n, s in truth["structures"].items() if "composite_eqd2" in s
    }
    assert 40 < near_maximum["Cord"] < 55
    assert near_maximum["Trachea"] > 120
    assert 108 < near_maximum["Great_Vessels"] < 125
    assert 80 < near_maximum["Oesophagus"] < 100


def test_the_sbrt_dose_falls_off_steeply_and_enters_from_outside(doses):
    dose = doses[1]
    k, j, i = np.unravel_index(int(dose.array.argmax()), dose.array.shape)
    across = dose.array[:, j, i]
    half = np.flatnonzero(across > 25.0)
    width_80_to_20 = ((across > 10).sum() - (across > 40).sum()) / 2 * dose.spacing_mm[2]
    assert 30 < len(half) * dose.spacing_mm[2] < 60
    assert 4 < width_80_to_20 < 20
    assert dose.array[k, j, 2] > 1.0  # through the lung to the grid's edge


# --- PET -----------------------------------------------------------------------------------------------------------
def test_pet_uptake_is_hottest_in_the_recurrence(objects, images, truth):
    header = objects["pet/PT_001.dcm"]
    tracer = header.RadiopharmaceuticalInformationSequence[0]
    assert (header.Units, header.DecayCorrection) == ("BQML", "START")
    start, injected = (60 * int(t[:2]) + int(t[2:4]) for t in (header.SeriesTime, tracer.RadiopharmaceuticalStartTime))
    decayed = float(tracer.RadionuclideTotalDose) * 2 ** (-(start - injected) * 60 / float(tracer.RadionuclideHalfLife))
    suv = images["pet"].like(images["pet"].array * float(header.PatientWeight) * 1000 / decayed)
    peak = suv.to_lps(np.array([np.unravel_index(int(suv.array.argmax()), suv.array.shape)[::-1]]))[0]
    facts = truth["pet"]
    assert float(suv.array.max()) == pytest.approx(facts["suv_max_recurrence"], rel=1e-4)
    assert facts["suv_max_recurrence"] == pytest.approx(9.0, abs=0.3)
    assert np.linalg.norm(peak - facts["recurrence_centre_course2"]) < 12
    assert facts["suv_max_decoy"] == pytest.approx(3.2, abs=0.4)
    assert facts["suv_mean_liver"] == pytest.approx(2.2, abs=0.2)
    assert 8 < facts["volume_at_41_percent_cc"] < 18


def test_pet_slices_have_slopes_of_their_own(objects):
    slopes = {str(o.RescaleSlope) for path, o in objects.items() if path.startswith("pet/")}
    assert len(slopes) > 40


def test_the_user_may_stop_the_work(tmp_path):
    def stop(_fraction, _text):
        raise Cancelled

    with pytest.raises(Cancelled):
        write_demo_case(tmp_path, progress=stop)
    assert not list(tmp_path.rglob("*.dcm"))
