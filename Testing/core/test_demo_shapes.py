"""The phantom's building blocks: shapes, contours, motion and beams, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from ReirradiationReviewLib.core.demo import case_data, contours, motion, shapes, skeleton
from ReirradiationReviewLib.core.demo.beams import Beam, Machine, blur, dose_at
from ReirradiationReviewLib.core.demo.grid import AnatomyGrid, axial_grid
from ReirradiationReviewLib.core.demo.truth import landmarks_course1
from ReirradiationReviewLib.core.organs.tracing import trace
from ReirradiationReviewLib.core.volume import Volume


@pytest.fixture(scope="module")
def a_motion():
    return case_data.motion()


def field_on(function, size=64, step=1.0):
    y, x = (np.indices((size, size)) - size / 2) * step
    return function(x, y)


def total_area(lines):
    return sum(contours.area(line) for line in lines)


def test_a_traced_circle_has_its_area_and_lies_on_the_circle():
    field = field_on(lambda x, y: np.hypot(x - 0.3, y + 0.2) - 20.0)
    (line,) = trace(field)
    radius = np.hypot(*(line - 32 - [0.3, -0.2]).T)
    assert np.abs(radius - 20.0).max() < 0.01
    assert contours.area(line) == pytest.approx(np.pi * 400, rel=2e-3)


def test_a_ring_is_traced_as_outline_and_hole():
    field = field_on(lambda x, y: np.abs(np.hypot(x, y) - 15.0) - 5.0)
    lines = trace(field)
    assert sorted(round(contours.area(line) / np.pi) for line in lines) == pytest.approx([100, 400], abs=1)


def test_pixels_that_touch_at_a_corner_are_traced_as_two_closed_lines():
    field = np.ones((6, 6))
    field[2, 2] = field[3, 3] = -1.0
    lines = trace(field)
    assert [len(line) for line in lines] == [4, 4]
    assert total_area(lines) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(5))
def test_traced_lines_enclose_the_area_where_a_random_field_is_negative(seed):
    from scipy.ndimage import gaussian_filter, zoom

    field = gaussian_filter(np.random.default_rng(seed).standard_normal((40, 40)), 3)
    field = np.pad(field / field.std(), 1, constant_values=3.0)
    signed = [  # lines around negative values run one way, around holes the other
        0.5 * float(np.sum(line[:, 0] * np.roll(line[:, 1], -1) - np.roll(line[:, 0], -1) * line[:, 1]))
        for line in trace(field)
    ]
    fine = zoom(field, 8, order=1, grid_mode=False, mode="nearest")
    expected = (fine < 0).mean() * 41**2
    assert abs(sum(signed)) == pytest.approx(expected, rel=0.02)


def test_thinning_keeps_the_area():
    (line,) = trace(field_on(lambda x, y: np.hypot(x, y * 1.3) - 20.0))
    thin = contours.thinned(line, 0.02)
    assert len(thin) < len(line)
    assert contours.area(thin) == pytest.approx(contours.area(line), rel=2e-3)


def test_a_newton_step_moves_points_onto_a_circle():
    angle = np.linspace(0, 2 * np.pi, 50)[:, None]
    points = np.hstack([4.2 * np.cos(angle), 4.2 * np.sin(angle), np.full_like(angle, 7.0)])
    moved = contours.moved_to_zero(points, lambda p: np.hypot(p[:, 0], p[:, 1]) - 4.0)
    assert np.abs(np.hypot(moved[:, 0], moved[:, 1]) - 4.0).max() < 1e-3
    assert np.all(moved[:, 2] == 7.0)


def test_an_ellipsoid_holds_its_volume():
    field = shapes.ellipsoid((1.0, 2.0, 3.0), (12, 8, 6), axis=(1.0, 1.0, 0.5))
    z, y, x = np.indices((60, 60, 60)) * 0.5 - 15.0
    inside = field(x + 1, y + 2, z + 3) < 0
    assert inside.sum() / 8 == pytest.approx(4 / 3 * np.pi * 12 * 8 * 6, rel=0.01)


def test_a_straight_tube_is_a_capsule():
    field = shapes.tube([(0, 0, 0, 5), (0, 0, 20, 5), (0, 0, 40, 5)])
    points = np.array([[5, 0, 20], [0, 8, 10], [0, 0, 48], [0, 0, 20.0]])
    assert field(*points.T) == pytest.approx([0, 3, 3, -5], abs=1e-6)


def test_a_grown_shape_is_the_shape_less_its_margin():
    ball = shapes.Shape(shapes.ellipsoid((0, 0, 0), (10, 10, 10)), (-30, 30, -30, 30, -30, 30))
    points = np.array([[14.0, 0, 0], [0, 16, 0]])
    assert shapes.grown(ball, 5.0).at(points) == pytest.approx([-1, 1], abs=1e-6)


def test_a_grid_sees_a_shape_as_the_shape_sees_the_grids_points(a_motion):
    grid = AnatomyGrid(axial_grid((-60.0, -200.0, -680.0), (5.0, 5.0, 6.0), (24, 24, 20)), a_motion.to_course1)
    for shape in (skeleton.CORD, skeleton.RIBS, skeleton.VERTEBRAE):
        exact = shape.at(a_motion.to_course1(grid.volume.centres_lps())).reshape(grid.volume.array.shape)
        near = np.abs(exact) < 5.0
        assert near.any()
        assert grid.full_field(shape)[near] == pytest.approx(exact[near], abs=1e-3)


# --- motion --------------------------------------------------------------------------------------------------------
def test_the_way_to_course_1_and_back_ends_where_it_began(a_motion):
    points = np.random.default_rng(0).uniform([-150, -280, -780], [170, -90, -540], (500, 3))
    assert a_motion.to_course2(a_motion.to_course1(points)) == pytest.approx(points, abs=1e-7)


def test_the_spinal_cord_moves_rigidly(a_motion):
    z = np.linspace(-140, 100, 60)
    cord = np.stack([np.zeros(60), skeleton.spine_y(z) + skeleton.CANAL_OFFSET_MM, z], axis=1)
    rigid = np.linalg.inv(a_motion.matrix_lps)
    assert a_motion.to_course2(cord) == pytest.approx(cord @ rigid[:3, :3].T + rigid[:3, 3], abs=1e-6)


def test_the_motion_folds_nothing_and_stays_plausible(a_motion):
    points = np.random.default_rng(1).uniform([-150, -280, -780], [170, -90, -540], (2000, 3))
    step = 0.1
    columns = [
        (a_motion.to_course1(points + step * axis) - a_motion.to_course1(points - step * axis)) / (2 * step)
        for axis in np.eye(3)
    ]
    jacobian = np.linalg.det(np.stack(columns, axis=2))
    assert 0.5 < jacobian.min() < jacobian.max() < 1.6
    rigid = motion.Motion(a_motion.matrix_lps, bumps=())
    shift = np.linalg.norm(a_motion.to_course1(points) - rigid.to_course1(points), axis=1)
    assert 8.0 < shift.max() < 15.0


def test_rib_landmarks_lie_inside_ribs_and_vertebra_landmarks_inside_vertebrae():
    for name, place in landmarks_course1().items():
        shape = {"rib": skeleton.RIBS, "vertebra": skeleton.VERTEBRAE}.get(name.split()[0])
        if shape:
            assert shape.at(np.array([place]))[0] < -2.0, name


# --- beams ---------------------------------------------------------------------------------------------------------
def water_block(density=1.0):
    """Return a block with its surfaces at -102 and 102 mm in x and y, in air."""
    grid = axial_grid((-140.0, -140.0, -60.0), (4.0, 4.0, 4.0), (71, 71, 31))
    array = np.zeros(grid.array.shape, dtype=np.float32)
    array[:, 10:61, 10:61] = density
    return Volume(array, grid.index_to_lps)


def along_axis(density, depths_mm):
    """Return the dose on the axis of a square field from in front, at depths below the surface at y = -102."""
    machine = Machine(water_block(density), np.zeros(3), [Beam(0.0)])
    field = np.zeros((121, 121))
    field[40:81, 40:81] = 1.0
    points = np.array([[0.0, depth - 102.0, 0.0] for depth in depths_mm])
    return dose_at(machine, [field], points)[0]


def test_dose_builds_up_and_then_falls_by_about_half_in_fifteen_centimetres():
    surface, peak, deep = along_axis(1.0, [1, 16, 166])
    assert surface < 0.7 * peak
    assert 0.4 < deep / peak < 0.6


def test_lung_attenuates_less_than_water():
    assert along_axis(0.3, [166])[0] > 1.3 * along_axis(1.0, [166])[0]


def test_penumbra_is_a_few_millimetres_in_water_and_wider_in_lung():
    def width(density):
        machine = Machine(water_block(density), np.zeros(3), [Beam(0.0)])
        field = np.zeros((121, 121))
        field[48:73, 48:73] = 1.0
        x = np.linspace(0, 60, 241)
        dose = dose_at(machine, [field], np.stack([x, 0 * x, 0 * x], axis=1))[0]
        return float(np.interp([-0.2 * dose[0]], -dose, x)[0] - np.interp([-0.8 * dose[0]], -dose, x)[0])

    assert 4.0 < width(1.0) < 9.0
    assert width(0.25) > width(1.0) + 3.0


def test_a_beam_from_the_patients_left_enters_at_the_left():
    machine = Machine(water_block(), np.zeros(3), [Beam(90.0)])
    left, right = dose_at(machine, [np.ones((121, 121))], np.array([[60.0, 0, 0], [-60.0, 0, 0]]))[0]
    assert left > 1.3 * right


def test_blurring_keeps_the_fluence():
    field = np.zeros((121, 121))
    field[55:66, 55:66] = 1.0
    assert [float(b.sum()) for b in blur(field)] == pytest.approx([121.0] * 3, rel=0.02)
