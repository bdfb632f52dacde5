"""Regions to contours and back: spheres, shells and parts of known size, on fine, coarse, thick and turned grids."""

from __future__ import annotations

import numpy as np
import pytest
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.sampling import sample_organ
from ReirradiationReviewLib.core.organs.voxels import voxels_inside
from ReirradiationReviewLib.core.targets.outline import region_of, structure_of
from ReirradiationReviewLib.core.targets.region import Region
from ReirradiationReviewLib.core.volume import Volume

CENTRE = np.array([12.3, -41.9, 77.2])


def a_grid(spacing_mm, half_mm=24.0, axes=((1, 0, 0), (0, 1, 0), (0, 0, 1)), centre=CENTRE):
    size = np.ceil(2 * half_mm / np.asarray(spacing_mm)).astype(int) + 1
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(axes, dtype=float).T * spacing_mm
    matrix[:3, 3] = centre - matrix[:3, :3] @ ((size - 1) / 2 + [0.13, -0.21, 0.34])
    return Volume(np.zeros(size[::-1], dtype=bool), matrix, "1.2.3")


def radius_of(points, centre=CENTRE):
    return np.linalg.norm(points - centre, axis=-1)


def a_region(grid, belongs):
    return Region("tumour", grid.like(belongs(grid.centres_lps()).reshape(grid.array.shape)), "made up", "PT")


def a_ball(grid, radius_mm, centre=CENTRE):
    return a_region(grid, lambda points: radius_of(points, centre) < radius_mm)


def sphere_cc(radius_mm):
    return 4 / 3 * np.pi * radius_mm**3 / 1000


def dsc(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.mark.parametrize("spacing_mm", [(1, 1, 1), (1.17, 1.17, 2.5), (0.98, 0.98, 3), (2, 2, 3), (3.9, 3.9, 2.5)])
@pytest.mark.parametrize("radius_mm", [3.0, 5.0, 12.0])
def test_a_ball_comes_back_from_its_own_contours(spacing_mm, radius_mm):
    region = a_ball(a_grid(spacing_mm), radius_mm)
    back = region_of(structure_of(region, region.mask), region.mask)
    assert dsc(back.mask.array, region.mask.array) > 0.98


@pytest.mark.parametrize("axes", [((-1, 0, 0), (0, -1, 0), (0, 0, 1)), ((0, 1, 0), (-1, 0, 0), (0, 0, -1))])
def test_a_region_comes_back_on_a_turned_grid(axes):
    region = a_ball(a_grid((1.2, 1.2, 2.5), axes=axes), 7.0, CENTRE + np.array([2, -3, 4]))
    assert dsc(region_of(structure_of(region, region.mask), region.mask).mask.array, region.mask.array) > 0.98


def test_contours_of_a_fine_mask_lie_on_the_sphere():
    ct = a_grid((0.98, 0.98, 3.0))
    structure = structure_of(a_ball(a_grid((1, 1, 1)), 12.0), ct)
    points = np.concatenate(structure.contours_lps)
    assert np.abs(radius_of(points) - 12.0).max() < 0.8
    assert np.abs(radius_of(points) - 12.0).mean() < 0.2
    k = ct.to_index(points)[:, 2]
    np.testing.assert_allclose(k, np.rint(k), atol=1e-9)
    assert structure.frame_of_reference_uid == "1.2.3"
    assert sample_organ(structure).volume_cc == pytest.approx(sphere_cc(12), rel=0.01)


def test_a_coarse_mask_becomes_a_smooth_outline():
    region = a_ball(a_grid((4, 4, 4), half_mm=32), 20.0)
    structure = structure_of(region, a_grid((1, 1, 2)))
    points = np.concatenate(structure.contours_lps)
    # The steps of the mask would be off by 4 / sqrt(12) = 1.2 mm.
    assert np.sqrt(np.mean((radius_of(points) - 20.0) ** 2)) < 0.6
    assert sample_organ(structure).volume_cc == pytest.approx(region.volume_cc, rel=0.05)


def test_a_hole_is_a_contour_within_another():
    grid = a_grid((1, 1, 2))
    shell = a_region(grid, lambda points: (radius_of(points) < 15) & (radius_of(points) > 8))
    structure = structure_of(shell, grid)
    heights = np.array([contour[0, 2] for contour in structure.contours_lps])
    assert np.count_nonzero(np.abs(heights - heights[np.abs(heights - CENTRE[2]).argmin()]) < 0.01) == 2
    assert dsc(region_of(structure, grid).mask.array, shell.mask.array) > 0.98
    assert not region_of(structure, grid).mask.array[tuple(np.rint(grid.to_index(CENTRE[None])[0]).astype(int)[::-1])]


def test_parts_stay_apart():
    grid = a_grid((1, 1, 2))
    apart = np.array([9.0, 0, 0])
    parts = a_region(grid, lambda p: (radius_of(p, CENTRE + apart) < 6) | (radius_of(p, CENTRE - apart) < 4))
    structure = structure_of(parts, grid)
    assert dsc(region_of(structure, grid).mask.array, parts.mask.array) > 0.98
    sides = {np.sign(contour[:, 0].mean() - CENTRE[0]) for contour in structure.contours_lps}
    assert sides == {-1.0, 1.0}


def test_a_region_on_another_grid_keeps_its_volume_and_place():
    region = a_ball(a_grid((1, 1, 1)), 10.0)
    tilted = np.linalg.qr(np.array([[1, 0.2, 0.1], [-0.2, 1, 0.3], [0, -0.3, 1.0]]))[0]
    moved = region.on_grid(a_grid((1.3, 1.3, 2.0), axes=tilted))
    assert moved.volume_cc == pytest.approx(sphere_cc(10), rel=0.02)
    np.testing.assert_allclose(moved.centroid_lps, CENTRE, atol=0.15)
    assert moved.provenance == "made up"


def test_a_region_that_the_grid_cuts_off_ends_there():
    region = a_ball(a_grid((1, 1, 1)), 10.0)
    upper = a_grid((1, 1, 1), half_mm=12, centre=CENTRE + np.array([0, 0, 12]))
    below_mm = (CENTRE - upper.index_to_lps[:3, 3])[2] + 0.5  # the first voxels reach that far below the centre
    half_and_slice_cc = sphere_cc(10) / 2 + np.pi * 100 * below_mm / 1000
    assert region.on_grid(upper).volume_cc == pytest.approx(half_and_slice_cc, rel=0.01)
    far = a_grid((1, 1, 1), half_mm=5, centre=CENTRE + np.array([0, 0, 200]))
    assert region.on_grid(far).is_empty


def a_drawn_ball(radius_mm, gap_mm):
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    heights = np.arange(-30, 31) * gap_mm
    rings = [(np.sqrt(radius_mm**2 - z**2), z) for z in heights if abs(z) < radius_mm - 0.01]
    circle = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(180)])
    return Structure("ball", 1, tuple(CENTRE + radius * circle + [0, 0, z] for radius, z in rings))


