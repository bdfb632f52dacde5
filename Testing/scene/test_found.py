"""Courses found in a scene as SlicerRT leaves it, and read from its nodes where the files are not at hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import vtk
from made_up_review import a_review, four_structures, two_courses
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.scene.course_nodes import course_from_nodes
from ReirradiationReviewLib.scene.environment import headless_environment
from ReirradiationReviewLib.scene.found import find_courses
from ReirradiationReviewLib.session import ReviewSession
from slicerrt_scene import add_as_slicerrt


@pytest.fixture
def scene():
    return headless_environment().scene


def both_courses():
    earlier, new = two_courses()
    earlier = replace(earlier, ct=replace(earlier.ct, series_uid="s1"), structures=four_structures()[:2])
    return earlier, replace(new, ct=replace(new.ct, series_uid="s2"), structure_set_uid="rs2")


def load_both(scene, **options):
    earlier, new = both_courses()
    nodes = [add_as_slicerrt(scene, new, study_uid="1.2", study_date="20220101", **options)]
    nodes.append(add_as_slicerrt(scene, earlier, study_uid="1.1", study_date="20200101", **options))
    return nodes


def test_each_study_with_a_dose_is_a_course_and_they_come_oldest_first(scene):
    load_both(scene)
    found = find_courses(scene)
    assert [(course.study_uid, course.date, course.ct_series_uid) for course in found] == [
        ("1.1", "2020-01-01", "s1"),
        ("1.2", "2022-01-01", "s2"),
    ]
    assert [course.doses[0].plan_uid for course in found] == ["p-course 1", "p-course 2"]
    assert [course.doses[0].instance_uid for course in found] == ["d-course 1", "d-course 2"]
    assert found[0].patient == {"id": "ID-1", "name": "Test Person", "birth_date": "1960-01-01", "sex": "F"}


def test_the_ct_that_the_structures_were_drawn_on_is_found_in_another_study(scene):
    earlier, new = both_courses()
    nodes = add_as_slicerrt(scene, earlier, study_uid="1.1", study_date="20200101")
    hierarchy = scene.GetSubjectHierarchyNode()
    hierarchy.SetItemUID(hierarchy.GetItemByDataNode(nodes["ct"]), "DICOM", "another series")
    image = replace(new, plans=(), ct=replace(new.ct, series_uid="s1"))
    other = add_as_slicerrt(scene, image, study_uid="1.9", study_date="20191231")
    [course] = find_courses(scene)
    assert course.ct is other["ct"]


def test_a_course_from_nodes_has_the_doses_and_the_very_contours_but_no_fractions(scene):
    load_both(scene)
    expected = both_courses()[1]
    course = course_from_nodes(find_courses(scene)[1], "course 2")
    assert course.plans[0].fractions is None
    assert course.plans[0].dose_type == ""
    np.testing.assert_array_equal(course.plans[0].dose.array, expected.plans[0].dose.array)
    np.testing.assert_allclose(course.plans[0].dose.index_to_lps, expected.plans[0].dose.index_to_lps)
    assert [structure.name for structure in course.structures] == [s.name for s in expected.structures]
    for mine, theirs in zip(course.structures, expected.structures, strict=True):
        for contour, true in zip(mine.contours_lps, theirs.contours_lps, strict=True):
            np.testing.assert_allclose(contour, true, atol=1e-4)
    assert [notice.code for notice in course.notices] == ["read-from-scene"]


def test_a_dose_loaded_without_slicerrt_is_never_taken_for_gy(scene):
    load_both(scene, with_slicerrt=False)
    found = find_courses(scene)
    assert [course.doses[0].is_in_gy for course in found] == [False, False]
    with pytest.raises(ReirradiationError, match="DoseGridScaling"):
        course_from_nodes(found[0], "course 1")


def test_a_transform_above_the_whole_course_is_left_out_and_one_above_a_part_is_refused(scene):
    nodes = load_both(scene)[1]
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 30.0)
    transform.ApplyTransformMatrix(matrix)
    for node in (nodes["ct"], *nodes["doses"], nodes["structures"]):
        node.SetAndObserveTransformNodeID(transform.GetID())
    course = course_from_nodes(find_courses(scene)[0], "course 1")
    np.testing.assert_allclose(course.ct.volume.index_to_lps, both_courses()[0].ct.volume.index_to_lps)
    nodes["structures"].SetAndObserveTransformNodeID(None)
    with pytest.raises(ReirradiationError, match="different transforms"):
        course_from_nodes(find_courses(scene)[0], "course 1")


def test_what_a_review_made_itself_is_not_found_again():
    environment = headless_environment()
    ReviewSession(environment).open(a_review(two_courses()))
    assert find_courses(environment.scene) == []
    load_both(environment.scene)
    assert [course.study_uid for course in find_courses(environment.scene)] == ["1.1", "1.2"]
