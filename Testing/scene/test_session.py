"""One review in a real MRML scene: shown, changed, saved, loaded, restored."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from made_up_review import a_cylinder, a_grid, a_review, two_courses
from ReirradiationReviewLib.core.errors import ReirradiationError
from ReirradiationReviewLib.core.registration.course import CourseRegistration
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.results.document import review_document
from ReirradiationReviewLib.core.review import Review
from ReirradiationReviewLib.core.settings import Settings, settings_of, settings_record
from ReirradiationReviewLib.core.volume import Volume
from ReirradiationReviewLib.scene.environment import headless_environment
from ReirradiationReviewLib.scene.geometry import array_of
from ReirradiationReviewLib.scene.save import load_scene, save_scene
from ReirradiationReviewLib.scene.state import find_parameter_node, read_state
from ReirradiationReviewLib.session import ReviewSession


@pytest.fixture
def environment():
    return headless_environment()


@pytest.fixture
def session(environment):
    session = ReviewSession(environment)
    session.open(a_review(two_courses()))
    return session


def composite_at_centre(session):
    values = array_of(session.nodes.composite.GetImageData())
    return float(values[tuple(n // 2 for n in values.shape)])


def node_names(environment, node_class):
    nodes = environment.scene.GetNodesByClass(node_class)
    return [nodes.GetItemAsObject(index).GetName() for index in range(nodes.GetNumberOfItems())]


def a_turned_and_deformed_review():
    """A review whose every part has to survive saving: a rotation, a displacement, odd fractions, own settings."""
    earlier, new = two_courses()
    angle = np.radians(7.0)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = [1.25, -2.5, 3.75]
    steps = np.diag([5.0, 5.0, 5.0, 1.0])
    steps[:3, 3] = [-40.0, -40.0, -40.0]
    rng = np.random.default_rng(3)
    displacement = Volume(rng.normal(0.0, 1.0, (17, 17, 17, 3)), steps)
    grid = a_grid(0.0)
    rising = np.broadcast_to(20.0 + np.arange(41, dtype=np.float32)[:, None, None], grid.array.shape)
    earlier = replace(earlier, plans=(replace(earlier.plans[0], dose=grid.like(rising.copy())),))
    moved = CourseRegistration(SpatialTransform(matrix, displacement), "file", {"file": "field.h5"})
    settings = Settings(alpha_beta_gy={"Cord": 1.5}, recovery={"Cord": 0.25}, display_alpha_beta_gy=2.5)
    return Review([earlier, new], [moved, CourseRegistration(SpatialTransform(), "reference")], settings)


def test_the_composite_follows_the_display_alpha_beta_and_says_so(session):
    assert composite_at_centre(session) == pytest.approx(40.0 + 32.0, rel=1e-5)
    session.apply(Settings(display_alpha_beta_gy=2.0))
    assert composite_at_centre(session) == pytest.approx(40.0 + 35.0, rel=1e-5)
    assert session.nodes.composite.GetName() == "Composite EQD2 (alpha/beta 2 Gy)"
    state = read_state(session.nodes.parameters)
    assert state["settings"]["display_alpha_beta_gy"] == 2.0


def test_a_course_that_is_left_out_leaves_the_picture_and_the_table_alike(session):
    session.apply(Settings(left_out=frozenset({0})))
    assert composite_at_centre(session) == pytest.approx(32.0, rel=1e-5)
    cord = next(result for result in session.constraints() if result.structure == "Cord")
    assert cord.value == pytest.approx(35.0, rel=1e-4)


def test_isodoses_are_those_that_the_dose_reaches(session, environment):
    assert [node.GetName() for node in session.nodes.isodoses] == ["5 Gy", "20 Gy", "40 Gy", "60 Gy"]
    session.apply(Settings(left_out=frozenset({0})))
    assert [node.GetName() for node in session.nodes.isodoses] == ["5 Gy", "20 Gy"]
    assert "60 Gy" not in node_names(environment, "vtkMRMLModelNode")


def test_fractions_of_the_user_enter_the_sum_and_are_marked(session):
    session.set_fractions({"plan of course 2": 10})
    assert session.review.courses[1].plans[0].fractions_source == "user"
    assert composite_at_centre(session) == pytest.approx(40.0 + 20.0, rel=1e-5)
    with pytest.raises(ReirradiationError, match="there is no plan"):
        session.set_fractions({"no such plan": 10})


def test_an_edited_contour_changes_its_segment_and_its_numbers(session):
    cord, *others = session.review.reference.structures
    session.replace_structures([replace(cord, contours_lps=a_cylinder("Cord", 1, radius_mm=5.0).contours_lps), *others])
    labelmap = session.nodes.segmentation.GetSegmentation().GetSegment("roi_1").GetRepresentation("Binary labelmap")
    volume_cc = np.count_nonzero(array_of(labelmap)) * np.prod(labelmap.GetSpacing()) / 1000.0
    assert volume_cc == pytest.approx(session.review.organ("Cord").samples.volume_cc, rel=0.1)  # voxels of 1 mm
    assert session.nodes.segmentation.GetSegmentation().GetNumberOfSegments() == 4


def test_opening_another_review_takes_the_first_ones_place(session, environment):
    count = environment.scene.GetNumberOfNodes()
    session.open(a_review(two_courses()))
    assert environment.scene.GetNumberOfNodes() == count
    assert len(node_names(environment, "vtkMRMLScriptedModuleNode")) == 1


def test_who_watches_is_told_of_every_change(session):
    seen = []
    session.add_observer(lambda: seen.append(session.review.settings.display_alpha_beta_gy))
    session.apply(Settings(display_alpha_beta_gy=4.0))
    session.apply(Settings(display_alpha_beta_gy=5.0))
    assert seen == [4.0, 5.0]


def test_a_refused_setting_leaves_everything_as_it_was(session):
    before = session.review
    with pytest.raises(ReirradiationError, match="no such structure"):
        session.apply(Settings(alpha_beta_gy={"Kord": 2.0}))
    assert session.review is before


def test_a_saved_scene_opens_with_the_same_numbers(tmp_path, environment):
    first = ReviewSession(environment)
    first.open(a_turned_and_deformed_review())
    first.set_fractions({"plan of course 1": 23})
    save_scene(environment, tmp_path / "review.mrb")
    loaded = headless_environment()
    load_scene(loaded, tmp_path / "review.mrb")
    second = ReviewSession(loaded)
    assert second.restore()
    assert document_of(second) == document_of(first)
    second.apply(Settings(display_alpha_beta_gy=2.0))
    first.apply(Settings(display_alpha_beta_gy=2.0))
    np.testing.assert_array_equal(
        array_of(second.nodes.composite.GetImageData()), array_of(first.nodes.composite.GetImageData())
    )


def document_of(session):
    """Return every figure and word of the review by where it stands; figures may differ by rounding."""
    document = review_document(session.review)
    return dict(leaves({key: value for key, value in document.items() if key != "created"}))


def leaves(value, where=""):
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, f"{where}/{key}")
    else:
        yield where, pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value


def test_a_scene_without_a_review_restores_nothing(environment):
    assert find_parameter_node(environment.scene) is None
    assert not ReviewSession(environment).restore()


def test_a_file_that_is_no_scene_is_refused(tmp_path, environment):
    (tmp_path / "junk.mrb").write_bytes(b"no zip at all")
    for name in ("junk.mrb", "absent.mrb"):
        before = Path.cwd()
        with pytest.raises(ReirradiationError, match=name):
            load_scene(environment, tmp_path / name)
        assert Path.cwd() == before


def test_a_lost_node_is_named(session, environment):
    environment.scene.RemoveNode(session.nodes.courses[0].doses[0])
    with pytest.raises(ReirradiationError, match="lacks the CT or a dose of course 1"):
        ReviewSession(environment).restore()


def test_every_setting_survives_being_recorded():
    changed = {
        field.name: {
            "dict": {"Cord": 2.0}, "tuple": ("a", "b"), "frozenset": frozenset({1}), "float": 4.0, "bool": True,
            "str": "text",
        }[type(getattr(Settings(), field.name)).__name__]
        for field in fields(Settings)
    }  # fmt: skip
    settings = Settings(**changed)
    assert settings_of(json.loads(json.dumps(settings_record(settings)))) == settings


def test_numbers_then_composite_then_the_rest_end_where_one_step_ends(environment, session):
    settings = replace(session.review.settings, display_alpha_beta_gy=2.0, left_out=frozenset({0}))
    session.apply_numbers(settings)
    assert composite_at_centre(session) == pytest.approx(72.0)
    session.show_composite()
    assert composite_at_centre(session) == pytest.approx(35.0)
    session.catch_up()
    stepwise = read_state(find_parameter_node(environment.scene)), node_names(environment, "vtkMRMLModelNode")
    other = headless_environment()
    at_once = ReviewSession(other)
    at_once.open(a_review(two_courses()))
    at_once.apply(settings)
    assert stepwise == (read_state(find_parameter_node(other.scene)), node_names(other, "vtkMRMLModelNode"))
    for node, same in zip(session.nodes.courses, at_once.nodes.courses, strict=True):
        np.testing.assert_array_equal(array_of(node.eqd2.GetImageData()), array_of(same.eqd2.GetImageData()))
