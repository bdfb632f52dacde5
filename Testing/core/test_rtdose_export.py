"""The exported composite says, in every reader, the same dose at the same place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from ReirradiationReviewLib.core.courses import Course, ImageSeries, Patient, Plan
from ReirradiationReviewLib.core.dicom_export.grid import dose_grid
from ReirradiationReviewLib.core.dicom_export.rtdose import ComposedCourse, write_composite_rtdose
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.volume import Volume, sample_linear
from scipy.spatial.transform import Rotation

FRAME = "2.25.1111"
OBLIQUE = Rotation.from_euler("xyz", [8, -13, 21], degrees=True).as_matrix()


def grid_matrix(axes: np.ndarray, spacing_mm=(2.5, 1.5, 3.0), origin_mm=(-71.3, 40.123456789, -512.7)) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array(spacing_mm)
    matrix[:3, 3] = origin_mm
    return matrix


def a_composite(axes: np.ndarray | None = None, peak_gy: float = 187.654321) -> Volume:
    """Return a dose that differs in every voxel and is not symmetric in any way."""
    array = np.random.default_rng(5).uniform(0, 1, (5, 7, 9))
    array[2, 3, 4] = 1.0
    return Volume((array * peak_gy).astype(np.float64), grid_matrix(np.eye(3) if axes is None else axes), FRAME)


def a_plan(label: str, fractions: int | None = 30, **changes) -> Plan:
    dose = Volume(np.ones((2, 2, 2), np.float32), np.eye(4), FRAME)
    plan = Plan(label, dose, fractions, "plan", "PHYSICAL", "PLAN", f"2.25.9{len(label)}", ("2.25.77",), 60.0, "RTPLAN")
    return replace(plan, **changes)


def a_reference(**changes) -> Course:
    patient = Patient("ID7", "Müller^Änne", "1950-03-09", "F")
    ct = ImageSeries(a_composite(), "CT", study_uid="2.25.4242", date="2024-05-06", patient=patient)
    return replace(Course("course 2", "2024-05-06", patient, ct, (), (a_plan("boost plan"),)), **changes)


COURSES = (
    ComposedCourse("course 1", (a_plan("first", 35),), 0.0, "RIGID"),
    ComposedCourse("course 2", (a_plan("boost plan", 5, modality="RTIONPLAN"),), 0.0, "NONE"),
)


def export(path: Path, composite: Volume, *, known=None, reference=None, courses=COURSES, alpha_beta_gy=2.0):
    known = np.ones(composite.array.shape, bool) if known is None else known
    return write_composite_rtdose(
        path,
        composite,
        known,
        reference or a_reference(),
        courses,
        alpha_beta_gy=alpha_beta_gy,
        software_version="0.1.0",
    )


def as_volume(dataset: pydicom.Dataset) -> Volume:
    """Read an RTDOSE by the words of PS3.3 C.7.6.2.1.1 and C.8.8.3.2, independently of the writer."""
    orientation = np.array(dataset.ImageOrientationPatient, float)
    row, column = orientation[:3], orientation[3:]
    offsets = np.array(dataset.GridFrameOffsetVector, float)
    assert offsets[0] == 0
    matrix = np.eye(4)
    matrix[:3, 0] = row * float(dataset.PixelSpacing[1])
    matrix[:3, 1] = column * float(dataset.PixelSpacing[0])
    matrix[:3, 2] = np.cross(row, column) * (offsets[1] - offsets[0])
    matrix[:3, 3] = np.array(dataset.ImagePositionPatient, float)
    codes = np.frombuffer(dataset.PixelData, "<u4").reshape(dataset.NumberOfFrames, dataset.Rows, dataset.Columns)
    return Volume(codes * float(dataset.DoseGridScaling), matrix, dataset.FrameOfReferenceUID)


MIRRORED = np.eye(3)[:, [0, 1, 2]] * [1, 1, -1]
FEET_FIRST = np.diag([-1.0, 1.0, -1.0])
SAGITTAL = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
ORIENTATIONS = {
    "axial": np.eye(3),
    "planes downwards": MIRRORED,
    "feet first": FEET_FIRST,
    "sagittal": SAGITTAL,
    "oblique": OBLIQUE,
    "oblique, planes downwards": OBLIQUE @ MIRRORED,
}


@pytest.mark.parametrize("axes", ORIENTATIONS.values(), ids=ORIENTATIONS.keys())
def test_dose_at_every_point_survives_in_any_orientation(tmp_path, axes):
    composite = a_composite(axes)
    export(tmp_path / "dose.dcm", composite)
    back = as_volume(pydicom.dcmread(tmp_path / "dose.dcm"))
    points = composite.centres_lps()
    values, _ = sample_linear(back, points)
    np.testing.assert_allclose(values, composite.array.ravel(), atol=1e-4)
    assert back.array.shape == composite.array.shape
    assert np.all(np.abs(back.to_index(points).round() - back.to_index(points)) < 1e-6)
    assert back.to_index(points).min() > -1e-6


@pytest.mark.parametrize("axes", [np.eye(3), FEET_FIRST, OBLIQUE], ids=["axial", "feet first", "oblique"])
def test_simpleitk_reads_the_same_dose_in_the_same_place(tmp_path, axes):
    composite = a_composite(axes)
    export(tmp_path / "dose.dcm", composite)
    image = sitk.ReadImage(str(tmp_path / "dose.dcm"))
    for i, j, k in [(0, 0, 0), (8, 0, 0), (0, 6, 0), (4, 3, 2), (8, 6, 4)]:
        point = image.TransformIndexToPhysicalPoint((i, j, k))
        np.testing.assert_allclose(point, composite.to_lps(np.array([[i, j, k]]))[0], atol=1e-5)
    # GDCM applies DoseGridScaling as the rescale slope where it knows RTDOSE.
    dataset = pydicom.dcmread(tmp_path / "dose.dcm", stop_before_pixels=True)
    values = sitk.GetArrayFromImage(image).astype(float)
    factor = 1.0 if values.max() < 1e4 else float(dataset.DoseGridScaling)
    np.testing.assert_allclose(values * factor, composite.array, atol=1e-4)


def test_dicompyler_reads_the_same_dose(tmp_path, monkeypatch):
    # dicompyler-core 0.5.6 still asks for the name that pydicom 3 dropped.
    monkeypatch.setattr("pydicom.dicomio.read_file", pydicom.dcmread, raising=False)
    dicomparser = pytest.importorskip("dicompylercore.dicomparser")
    composite = a_composite()
    export(tmp_path / "dose.dcm", composite)
    parser = dicomparser.DicomParser(str(tmp_path / "dose.dcm"))
    data = parser.GetDoseData()
    assert data["doseunits"] == "GY"
    for k in range(5):
        z = composite.index_to_lps[2, 3] + 3.0 * k
        plane = np.asarray(parser.GetDoseGrid(z)) * float(data["dosegridscaling"])
        np.testing.assert_allclose(plane, composite.array[k], atol=1e-4)


@given(st.floats(1e-3, 1e4))
def test_the_rounded_scaling_never_overflows_and_loses_less_than_a_step(peak_gy):
    composite = a_composite(peak_gy=peak_gy)
    dataset = dose_grid(composite)
    assert len(str(dataset.DoseGridScaling.original_string)) <= 16
    codes = np.frombuffer(dataset.PixelData, "<u4")
    step = float(dataset.DoseGridScaling)
    np.testing.assert_allclose(codes * step, composite.array.ravel(), atol=step)


def test_unknown_voxels_are_zero_and_counted_in_the_comments(tmp_path):
    composite = a_composite()
    composite.array[:, :, 7:] = np.nan
    known = np.isfinite(composite.array)
    known[0] = False  # known may be stricter than NaN: a number there is not exported either
    export(tmp_path / "dose.dcm", composite, known=known)
    dataset = pydicom.dcmread(tmp_path / "dose.dcm")
    back = as_volume(dataset).array
    assert np.all(back[~known] == 0)
    np.testing.assert_allclose(back[known], composite.array[known], atol=1e-4)
    count = int((~known).sum())
    assert f"0=unknown:{count}" in dataset.DoseComment
    assert f"{count} of {known.size} voxels lie outside" in dataset.ImageComments


def test_the_object_says_what_it_is_and_where_it_belongs(tmp_path):
    assert export(tmp_path / "dose.dcm", a_composite()) == ()
    dataset = pydicom.dcmread(tmp_path / "dose.dcm")
    assert (dataset.Modality, dataset.DoseUnits, dataset.DoseType) == ("RTDOSE", "GY", "EFFECTIVE")
    assert (dataset.DoseSummationType, dataset.SpatialTransformOfDose) == ("MULTI_PLAN", "RIGID")
    assert list(dataset.ReferencedSpatialRegistrationSequence) == []
    assert (dataset.PatientID, str(dataset.PatientName)) == ("ID7", "Müller^Änne")
    assert (dataset.PatientBirthDate, dataset.StudyDate) == ("19500309", "20240506")
    assert (dataset.StudyInstanceUID, dataset.FrameOfReferenceUID) == ("2.25.4242", FRAME)
    assert dataset.SOPInstanceUID.startswith("2.25.")
    references = [(i.ReferencedSOPClassUID.name, i.ReferencedSOPInstanceUID) for i in dataset.ReferencedRTPlanSequence]
    assert references == [("RT Plan Storage", "2.25.95"), ("RT Ion Plan Storage", "2.25.910")]
    assert dataset.DoseComment == "EQD2 a/b=2 n=35+5 r=0 RIGID"
    assert "course 1, first: 35 fractions (plan)" in dataset.ImageComments
    assert "recovery 0, transform RIGID" in dataset.ImageComments


def test_every_export_is_an_object_and_series_of_its_own(tmp_path):
    for name in "ab":
        export(tmp_path / name, a_composite())
    one, two = (pydicom.dcmread(tmp_path / name) for name in "ab")
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SeriesInstanceUID != two.SeriesInstanceUID
    assert one.StudyInstanceUID == two.StudyInstanceUID


@pytest.mark.parametrize("plans", [1, 3, 12])
def test_the_dose_comment_stays_within_64_characters(tmp_path, plans):
    courses = [
        ComposedCourse(f"course {c}", tuple(a_plan(f"plan {c} {p}", 30) for p in range(plans)), 0.125 * c, "NON_RIGID")
        for c in range(4)
    ]
    known = np.ones((5, 7, 9), bool)
    known[0] = False
    export(tmp_path / "dose.dcm", a_composite(), known=known, courses=courses, alpha_beta_gy=2.55)
    dataset = pydicom.dcmread(tmp_path / "dose.dcm")
    comment = dataset.DoseComment
    assert len(comment) <= 64
    assert comment.startswith("EQD2 a/b=2.55 ")
    assert comment.endswith("NON_RIGID 0=unknown:63")
    assert len(dataset.ImageComments) <= 10240
    assert "plan 3 0: 30 fractions (plan), dose type PHYSICAL, recovery 0.375" in dataset.ImageComments


def test_no_transform_needs_no_registration_reference(tmp_path):
    export(tmp_path / "dose.dcm", a_composite(), courses=[replace(course, transform="NONE") for course in COURSES])
    dataset = pydicom.dcmread(tmp_path / "dose.dcm")
    assert dataset.SpatialTransformOfDose == "NONE"
    assert "ReferencedSpatialRegistrationSequence" not in dataset


def test_the_registration_that_a_dose_came_by_is_referred_to(tmp_path):
    registered = replace(COURSES[0], registration=("1.2.840.10008.5.1.4.1.1.66.1", "2.25.99"))
    export(tmp_path / "dose.dcm", a_composite(), courses=[registered, *COURSES[1:]])
    (item,) = pydicom.dcmread(tmp_path / "dose.dcm").ReferencedSpatialRegistrationSequence
    assert (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) == registered.registration


def test_what_the_object_cannot_say_comes_back_as_notices(tmp_path):
    plans = (a_plan("without uid", plan_uid=""), a_plan("no plan file", plan_uid="2.25.3", modality=""))
    courses = (ComposedCourse("course 1", plans, 0.0, "NONE"),)
    notices = export(tmp_path / "dose.dcm", a_composite(), reference=a_reference(ct=None), courses=courses)
    assert [notice.code for notice in notices] == [
        "rtdose-own-study",
        "rtdose-plan-not-referenced",
        "rtdose-plan-class-assumed",
    ]
    dataset = pydicom.dcmread(tmp_path / "dose.dcm")
    assert [item.ReferencedSOPInstanceUID for item in dataset.ReferencedRTPlanSequence] == ["2.25.3"]


def with_voxel(value: float) -> Volume:
    composite = a_composite()
    composite.array[1, 1, 1] = value
    return composite


SHEARED = np.array([[1, 0.2, 0], [0, np.sqrt(0.96), 0], [0, 0, 1.0]])
UNSAFE = {
    "negative dose": {"composite": with_voxel(-0.5)},
    "hold no number": {"composite": with_voxel(np.nan)},
    "nothing to export": {"composite": a_composite(peak_gy=0.0)},
    "no voxel has a known dose": {"known": np.zeros((5, 7, 9), bool)},
    "another shape": {"known": np.ones((7, 5, 9), bool)},
    r"\(0020,0052\)": {"composite": replace(a_composite(), frame_of_reference_uid="2.25.2")},
    "Frame of Reference UID": {"composite": replace(a_composite(), frame_of_reference_uid="")},
    "alpha/beta must be above 0": {"alpha_beta_gy": 0.0},
    "without plans": {"courses": ()},
    "recovery must lie": {"courses": [replace(COURSES[0], recovery=25.0)]},
    r"right angles.*\(0020,0037\)": {"composite": a_composite(SHEARED)},
}


@pytest.mark.parametrize(("message", "changes"), UNSAFE.items(), ids=UNSAFE.keys())
def test_unsafe_input_is_refused_plainly_and_leaves_no_file(tmp_path, message, changes):
    changes = {"composite": a_composite(), **changes}
    with pytest.raises(ReirradiationError, match=message):
        export(tmp_path / "dose.dcm", **changes)
    assert not (tmp_path / "dose.dcm").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ReirradiationError, match=r"dose\.dcm cannot be written"):
        export(tmp_path / "absent" / "dose.dcm", a_composite())
