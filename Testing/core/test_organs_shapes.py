"""Contours as they come: holes, parts, gaps, repeats, strays, steep and tiny organs."""

from __future__ import annotations

import numpy as np
import pytest
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.organs.contours import coverage, plane_stack
from ReirradiationReviewLib.core.organs.dvh import dose_volume
from ReirradiationReviewLib.core.organs.sampling import sample_organ

PLANES = np.arange(0.0, 31.0, 3.0)
CYLINDER_CC = np.pi * 100 * 30 / 1000


def a_circle(radius, z, centre=(0.0, 0.0), count=180):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle), np.full(count, z)])


def a_sphere(radius, spacing_mm, centre=(0.0, 0.0, 0.0), shift_mm=0.0):
    heights = np.arange(-60, 61) * spacing_mm + shift_mm
    return [a_circle(np.sqrt(radius**2 - z**2), z + centre[2], centre[:2]) for z in heights if z**2 < radius**2 - 0.05]


def sampled(contours, **options):
    return sample_organ(Structure("organ", 1, tuple(contours)), **options)


def codes(samples):
    return [notice.code for notice in samples.notices]


def sphere_cc(radius):
    return 4 / 3 * np.pi * radius**3 / 1000


def test_coverage_is_the_enclosed_share_of_each_pixel():
    square = np.array([[0.25, 0.5, 0], [2.5, 0.5, 0], [2.5, 3.0, 0], [0.25, 3.0, 0]])
    stack = plane_stack(Structure("square", 1, (square,)))
    np.testing.assert_allclose(stack.axes_lps, np.eye(3), atol=1e-12)
    found = coverage(stack, np.array([-0.5, -0.5]), 1.0, (5, 5))[0]
    assert found.sum() == pytest.approx(2.25 * 2.5)
    assert np.unique(np.round(found, 9)).tolist() == [0.0, 0.25, 0.375, 0.5, 0.75, 1.0]


def test_a_bow_tie_encloses_its_two_triangles():
    bow_tie = [np.array([[-10, -10, z], [10, 10, z], [10, -10, z], [-10, 10, z]]) for z in PLANES]
    samples = sampled(bow_tie)
    assert samples.volume_cc == pytest.approx(200 * 30 / 1000, rel=0.002)
    u, v = samples.points_lps[:, 0], samples.points_lps[:, 1]
    assert (np.abs(v) < np.abs(u) + 0.5).all()


def test_an_island_in_a_hole_is_counted():
    rings = [a_circle(radius, z) for z in PLANES for radius in (20.0, 12.0, 5.0)]
    assert sampled(rings).volume_cc == pytest.approx(np.pi * (400 - 144 + 25) * 30 / 1000, rel=0.002)


def test_a_contour_that_is_stored_twice_counts_once_and_is_told():
    turned = [np.roll(a_circle(10.0, z), 7, axis=0) for z in PLANES]
    samples = sampled([a_circle(10.0, z) for z in PLANES] + turned)
    assert samples.volume_cc == pytest.approx(CYLINDER_CC, rel=0.002)
    assert codes(samples) == ["contours-repeated"]


def test_a_stray_contour_is_left_out_and_told():
    sagittal = a_circle(40.0, 15.0)[:, [2, 0, 1]]
    line = np.array([[0.0, 0.0, 3.0], [1.0, 1.0, 3.0], [2.0, 2.0, 3.0]])
    samples = sampled([a_circle(10.0, z) for z in PLANES] + [sagittal, line])
    assert samples.volume_cc == pytest.approx(CYLINDER_CC, rel=0.002)
    assert codes(samples) == ["contours-left-out"]
    assert "2 of its contours" in samples.notices[0].text


def test_contours_in_planes_that_are_not_parallel_are_refused():
    fan = []
    for angle in np.radians(np.arange(0.0, 60.0, 10.0)):
        turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
        fan.append(a_circle(10.0, 0.0) @ turn.T)
    with pytest.raises(ReirradiationError, match="parallel planes"):
        sampled(fan)


