"""What is contoured in the scene is evaluated, and what is not touched stays the very same."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from made_up_review import a_review, two_courses
from ReirradiationReviewLib.core.volume import Volume
from ReirradiationReviewLib.scene.environment import headless_environment
from ReirradiationReviewLib.scene.geometry import array_of, ijk_to_ras, image_of
from ReirradiationReviewLib.scene.segmentation import LABELMAP
from ReirradiationReviewLib.scene.segments import segment_mask
from ReirradiationReviewLib.session import ReviewSession


@pytest.fixture
def session():
    session = ReviewSession(headless_environment())
    session.open(a_review(two_courses()))
    return session


def labelmap_of(session, segment_id):
    return session.nodes.segmentation.GetSegmentation().GetSegment(segment_id).GetRepresentation(LABELMAP)


def edit(session, segment_id, change):
    image = labelmap_of(session, segment_id)
    change(array_of(image))
    image.GetPointData().GetScalars().Modified()
    image.Modified()


def a_ball(radius_mm, centre_lps):
    matrix = np.eye(4)
    matrix[:3, 3] = np.asarray(centre_lps) - 20.0
    mask = Volume(np.zeros((41, 41, 41), dtype=bool), matrix)
    inside = np.linalg.norm(mask.centres_lps() - centre_lps, axis=1) <= radius_mm
    return mask.like(inside.reshape(mask.array.shape))


def add_segment(session, name, mask):
    labelmap = slicer.vtkOrientedImageData()
    labelmap.ShallowCopy(image_of(mask.array.astype(np.uint8)))
    labelmap.SetGeometryFromImageToWorldMatrix(ijk_to_ras(mask))
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.AddRepresentation(LABELMAP, labelmap)
    session.nodes.segmentation.GetSegmentation().AddSegment(segment, "any id")


def test_nothing_changes_while_nothing_is_contoured(session):
    review = session.review
    assert not session.follow_segments()
    assert session.review is review


def test_a_mask_lies_where_the_segment_lies(session):
    mask = segment_mask(session.nodes.segmentation, "roi_2")
    centre = mask.to_lps(np.argwhere(mask.array)[:, ::-1].astype(float)).mean(axis=0)
    np.testing.assert_allclose(centre, [30.0, 0.0, 0.0], atol=1e-6)


def test_half_of_an_organ_erased_is_half_of_its_volume_and_the_others_stay_the_same(session):
    def erase_the_right_half(voxels):
        voxels[:, :, : voxels.shape[2] // 2] = 0

    before = {organ.name: organ for organ in session.review.organs}
    edit(session, "roi_1", erase_the_right_half)
    assert session.follow_segments()
    volume_cc = session.review.organ("Cord").samples.volume_cc
    assert volume_cc == pytest.approx(before["Cord"].samples.volume_cc / 2, rel=0.06)
    for name in ("Lung_L", "Lung_R", "PTV_new"):
        assert session.review.organ(name).structure is before[name].structure
    assert not session.follow_segments(), "the change was taken over once"


def test_a_new_segment_is_a_new_target_at_its_place(session):
    add_segment(session, "GTV_new", a_ball(12.0, [5.0, -10.0, 3.0]))
    assert session.follow_segments()
    target = session.review.organ("GTV_new")
    assert target.match.is_target
    assert target.samples.volume_cc == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.03)
    centre = np.average(target.samples.points_lps, axis=0, weights=target.samples.volumes_cc)
    np.testing.assert_allclose(centre, [5.0, -10.0, 3.0], atol=0.6)
    assert len({organ.structure.number for organ in session.review.organs}) == len(session.review.organs)


def test_the_segment_that_is_being_drawn_is_not_taken_out_of_the_users_hands(session):
    add_segment(session, "GTV_new", a_ball(12.0, [5.0, -10.0, 3.0]))
    session.follow_segments()
    segment = session.nodes.segmentation.GetSegmentation().GetSegment("any id")
    edit(session, "any id", lambda voxels: voxels.__setitem__(slice(0, 10), 0))
    session.follow_segments()
    assert session.nodes.segmentation.GetSegmentation().GetSegment("any id") is segment


def test_an_emptied_and_a_removed_segment_are_structures_no_more(session):
    edit(session, "roi_2", lambda voxels: voxels.fill(0))
    session.nodes.segmentation.GetSegmentation().RemoveSegment("roi_3")
    assert session.follow_segments()
    assert [organ.name for organ in session.review.organs] == ["Cord", "PTV_new"]


def test_a_renamed_segment_is_the_same_structure_under_its_new_name(session):
    session.nodes.segmentation.GetSegmentation().GetSegment("roi_1").SetName("SpinalCord")
    assert session.follow_segments()
    assert session.review.organ("SpinalCord").match.tg263 == "SpinalCord"
    assert "Cord" not in [organ.name for organ in session.review.organs]


def test_of_segments_that_share_a_labelmap_only_the_edited_one_is_outlined_anew(session):
    segmentation = session.nodes.segmentation.GetSegmentation()
    segmentation.CollapseBinaryLabelmaps(False)
    assert not session.follow_segments(), "the voxels are the same"
    before = {organ.name: organ.structure for organ in session.review.organs}
    cord, lung = (segmentation.GetSegment(key) for key in ("roi_1", "roi_2"))
    assert cord.GetRepresentation(LABELMAP) is lung.GetRepresentation(LABELMAP)
    voxels = array_of(cord.GetRepresentation(LABELMAP))
    voxels[:10][voxels[:10] == cord.GetLabelValue()] = 0
    cord.GetRepresentation(LABELMAP).GetPointData().GetScalars().Modified()
    cord.GetRepresentation(LABELMAP).Modified()
    assert session.follow_segments()
    changed = {organ.name for organ in session.review.organs if organ.structure is not before[organ.name]}
    assert changed == {"Cord"}
