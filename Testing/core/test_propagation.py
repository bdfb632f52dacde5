"""Structures drawn on another image: where they belong, in its planes, and back again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from drawn_shapes import a_ball
from ReirradiationReviewLib.core.courses import Structure
from ReirradiationReviewLib.core.dicom import read_course
from ReirradiationReviewLib.core.organs.sampling import sample_organ
from ReirradiationReviewLib.core.organs.voxels import voxels_inside
from ReirradiationReviewLib.core.registration.files import read_transform
from ReirradiationReviewLib.core.registration.propagation import propagate_structures
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume


def a_turn(degrees, shift_mm):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])  # about y: planes become oblique
    matrix[:3, 3] = shift_mm
    return SpatialTransform(matrix)


def an_image(shape=(40, 60, 60), frame="1.2.3") -> Volume:
    volume = Volume(np.zeros(shape, dtype=np.int16), np.diag([2.0, 2.0, 3.0, 1.0]), frame)
    volume.index_to_lps[:3, 3] = [-60.0, -60.0, -60.0]
    return volume


TURN = a_turn(25.0, (100.0, -50.0, 30.0))
BACK = SpatialTransform(np.linalg.inv(TURN.matrix_lps))


def test_a_ball_arrives_where_the_transform_says_and_keeps_its_volume():
    centre = np.array([[8.0, -5.0, 4.0]])
    ball = a_ball(TURN.apply(centre)[0], 18.0)
    (drawn,), notices = propagate_structures([ball], TURN, an_image())
    samples = sample_organ(drawn)
    assert samples.volume_cc == pytest.approx(4 / 3 * np.pi * 18**3 / 1000, rel=0.02)
    found = np.average(samples.points_lps, axis=0, weights=samples.volumes_cc)
    np.testing.assert_allclose(found, centre[0], atol=0.3)
    assert (drawn.name, drawn.frame_of_reference_uid, notices) == (ball.name, "1.2.3", ())


def test_contours_lie_in_the_planes_of_the_image():
    image = an_image()
    (drawn,), _ = propagate_structures([a_ball(TURN.apply(np.zeros((1, 3)))[0], 18.0)], TURN, image)
    for contour in drawn.contours_lps:
        plane = image.to_index(contour)[:, 2]
        assert np.ptp(plane) < 1e-9
        assert plane[0] == pytest.approx(round(plane[0]), abs=1e-9)


def test_there_and_back_is_the_same_organ():
    ball = a_ball(TURN.apply(np.zeros((1, 3)))[0], 18.0)
    there, _ = propagate_structures([ball], TURN, an_image())
    grid = an_image((60, 80, 80))
    grid.index_to_lps[:3, 3] = TURN.apply(np.zeros((1, 3)))[0] - [80.0, 80.0, 90.0]
    (back,), _ = propagate_structures(there, BACK, grid)
    first, second = voxels_inside(ball, grid), voxels_inside(back, grid)
    assert 2 * (first & second).sum() / (first.sum() + second.sum()) > 0.97


def test_what_ends_up_outside_the_image_is_left_out_and_said():
    far = a_ball((900.0, 900.0, 900.0), 10.0, "Larynx")
    drawn, notices = propagate_structures([far], SpatialTransform(), an_image())
    assert drawn == ()
    assert "Larynx" in notices[0].text


def test_an_organ_cut_by_the_image_ends_at_its_border():
    (drawn,), _ = propagate_structures([a_ball((-60.0, 0.0, 0.0), 20.0)], SpatialTransform(), an_image())
    x = np.concatenate(drawn.contours_lps)[:, 0]
    assert x.min() >= -62.0  # the border voxels' outer edge
    assert x.max() == pytest.approx(-40.0, abs=0.5)


def test_a_ring_keeps_its_hole():
    outer, inner = a_ball((0, 0, 0), 20.0), a_ball((0, 0, 0), 10.0)
    ring = Structure("ring", 1, (*outer.contours_lps, *inner.contours_lps))
    (drawn,), _ = propagate_structures([ring], SpatialTransform(), an_image())
    assert sample_organ(drawn).volume_cc == pytest.approx(4 / 3 * np.pi * (20**3 - 10**3) / 1000, rel=0.03)


# Generator's masks are nearest voxels of 3.9 mm, so that thin organs cannot agree fully.
EXPECTED = {"Brainstem": 0.96, "LeftParotid": 0.96, "Larynx": 0.97, "Mandible": 0.95, "SpinalCord": 0.92}
DRAWN_AS = {"Brainstem": "BRAINSTEM", "LeftParotid": "Parotid L", "SpinalCord": "Spinal_Cord"}


def test_under_the_true_field_organs_arrive_on_their_true_masks(data_dir):
    case = data_dir / "reirr_hn"
    truth = np.load(case / "truth.npz")
    size = truth["size2"]
    reference, earlier = read_course(case / "course2", "course 2"), read_course(case / "course1", "course 1")
    grid = reference.ct.volume
    wanted = [structure for structure in earlier.structures if structure.name in EXPECTED]
    field = read_transform(case / "truth_dvf_c2_to_c1.mha", grid)
    matrix = json.loads((case / "truth.json").read_text())["transform"]["M21_course2_to_course1"]

    def overlaps(transform):
        result = {}
        for drawn in propagate_structures(wanted, transform, grid)[0]:
            bits = np.unpackbits(truth[f"mask_{DRAWN_AS.get(drawn.name, drawn.name)}"])[: int(np.prod(size))]
            mask, found = bits.reshape(size[::-1]).astype(bool), voxels_inside(drawn, grid)
            result[drawn.name] = 2 * (mask & found).sum() / (mask.sum() + found.sum())
        return result

    true, rigid = overlaps(field), overlaps(SpatialTransform(np.array(matrix)))
    assert {name: dice for name, dice in true.items() if dice < EXPECTED[name]} == {}
    assert rigid["Larynx"] < 0.8 < true["Larynx"]
    assert rigid["LeftParotid"] < 0.85 < true["LeftParotid"]
