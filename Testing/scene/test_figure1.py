"""Figure 1 of Beddok 2022: the right nodes shown, in the right colours, at the right places, and brought back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import slicer
from made_up_review import a_course, a_cylinder, a_grid, a_review, two_courses
from ReirradiationReviewLib.core.courses import ImageSeries
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.images import PlacedImage
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.scene.build import build_scene
from ReirradiationReviewLib.scene.environment import check_rendering, headless_environment
from ReirradiationReviewLib.scene.figure1 import apply_figure1_preset, figure1_layers, target_segments
from ReirradiationReviewLib.scene.figure1_pictures import render_figure1
from ReirradiationReviewLib.scene.figure1_preset import FIGURE1
from ReirradiationReviewLib.scene.from_review import scene_content
from ReirradiationReviewLib.scene.views import SliceRenderer, lines_for_pictures

# 0.75 Gy per mm along the patient's left: 5, 20, 40 and 60 Gy lie at these places, LPS x in mm.
LEVEL_X_MM = {5.0: -40.0, 20.0: -20.0, 40.0: -20.0 + 20.0 / 0.75, 60.0: -20.0 + 40.0 / 0.75}
PAPER = {5.0: "green", 20.0: "yellow", 40.0: "orange", 60.0: "pink"}
GTV_RADIUS_MM = 12.0


@pytest.fixture(scope="module", autouse=True)
def _drawing_is_possible():
    try:
        check_rendering()
    except ReirradiationError as error:
        pytest.skip(str(error))


def a_sloping_review():
    grid = a_grid(0.0)
    x = -60.0 + 3.0 * np.arange(grid.array.shape[2], dtype=np.float32)
    dose = grid.like(np.broadcast_to(np.maximum(35.0 + 0.75 * x, 0.0), grid.array.shape).copy())
    earlier, _ = two_courses()
    structures = (
        a_cylinder("Cord", 1, (-30.0, 30.0)),
        a_cylinder("GTV_new", 2, radius_mm=GTV_RADIUS_MM, kind="GTV"),
        a_cylinder("PTV_new", 3, radius_mm=20.0, kind="PTV"),
    )
    return a_review([earlier, a_course("course 2", "2022-01-01", dose, 30, structures)])


def a_pet(hot_suv=10.0, cold_suv=0.0):
    """Hot in the upper half of the picture (anterior, LPS y < 0), cold in the lower."""
    grid = a_grid(cold_suv)
    grid.array[:, :20] = hot_suv
    series = ImageSeries(grid, "PT", "FDG", "1.7", "1.8", "2021-12-01", units="SUVbw (g/mL)")
    return PlacedImage("PT FDG", series, grid, SpatialTransform(), "identity")


@pytest.fixture(scope="module")
def shown():
    """Environment, nodes and content of the review with its PET; tests bring back what they change."""
    environment = headless_environment()
    content = scene_content(a_sloping_review(), [a_pet()])
    return environment, build_scene(environment, content), content


def state_of(environment, nodes):
    """Return everything that a preset may change."""
    scene, display = environment.scene, nodes.segmentation.GetDisplayNode()
    views = scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    views = [views.GetItemAsObject(index) for index in range(views.GetNumberOfItems())]
    ids = nodes.segmentation.GetSegmentation().GetSegmentIDs()
    ct = nodes.reference_ct.GetDisplayNode()
    return (
        [(v.GetBackgroundVolumeID(), v.GetForegroundVolumeID(), v.GetForegroundOpacity(), v.GetCompositing())
         for v in views],
        [model.GetDisplayNode().GetVisibility() for model in (*nodes.isodoses, *nodes.plan_isodoses)],
        [(display.GetSegmentVisibility(key), tuple(display.GetSegmentOverrideColor(key))) for key in ids],
        (ct.GetWindow(), ct.GetLevel(), ct.GetAutoWindowLevel()),
    )  # fmt: skip


def a_view(environment):
    node = slicer.vtkMRMLSliceCompositeNode()
    node.SetLayoutName("Red")
    return environment.scene.AddNode(node)


def hue_name(colour):
    red, green, blue = (int(part) for part in colour)
    if green > red and green > blue:
        return "green"
    if red > 200 and green < 60 and blue < 60:
        return "red"
    if red > 200 and blue > 120 and green < 160:
        return "pink"
    return "yellow" if green > 200 else "orange"


def test_levels_and_colours_are_those_of_the_paper():
    assert {level.dose_gy: hue_name(level.colour) for level in FIGURE1.levels} == PAPER
    assert hue_name(FIGURE1.target_colour) == "red"


def test_the_preset_shows_ct_pet_target_and_the_new_plans_isodoses(shown):
    environment, nodes, _ = shown
    view = a_view(environment)
    undo = apply_figure1_preset(environment, nodes)
    assert view.GetBackgroundVolumeID() == nodes.reference_ct.GetID()
    assert view.GetForegroundVolumeID() == nodes.images[0].volume.GetID()
    assert view.GetCompositing() == slicer.vtkMRMLSliceCompositeNode.Add
    assert all(model.GetDisplayNode().GetVisibility() for model in nodes.plan_isodoses)
    assert not any(model.GetDisplayNode().GetVisibility() for model in nodes.isodoses)
    display = nodes.segmentation.GetDisplayNode()
    assert [key for key in ("roi_1", "roi_2", "roi_3") if display.GetSegmentVisibility(key)] == ["roi_2"]
    assert tuple(display.GetSegmentOverrideColor("roi_2")) == (1.0, 0.0, 0.0)
    undo()
    environment.scene.RemoveNode(view)


@pytest.mark.parametrize("dose", ["plan", "composite"])
@pytest.mark.parametrize("fused", [True, False])
def test_everything_is_brought_back_as_it_was(shown, dose, fused):
    environment, nodes, _ = shown
    view = a_view(environment)
    nodes.segmentation.GetDisplayNode().SetSegmentVisibility("roi_3", False)
    nodes.segmentation.GetDisplayNode().SetSegmentOverrideColor("roi_2", 0.0, 0.5, 0.5)
    before = state_of(environment, nodes)
    undo = apply_figure1_preset(environment, nodes, dose, fused)
    assert state_of(environment, nodes) != before
    undo()
    assert state_of(environment, nodes) == before
    undo()  # a second time does nothing
    assert state_of(environment, nodes) == before
    nodes.segmentation.GetDisplayNode().UnsetSegmentOverrideColor("roi_2")
    environment.scene.RemoveNode(view)


@pytest.mark.parametrize(
    ("names", "drawn"),
    [
        (("PTV", "Cord", "gtv_n", "GTV_p"), ["gtv_n", "GTV_p"]),
        (("PTV", "CTV", "Cord"), ["CTV"]),
        (("Cord", "PTV_60"), ["PTV_60"]),
        (("Cord",), []),
    ],
)
def test_the_target_is_every_gtv_else_ctv_else_ptv(names, drawn):
    node = slicer.vtkMRMLSegmentationNode()
    for name in names:
        node.GetSegmentation().AddEmptySegment(name, name)
    assert target_segments(node) == drawn


def test_lines_and_colours_lie_where_dose_target_and_uptake_are(shown):
    environment, nodes, _ = shown
    with lines_for_pictures(nodes):
        renderer = SliceRenderer(environment, figure1_layers(nodes), (400, 400), "Test")
        undo = apply_figure1_preset(environment, nodes)
        renderer.render("Axial", np.zeros(3), np.zeros(3), 110.0)  # the first picture only makes the view
        renderer.show(figure1_layers(nodes, fused=False))
        plain = renderer.render("Axial", np.zeros(3), np.zeros(3), 110.0)
        renderer.show(figure1_layers(nodes))
        fused = renderer.render("Axial", np.zeros(3), np.zeros(3), 110.0)
        undo()
        renderer.close()
    for dose_gy, x_mm in LEVEL_X_MM.items():
        assert hue_at(plain, x_mm, 30.0) == PAPER[dose_gy]
        assert hue_at(plain, x_mm + 4.0, 30.0) is None
    assert hue_at(plain, 0.0, GTV_RADIUS_MM) == "red"
    assert hue_at(plain, 0.0, -GTV_RADIUS_MM) == "red"
    assert hue_at(plain, 0.0, 20.0) is None  # the PTV is not drawn
    # The PET's white (SUV 10) is added to the anterior half only; no uptake leaves the CT as it was.
    anterior, posterior = pixel_of(fused, 20.0, -40.0), pixel_of(fused, 20.0, 40.0)
    added = np.array(FIGURE1.pet_colours[-1][1]) * FIGURE1.fused_opacity
    np.testing.assert_allclose(anterior, np.minimum(pixel_of(plain, 20.0, -40.0) + added, 255), atol=3)
    np.testing.assert_allclose(posterior, pixel_of(plain, 20.0, 40.0), atol=3)


def pixel_of(image, x_mm, y_mm):
    x, y = image.to_pixel(np.array([[-x_mm, -y_mm, 0.0]]))[0].round().astype(int)
    return image.rgb[y, x].astype(float)


def hue_at(image, x_mm, y_mm):
    """Return the colour's name of a line within 1 mm of a point, LPS; None where all is grey."""
    x, y = image.to_pixel(np.array([[-x_mm, -y_mm, 0.0]]))[0].round().astype(int)
    reach = int(np.ceil(1.0 / image.pixel_mm))
    near = image.rgb[y - reach : y + reach + 1, x - reach : x + reach + 1].reshape(-1, 3).astype(int)
    strongest = near[np.argmax(np.ptp(near, axis=1))]
    return hue_name(strongest) if np.ptp(strongest) > 80 else None


def test_the_figure_is_written_for_both_doses_in_three_planes_with_words_that_stand_for_it(shown, tmp_path):
    environment, nodes, content = shown
    before, count = state_of(environment, nodes), environment.scene.GetNumberOfNodes()
    pictures = render_figure1(environment, nodes, content, tmp_path)
    names = [picture.path.name for picture in pictures]
    assert names == [f"figure1_{d}_{o}.png" for d in ("plan", "composite") for o in ("axial", "coronal", "sagittal")]
    assert all(picture.path.stat().st_size > 10_000 for picture in pictures)
    assert "isodoses of course 2 alone as planned, Gy" in pictures[0].caption
    assert "composite EQD2, alpha/beta 3 Gy" in pictures[3].caption
    assert state_of(environment, nodes) == before
    assert environment.scene.GetNumberOfNodes() == count


def test_without_pet_or_target_there_is_no_figure(shown, tmp_path):
    environment, nodes, content = shown
    assert render_figure1(environment, nodes, replace(content, images=()), tmp_path) == []
    assert render_figure1(environment, nodes, replace(content, target_lps=None), tmp_path) == []
