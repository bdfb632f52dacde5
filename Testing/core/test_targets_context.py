"""Targets against earlier and new doses: shares inside isodoses, kinds of recurrence, coverage, conformity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_review import a_course, a_cylinder, a_grid, a_review, two_courses
from ReirradiationReviewLib.core.dose_mapping import PlanWeight
from ReirradiationReviewLib.core.organ_dose import BoundedDoseVolume
from ReirradiationReviewLib.core.organs.dvh import dose_volume
from ReirradiationReviewLib.core.results.targets import target_entries
from ReirradiationReviewLib.core.targets.coverage import conformity, coverage, isodose_volume_cc
from ReirradiationReviewLib.core.targets.recurrence import delivered_prescription_gy, field_overlap
from ReirradiationReviewLib.core.volume import Volume

RADIUS_MM = 10.0


def a_sloping_dose(spacing_mm=3.0, half_width_mm=60.0):
    """47.5 Gy at x = 0 and 1 Gy/mm towards the patient's left: 95 % of 50 Gy is the plane x = 0."""
    grid = a_grid(0.0, half_width_mm, spacing_mm=spacing_mm)
    x = -half_width_mm + spacing_mm * np.arange(grid.array.shape[2], dtype=np.float32)
    return grid.like(np.broadcast_to(47.5 + x, grid.array.shape).copy())


def a_review_with_target_at(x_mm, earlier_dose=None):
    earlier = a_course("course 1", "2020-01-01", a_sloping_dose() if earlier_dose is None else earlier_dose, 25)
    target = a_cylinder("GTV", 1, (x_mm, 0.0), radius_mm=RADIUS_MM, kind="GTV")
    return a_review([earlier, a_course("course 2", "2022-01-01", a_grid(50.0), 25, [target])])


def share_of_circle_beyond(distance_mm):
    """Share of a circle's area that lies beyond a chord at a signed distance from its centre (circular segment)."""
    u = np.clip(distance_mm / RADIUS_MM, -1.0, 1.0)
    return (np.arccos(u) - u * np.sqrt(1 - u**2)) / np.pi


@pytest.mark.parametrize(
    ("x_mm", "kind"),
    [(20.0, "in-field"), (9.0, "in-field"), (8.0, "marginal"), (0.0, "marginal"), (-4.0, "marginal"),
     (-6.0, "out-of-field"), (-20.0, "out-of-field")],
)  # fmt: skip
def test_the_share_inside_the_isodose_is_that_of_the_circular_segment_and_decides_the_kind(x_mm, kind):
    (target,) = target_entries(a_review_with_target_at(x_mm))
    (earlier,) = target["earlier_courses"]
    inside = next(i for i in earlier["isodoses"] if i["prescription_percent"] == 95.0)
    expected = 100.0 * share_of_circle_beyond(-x_mm)
    assert inside["dose_gy"] == pytest.approx(47.5)
    assert inside["inside_percent"] == pytest.approx(expected, abs=0.4)
    assert earlier["recurrence"] == kind
    assert earlier["recurrence_rule_status"] == "unverified"
    said = f"{inside['inside_percent']:.1f} % of the target lie inside the 95 % isodose"
    assert said in earlier["recurrence_message"]


def bounded(low_gy, high_gy=None, unknown_cc=0.0):
    volumes = np.full(len(low_gy), 0.1)
    low = dose_volume(np.array(low_gy), volumes, unknown_cc)
    high = low if high_gy is None else dose_volume(np.array(high_gy), np.full(len(high_gy), 0.1))
    return BoundedDoseVolume(low, high, 100.0 * unknown_cc / low.total_volume_cc)


def a_hundred(inside):
    return [60.0] * inside + [10.0] * (100 - inside)


@pytest.mark.parametrize(
    ("inside", "kind"), [(100, "in-field"), (95, "in-field"), (94, "marginal"), (20, "marginal"), (19, "out-of-field")]
)
def test_the_thresholds_belong_to_the_higher_class(inside, kind):
    assert field_overlap(bounded(a_hundred(inside)), 60.0).kind == kind


def test_a_target_that_is_partly_beyond_the_dose_grid_has_a_kind_only_if_that_could_not_change_it():
    half_known = [60.0] * 50
    undecided = field_overlap(bounded(half_known, [60.0] * 100, unknown_cc=5.0), 60.0)
    assert undecided.kind == "unknown"
    assert "50.0 to 100.0 % of the target" in undecided.message
    assert "50.0 % lie outside the dose grid" in undecided.message
    decided = field_overlap(bounded(half_known, [60.0] * 50 + [10.0] * 50, unknown_cc=5.0), 60.0)
    assert decided.kind == "marginal"


def test_a_target_wholly_beyond_the_dose_grid_is_unknown_not_out_of_field():
    review = a_review_with_target_at(40.0, a_sloping_dose(half_width_mm=21.0))
    (earlier,) = target_entries(review)[0]["earlier_courses"]
    assert earlier["recurrence"] == "unknown"
    assert "no dose of this course is known in the target" in earlier["recurrence_message"]


def test_phases_add_their_prescriptions_as_far_as_they_were_delivered():
    plan = two_courses()[0].plans[0]
    phases = [replace(plan, prescription_gy=50.0), replace(plan, prescription_gy=16.0)]
    weights = [PlanWeight(25), PlanWeight(8, delivered_share=0.5)]
    assert delivered_prescription_gy(phases, weights) == pytest.approx(58.0)
    assert delivered_prescription_gy([phases[0], replace(plan, prescription_gy=None)], weights) is None


