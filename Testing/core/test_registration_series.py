"""PET and MR come onto the planning CT from afar, by themselves; what does not belong to it is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from ReirradiationReviewLib.core.dicom import read_course, read_series
from ReirradiationReviewLib.core.errors import Cancelled, ReirradiationError
from ReirradiationReviewLib.core.registration.rigid import RigidOptions
from ReirradiationReviewLib.core.registration.series import register_series
from ReirradiationReviewLib.core.registration.shifts import ShiftGrid, information_of_shifts
from ReirradiationReviewLib.core.volume import Volume
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.slow


def carried_elsewhere(series, seed):
    """Return the series turned and moved as a whole, in another Frame of Reference, and the matrix that did it."""
    random = np.random.default_rng(seed)
    centre = series.volume.corners_lps().mean(axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", random.uniform(-10, 10, 3), degrees=True).as_matrix()
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + random.uniform(-50, 50, 3) + (0, 0, 400)
    moved = Volume(series.volume.array, matrix @ series.volume.index_to_lps, "1.2.elsewhere")
    return replace(series, volume=moved), matrix


def errors_mm(found, true_matrix, series, ct):
    """Return how far points of the CT's body that the series shows are from where they belong."""
    body = ct.centres_lps()[(ct.array > -200).ravel()][::97]
    expected = body @ true_matrix[:3, :3].T + true_matrix[:3, 3]
    seen = series.volume.inside(expected)
    assert seen.sum() > 100
    return np.linalg.norm(found.transform.apply(body) - expected, axis=1)[seen]


@pytest.fixture(scope="module")
def head_and_neck(data_dir):
    return data_dir / "reirr_hn"


@pytest.fixture(scope="module")
def planning_ct(head_and_neck):
    return read_course(head_and_neck / "course2", "course 2").ct


@pytest.fixture(scope="module")
def mr(head_and_neck):
    return read_series(head_and_neck / "mr", "MR")


@pytest.fixture(scope="module")
def true_mr_matrix(head_and_neck):
    return np.linalg.inv(json.loads((head_and_neck / "truth.json").read_text())["M_mr_to_course2"])


def test_an_mr_of_another_frame_comes_onto_the_ct_within_a_voxel(planning_ct, mr, true_mr_matrix):
    found = register_series(planning_ct, mr)
    assert not found.failed
    errors = errors_mm(found, true_mr_matrix, mr, planning_ct.volume)
    assert errors.mean() < 1.2
    assert errors.max() < 3.0


def test_an_mr_is_found_from_far_away(planning_ct, mr, true_mr_matrix):
    moved, matrix = carried_elsewhere(mr, 4)
    found = register_series(planning_ct, moved)
    assert not found.failed
    assert errors_mm(found, matrix @ true_mr_matrix, moved, planning_ct.volume).max() < 3.0


def test_a_pet_comes_onto_the_ct_without_its_frame_of_reference(planning_ct, head_and_neck):
    pet, matrix = carried_elsewhere(read_series(head_and_neck / "pet", "PT"), 1)
    found = register_series(planning_ct, pet)
    assert not found.failed
    assert errors_mm(found, matrix, pet, planning_ct.volume).max() < 3.0


def test_a_mirrored_mr_is_refused(planning_ct, mr):
    mirrored = Volume(mr.volume.array[:, :, ::-1], mr.volume.index_to_lps, "1.2.mirror")
    assert register_series(planning_ct, replace(mr, volume=mirrored)).failed


def test_an_mr_of_another_patient_is_refused(planning_ct, data_dir):
    thigh = read_series(data_dir / "pet_mr_sts001" / "MR_T1" / "image", "MR")
    assert register_series(planning_ct, thigh).failed


def test_images_of_one_frame_of_reference_stay_where_they_are(data_dir):
    folder = data_dir / "pet_mr_sts001"
    ct = read_series(folder / "CT" / "image", "CT")
    for name, modality in (("PET", "PT"), ("MR_T1", "MR")):
        found = register_series(ct, read_series(folder / name / "image", modality))
        assert found.method == "identity"
        np.testing.assert_array_equal(found.transform.matrix_lps, np.eye(4))


def test_a_pet_near_its_place_settles_within_a_voxel_of_it_around_the_tumour(data_dir):
    # The scanner's own alignment is the truth; the outline of a thigh says little along its length, the tumour does.
    folder = data_dir / "pet_mr_sts001"
    ct = read_series(folder / "CT" / "image", "CT")
    pet = read_series(folder / "PET" / "image", "PT")
    apart = replace(pet, volume=Volume(pet.volume.array, pet.volume.index_to_lps, ""))
    tumour_centre = np.array([70.9, 11.5, -789.2])
    points = ct.volume.centres_lps()
    near = np.linalg.norm(points - tumour_centre, axis=1) < 65.0
    focus = ct.volume.like(near.reshape(ct.volume.array.shape).astype(np.uint8))
    start = np.eye(4)
    start[:3, 3] = (8.0, -5.0, 6.0)
    found = register_series(ct, apart, options=RigidOptions(start, focus))
    off = np.linalg.norm(found.transform.apply(points[near][::500]) - points[near][::500], axis=1)
    assert off.mean() < 1.1 * pet.volume.spacing_mm.max()


def test_a_pet_goes_through_the_ct_of_its_own_examination(planning_ct, head_and_neck):
    pet = read_series(head_and_neck / "pet", "PT")
    own_ct, matrix = carried_elsewhere(planning_ct, 5)
    pet = replace(pet, volume=Volume(pet.volume.array, matrix @ pet.volume.index_to_lps, "1.2.elsewhere"))
    found = register_series(planning_ct, pet, through=own_ct)
    assert errors_mm(found, matrix, pet, planning_ct.volume).max() < 0.5
    with pytest.raises(ReirradiationError, match=r"\(0020,0052\)"):
        register_series(planning_ct, pet, through=replace(own_ct, volume=planning_ct.volume))


def test_cancelling_stops_at_once(planning_ct, mr):
    calls = []

    def stop(fraction, _text):
        calls.append(fraction)
        if len(calls) == 30:  # within the refinement, that is inside SimpleITK
            raise Cancelled

    with pytest.raises(Cancelled):
        register_series(planning_ct, mr, stop)
    assert len(calls) == 30
    assert calls == sorted(calls)


def test_the_information_of_every_shift_is_that_of_the_joint_histogram():
    values = np.random.default_rng(0).permutation(np.arange(336) % 4).reshape(6, 7, 8).astype(np.float32)
    ones = np.ones_like(values)
    fixed = ShiftGrid(values, ones, np.zeros(3))
    moving = ShiftGrid(-values, ones, np.zeros(3))  # inverted: a correlation would be -1
    coefficient, voxels = information_of_shifts(fixed, moving)
    assert coefficient[0, 0, 0] == coefficient.max()
    assert voxels[0, 0, 0] == pytest.approx(values.size, rel=1e-5)
    # Four levels of a quarter each, every one of which meets one other: log(4) nats, less what chance gives (3 x 3).
    expected = np.sqrt(1 - np.exp(-2 * (np.log(4) - 9 / (2 * values.size))))
    assert coefficient[0, 0, 0] == pytest.approx(expected, abs=1e-4)