def test_parts_far_apart_along_the_planes_are_not_joined():
    samples = sampled([a_circle(10.0, z) for z in [*PLANES, *(PLANES + 60)]])
    assert samples.volume_cc == pytest.approx(2 * CYLINDER_CC, rel=0.002)
    assert not ((samples.points_lps[:, 2] > 30.1) & (samples.points_lps[:, 2] < 59.9)).any()
    assert codes(samples) == ["contour-gap-left-open"]


def test_a_missing_plane_is_interpolated_and_told():
    samples = sampled([a_circle(10.0, z) for z in PLANES if z != 15.0])
    assert samples.volume_cc == pytest.approx(CYLINDER_CC, rel=0.002)
    assert codes(samples) == ["contour-gap-interpolated"]


@pytest.mark.parametrize("step_mm", [0.0, 9.0, 30.0])
def test_each_part_has_ends_of_its_own(step_mm):
    samples = sampled(a_sphere(10.0, 3.0, (-20.0, 0.0, 0.0)) + a_sphere(10.0, 3.0, (20.0, 0.0, step_mm)))
    right = samples.points_lps[:, 0] > 0
    for part, middle in ((~right, 0.0), (right, step_mm)):
        assert samples.volumes_cc[part].sum() == pytest.approx(sphere_cc(10.0), rel=0.003)
        heights = samples.points_lps[part, 2] - middle
        assert np.average(heights, weights=samples.volumes_cc[part]) == pytest.approx(0.0, abs=0.02)
        assert np.abs(heights).max() == pytest.approx(10.0, abs=0.3)


@pytest.mark.parametrize("slant", [1.0, 1.5, 2.0])
def test_a_thin_oblique_organ_keeps_its_volume_and_its_course(slant):
    samples = sampled([a_circle(2.0, z, (slant * z, 0.0)) for z in np.arange(0.0, 61.0, 3.0)])
    assert samples.volume_cc == pytest.approx(np.pi * 4 * 60 / 1000, rel=0.01)
    off_axis = samples.points_lps[:, 0] - slant * samples.points_lps[:, 2]
    assert np.average(off_axis, weights=samples.volumes_cc) == pytest.approx(0.0, abs=0.05)


def test_a_thin_shell_around_a_large_body_keeps_its_volume():
    shell = [a_circle(radius, z) for z in np.arange(0.0, 300.0, 3.0) for radius in (150.0, 147.0)]
    # 180 corners: the circle's area times sin(2 degrees) / (2 degrees).
    expected = np.pi * (150.0**2 - 147.0**2) * 297 / 1000 * np.sinc(2 / 180)
    assert sampled(shell).volume_cc == pytest.approx(expected, rel=0.001)


def test_a_branching_organ_keeps_its_volume():
    trunk = [a_circle(12.0, z) for z in np.arange(0.0, 16.0, 3.0)]
    legs = [a_circle(6.0, z, (x, 0.0)) for z in np.arange(18.0, 37.0, 3.0) for x in (-8.0, 8.0)]
    expected = np.pi * (144 * 15 + 36 * 2 * 18 + (144 + 72) / 2 * 3) / 1000
    assert sampled(trunk + legs).volume_cc == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("radius", [2.5, 3.5, 5.0, 10.0])
def test_small_spheres_at_any_place_between_the_planes(radius):
    for shift in np.linspace(-0.5, 0.5, 5):
        samples = sampled(a_sphere(radius, 1.0, shift_mm=shift))
        assert samples.volume_cc == pytest.approx(sphere_cc(radius), rel=0.003)
        # Volume of a cap of height h: pi h^2 (3 r - h) / 3.
        heights = np.linspace(0.0, radius, 2001)
        near_maximum = radius - np.interp(0.03, np.pi * heights**2 * (3 * radius - heights) / 3000, heights)
        for axis in np.eye(3):
            dose = dose_volume(samples.points_lps @ axis, samples.volumes_cc)
            assert dose.dose_at_volume_cc(0.03) == pytest.approx(near_maximum, abs=0.05)


