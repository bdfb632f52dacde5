"""Targets from PET-like images whose extent is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.targets import pet
from ReirradiationReviewLib.core.targets.lesion import Lesion, Search, divided
from ReirradiationReviewLib.core.targets.outline import structure_of
from ReirradiationReviewLib.core.targets.region import Region
from ReirradiationReviewLib.core.targets.values import image_values
from ReirradiationReviewLib.core.volume import Volume
from target_images import BACKGROUND, DECOY, HEIGHT, HILL, WIDTH_MM, a_grid, an_image, ball_cc, hills, radius_mm

TOP = BACKGROUND + HEIGHT


def a_lesion(seed=HILL, image=None, **search):
    return Lesion(
        an_image(hills) if image is None else image, Search(None if seed is None else np.array(seed), **search)
    )


def a_ball(centre, radius):
    grid = a_grid((1.5, 1.5, 1.5), half_mm=100)
    inside = np.linalg.norm(grid.centres_lps() - centre, axis=1) < radius
    return Region("ball", grid.like(inside.reshape(grid.array.shape)), "made up")


def assert_is_the_hill(region, radius):
    assert region.volume_cc == pytest.approx(ball_cc(radius), rel=0.02)
    np.testing.assert_allclose(region.centroid_lps, HILL, atol=0.2)
    away = np.linalg.norm(region.points_lps - HILL, axis=1)
    assert away.max() < radius + 1.5


@pytest.mark.parametrize("suv", [2.5, 4.0, 8.0])
def test_a_fixed_suv_encloses_the_ball_that_it_should(suv):
    assert_is_the_hill(pet.fixed_value(a_lesion(), suv), radius_mm(suv))


@pytest.mark.parametrize("percent", [41.0, 42.0, 50.0, 67.0])
def test_a_share_of_the_maximum_encloses_the_ball_that_it_should(percent):
    region = pet.percent_of_maximum(a_lesion(), percent)
    assert_is_the_hill(region, radius_mm(TOP * percent / 100))
    assert f"{percent:g} % of the maximum 10" in region.provenance
    assert f"{TOP * percent / 100:.3g} SUVbw (g/mL)" in region.provenance


@pytest.mark.parametrize("percent", [20.0, 40.0])
def test_the_background_is_taken_off(percent):
    # Narrow, so that nothing of it reaches into the background's shell.
    image = an_image(lambda points: hills(points, width_mm=5.0), a_grid((2.0, 2.0, 2.0), half_mm=70))
    region = pet.background_adapted(a_lesion(image=image), percent)
    assert_is_the_hill(region, radius_mm(BACKGROUND + HEIGHT * percent / 100, width_mm=5.0))
    assert "background 1 plus" in region.provenance


def test_the_steepest_slope_of_a_gaussian_is_one_standard_deviation_out():
    image = an_image(hills, a_grid((2.0, 2.0, 2.0)))
    region = pet.steepest_slope(a_lesion(image=image))
    assert region.volume_cc == pytest.approx(ball_cc(WIDTH_MM), rel=0.08)
    np.testing.assert_allclose(region.centroid_lps, HILL, atol=0.3)


def test_a_ratio_to_normal_tissue():
    image = an_image(hills)
    normal = pet.reference_values(image, HILL - np.array([0.0, 60.0, 0.0]))
    assert normal.mean() == pytest.approx(BACKGROUND, rel=1e-3)
    region = pet.ratio_to_normal(a_lesion(image=image), 1.6, normal)
    assert_is_the_hill(region, radius_mm(1.6))


def test_the_liver_sets_the_threshold():
    liver = np.array([1.9, 2.1, 2.0, 2.0, 1.8, 2.2])
    mean, deviation = 2.0, np.sqrt((0.01 + 0.01 + 0.04 + 0.04) / 6)
    region = pet.above_liver(a_lesion(), 1.5, liver)
    assert_is_the_hill(region, radius_mm(1.5 * mean + 2 * deviation))


def test_the_ball_of_normal_liver_lies_in_the_right_lobe():
    centre = pet.deepest_ball(a_ball(HILL, 40.0), a_grid())
    assert centre[0] < HILL[0] + 1  # the patient's right is where x is smaller
    assert np.linalg.norm(centre - HILL) < 25  # 15 mm inside of the surface
    with pytest.raises(ReirradiationError, match="does not fit"):
        pet.deepest_ball(a_ball(HILL, 14.0), a_grid())


def test_a_seed_beside_the_hill_climbs_it_and_leaves_the_decoy_alone():
    region = pet.fixed_value(a_lesion(seed=HILL + np.array([8.0, -6.0, 5.0])), 2.5)
    assert_is_the_hill(region, radius_mm(2.5))


def test_the_decoy_is_found_from_its_own_seed():
    region = pet.fixed_value(a_lesion(seed=DECOY), 2.5)
    np.testing.assert_allclose(region.centroid_lps, DECOY, atol=0.5)


def test_without_a_seed_all_parts_in_the_region_belong_to_it():
    region = pet.fixed_value(a_lesion(seed=None, within=a_ball((HILL + DECOY) / 2, 60.0)), 4.0)
    assert region.volume_cc == pytest.approx(2 * ball_cc(radius_mm(4.0)), rel=0.03)


def test_a_region_limits_what_belongs_to_it():
    region = pet.fixed_value(a_lesion(within=a_ball(HILL, 8.0)), 2.5)
    assert region.volume_cc == pytest.approx(ball_cc(8.0), rel=0.04)


def test_what_is_excluded_does_not_belong_to_it():
    half = a_grid((1.5, 1.5, 1.5), half_mm=100)
    beyond = Region("half", half.like((half.centres_lps()[:, 1] > HILL[1]).reshape(half.array.shape)), "made up")
    region = pet.fixed_value(a_lesion(seed=HILL - np.array([0, 4.0, 0]), excluded=(beyond,)), 2.5)
    # The excluded voxels of 1.5 mm begin 0.75 mm beyond the middle.
    slab_cc = np.pi * radius_mm(2.5) ** 2 * 0.75 / 1000
    assert region.volume_cc == pytest.approx(ball_cc(radius_mm(2.5)) / 2 + slab_cc, rel=0.02)
    assert (region.points_lps[:, 1] < HILL[1] + 1.5).all()


def test_a_wide_target_is_not_cut_off():
    wide = an_image(lambda points: hills(points, (HILL,), width_mm=50.0))
    lesion = a_lesion(image=wide)
    narrow_before = pet.fixed_value(lesion, 8.0)
    region = pet.fixed_value(lesion, 5.0)
    assert region.volume_cc == pytest.approx(ball_cc(radius_mm(5.0, width_mm=50.0)), rel=0.02)
    assert pet.fixed_value(lesion, 8.0).volume_cc == narrow_before.volume_cc  # whatever was asked in between


def test_division_into_parts_follows_a_curve_where_lines_would_cut_it():
    grid = a_grid((4.0, 4.0, 3.0), half_mm=40)
    coarse = grid.like(hills(grid.centres_lps()).reshape(grid.array.shape))
    fine = divided(coarse, (3, 3, 3))
    inner = fine.part((slice(9, -9), slice(9, -9), slice(9, -9)))
    truth = hills(inner.centres_lps()).reshape(inner.array.shape)
    assert np.abs(inner.array - truth).max() < 0.02 * HEIGHT
    np.testing.assert_allclose(fine.array[1::3, 1::3, 1::3], coarse.array, rtol=1e-5)
    np.testing.assert_allclose(fine.spacing_mm, np.array([4, 4, 3]) / 3)


def test_the_contour_on_the_ct_is_the_balls_outline():
    ct = Volume(np.zeros((60, 100, 100), dtype=np.int16), np.diag([1.0, 1.0, 3.0, 1.0]), "1.2.3")
    ct.index_to_lps[:3, 3] = HILL - np.array([50.0, 50.0, 89.0])
    structure = structure_of(pet.fixed_value(a_lesion(), 4.0), ct)
    away = np.linalg.norm(np.concatenate(structure.contours_lps) - HILL, axis=1)
    assert np.abs(away - radius_mm(4.0)).max() < 0.7
    assert np.sqrt(np.mean((away - radius_mm(4.0)) ** 2)) < 0.25


def test_the_values_in_a_region():
    image = an_image(hills)
    found = image_values(image, a_ball(HILL, 12.0))
    assert found["suv_max"] == pytest.approx(TOP, rel=1e-6)
    # Mean of a Gaussian over a ball of 1 mL, radius 6.204 mm, by numerical integration over the radius.
    radius = np.linspace(0, 6.204, 2001)
    peak = (
        BACKGROUND + np.trapezoid(3 * radius**2 * HEIGHT * np.exp(-0.5 * (radius / WIDTH_MM) ** 2), radius) / 6.204**3
    )
    assert found["suv_peak"] == pytest.approx(peak, rel=0.05)  # a ball of 1 mL is about 20 voxels
    assert BACKGROUND < found["suv_mean"] < found["suv_peak"]
    outside = image_values(image, a_ball(HILL + 500, 12.0))
    assert outside["suv_max"] is None


def test_thresholds_and_places_without_a_target_are_refused():
    with pytest.raises(ReirradiationError, match=r"threshold 50 SUVbw \(g/mL\) lies above the highest value 10"):
        pet.fixed_value(a_lesion(), 50.0)
    with pytest.raises(ReirradiationError, match="no voxel within 10 mm"):
        a_lesion(seed=HILL + 1000)
    with pytest.raises(ReirradiationError, match="needs a seed point or a region"):
        a_lesion(seed=None)
    with pytest.raises(ReirradiationError, match="no values in the ball"):
        pet.reference_values(an_image(hills), HILL + 1000)
    flat = an_image(lambda points: hills(points) * 0 + 3.0)
    with pytest.raises(ReirradiationError, match="no background"):
        pet.background_adapted(a_lesion(image=flat), 40.0)


def test_unknown_voxels_belong_to_no_target():
    image = an_image(lambda points: np.where(points[:, 1] > HILL[1] + 6, np.nan, hills(points)))
    region = pet.fixed_value(a_lesion(image=image), 2.5)
    assert region.points_lps[:, 1].max() < HILL[1] + 10
    assert np.isfinite([v for v in image_values(image, region).values() if isinstance(v, float)]).all()
