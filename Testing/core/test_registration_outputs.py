"""What a run writes of its registrations can be read again and lies where it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from drawn_shapes import a_ball
from made_up_review import a_course, a_grid
from ReirradiationReviewLib.core.dicom.scan import read_dicom_file
from ReirradiationReviewLib.core.dicom.structures import read_structures
from ReirradiationReviewLib.core.organs.sampling import sample_organ
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.registration_outputs import write_earlier_contours, write_transforms

SHIFT = np.array([12.0, -9.0, 6.0])
STRUCTURES = (a_ball((15.0, -9.0, 6.0), 14.0, "Larynx"), a_ball(SHIFT, 40.0, "Body"))


def a_review(with_uids=True, frames=("1.1", "1.2"), structures=None) -> Review:
    old = STRUCTURES if structures is None else structures
    grids = [replace(a_grid(30.0), frame_of_reference_uid=frame) for frame in frames]
    courses = [a_course("course 1", "2020-01-01", grids[0], 20, old), a_course("course 2", "2022-01-01", grids[1], 20)]
    for number, course in enumerate(courses):
        volume = replace(course.ct.volume, frame_of_reference_uid=frames[number])
        ct = replace(course.ct, volume=volume, sop_class_uid="1.2.840.10008.5.1.4.1.1.2", date="2022-01-01")
        if with_uids:
            uids = tuple(f"2.25.{number}{k}" for k in range(len(volume.array)))
            ct = replace(ct, series_uid=f"2.25.9{number}", study_uid=f"2.25.8{number}", sop_instance_uids=uids)
        courses[number] = replace(course, ct=ct)
    matrix = np.eye(4)
    matrix[:3, 3] = SHIFT
    here = CourseRegistration(SpatialTransform(), "reference")
    return Review(courses, [CourseRegistration(SpatialTransform(matrix), "rigid"), here])


def test_earlier_contours_are_written_where_the_registration_brings_them(tmp_path):
    (tmp_path / "transforms").mkdir()
    review = a_review()
    assert write_earlier_contours(review, tmp_path) == ["transforms/course1_contours.dcm"]
    (larynx,), _ = read_structures(read_dicom_file(tmp_path / "transforms/course1_contours.dcm"), "1.2")
    assert larynx.name == "Larynx (course 1)"  # the patient's outline is left out
    samples = sample_organ(larynx)
    centre = np.average(samples.points_lps, axis=0, weights=samples.volumes_cc)
    np.testing.assert_allclose(centre, [3.0, 0.0, 0.0], atol=0.3)
    assert samples.volume_cc == pytest.approx(4 / 3 * np.pi * 1.4**3, rel=0.05)
    text = str(pydicom.dcmread(tmp_path / "transforms/course1_contours.dcm").StructureSetROISequence[0].ROIDescription)
    assert "rigid registration" in text


def test_without_uids_the_contours_are_not_written_and_it_is_said(tmp_path):
    review = a_review(with_uids=False)
    assert write_earlier_contours(review, tmp_path) == []
    assert review.notices[-1].code == "earlier-contours-not-written"


def test_a_course_without_structures_has_nothing_to_bring(tmp_path):
    assert write_earlier_contours(a_review(structures=()), tmp_path) == []


def test_a_transform_is_written_for_itk_and_as_a_registration_object_between_two_frames(tmp_path):
    names, objects = write_transforms(a_review(), tmp_path / "transforms")
    assert names == ["transforms/course1.tfm", "transforms/course1.dcm"]
    dataset = pydicom.dcmread(tmp_path / names[1])
    assert objects == {0: (dataset.SOPClassUID, dataset.SOPInstanceUID)}
    names, objects = write_transforms(a_review(frames=("1.2", "1.2")), tmp_path / "same")
    assert (names, objects) == (["transforms/course1.tfm"], {})
