"""A registration from elsewhere is used only for the frames and the patient that it is of, and never silently."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dicom_case import make_case
from drawn_shapes import textured
from registration_objects import NEW, OLD, OTHER, a_course, rigid_item, turned, write_object
from ReirradiationReviewLib.core.dicom import inspect, read_course
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.course import register_courses
from ReirradiationReviewLib.core.registration.given import registration_in_folders
from ReirradiationReviewLib.core.registration.resampling import resample_image
from ReirradiationReviewLib.core.registration.transform import SpatialTransform

OLD_TO_NEW = turned(12.0, (5.0, -40.0, 300.0))
NEW_TO_OLD = np.linalg.inv(OLD_TO_NEW)


def a_registration(path, **options):
    return write_object(path, [rigid_item(OLD_TO_NEW, frame=OLD)], **options)


def courses(*registration_files):
    return a_course(NEW, 2, ct=None, registration_files=registration_files), a_course(OLD, 1, ct=None)


def courses_with_images(*registration_files):
    """Return courses whose CTs agree under OLD_TO_NEW, as far as the earlier one's field of view reaches."""
    image = textured(3, (50, 50, 50))
    image.index_to_lps[:3, 3] = [-75.0, -115.0, 225.0]
    seen = resample_image(image, SpatialTransform(OLD_TO_NEW), textured(0, (60, 60, 60)))
    earlier = seen.like(np.nan_to_num(seen.array, nan=-1000.0))
    reference, old = courses(*registration_files)
    ct = a_course(NEW, 2).ct
    return replace(reference, ct=replace(ct, volume=image)), replace(old, ct=replace(ct, volume=earlier))


def test_a_named_registration_object_is_used_and_said(tmp_path):
    path = a_registration(tmp_path / "reg.dcm")
    reference, earlier = courses()
    found = register_courses([earlier, reference], 1, [str(path)])[0]
    np.testing.assert_allclose(found.transform.matrix_lps, NEW_TO_OLD, atol=1e-6)
    assert (found.method, found.qa["file"]) == ("file", "reg.dcm")
    assert [notice.code for notice in found.notices] == ["registration-from-file"]


def test_a_registration_object_in_a_course_folder_is_used_automatically_and_said(tmp_path):
    reference, earlier = courses(a_registration(tmp_path / "reg.dcm"))
    found = register_courses([earlier, reference], 1, ["auto"])[0]
    np.testing.assert_allclose(found.transform.matrix_lps, NEW_TO_OLD, atol=1e-6)
    assert found.notices[0].code == "registration-object-used"
    assert "reg.dcm of 2024-01-05" in found.notices[0].text


def test_registration_objects_of_other_images_are_passed_over(tmp_path):
    other = write_object(tmp_path / "mr.dcm", [rigid_item(OLD_TO_NEW, frame=OTHER)])
    assert registration_in_folders(*courses(other)) == (None, "", ())


def test_of_two_fitting_objects_none_is_chosen(tmp_path):
    transform, _, notices = registration_in_folders(
        *courses(a_registration(tmp_path / "a.dcm"), a_registration(tmp_path / "b.dcm"))
    )
    assert transform is None
    assert "a.dcm, b.dcm" in notices[0].text


def test_an_object_of_another_patient_is_not_used_automatically(tmp_path):
    path = a_registration(tmp_path / "reg.dcm", patient_id="P2")
    transform, _, notices = registration_in_folders(*courses(path))
    assert transform is None
    assert [notice.code for notice in notices] == ["patient-mismatch"]


def test_a_damaged_object_in_a_folder_is_said_and_not_used(tmp_path):
    path = write_object(tmp_path / "reg.dcm", [rigid_item(np.diag([-1.0, 1, 1, 1]), frame=OLD)])
    transform, _, notices = registration_in_folders(*courses(path))
    assert transform is None
    assert "mirrors left and right" in notices[0].text


def test_an_object_under_which_the_images_do_not_agree_is_not_used_automatically(tmp_path):
    good = a_registration(tmp_path / "good.dcm")
    away = turned(0.0, (30.0, 30.0, 0.0))
    bad = write_object(tmp_path / "bad.dcm", [rigid_item(OLD_TO_NEW @ away, frame=OLD)])
    transform, name, _ = registration_in_folders(*courses_with_images(good))
    assert transform is not None
    transform, _, notices = registration_in_folders(*courses_with_images(bad))
    assert transform is None
    assert "correlate by only" in notices[0].text
    # With both in the folder, the one that fits is found.
    assert registration_in_folders(*courses_with_images(bad, good))[1] == name == "good.dcm"


def test_a_named_transform_under_which_the_images_do_not_agree_is_used_but_called_doubtful(tmp_path):
    bad = write_object(tmp_path / "bad.dcm", [rigid_item(OLD_TO_NEW @ turned(0.0, (30.0, 30.0, 0.0)), frame=OLD)])
    reference, earlier = courses_with_images()
    found = register_courses([earlier, reference], 1, [str(bad)])[0]
    assert [notice.code for notice in found.notices] == ["registration-from-file", "registration-doubtful"]


def test_a_named_object_of_other_frames_is_refused(tmp_path):
    path = write_object(tmp_path / "mr.dcm", [rigid_item(OLD_TO_NEW, frame=OTHER)])
    reference, earlier = courses()
    with pytest.raises(ReirradiationError, match=r"mr\.dcm: this registration does not lead from"):
        register_courses([earlier, reference], 1, [str(path)])


def test_a_course_knows_the_registration_objects_of_its_folder_and_inspect_names_their_frames(tmp_path):
    folder = make_case().write(tmp_path)
    path = a_registration(folder / "reg.dcm")
    assert read_course(folder, "course 1").registration_files == (path,)
    (line,) = [line for line in inspect([folder]).lines() if line.strip().startswith("REG")]
    assert f"links Frames of Reference {NEW}, {OLD}" in line
