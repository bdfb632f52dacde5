"""The report's pictures of a registration show what was registered, and leave the scene alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_review import a_grid
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.scene.build import build_scene
from ReirradiationReviewLib.scene.environment import check_rendering, headless_environment
from ReirradiationReviewLib.scene.from_review import scene_content
from ReirradiationReviewLib.scene.registration_pictures import render_registration_pictures
from test_registration_views import SHIFT, a_session, a_shift


@pytest.fixture(autouse=True)
def _drawing_is_possible():
    try:
        check_rendering()
    except ReirradiationError as error:
        pytest.skip(str(error))


def pictures_of(transform, folder, **changes):
    review = a_session(transform)[0].review
    environment = headless_environment()
    content = replace(scene_content(review), **changes)
    nodes = build_scene(environment, content)
    before = environment.scene.GetNumberOfNodes()
    pictures = render_registration_pictures(environment, nodes, content, folder)
    assert environment.scene.GetNumberOfNodes() == before
    return pictures


def colourfulness(path):
    """Return the share of the difference view's pixels that are coloured."""
    from PIL import Image

    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    view = pixels[-400:, 808:]  # the coronal slice in the third column
    return np.mean(view.max(axis=-1) - view.min(axis=-1) > 60)


def test_a_wrong_registration_looks_wrong_in_its_picture(tmp_path):
    (right,) = pictures_of(a_shift(SHIFT), tmp_path / "right")
    (wrong,) = pictures_of(a_shift(SHIFT + np.array([14.0, 11.0, 0.0])), tmp_path / "wrong")
    assert "checkerboard, difference" in right.caption
    # What is coloured under the right registration are the outlines of the structures; where the earlier CT ends,
    # nothing is claimed.
    assert colourfulness(wrong.path) > 5 * colourfulness(right.path)


def test_a_deformation_is_drawn_with_its_jacobian_and_its_grid(tmp_path):
    grid = a_grid(0.0, spacing_mm=6.0)
    field = grid.like((grid.centres_lps() * 0.05).reshape(*grid.array.shape, 3))
    (picture,) = pictures_of(SpatialTransform(a_shift(SHIFT).matrix_lps, field), tmp_path)
    assert picture.caption.endswith("checkerboard, difference, Jacobian, deformed grid")


def test_without_a_point_to_look_at_nothing_is_drawn(tmp_path):
    assert pictures_of(a_shift(SHIFT), tmp_path, target_lps=None, hot_spot_lps=None) == []
