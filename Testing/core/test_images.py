"""PET, MR and others are read, named, and come to their place in the reference's space, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from pet_case import TRUE_SUV, a_pet, with_all
from registration_objects import NEW, OLD, OTHER, a_course, apply, rigid_item, turned, write_object
from ReirradiationReviewLib.core.courses import ImageSeries, Patient
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.image_inputs import ImageInputs, read_images
from ReirradiationReviewLib.core.images import in_reference_space
from ReirradiationReviewLib.core.pet.facts import EnteredPet
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.files import write_transform
from ReirradiationReviewLib.core.registration.images import ReadImage, place_images
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume, sample_linear

GRADIENT = np.array([2.0, -1.0, 0.5])


def value_at(points):
    """Return what an image shows at points of its own space."""
    return 100.0 + points @ GRADIENT


def a_volume(frame=""):
    matrix = np.diag([2.0, 2.0, 3.0, 1.0])
    matrix[:3, 3] = [-30, -40, 15]
    grid = Volume(np.zeros((20, 30, 32), dtype=np.float32), matrix, frame)
    return grid.like(value_at(grid.centres_lps()).reshape(grid.array.shape).astype(np.float32))


def a_read_image(frame, name="MR T1", group=0, **changes):
    series = ImageSeries(a_volume(frame), "MR", "T1", patient=Patient("P1"))
    return ReadImage(name, series, group, **changes)


def courses():
    """Return the earlier and the new course, and the registration of either."""
    earlier = CourseRegistration(SpatialTransform(turned(20.0, (3, -4, 5))), "rigid")
    return [a_course(OLD, 1), a_course(NEW, 2)], [earlier, CourseRegistration(SpatialTransform(), "reference")]


def placed(image, methods=("auto",), old_and_new=None):
    both, registrations = courses()
    (found,) = place_images([image], old_and_new or both, registrations, 1, methods=methods)
    return found


def assert_is_placed_by(found, to_image):
    """Check that each reference point shows what the image shows at the point that a function takes it to."""
    points = found.volume.to_lps(np.random.default_rng(0).uniform(1, 18, (200, 3)))
    values, known = sample_linear(found.volume, points)
    sure = known & np.isfinite(values)
    assert sure.sum() > 100
    np.testing.assert_allclose(values[sure], value_at(to_image(points[sure])), atol=0.02)


def test_in_the_references_frame_an_image_stays_where_it_is():
    found = placed(a_read_image(NEW))
    assert found.method == "identity"
    assert_is_placed_by(found, lambda points: points)


def test_in_an_earlier_courses_frame_it_goes_with_that_course():
    found = placed(a_read_image(OLD))
    assert found.method == "rigid of course 1"
    assert [notice.code for notice in found.notices] == ["image-placed-with-course"]
    assert_is_placed_by(found, lambda points: apply(turned(20.0, (3, -4, 5)), points))


def test_a_registration_object_beside_it_is_used(tmp_path):
    to_reference = turned(-15.0, (10, 20, -30))  # from the source frame to the registered one
    path = write_object(tmp_path / "REG.dcm", [rigid_item(to_reference, frame=OTHER)])
    found = placed(a_read_image(OTHER, registration_files=(path,)))
    assert (found.method, found.qa["file"]) == ("file", "REG.dcm")
    assert_is_placed_by(found, lambda points: apply(np.linalg.inv(to_reference), points))
    assert "--image-registration rigid" in found.notices[0].text


def test_a_registration_object_in_a_courses_folder_is_used(tmp_path):
    to_reference = turned(-15.0, (10, 20, -30))
    path = write_object(tmp_path / "REG.dcm", [rigid_item(to_reference, frame=OTHER)])
    both = [a_course(OLD, 1, registration_files=(path,)), a_course(NEW, 2)]
    assert placed(a_read_image(OTHER), old_and_new=both).method == "file"


def test_a_named_file_is_used(tmp_path):
    to_image = turned(40.0, (-10, 2, 7))
    write_transform(tmp_path / "mr.tfm", SpatialTransform(to_image))
    found = placed(a_read_image(OTHER), methods=(str(tmp_path / "mr.tfm"),))
    assert (found.method, found.qa["file"]) == ("file", "mr.tfm")
    assert_is_placed_by(found, lambda points: apply(to_image, points))


def test_a_rigid_transform_moves_the_grid_and_changes_no_value():
    volume = a_volume(OTHER)
    moved = in_reference_space(volume, SpatialTransform(turned(30.0, (1, 2, 3))), NEW)
    assert moved.array is volume.array
    assert moved.frame_of_reference_uid == NEW
    np.testing.assert_allclose(moved.spacing_mm, volume.spacing_mm)


def test_under_a_deformation_values_are_interpolated_and_unknown_beyond_the_image():
    volume = a_volume(OTHER)
    shift = np.zeros((3, 3, 3, 3))
    shift[..., 0] = 6.0
    field = Volume(shift, np.diag([100.0, 100.0, 100.0, 1.0]), NEW)
    field.index_to_lps[:3, 3] = -100.0
    found = in_reference_space(volume, SpatialTransform(np.eye(4), field), NEW)
    points, values = found.centres_lps(), found.array.ravel()
    known = np.isfinite(values)
    np.testing.assert_allclose(values[known], value_at(points[known] + [6.0, 0, 0]), atol=0.02)
    assert not known.all()
    assert known.mean() > 0.7


def test_groups_of_images_can_have_registrations_of_their_own(tmp_path):
    write_transform(tmp_path / "mr.tfm", SpatialTransform(turned(40.0)))
    images = [a_read_image(NEW, "PET", 0), a_read_image(OTHER, "MR a", 1), a_read_image(OTHER, "MR b", 1)]
    both, registrations = courses()
    found = place_images(images, both, registrations, 1, methods=("identity", str(tmp_path / "mr.tfm")))
    assert [image.method for image in found] == ["identity", "file", "file"]
    with pytest.raises(ReirradiationError, match="3 registrations were given with --image-registration for 2 folders"):
        place_images(images, both, registrations, 1, methods=("auto",) * 3)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("identity", r"identity registration needs one Frame of Reference"),
        ("nowhere.tfm", r"--image-registration 'nowhere.tfm' is neither rigid, identity, auto nor an existing"),
    ],
)
def test_a_registration_that_does_not_apply_is_refused(method, words):
    with pytest.raises(ReirradiationError, match=words):
        placed(a_read_image(OTHER), methods=(method,))


def test_another_patients_image_is_told(tmp_path):
    image = a_read_image(NEW)
    other = ImageSeries(image.series.volume, "MR", "T1", patient=Patient("P2"))
    found = placed(ReadImage("MR T1", other, 0))
    assert [notice.code for notice in found.notices] == ["patient-mismatch"]


def test_all_series_of_a_folder_are_read_with_names_of_their_own(tmp_path):
    a_pet().write(tmp_path / "a")
    a_pet().write(tmp_path / "b")
    with_all(a_pet(), SeriesDescription="PET late").write(tmp_path / "c")
    images = read_images(ImageInputs(pet=(tmp_path,)))
    assert sorted(image.name for image in images) == ["PT PET WB (1)", "PT PET WB (2)", "PT PET late"]
    (late,) = read_images(ImageInputs(pet=(tmp_path,), pet_series=("late",)))
    assert late.name == "PT PET late"
    np.testing.assert_allclose(late.series.volume.array[0, 0], TRUE_SUV, rtol=1e-3)
    assert late.suv["suv_type"] == "SUVbw (g/mL)"


def test_a_series_without_suv_is_passed_over_where_another_has_it(tmp_path):
    with_all(a_pet(), SeriesDescription="no weight", PatientWeight=None).write(tmp_path / "a")
    a_pet().write(tmp_path / "b")
    (image,) = read_images(ImageInputs(pet=(tmp_path,)))
    assert image.name == "PT PET WB"
    assert "PatientWeight (0010,1030) is missing" in image.notices[0].text


def test_a_pet_without_suv_is_refused_unless_that_is_waived_or_entered(tmp_path):
    with_all(a_pet(), PatientWeight=None).write(tmp_path)
    with pytest.raises(ReirradiationError, match="--pet-weight-kg"):
        read_images(ImageInputs(pet=(tmp_path,)))
    (stored,) = read_images(ImageInputs(pet=(tmp_path,), suv_type="none"))
    assert (stored.series.units, stored.suv) == ("BQML", {})
    assert [notice.code for notice in stored.notices] == ["pet-without-suv"]
    (entered,) = read_images(ImageInputs(pet=(tmp_path,), entered=EnteredPet(weight_kg=70.0)))
    np.testing.assert_allclose(entered.series.volume.array[0, 0], TRUE_SUV, rtol=1e-3)
    assert [notice.code for notice in entered.notices] == ["pet-values-entered"]


@pytest.fixture
def registered(monkeypatch):
    """Stand in for the registration itself, and return what it was asked."""
    from ReirradiationReviewLib.core.registration import images
    from ReirradiationReviewLib.core.registration.rigid import RegistrationResult

    asked = []

    def register(ct, series, progress, through):
        asked.append((series.description, None if through is None else through.description))
        reason = "they share nothing" if series.description == "hopeless" else ""
        return RegistrationResult(SpatialTransform(turned(12.0)), reason, 1.5, "rigid", {"similarity": 0.9})

    monkeypatch.setattr(images, "register_series", register)
    return asked


def test_what_nothing_places_is_registered_once_for_each_frame(registered):
    images = [a_read_image(OTHER, "MR T1"), a_read_image(OTHER, "MR T2"), a_read_image("2.25.77", "MR late")]
    both, registrations = courses()
    found = place_images(images, both, registrations, 1)
    assert len(registered) == 2
    assert [image.method for image in found] == ["rigid"] * 3
    assert found[1].qa == {"similarity": 0.9, "seconds": 1.5}
    assert "image-registered" in [notice.code for notice in found[1].notices]
    assert_is_placed_by(found[1], lambda points: apply(turned(12.0), points))


def test_a_registration_can_be_asked_for_in_the_references_frame(registered):
    assert placed(a_read_image(NEW), methods=("rigid",)).method == "rigid"


def test_a_registration_that_failed_is_refused(registered):
    image = a_read_image(OTHER)
    hopeless = ImageSeries(image.series.volume, "MR", "hopeless", patient=Patient("P1"))
    with pytest.raises(ReirradiationError, match=r"registration of MR T1 to course 2 failed: they share nothing"):
        placed(ReadImage("MR T1", hopeless, 0))


def test_a_pet_is_registered_through_the_ct_of_its_examination(registered, tmp_path):
    pet = a_pet().write(tmp_path / "PET")
    frame = next(iter(a_pet().values())).FrameOfReferenceUID
    ct = with_all(a_pet(), Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2", SeriesDescription="AC CT")
    with_all(ct, FrameOfReferenceUID=frame, PatientID="P1").write(tmp_path / "CT")
    with_all(a_pet(), FrameOfReferenceUID=frame).write(pet)
    (image,) = read_images(ImageInputs(pet=(tmp_path,)))
    assert placed(image).qa["registered_through"] == "CT AC CT"
    assert registered == [("PET WB", "AC CT")]


@pytest.mark.slow
def test_the_reference_cases_mr_is_placed_by_its_own_content(data_dir):
    import json

    from ReirradiationReviewLib.core.dicom import read_course

    folder = data_dir / "reirr_hn"
    truth = json.loads((folder / "truth.json").read_text())
    new = read_course(folder / "course2", "course 2")
    (image,) = read_images(ImageInputs(mr=(folder / "mr",)))
    reference = CourseRegistration(SpatialTransform(), "reference")
    (found,) = place_images([image], [new], [reference], 0)
    tumour = np.array([truth["gtv2"]["center2"]])
    to_mr = np.linalg.inv(np.array(truth["M_mr_to_course2"]))
    assert np.linalg.norm(found.transform.apply(tumour) - apply(to_mr, tumour)) < 1.5
