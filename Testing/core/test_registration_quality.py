"""Registration quality against closed forms: displaced balls, known fields, marked points, images that agree or not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from drawn_shapes import a_ball, circles, textured
from ReirradiationReviewLib.core.dicom import read_series
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.qa import limits
from ReirradiationReviewLib.core.registration.qa.contours import compare_contours
from ReirradiationReviewLib.core.registration.qa.images import compare_images
from ReirradiationReviewLib.core.registration.qa.jacobian import (
    field_determinants,
    jacobian_at,
    jacobian_map,
    jacobian_statistics,
)
from ReirradiationReviewLib.core.registration.qa.landmarks import landmark_errors, read_landmarks
from ReirradiationReviewLib.core.registration.qa.pairs import paired_organs
from ReirradiationReviewLib.core.registration.rigid_part import rigid_fit, with_rigid_part
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume


def a_shift(*shift_mm) -> SpatialTransform:
    matrix = np.eye(4)
    matrix[:3, 3] = shift_mm
    return SpatialTransform(matrix)


@pytest.mark.parametrize("shift_mm", [2.0, 6.0])
def test_displaced_balls_have_the_overlap_and_distances_of_the_closed_forms(shift_mm):
    radius = 20.0
    found = compare_contours(a_ball((0, 0, 0), radius), a_ball((50, -30, 10), radius), a_shift(50 + shift_mm, -30, 10))
    lens = np.pi * (4 * radius + shift_mm) * (2 * radius - shift_mm) ** 2 / 12
    assert found.dice == pytest.approx(lens / (4 / 3 * np.pi * radius**3), abs=0.01)
    # Points of a sphere are spread evenly over the cosine of their angle to the shift.
    cosine = np.linspace(-1, 1, 10_001)
    away = np.abs(np.sqrt(radius**2 + shift_mm**2 - 2 * radius * shift_mm * cosine) - radius)
    assert found.mean_distance_mm == pytest.approx(away.mean(), abs=0.15)
    assert found.hausdorff_mm == pytest.approx(shift_mm, abs=0.4)
    assert found.hausdorff_95_mm == pytest.approx(np.percentile(away, 95), abs=0.2)
    assert found.reference_cc == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.02)


def test_balls_of_two_sizes_are_apart_by_the_difference_of_their_radii():
    found = compare_contours(a_ball((0, 0, 0), 20.0), a_ball((0, 0, 0), 17.0), SpatialTransform())
    assert found.mean_distance_mm == pytest.approx(3.0, abs=0.15)
    assert found.dice == pytest.approx(2 * 17**3 / (17**3 + 20**3), abs=0.01)


def test_an_outline_follows_a_deformation_that_holds_the_whole_motion():
    # A displacement field alone carries a shift of 300 mm and a stretch of a tenth: course = 1.1 x + shift.
    grid = Volume(np.zeros((30, 30, 30, 3)), np.diag([4.0, 4.0, 4.0, 1.0]))
    grid.index_to_lps[:3, 3] = -58.0
    nodes = grid.centres_lps()
    field = grid.like((0.1 * nodes + [300.0, -200.0, 150.0]).reshape(30, 30, 30, 3))
    transform = with_rigid_part(SpatialTransform(displacement=field))
    np.testing.assert_allclose(transform.apply(nodes), 1.1 * nodes + [300.0, -200.0, 150.0], atol=1e-4)
    found = compare_contours(a_ball((0, 0, 0), 20.0), a_ball((300.0, -200.0, 150.0), 22.0), transform)
    assert found.dice == pytest.approx(1.0, abs=0.01)
    assert found.mean_distance_mm < 0.2


def test_the_rigid_part_is_the_motion_that_most_of_a_field_follows():
    turn = np.array([[0.8, -0.6, 0, 40.0], [0.6, 0.8, 0, -7.0], [0, 0, 1, 300.0], [0, 0, 0, 1]])
    nodes = np.random.default_rng(4).uniform(-50, 50, (500, 3))
    np.testing.assert_allclose(rigid_fit(nodes, nodes @ turn[:3, :3].T + turn[:3, 3]), turn, atol=1e-9)
    grid = Volume(np.zeros((20, 20, 20, 3)), np.diag([5.0, 5.0, 5.0, 1.0]))
    moved = grid.centres_lps() @ turn[:3, :3].T + turn[:3, 3] - grid.centres_lps()
    field = moved.reshape(20, 20, 20, 3)
    field[5:9, 5:9, 5:9] += [6.0, 0.0, 9.0]  # an organ that went its own way
    transform = with_rigid_part(SpatialTransform(displacement=grid.like(field)))
    np.testing.assert_allclose(transform.matrix_lps, turn, atol=1e-6)
    # Beyond the field space goes on with the motion, and does not jump back by 300 mm.
    np.testing.assert_allclose(transform.apply(np.array([[-20.0, 0.0, 0.0]])), [[24.0, -19.0, 300.0]], atol=1e-4)


def test_an_open_ended_organ_is_compared_over_the_common_length_only():
    short = circles("SpinalCord", (0, 0, 0), lambda _: 6.0, np.arange(-20, 21, 2.0))
    long = circles("SpinalCord", (0, 0, 0), lambda _: 6.0, np.arange(-60, 61, 2.0))
    assert compare_contours(short, long, SpatialTransform(), open_ended=True).hausdorff_mm < 1.0
    assert compare_contours(short, long, SpatialTransform()).hausdorff_mm == pytest.approx(40.0, abs=1.0)


def test_outlines_without_common_length_are_not_compared():
    low, high = a_ball((0, 0, 0), 10.0), a_ball((0, 0, 50), 10.0)
    assert compare_contours(low, high, SpatialTransform(), open_ended=True) is None


def a_field(displacement_of) -> SpatialTransform:
    grid = Volume(np.zeros((12, 14, 16, 3)), np.diag([3.0, 4.0, 5.0, 1.0]))
    return SpatialTransform(displacement=grid.like(displacement_of(grid.centres_lps()).reshape(12, 14, 16, 3)))


def test_the_jacobian_of_a_known_stretch_is_exact_everywhere():
    stretch = np.array([[0.2, 0.1, 0.0], [0.0, -0.3, 0.05], [0.1, 0.0, 0.4]])
    transform = a_field(lambda points: points @ stretch.T)
    expected = np.linalg.det(np.eye(3) + stretch)
    points = np.random.default_rng(1).uniform(1, 40, (300, 3))
    np.testing.assert_allclose(jacobian_at(transform, points), expected, rtol=1e-6)
    np.testing.assert_allclose(field_determinants(transform), expected, rtol=1e-6)
    grid = Volume(np.zeros((4, 4, 4)), np.diag([5.0, 5.0, 5.0, 1.0]))
    np.testing.assert_allclose(jacobian_map(transform, grid).array, expected, rtol=1e-6)


def test_the_jacobian_is_the_slope_of_the_map_itself():
    random = np.random.default_rng(2)
    matrix = np.diag([1.2, 0.9, 1.0, 1.0])
    transform = SpatialTransform(matrix, a_field(lambda points: random.uniform(-0.8, 0.8, points.shape)).displacement)
    points = np.array([[10.1, 13.3, 22.2], [20.4, 30.9, 11.7], [31.0, 9.5, 41.1]])
    step = 1e-4
    for point in points:
        ends = transform.apply(np.concatenate([point + step * np.eye(3), point - step * np.eye(3)]))
        slope = (ends[:3] - ends[3:]).T / (2 * step)
        assert jacobian_at(transform, point[None])[0] == pytest.approx(np.linalg.det(slope), rel=1e-4)


def test_a_fold_between_two_nodes_is_found():
    # Every second node jumps ahead of its neighbour: central differences over two cells see nothing of it.
    def saw(points):
        moved = np.zeros(points.shape)
        moved[:, 0] = np.where(np.rint(points[:, 0] / 3.0) % 2 == 0, 4.0, 0.0)
        return moved

    determinants = field_determinants(a_field(saw))
    assert jacobian_statistics(determinants).folded_percent == pytest.approx(50.0, abs=5)
    assert determinants.min() == pytest.approx(1 - 4 / 3)


def test_a_fold_in_a_deep_field_is_found_wherever_it_lies():
    grid = Volume(np.zeros((50, 4, 5, 3)), np.diag([3.0, 3.0, 3.0, 1.0]))
    for plane in (1, 16, 17, 33, 48):
        field = grid.like(np.zeros(grid.array.shape))
        field.array[plane, 2, 2, 2] = 7.0  # along z, past the next node 3 mm away
        determinants = field_determinants(SpatialTransform(displacement=field))
        assert len(determinants) == 8 * 49 * 3 * 4
        assert determinants.min() == pytest.approx(1 - 7 / 3)


def test_beyond_the_grid_the_jacobian_is_the_matrix_alone():
    transform = SpatialTransform(np.diag([2.0, 1.0, 1.0, 1.0]), a_field(lambda points: 0.5 * points).displacement)
    assert jacobian_at(transform, np.array([[-50.0, 0.0, 0.0]]))[0] == pytest.approx(2.0)


def test_images_agree_where_they_are_the_same_and_only_there():
    image, other = textured(1), textured(2)
    half = image.array.copy()
    half[:, :, 20:] = other.array[:, :, 20:]
    same = compare_images(image, image, SpatialTransform())
    assert same.correlation == pytest.approx(1.0)
    assert same.covered_percent == pytest.approx(100.0)
    mixed = compare_images(image, image.like(half), SpatialTransform())
    assert np.nanmean(mixed.local_correlation.array[:, :, :16]) == pytest.approx(1.0, abs=1e-4)
    assert abs(np.nanmean(mixed.local_correlation.array[:, :, 24:])) < 0.2
    assert same.mutual_information_bits > mixed.mutual_information_bits > 0


def test_the_course_is_read_where_the_transform_leads():
    image = textured(3)
    moved = Volume(image.array, image.index_to_lps.copy())
    moved.index_to_lps[:3, 3] += [30.0, -12.0, 9.0]
    assert compare_images(image, moved, a_shift(30.0, -12.0, 9.0)).correlation == pytest.approx(1.0, abs=1e-6)
    assert compare_images(image, moved, a_shift(-30.0, 12.0, -9.0)).correlation < 0.5


def a_mirror(centre):
    matrix = np.diag([-1.0, 1.0, 1.0, 1.0])
    matrix[0, 3] = 2 * centre[0]
    return matrix


def test_the_images_tell_right_registrations_from_wrong_ones(data_dir):
    case = data_dir / "reirr_hn"
    images = [read_series(case / f"course{n}", "CT").volume for n in (1, 2)]
    true = np.array(json.loads((case / "truth.json").read_text())["transform"]["M21_course2_to_course1"])
    centre = true[:3, :3] @ images[1].corners_lps().mean(axis=0) + true[:3, 3]

    def verdict(matrix):
        found = compare_images(images[1], images[0], SpatialTransform(matrix))
        return limits.CORRELATION.check(found.correlation).verdict

    assert verdict(true) == "good"
    assert verdict(a_shift(5.0, 0.0, 0.0).matrix_lps @ true) == "caution"
    for wrong in (a_shift(0.0, 10.0, 0.0).matrix_lps, a_shift(0.0, 0.0, 40.0).matrix_lps, a_mirror(centre)):
        assert verdict(wrong @ true) == "do not use"


def test_mutual_information_of_a_relabelled_image_is_its_entropy():
    # Two values, half each: one bit, however they are renamed. And nothing of an independent image.
    random = np.random.default_rng(5)
    binary = np.where(random.uniform(size=(30, 30, 30)) < 0.5, 0.0, 500.0)
    image = Volume(binary.astype(np.float32), np.diag([3.0, 3.0, 3.0, 1.0]))
    swapped = image.like(np.where(binary > 0, -200.0, 700.0).astype(np.float32))
    assert compare_images(image, swapped, SpatialTransform()).mutual_information_bits == pytest.approx(1.0, abs=0.01)
    other = image.like(np.where(random.uniform(size=binary.shape) < 0.5, 0.0, 500.0).astype(np.float32))
    assert compare_images(image, other, SpatialTransform()).mutual_information_bits < 0.01


def markups(system, *points) -> str:
    controls = [{"label": name, "position": list(position)} for name, position in points]
    return json.dumps({"markups": [{"type": "Fiducial", "coordinateSystem": system, "controlPoints": controls}]})


def test_landmarks_are_paired_by_name_and_measured_in_the_course(tmp_path):
    (tmp_path / "new.mrk.json").write_text(markups("LPS", ("a", (1, 2, 3)), ("b", (4, 5, 6)), ("lost", (0, 0, 0))))
    # RAS: the first two coordinates change sign.
    (tmp_path / "old.mrk.json").write_text(markups("RAS", ("b", (-14.0, -5.0, 9.0)), ("a", (-11.0, -2.0, 3.0))))
    errors, notices = landmark_errors(
        a_shift(10.0, 0.0, 0.0), read_landmarks(tmp_path / "new.mrk.json"), read_landmarks(tmp_path / "old.mrk.json")
    )
    assert errors.names == ("a", "b")
    np.testing.assert_allclose(errors.errors_mm, [0.0, 3.0])
    assert (errors.mean_mm, errors.max_mm) == (1.5, 3.0)
    assert "lost" in notices[0].text
    np.testing.assert_allclose(errors.near(np.array([[4.0, 5.0, 10.0]]), 5.0), [3.0])


def test_landmarks_without_a_common_name_measure_nothing_and_it_is_said():
    errors, notices = landmark_errors(a_shift(0, 0, 0), {"a": np.zeros(3)}, {"b": np.zeros(3)})
    assert errors is None
    assert "no name in common" in notices[0].text


@pytest.mark.parametrize(("system", "expected"), [("LPS", (1, 2, 3)), ("RAS", (-1, -2, 3)), ("0", (-1, -2, 3))])
def test_fiducial_lists_are_read_in_either_system(tmp_path, system, expected):
    (tmp_path / "points.fcsv").write_text(
        f"# Markups fiducial file version = 4.11\n# CoordinateSystem = {system}\n"
        "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
        '1,1.0,2.0,3.0,0,0,0,1,1,1,0,"apex, left",,\n'
    )
    np.testing.assert_allclose(read_landmarks(tmp_path / "points.fcsv")["apex, left"], expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nonsense", "no Slicer markups file"),
        ("[]", "no Slicer markups file"),
        ('{"markups": []}', "no landmarks"),
        (markups(None, ("a", (1, 2, 3))), "LPS or RAS"),
        (markups("LPS", ("a", (1, 2))), "three numbers"),
        (markups("LPS", ("a", (1, 2, "x"))), "without a position"),
        (markups("LPS", ("a", (1, 2, 3)), ("a", (4, 5, 6))), "two landmarks 'a'"),
    ],
)
def test_landmarks_that_cannot_be_read_are_refused_by_name(tmp_path, content, message):
    (tmp_path / "points.mrk.json").write_text(content)
    with pytest.raises(ReirradiationError, match=message) as caught:
        read_landmarks(tmp_path / "points.mrk.json")
    assert "points.mrk.json" in str(caught.value)


def test_organs_are_paired_by_their_organ_and_only_where_that_is_sure():
    reference = [a_ball((0, 0, 0), 9.0, name) for name in ("Parotid L", "Spinal_Cord", "GTV", "Larynx")]
    course = [a_ball((0, 0, 0), 9.0, name) for name in ("LeftParotid", "SpinalCord", "Cord", "GTV", "Esophagus")]
    pairs, notices = paired_organs(reference, course)
    assert {name: structure.name for name, structure in pairs.items()} == {"Parotid L": "LeftParotid"}
    assert "SpinalCord" in notices[0].text


def test_a_limit_is_good_up_to_its_bound_and_unknown_without_a_value():
    assert limits.LANDMARKS_MEAN.check(2.0).verdict == "good"
    assert limits.LANDMARKS_MEAN.check(2.1).verdict == "caution"
    assert limits.LANDMARKS_MEAN.check(5.1).verdict == "do not use"
    assert limits.DICE.check(0.8).verdict == "good"
    assert limits.DICE.check(0.79).verdict == "caution"
    assert limits.DICE.check(None).verdict == limits.DICE.check(float("nan")).verdict == "unknown"
    assert limits.FOLDED.check(0.0).verdict == "good"
    assert limits.FOLDED.check(1e-3).verdict == "do not use"
    assert limits.worst([limits.DICE.check(None), limits.DICE.check(0.9), limits.DICE.check(0.6)]) == "caution"
    assert limits.worst([]) == "unknown"
