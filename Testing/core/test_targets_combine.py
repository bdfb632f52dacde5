"""Regions combined and compared, against closed forms of spheres."""

from __future__ import annotations

import numpy as np
import pytest
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.targets.combine import agreement, agreements, doubtful, intersection, majority, union
from ReirradiationReviewLib.core.targets.region import Region
from ReirradiationReviewLib.core.volume import Volume


def a_sphere(name, centre, radius_mm, modality="", spacing_mm=(2.0, 2.0, 3.0)):
    """Voxels whose centres lie in a sphere, on a grid of their own."""
    spacing = np.array(spacing_mm)
    low = np.array(centre) - radius_mm - 9.3
    shape_ijk = np.ceil((2 * radius_mm + 18.6) / spacing).astype(int) + 1
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = low
    grid = Volume(np.zeros(shape_ijk[::-1]), matrix, "1.2")
    inside = np.linalg.norm(grid.centres_lps() - centre, axis=1) <= radius_mm
    return Region(name, grid.like(inside.reshape(grid.array.shape)), f"sphere {name}", modality)


def sphere_cc(radius_mm):
    return 4.0 / 3.0 * np.pi * radius_mm**3 / 1000.0


def lens_cc(radius_mm, distance_mm):
    """Volume that two equal spheres have in common (two caps)."""
    return np.pi * (4 * radius_mm + distance_mm) * (2 * radius_mm - distance_mm) ** 2 / 12.0 / 1000.0


RADIUS, APART = 15.0, 10.0


@pytest.fixture(scope="module")
def pet():
    return a_sphere("GTV_PET", (0.0, 0.0, 0.0), RADIUS, "PT", (4.0, 4.0, 3.0))


@pytest.fixture(scope="module")
def mr():
    return a_sphere("GTV_MR", (APART, 0.0, 0.0), RADIUS, "MR", (1.0, 1.0, 2.0))


def test_union_and_intersection_have_the_volumes_of_the_lens(pet, mr):
    common = lens_cc(RADIUS, APART)
    assert intersection("both", [pet, mr]).volume_cc == pytest.approx(common, rel=0.03)
    assert union("any", [pet, mr]).volume_cc == pytest.approx(2 * sphere_cc(RADIUS) - common, rel=0.02)


def test_combinations_say_what_they_are_made_of(pet, mr):
    combined = union("any", [pet, mr])
    assert combined.provenance == "union of GTV_PET (PT), GTV_MR (MR)"
    assert combined.modality == ""
    assert union("again", [pet, pet]).modality == "PT"


def test_of_three_the_majority_is_what_two_agree_on(pet, mr):
    ct = a_sphere("GTV_CT", (APART, 0.0, 0.0), RADIUS, "CT", (1.5, 1.5, 1.5))
    assert majority("most", [pet, mr, ct]).volume_cc == pytest.approx(sphere_cc(RADIUS), rel=0.02)
    assert majority("of two: both", [pet, mr]).volume_cc == intersection("both", [pet, mr]).volume_cc


def test_what_one_modality_alone_shows_is_in_doubt(pet, mr):
    alone = doubtful("doubt", [pet, mr])
    assert alone.volume_cc == pytest.approx(2 * (sphere_cc(RADIUS) - lens_cc(RADIUS, APART)), rel=0.03)
    assert alone.provenance.startswith("doubtful: seen by one modality only")
    middle = alone.mask.to_index(np.array([[APART / 2, 0.0, 0.0]]))[0].round().astype(int)
    assert not alone.mask.array[tuple(middle[::-1])]  # both show it


def test_two_regions_of_one_modality_do_not_confirm_each_other(pet, mr):
    second_pet = a_sphere("GTV_PET50", (0.0, 0.0, 0.0), 10.0, "PT", (4.0, 4.0, 3.0))
    alone = doubtful("doubt", [pet, second_pet, mr])
    assert alone.volume_cc == pytest.approx(doubtful("doubt", [pet, mr]).volume_cc)
    with pytest.raises(ReirradiationError, match="one modality"):
        doubtful("doubt", [pet, second_pet])


def test_equal_regions_leave_no_doubt(pet):
    same = Region("GTV_drawn", pet.mask, "contours")
    assert doubtful("doubt", [pet, same]) is None


def test_agreement_of_shifted_spheres(pet, mr):
    found = agreement(pet, mr)
    assert found.dice == pytest.approx(lens_cc(RADIUS, APART) / sphere_cc(RADIUS), abs=0.02)
    np.testing.assert_allclose(found.centroid_shift_mm, [APART, 0.0, 0.0], atol=0.1)
    assert found.common_cc == pytest.approx(lens_cc(RADIUS, APART), rel=0.03)
    # A point of one sphere at angle t lies | |R u - d| - R | from the other; its mean over the sphere, by quadrature.
    cosines = np.linspace(-1.0, 1.0, 20_001)
    expected = np.abs(np.sqrt(RADIUS**2 + APART**2 - 2 * RADIUS * APART * cosines) - RADIUS).mean()
    assert found.mean_distance_mm == pytest.approx(expected, abs=0.15)


def test_agreement_of_concentric_spheres_is_the_difference_of_their_radii():
    found = agreement(a_sphere("a", (1.0, 2.0, 3.0), 18.0), a_sphere("b", (1.0, 2.0, 3.0), 15.0, spacing_mm=(1, 1, 1)))
    assert found.mean_distance_mm == pytest.approx(3.0, abs=0.1)
    assert found.hausdorff_95_mm == pytest.approx(3.0, abs=0.5)
    assert found.dice == pytest.approx(2 * 15.0**3 / (15.0**3 + 18.0**3), abs=0.01)
    assert (found.first_cc, found.second_cc) == pytest.approx((sphere_cc(18.0), sphere_cc(15.0)), rel=0.02)


def test_regions_that_do_not_meet_agree_in_nothing(pet):
    far = a_sphere("far", (60.0, 0.0, 0.0), 8.0, "MR")
    found = agreement(pet, far)
    assert (found.dice, found.common_cc) == (0.0, 0.0)
    assert found.mean_distance_mm > 30.0


def test_every_pair_is_compared_once(pet, mr):
    ct = a_sphere("GTV_CT", (APART, 0.0, 0.0), RADIUS, "CT")
    pairs = [(found.first, found.second) for found in agreements([pet, mr, ct])]
    assert pairs == [("GTV_PET", "GTV_MR"), ("GTV_PET", "GTV_CT"), ("GTV_MR", "GTV_CT")]


def test_an_empty_region_is_named(pet):
    empty = Region("nothing", pet.mask.like(np.zeros_like(pet.mask.array)), "threshold 99")
    with pytest.raises(ReirradiationError, match="'nothing' is empty"):
        agreement(pet, empty)
    with pytest.raises(ReirradiationError, match="nothing to combine"):
        union("u", [empty])
    assert intersection("none", [pet, empty]).is_empty
