"""A review out of a scene: everything that a saved scene needs to be reviewed again with the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer

from ..core.course_record import course_of, image_of, registration_of
from ..core.courses import Course
from ..core.errors import Progress, ReirradiationError, no_progress
from ..core.images import PlacedImage
from ..core.registration.course import CourseRegistration
from ..core.registration.transform import SpatialTransform
from ..core.review import Review
from ..core.settings import Settings, settings_of
from .build import CourseNodes, ReviewNodes
from .geometry import transform_of, volume_of
from .images import ImageNodes
from .records import read_record
from .state import find_parameter_node, read_state, referenced


@dataclass(frozen=True)
class RestoredReview:
    """What a scene holds of a review: its inputs, its settings and its nodes."""

    courses: tuple[Course, ...]
    registrations: tuple[CourseRegistration, ...]
    settings: Settings
    reference_index: int
    nodes: ReviewNodes
    images: tuple[PlacedImage, ...] = ()

    def review(self, progress: Progress = no_progress) -> Review:
        """Make the review anew: all doses are mapped. Nothing of the scene is touched."""
        return Review(self.courses, self.registrations, self.settings, self.reference_index, progress)


def restore_review(scene: slicer.vtkMRMLScene) -> RestoredReview | None:
    """Return the review that a scene holds; None where it holds none.

    Raises
    ------
    ReirradiationError
        If a node that the review needs is missing or was changed beyond use.
    """
    parameters = find_parameter_node(scene)
    if parameters is None:
        return None
    state = read_state(parameters)
    numbers = range(1, len(state["courses"]) + 1)
    course_nodes = tuple(_course_nodes(parameters, number) for number in numbers)
    record = read_record(_only(parameters, "record"))
    courses = tuple(_course(each, nodes) for each, nodes in zip(record["courses"], course_nodes, strict=True))
    registrations = tuple(
        _registration(each, nodes) for each, nodes in zip(record["registrations"], course_nodes, strict=True)
    )
    # Scenes that were saved before images went into them have none in their record.
    image_records = record.get("images", [])
    image_nodes = tuple(_image_nodes(parameters, number) for number in range(1, len(image_records) + 1))
    images = tuple(_image(each, nodes) for each, nodes in zip(image_records, image_nodes, strict=True))
    reference_index = state["referenceCourse"] - 1
    nodes = ReviewNodes(
        courses=course_nodes,
        reference_index=reference_index,
        composite=_only(parameters, "composite"),
        segmentation=_only(parameters, "segmentation"),
        isodoses=tuple(referenced(parameters, "isodose")),
        isodose_colours=_only(parameters, "isodoseColors"),
        wash_colours=_only(parameters, "washColors"),
        record=_only(parameters, "record"),
        parameters=parameters,
        images=image_nodes,
        plan_isodoses=tuple(referenced(parameters, "planIsodose")),
    )
    return RestoredReview(courses, registrations, settings_of(state["settings"]), reference_index, nodes, images)


def _course_nodes(parameters: slicer.vtkMRMLScriptedModuleNode, number: int) -> CourseNodes:
    def first(role: str) -> Any:
        found = referenced(parameters, f"course{number}.{role}")
        return found[0] if found else None

    return CourseNodes(
        first("ct"),
        tuple(referenced(parameters, f"course{number}.dose")),
        tuple(referenced(parameters, f"course{number}.transform")),
        first("eqd2"),
    )


def _image_nodes(parameters: slicer.vtkMRMLScriptedModuleNode, number: int) -> ImageNodes:
    transforms = tuple(referenced(parameters, f"image{number}.transform"))
    return ImageNodes(_only(parameters, f"image{number}.volume"), transforms)


def _image(record: dict[str, Any], nodes: ImageNodes) -> PlacedImage:
    if not nodes.transforms:
        raise ReirradiationError(
            f"the scene lacks the transform of {nodes.volume.GetName()}, so its place is not known: load it again"
        )
    return image_of(record, volume_of(nodes.volume), transform_of(nodes.transforms))


def _course(record: dict[str, Any], nodes: CourseNodes) -> Course:
    if len(nodes.doses) != len(record["plans"]) or (record["ct"] is not None and nodes.ct is None):
        raise ReirradiationError(
            f"the scene lacks the CT or a dose of {record['label']}, so its review cannot be made again: "
            "load the course again"
        )
    ct = None if nodes.ct is None else volume_of(nodes.ct)
    doses = [volume_of(node) for node in nodes.doses]
    return course_of(record, ct, doses)


def _registration(record: dict[str, Any], nodes: CourseNodes) -> CourseRegistration:
    transform = transform_of(nodes.transforms) if nodes.transforms else SpatialTransform()
    return registration_of(record, transform)


def _only(parameters: slicer.vtkMRMLScriptedModuleNode, role: str) -> Any:
    found = referenced(parameters, role)
    if not found:
        raise ReirradiationError(
            f"the scene's review has lost its {role} (a node was deleted), so it cannot be shown: load the courses"
        )
    return found[0]