def test_without_a_prescription_nothing_is_guessed():
    overlap = field_overlap(bounded(a_hundred(100)), None)
    assert (overlap.kind, overlap.isodoses, overlap.prescription_gy) == ("unknown", (), None)
    assert "(300A,0026)" in overlap.message


def test_eqd2_of_a_target_is_reported_at_alpha_beta_10():
    # 20 Gy in 4: 20 (5 + 10) / 12 = 25 Gy; 40 Gy in 20 stays 40 Gy.
    (ptv,) = target_entries(a_review(two_courses()))
    assert ptv["alpha_beta_gy"] == 10.0
    assert ptv["composite_eqd2"]["Dmean_gy"] == pytest.approx(65.0)
    assert ptv["earlier_courses"][0]["eqd2"]["D98%_gy"] == pytest.approx(40.0)


def test_a_uniform_dose_covers_by_all_or_nothing_and_is_homogeneous():
    figures = dose_volume(np.full(1000, 48.0), np.full(1000, 0.01))
    found = coverage(figures, 50.0)
    assert (found.v95_percent, found.v100_percent, found.homogeneity_index) == (100.0, 0.0, 0.0)
    assert (found.d98_gy, found.d50_gy, found.d2_gy) == (48.0, 48.0, 48.0)
    assert np.isnan(coverage(figures, None).v95_percent)


def test_coverage_of_a_linear_dose_is_that_of_the_straight_line():
    figures = dose_volume(np.linspace(40.0, 60.0, 20_001), np.full(20_001, 1e-3))
    found = coverage(figures, 50.0)
    assert found.v95_percent == pytest.approx(100.0 * 12.5 / 20.0, abs=0.01)
    assert found.d98_gy == pytest.approx(40.4, abs=0.01)
    assert found.d2_gy == pytest.approx(59.6, abs=0.01)
    assert found.homogeneity_index == pytest.approx(19.2 / 50.0, abs=1e-3)


def test_homogeneity_says_nothing_about_a_target_that_the_plan_does_not_treat():
    assert np.isnan(coverage(dose_volume(np.linspace(0.0, 2.0, 100), np.full(100, 0.1)), 50.0).homogeneity_index)


def a_cone_of_dose(spacing_mm, centre=(0.3, -0.7, 0.4)):
    """100 Gy in the centre, 2 Gy less for each mm: the isodose of D is a sphere of (100 - D) / 2 mm."""
    grid = a_grid(0.0, 60.0, spacing_mm=spacing_mm)
    distance = np.linalg.norm(grid.centres_lps() - centre, axis=1).reshape(grid.array.shape)
    return grid.like(np.maximum(100.0 - 2.0 * distance, 0.0).astype(np.float32))


def sphere_cc(radius_mm):
    return 4.0 / 3.0 * np.pi * radius_mm**3 / 1000.0


@pytest.mark.parametrize(("spacing_mm", "level_gy"), [(1.0, 80.0), (2.0, 60.0), (3.0, 40.0), (2.5, 40.0)])
def test_the_volume_of_an_isodose_is_that_of_its_sphere(spacing_mm, level_gy):
    found = isodose_volume_cc(a_cone_of_dose(spacing_mm), level_gy)
    assert found == pytest.approx(sphere_cc((100.0 - level_gy) / 2), rel=0.01)


def test_an_isodose_that_reaches_the_edge_of_what_is_known_has_no_volume():
    dose = a_cone_of_dose(3.0)
    assert np.isnan(isodose_volume_cc(a_sloping_dose(), 50.0))
    assert isodose_volume_cc(dose, 200.0) == 0.0
    unknown = dose.array.copy()
    unknown[:, :, :11] = np.nan  # up to x = -30 mm: cuts into the sphere of 40 mm, not into that of 20 mm
    assert np.isnan(isodose_volume_cc(dose.like(unknown), 20.0))
    assert isodose_volume_cc(dose.like(unknown), 60.0) == pytest.approx(sphere_cc(20.0), rel=0.02)


def test_paddick_conformity_of_concentric_spheres_follows_from_their_volumes():
    dose = a_cone_of_dose(1.0)
    # A target of radius 15 mm, by shells of equal thickness.
    radii = np.linspace(0.0, 15.0, 3001)
    shells = dose_volume(100.0 - (radii[1:] + radii[:-1]), np.diff(sphere_cc(radii)))
    too_large, too_small = conformity(shells, dose, 60.0), conformity(shells, dose, 80.0)
    # Isodose of 20 mm around the target of 15 mm: TV^2 / (TV PIV); of 10 mm within it: PIV^2 / (TV PIV).
    assert too_large.paddick == pytest.approx((15.0 / 20.0) ** 3, rel=0.01)
    assert too_small.paddick == pytest.approx((10.0 / 15.0) ** 3, rel=0.02)
    assert conformity(shells, dose, 70.0).paddick == pytest.approx(1.0, rel=0.01)


def test_conformity_is_asked_of_ptvs_only():
    review = a_review_with_target_at(0.0)
    assert target_entries(review)[0]["coverage"]["conformity"] == []
    (ptv,) = target_entries(a_review(two_courses()))
    assert [fit["prescription_percent"] for fit in ptv["coverage"]["conformity"]] == [100.0, 95.0]


def test_volume_is_counted_on_any_right_angled_grid():
    dose = a_cone_of_dose(2.0, (0.0, 0.0, 0.0))
    turned = np.array([[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert isodose_volume_cc(Volume(dose.array, turned @ dose.index_to_lps), 60.0) == pytest.approx(
        isodose_volume_cc(dose, 60.0)
    )
