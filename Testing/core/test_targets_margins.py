"""Margins, barriers and the margin recipe, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_review import a_cylinder, a_grid
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.targets.barriers import bone, cropped_at, skin, structure
from ReirradiationReviewLib.core.targets.margin_recipe import smallest_margin
from ReirradiationReviewLib.core.targets.margins import Margin, expanded
from ReirradiationReviewLib.core.targets.region import Region
from ReirradiationReviewLib.core.volume import Volume
from test_targets_combine import a_sphere, sphere_cc


def a_box(half_mm, spacing_mm=1.0):
    """Voxels inside |x| < half_x and so on; the surface lies halfway between voxels."""
    size = np.array(half_mm) + 4
    count = (2 * size / spacing_mm).astype(int)
    matrix = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    matrix[:3, 3] = -size + spacing_mm / 2
    grid = Volume(np.zeros(count[::-1]), matrix, "1.2")
    inside = np.all(np.abs(grid.centres_lps()) < half_mm, axis=1)
    return Region("GTV", grid.like(inside.reshape(grid.array.shape)), "box")


def extent(region):
    points = region.points_lps
    half = region.mask.spacing_mm / 2
    return points.min(axis=0) - half, points.max(axis=0) + half


@pytest.mark.parametrize(("radius_mm", "margin_mm"), [(10.0, 3.0), (15.0, 5.0), (8.0, 10.0)])
def test_a_sphere_with_a_margin_is_a_larger_sphere(radius_mm, margin_mm):
    gtv = a_sphere("GTV", (1.3, -2.1, 0.7), radius_mm, spacing_mm=(1.0, 1.0, 1.5))
    made = expanded(gtv, Margin.uniform(margin_mm), "CTV")
    # What the voxelised sphere itself is off by, the margin carries on.
    effective = np.cbrt(gtv.volume_cc / sphere_cc(1.0))
    assert made.volume_cc == pytest.approx(sphere_cc(effective + margin_mm), rel=0.02)
    np.testing.assert_allclose(made.centroid_lps, [1.3, -2.1, 0.7], atol=0.2)
    farthest = np.linalg.norm(made.points_lps - [1.3, -2.1, 0.7], axis=1).max()
    assert farthest == pytest.approx(radius_mm + margin_mm, abs=0.5)


def test_a_box_with_six_margins_reaches_as_far_as_eight_pieces_of_ellipsoids():
    margin = Margin(left_mm=12.0, right_mm=4.0, anterior_mm=8.0, posterior_mm=6.0, superior_mm=10.0, inferior_mm=5.0)
    made = expanded(a_box((10.0, 8.0, 6.0), spacing_mm=0.5), margin, "PTV")
    low, high = extent(made)
    np.testing.assert_allclose(high, [10 + 12.0, 8 + 6.0, 6 + 10.0], atol=0.5)  # left, posterior, superior: LPS
    np.testing.assert_allclose(low, [-10 - 4.0, -8 - 8.0, -6 - 5.0], atol=0.5)
    # A point belongs to it if the ellipsoid piece of its octant reaches it from the nearest point of the box.
    grid = made.mask
    points = grid.centres_lps()
    beyond = points - np.clip(points, [-10.0, -8.0, -6.0], [10.0, 8.0, 6.0])
    reach = np.where(beyond > 0, [12.0, 6.0, 10.0], [4.0, 8.0, 5.0])
    needed = np.linalg.norm(beyond / reach, axis=1).reshape(grid.array.shape)
    assert needed[made.mask.array].max() <= 1.01
    assert made.mask.array[needed <= 0.9].all()  # edges of a box are rounded a little, being voxels
    assert made.volume_cc == pytest.approx(np.count_nonzero(needed <= 1.0) * grid.voxel_volume_cc, rel=0.03)


def test_a_margin_of_nothing_in_one_direction_leaves_that_side_where_it_was():
    gtv = a_box((10.0, 10.0, 10.0))
    made = expanded(gtv, Margin(5.0, 0.0, 5.0, 5.0, 5.0, 5.0), "CTV")
    low, high = extent(made)
    assert low[0] == pytest.approx(-10.0, abs=0.5)
    assert high[0] == pytest.approx(15.0, abs=0.5)


def test_the_original_is_always_part_of_it_and_says_so():
    gtv = a_sphere("GTV", (0.0, 0.0, 0.0), 10.0, "PT")
    made = expanded(gtv, Margin.uniform(3.0), "CTV")
    assert made.provenance == "GTV with a margin of 3 mm"
    assert made.modality == "PT"
    assert not (gtv.on_grid(made.mask).mask.array & ~made.mask.array).any()


def test_margins_are_named_by_direction():
    assert Margin.uniform(5.0).words == "5 mm"
    assert Margin(5, 5, 3, 3, 7, 7.5).words == "L 5, R 5, A 3, P 3, S 7, I 7.5 mm"


@pytest.mark.parametrize("value", [-1.0, np.nan, 101.0, 0.0])
def test_what_is_no_margin_is_refused(value):
    with pytest.raises(ReirradiationError, match="margin"):
        Margin.uniform(value)


@pytest.fixture
def a_margin():
    gtv = a_sphere("GTV", (0.0, 0.0, 0.0), 10.0, spacing_mm=(1.0, 1.0, 1.0))
    return gtv, expanded(gtv, Margin.uniform(10.0), "CTV")


def test_a_margin_stops_below_the_skin(a_margin):
    gtv, made = a_margin
    external = a_cylinder("External", 1, (-40.0, 0.0), radius_mm=55.0, z_mm=(-60.0, 60.0), kind="EXTERNAL")
    cut, (notice,) = cropped_at(made, gtv, [skin(external, 3.0, made)])
    axis = cut.points_lps[np.linalg.norm(cut.points_lps[:, 1:], axis=1) < 1.0]
    assert axis[:, 0].max() == pytest.approx(15.0 - 3.0, abs=0.8)
    assert axis[:, 0].min() == pytest.approx(-20.0, abs=0.8)
    assert notice.text.startswith("CTV was cut at the skin (External) less 3 mm: ")
    assert "GTV itself" not in notice.text
    assert cut.provenance.endswith("cut at the skin (External) less 3 mm")


def test_deep_inside_the_body_the_skin_takes_nothing(a_margin):
    gtv, made = a_margin
    external = a_cylinder("External", 1, radius_mm=90.0, z_mm=(-90.0, 90.0), kind="EXTERNAL")
    cut, notices = cropped_at(made, gtv, [skin(external, 5.0, made)])
    assert cut.volume_cc == made.volume_cc
    assert notices == ()


def test_a_margin_stops_at_an_organ_and_does_not_go_on_behind_it(a_margin):
    gtv, made = a_margin
    wall = a_cylinder("Wall", 2, (72.0, 0.0), radius_mm=60.0, z_mm=(-60.0, 60.0))
    cut, _ = cropped_at(made, gtv, [structure(wall, made)])
    assert cut.points_lps[:, 0].max() == pytest.approx(12.0 + 0.0, abs=2.0)
    # A thin shell: nothing behind it is kept, being connected with nothing.
    slab = made.mask.like(np.zeros_like(made.mask.array))
    index = int(np.rint(made.mask.to_index(np.array([[13.0, 0.0, 0.0]]))[0, 0]))
    slab.array[:, :, index : index + 2] = True
    shell = structure(wall, made).__class__("a shell", slab)
    behind, _ = cropped_at(made, gtv, [shell])
    assert behind.points_lps[:, 0].max() < 13.0


def test_bone_is_read_from_the_ct(a_margin):
    gtv, made = a_margin
    ct = a_grid(30.0, spacing_mm=2.0)
    ct.array[:, :, 36:] = 700.0  # from x = 12 mm on
    cut, _ = cropped_at(made, gtv, [bone(ct, made)])
    # Between the voxels at 10 and 12 mm, 200 HU are reached at 10 + 2 * 170 / 670 = 10.5 mm.
    assert cut.points_lps[:, 0].max() == pytest.approx(10.5 - cut.mask.spacing_mm[0] / 2, abs=0.5)


def test_the_tumour_itself_is_never_cut_and_that_is_told(a_margin):
    gtv, made = a_margin
    organ = a_cylinder("Cord", 3, (10.0, 0.0), radius_mm=6.0)
    cut, (notice,) = cropped_at(made, gtv, [structure(organ, made)])
    assert not (gtv.on_grid(cut.mask).mask.array & ~cut.mask.array).any()
    assert "cc of GTV itself lie beyond it and were kept" in notice.text


def test_the_recipe_is_that_of_van_herk():
    # Without registration error: 2.5 * 2 + 0.7 * 3 = 7.1 mm.
    found = smallest_margin(0.0, 2.0, 3.0)
    assert found.margin_mm == pytest.approx(7.1)
    assert not found.is_lower_bound
    assert "van Herk 2000" in found.message


def test_a_registration_error_adds_in_quadrature_by_its_maxwell_mean():
    # Mean length of a vector with three normal parts of 1.5 mm, by simulation; S = sqrt(1.5^2 + 2^2) = 2.5.
    lengths = np.linalg.norm(np.random.default_rng(1).normal(0.0, 1.5, (400_000, 3)), axis=1)
    found = smallest_margin(float(lengths.mean()), 2.0, 0.0)
    assert found.registration_sd_mm == pytest.approx(1.5, abs=0.01)
    assert found.margin_mm == pytest.approx(6.25, abs=0.02)


def test_what_is_not_stated_is_told_and_the_margin_is_only_a_lower_bound():
    found = smallest_margin(1.6)
    assert found.is_lower_bound
    assert found.margin_mm == pytest.approx(2.5, abs=0.01)
    assert found.message.startswith("At least 2.5 mm")
    assert "Not stated, and so not in it: the systematic set-up error and the random set-up error." in found.message
    assert "minimum CTV-PTV 5 mm" in found.message
    nothing = smallest_margin(None)
    assert nothing.margin_mm is None
    assert nothing.message.startswith("Not known")


def test_an_impossible_uncertainty_is_refused():
    with pytest.raises(ReirradiationError, match="random set-up error is -1 mm"):
        smallest_margin(1.0, 1.0, -1.0)
