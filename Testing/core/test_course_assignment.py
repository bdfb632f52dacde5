"""Plans moved between courses, courses brought into the order of time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up_review import a_course, a_grid
from ReirradiationReviewLib.core.course_assignment import in_order_of_time, reassigned, with_fractions
from ReirradiationReviewLib.core.errors import Notice, ReirradiationError


def three_courses():
    return [a_course(f"course {n}", f"20{18 + n}-01-01", a_grid(10.0 * n), 10 * n) for n in (1, 2, 3)]


def plan_labels(courses):
    return [[plan.label for plan in course.plans] for course in courses]


def test_courses_come_oldest_first_and_are_numbered_in_that_order():
    first, second, third = three_courses()
    undated = replace(first, date="", label="folder x")
    ordered = in_order_of_time([third, undated, second])
    assert [course.date for course in ordered] == ["2020-01-01", "2021-01-01", ""]
    assert [course.label for course in ordered] == ["course 1", "course 2", "course 3"]


def test_the_notices_of_a_renumbered_course_name_it_as_it_is_called_now():
    _, second, _ = three_courses()
    told = replace(second, notices=(Notice("x", "odd", "course 2: CT.dcm"), Notice("y", "odd", "elsewhere")))
    assert [n.where for n in in_order_of_time([told])[0].notices] == ["course 1: CT.dcm", "elsewhere"]


def test_a_plan_moves_to_the_course_that_it_is_a_boost_of():
    courses = reassigned(three_courses(), {(1, 0): 0})
    assert plan_labels(courses) == [["plan of course 1", "plan of course 2"], ["plan of course 3"]]
    assert [course.label for course in courses] == ["course 1", "course 2"]
    assert [notice.code for notice in courses[0].notices] == ["plan-reassigned"]
    assert not courses[1].notices


def test_a_plan_becomes_a_course_of_its_own_on_the_same_ct():
    first, second, _ = three_courses()
    both = replace(first, plans=(first.plans[0], replace(second.plans[0], date="2023-05-01")))
    courses = reassigned([both], {(0, 1): 1})
    assert plan_labels(courses) == [["plan of course 1"], ["plan of course 2"]]
    assert courses[1].date == "2023-05-01"
    assert courses[1].ct is both.ct


def test_a_plan_that_is_left_out_takes_its_empty_course_with_it():
    courses = reassigned(three_courses(), {(0, 0): None})
    assert plan_labels(courses) == [["plan of course 2"], ["plan of course 3"]]


def test_a_plan_of_another_frame_of_reference_is_not_moved():
    courses = three_courses()
    grid = a_grid(5.0)
    stranger = replace(courses[2].plans[0], dose=replace(grid, frame_of_reference_uid="9.9"))
    courses[2] = replace(courses[2], plans=(stranger,))
    with pytest.raises(ReirradiationError, match=r"\(0020,0052\)"):
        reassigned(courses, {(2, 0): 0})


def test_entered_fractions_are_marked_as_the_users():
    plan = with_fractions(three_courses()[0], 0, 25).plans[0]
    assert (plan.fractions, plan.fractions_source) == (25, "user")
    with pytest.raises(ReirradiationError):
        with_fractions(three_courses()[0], 0, 0)
