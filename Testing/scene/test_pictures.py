"""What the rendered pictures show lies where it should: isodose lines, contours, sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_review import a_course, a_grid, a_review, two_courses
from matplotlib.image import imread
from ReirradiationReviewLib.scene.environment import headless_environment
from ReirradiationReviewLib.scene.from_review import ISODOSE_LEVELS, scene_content
from ReirradiationReviewLib.scene.messages import vtk_messages_in_log
from ReirradiationReviewLib.scene.pictures import render_pictures
from ReirradiationReviewLib.scene.views import SliceRenderer, direction_letters, lines_for_pictures, wash_layers
from ReirradiationReviewLib.session import ReviewSession

SIZE = (400, 400)
FIELD_OF_VIEW_MM = 120.0


def a_review_of_a_dose_that_rises_to_the_left():
    """In LPS the dose is 70 + 1.4 x Gy in 35 fractions (none below -50 mm), so that EQD2 follows by hand."""
    earlier, new = two_courses()
    grid = a_grid(0.0)
    x_mm = np.linspace(-60.0, 60.0, grid.array.shape[2], dtype=np.float32)
    rising = grid.like(np.broadcast_to(np.maximum(70.0 + 1.4 * x_mm, 0.0), grid.array.shape).copy())
    new = replace(new, plans=(replace(new.plans[0], dose=rising, fractions=35),))
    nothing = replace(a_course("course 1", "2020-01-01", a_grid(0.0), 20), ct=earlier.ct)
    return a_review([nothing, new])


def where_eqd2_is(level_gy, alpha_beta_gy=3.0, fractions=35):
    """Return x in LPS mm where D (D / n + ab) / (2 + ab) is the level."""
    dose_gy = max(np.roots([1 / fractions, alpha_beta_gy, -level_gy * (2 + alpha_beta_gy)]))
    return (dose_gy - 70.0) / 1.4


@pytest.fixture(scope="module")
def shown():
    environment = headless_environment()
    session = ReviewSession(environment)
    with vtk_messages_in_log():
        session.open(a_review_of_a_dose_that_rises_to_the_left())
    return environment, session


@pytest.fixture(scope="module")
def axial(shown):
    environment, session = shown
    with vtk_messages_in_log(), lines_for_pictures(session.nodes):
        renderer = SliceRenderer(environment, wash_layers(session.nodes), SIZE)
        image = renderer.render("Axial", np.zeros(3), np.zeros(3), FIELD_OF_VIEW_MM)
        renderer.close()
    return image


def distance_to_colour(image, colour):
    return np.abs(image.rgb.astype(float) - np.array(colour)).max(axis=2)


def test_left_of_the_patient_is_right_in_an_axial_picture(axial):
    assert direction_letters(axial) == {"left": "R", "right": "L", "top": "A", "bottom": "P"}


@pytest.mark.parametrize("level", [level for level in ISODOSE_LEVELS if 40.0 <= level.dose_gy <= 80.0])
def test_an_isodose_line_lies_where_the_dose_has_its_level(axial, level):
    x_lps = where_eqd2_is(level.dose_gy)
    column = axial.to_pixel(np.array([[-x_lps, 0.0, 0.0]]))[0, 0]
    # A row without any contour.
    row = int(axial.to_pixel(np.array([[0.0, 45.0, 0.0]]))[0, 1])
    found = np.flatnonzero(distance_to_colour(axial, level.colour)[row] < 60)
    here = found[np.abs(found - column) < 10]  # elsewhere the wash may look alike
    assert len(here), "the line is not where the dose has this level"
    assert np.mean(here) == pytest.approx(column, abs=2.0)


def test_a_contour_is_drawn_around_its_structure(shown, axial):
    _, session = shown
    organ = session.review.organ("Cord")
    angle = np.linspace(0, 2 * np.pi, 60)
    ring_ras = np.stack([10.0 * np.cos(angle), 10.0 * np.sin(angle), np.zeros(60)], axis=1)
    pixels = np.rint(axial.to_pixel(ring_ras)).astype(int)
    close = distance_to_colour(axial, organ.structure.colour)
    hits = [close[y - 2 : y + 3, x - 2 : x + 3].min() < 90 for x, y in pixels]
    assert np.mean(hits) > 0.9


def test_the_dose_wash_is_clear_below_the_lowest_level(axial):
    clear_mm = where_eqd2_is(ISODOSE_LEVELS[0].dose_gy) - 5.0
    (clear, row), (washed, _) = axial.to_pixel(np.array([[-clear_mm, 45.0, 0.0], [0.0, 45.0, 0.0]])).astype(int)
    assert np.ptp(axial.rgb[row, clear].astype(int)) <= 8, "grey where there is no wash"
    assert np.ptp(axial.rgb[row, washed].astype(int)) > 20, "coloured where the dose is high"


def test_every_picture_is_written_and_names_the_patient(tmp_path, shown):
    environment, session = shown
    content = scene_content(session.review)
    with vtk_messages_in_log():
        pictures = render_pictures(environment, session.nodes, content, tmp_path)
    assert [picture.path.name for picture in pictures] == [
        *(f"{what}_{plane}.png" for what in ("hot_spot", "target") for plane in ("axial", "coronal", "sagittal")),
        "view_3d.png",
    ]
    for picture in pictures:
        pixels = imread(picture.path)[..., :3]
        header = pixels[:50]
        assert (header.min(axis=2) > 0.8).sum() > 200, "the patient's name stands in white in the header"
        assert pixels[60:].std() > 0.05, "the view is not empty"
