"""PET and MR beside the courses in a MRML scene: at the right place, in the right unit, saved and restored."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from made_up_review import a_review, two_courses
from ReirradiationReviewLib.core.courses import ImageSeries
from ReirradiationReviewLib.core.errors import Notice, ReirradiationError
from ReirradiationReviewLib.core.images import PlacedImage, in_reference_space
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.settings import Settings
from ReirradiationReviewLib.core.volume import Volume
from ReirradiationReviewLib.scene.environment import headless_environment
from ReirradiationReviewLib.scene.geometry import array_of
from ReirradiationReviewLib.scene.restore import restore_review
from ReirradiationReviewLib.scene.save import load_scene, save_scene
from ReirradiationReviewLib.session import ReviewSession


def a_rigid_transform():
    """A turn by 20 degrees about the patient's axis, and a shift: reference point to image point."""
    angle = np.radians(20.0)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = [4.0, -6.0, 9.0]
    return SpatialTransform(matrix)


def an_image(modality, units, transform=None, frame="9.9"):
    transform = SpatialTransform() if transform is None else transform
    matrix = np.diag([4.0, 4.0, 5.0, 1.0])
    matrix[:3, 3] = [-50.0, -40.0, -30.0]
    values = np.random.default_rng(1).uniform(0.0, 8.0, (12, 20, 24)).astype(np.float32)
    series = ImageSeries(
        Volume(values, matrix, frame), modality, f"{modality} made up", f"1.{modality}", "1.77", "2021-12-24",
        sop_instance_uids=("a", "b"), units=units,
    )  # fmt: skip
    placed = in_reference_space(series.volume, transform, "1.2")
    return PlacedImage(
        f"{modality} made up", series, placed, transform, "rigid", {"tre_mm": 1.5}, {"uptake_minutes": 61.0},
        (Notice("made-up", "a notice", modality),),
    )  # fmt: skip


@pytest.fixture
def environment():
    return headless_environment()


@pytest.fixture
def images():
    return (an_image("PT", "SUVbw (g/mL)", a_rigid_transform()), an_image("MR", ""))


@pytest.fixture
def session(environment, images):
    session = ReviewSession(environment)
    session.open(a_review(two_courses()), images=images)
    return session


def test_an_image_keeps_its_voxels_and_is_shown_where_its_registration_says(session, images):
    node = session.nodes.images[0].volume
    np.testing.assert_array_equal(array_of(node.GetImageData()), images[0].series.volume.array)
    reference_lps = np.array([12.0, -7.0, 3.0])
    course_lps = a_rigid_transform().apply(reference_lps[None])[0]
    to_world = vtk.vtkGeneralTransform()
    node.GetParentTransformNode().GetTransformToWorld(to_world)
    world_ras = to_world.TransformPoint((course_lps * [-1.0, -1.0, 1.0]).tolist())
    np.testing.assert_allclose(np.array(world_ras) * [-1.0, -1.0, 1.0], reference_lps, atol=1e-9)


def test_a_pet_in_suv_says_so_in_dicom_codes_and_has_the_window_of_the_preset(session):
    node = session.nodes.images[0].volume
    assert node.GetName() == "PT made up, SUVbw (g/mL)"
    assert node.GetVoxelValueUnits().GetCodeValue() == "{SUVbw}g/ml"  # PS3.16 CID 85
    assert node.GetVoxelValueQuantity().GetCodeValue() == "126400"
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 10.0)


def test_a_pet_that_is_not_in_suv_claims_no_suv_and_shows_all_its_values(environment):
    session = ReviewSession(environment)
    image = an_image("PT", "BQML")
    session.open(a_review(two_courses()), images=[image])
    node = session.nodes.images[0].volume
    assert node.GetVoxelValueUnits() is None
    assert node.GetDisplayNode().GetWindowLevelMax() == pytest.approx(float(image.series.volume.array.max()))


def test_images_lie_below_their_own_study_of_the_patient(session, environment):
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(environment.scene)
    item = hierarchy.GetItemByDataNode(session.nodes.images[0].volume)
    assert hierarchy.GetItemAttribute(item, "DICOM.Modality") == "PT"
    study = hierarchy.GetItemParent(item)
    assert hierarchy.GetItemUID(study, "DICOM") == "1.77"
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(session.nodes.images[1].volume)) == study


def test_images_survive_settings_saving_and_loading(tmp_path, session, environment, images):
    session.apply(Settings(display_alpha_beta_gy=2.0))
    save_scene(environment, tmp_path / "review.mrb")
    loaded = headless_environment()
    load_scene(loaded, tmp_path / "review.mrb")
    found = restore_review(loaded.scene)
    assert [image.name for image in found.images] == [image.name for image in images]
    for restored, image in zip(found.images, images, strict=True):
        np.testing.assert_array_equal(restored.volume.array, image.volume.array)
        np.testing.assert_allclose(restored.volume.index_to_lps, image.volume.index_to_lps, atol=1e-9)
        np.testing.assert_allclose(restored.transform.matrix_lps, image.transform.matrix_lps, atol=1e-9)
        assert (restored.suv, restored.qa, restored.method) == (image.suv, image.qa, image.method)
        assert restored.notices == image.notices
        assert (restored.unit, restored.series.sop_instance_uids) == (image.unit, image.series.sop_instance_uids)
    assert found.nodes.images[0].units == "SUVbw (g/mL)"


def test_a_lost_place_of_an_image_is_named(session, environment):
    environment.scene.RemoveNode(session.nodes.images[0].transforms[0])
    with pytest.raises(ReirradiationError, match="lacks the transform of PT made up"):
        restore_review(environment.scene)


def test_another_review_leaves_nothing_of_the_images_behind(session, environment):
    session.open(a_review(two_courses()))
    without = environment.scene.GetNumberOfNodes()
    fresh = headless_environment()
    ReviewSession(fresh).open(a_review(two_courses()))
    assert without == fresh.scene.GetNumberOfNodes()


def test_images_are_added_to_a_review_that_is_open_and_come_back_with_its_scene(tmp_path):
    environment = headless_environment()
    session = ReviewSession(environment)
    session.open(a_review(two_courses()))
    pet = an_image("PT", "SUVbw (g/mL)", a_rigid_transform())
    session.add_images([pet])
    assert [image.name for image in session.images] == [pet.name]
    [nodes] = session.nodes.images
    assert nodes.modality == "PT"
    hierarchy = environment.scene.GetSubjectHierarchyNode()
    study = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes.volume))
    assert hierarchy.GetItemUID(study, "DICOM") == "1.77"
    with pytest.raises(ReirradiationError, match="already"):
        session.add_images([pet])
    save_scene(environment, tmp_path / "review.mrb")
    other = headless_environment()
    load_scene(other, tmp_path / "review.mrb")
    restored = ReviewSession(other)
    restored.restore()
    assert [image.name for image in restored.images] == [pet.name]
    np.testing.assert_array_equal(restored.images[0].series.volume.array, pet.series.volume.array)