def test_two_planes_show_no_trend_and_stand_for_one_spacing_each():
    samples = sampled([a_circle(10.0, 0.0), a_circle(8.0, 3.0)])
    expected = np.pi * (100 * 1.5 + 64 * 1.5 + (100 + 64) / 2 * 3) / 1000
    assert samples.volume_cc == pytest.approx(expected, rel=0.005)
    assert samples.points_lps[:, 2].min() == pytest.approx(-1.5, abs=0.1)


def test_turned_with_its_dose_an_organ_has_the_same_figures():
    axis, angle = np.array([0.36, 0.48, 0.8]), np.radians(25.0)
    across = np.cross(np.eye(3), axis)
    turn = np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across
    contours = [a_circle(12.0 * (1 - z / 40), z, (0.3 * z, 5.0)) for z in PLANES]
    gradient = np.array([0.5, -0.3, 0.8])
    straight = sampled(contours)
    turned = sampled([contour @ turn.T for contour in contours])
    before = dose_volume(straight.points_lps @ gradient, straight.volumes_cc)
    after = dose_volume(turned.points_lps @ turn @ gradient, turned.volumes_cc)
    assert after.total_volume_cc == pytest.approx(before.total_volume_cc, rel=0.001)
    assert after.dmean_gy == pytest.approx(before.dmean_gy, abs=0.01)
    for volume in (0.03, 0.1, 1.0, 5.0):
        assert after.dose_at_volume_cc(volume) == pytest.approx(before.dose_at_volume_cc(volume), abs=0.05)


def test_points_lie_in_the_organ_and_repeat_exactly():
    first, second = (sampled(a_sphere(10.0, 3.0)) for _ in range(2))
    np.testing.assert_array_equal(first.points_lps, second.points_lps)
    assert np.linalg.norm(first.points_lps, axis=1).max() < 10.5
    assert (first.volumes_cc > 0).all()


def test_points_are_many_in_small_organs_and_not_too_many_in_large_ones():
    small, large = sampled(a_sphere(5.0, 1.0)), sampled(a_sphere(120.0, 3.0))
    assert 0.03 / small.volumes_cc.max() > 100
    assert 300_000 < len(large.volumes_cc) < 1_500_000
    assert large.volume_cc == pytest.approx(sphere_cc(120.0), rel=0.002)


@pytest.fixture(scope="module")
def roi_zoo(data_dir):
    return {s.name: s for s in read_course(data_dir / "awkward" / "26_roi_zoo", "course 1").structures}


@pytest.mark.parametrize(
    ("name", "volume_cc"),
    [
        ("Ring_keyhole", 1509.1888 * 30 / 1000),
        ("Ring_two_contours", 1509.1888 * 30 / 1000),
        ("Every_second_slice", 33.5103),
        ("Two_lungs", 8.3776),
        ("Bowtie", 9.0),
    ],
)
def test_odd_contours_of_the_reference_case(roi_zoo, name, volume_cc):
    assert sample_organ(roi_zoo[name]).volume_cc == pytest.approx(volume_cc, rel=0.003)


@pytest.mark.parametrize("name", ["GTV_recur", "PTV_ReRT", "BRAINSTEM", "Parotid L", "Parotid R", "Larynx", "Mandible"])
def test_real_organs_have_the_volume_of_their_masks(data_dir, name):
    """The contours cut the corners of the mask's voxels and end at its outer slices' middles: up to 2.5 % less."""
    folder = data_dir / "reirr_hn"
    truth = np.load(folder / "truth.npz")
    count = int(np.prod(truth["size2"]))
    voxels = np.unpackbits(truth[f"mask_{name}"])[:count].sum()
    structures = {s.name: s for s in read_course(folder / "course2", "course 2").structures}
    expected = voxels * np.prod(truth["spacing2"]) / 1000
    assert 0.975 * expected < sample_organ(structures[name]).volume_cc < 1.005 * expected