def test_voxels_between_contoured_planes_follow_the_organ():
    grid = a_grid((1, 1, 1))
    found = voxels_inside(a_drawn_ball(14.0, 3.0), grid)
    assert dsc(found, a_ball(grid, 14.0).mask.array) > 0.98
    assert np.count_nonzero(found) * grid.voxel_volume_cc == pytest.approx(sphere_cc(14), rel=0.01)


def test_voxels_of_a_tilted_grid_are_found():
    tilted = np.linalg.qr(np.array([[1, 0.2, 0.1], [-0.2, 1, 0.3], [0, -0.3, 1.0]]))[0]
    grid = a_grid((1.5, 1.5, 1.5), axes=tilted)
    assert dsc(voxels_inside(a_drawn_ball(14.0, 3.0), grid), a_ball(grid, 14.0).mask.array) > 0.97


def test_a_structure_outside_the_grid_has_no_voxels():
    assert not voxels_inside(a_drawn_ball(14.0, 3.0), a_grid((1, 1, 1), centre=CENTRE + 300)).any()


def test_an_empty_region_and_one_between_planes_are_refused():
    grid = a_grid((1, 1, 1))
    with pytest.raises(ReirradiationError, match=r"tumour: nothing belongs to it \(made up\)"):
        structure_of(a_ball(grid, 0.01, CENTRE + 500), grid)
    with pytest.raises(ReirradiationError, match="meets no plane"):
        structure_of(a_ball(grid, 4.0), a_grid((1, 1, 1), centre=CENTRE + 500))
    with pytest.raises(ReirradiationError, match="has no centre"):
        _ = a_ball(grid, 0.01, CENTRE + 500).centroid_lps


def test_a_region_is_made_of_a_mask_only():
    with pytest.raises(TypeError):
        Region("tumour", Volume(np.zeros((2, 2, 2)), np.eye(4)), "")


@pytest.mark.parametrize("pitch_mm", [0.5, 1.0, 1.5])
def test_no_plane_between_contours_is_left_empty(pitch_mm):
    """Planes that fall on the borders of the slabs between two contours were once lost to rounding."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.stack([10.0 * np.cos(angle), 10.0 * np.sin(angle)], axis=1)
    contours = tuple(np.column_stack([ring, np.full(len(ring), z)]) for z in np.arange(-15.0, 15.1, 3.0))
    matrix = np.diag([pitch_mm, pitch_mm, pitch_mm, 1.0])
    matrix[:3, 3] = [-14.7, -14.7, -12.0]
    count = int(24.0 / pitch_mm) + 1
    grid = Volume(np.zeros((count, int(30 / pitch_mm), int(30 / pitch_mm))), matrix)
    area = region_of(Structure("cylinder", 1, contours), grid).mask.array.sum(axis=(1, 2)) * pitch_mm**2
    np.testing.assert_allclose(area, np.pi * 100.0, rtol=0.03)
