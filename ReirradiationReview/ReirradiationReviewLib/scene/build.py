"""The whole review as nodes of a MRML scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from ..core.course_record import course_record, image_record, registration_record
from ..core.courses import ImageSeries, Patient
from ..core.errors import Progress, no_progress
from ..core.images import PlacedImage
from ..core.registration.transform import SpatialTransform
from ..core.settings import settings_record
from ..core.volume import Volume
from .content import PlacedCourse, SceneContent
from .doses import Wash, add_colour_legend, add_dose, add_eqd2, display_of
from .environment import SceneEnvironment
from .figure1_preset import FIGURE1
from .geometry import add_transform_nodes, add_volume_node, set_linear
from .hierarchy import SubjectHierarchy, put_isodoses, remove_empty_studies, remove_node
from .images import ImageNodes, add_images, all_nodes, image_roles
from .isodose import add_isodose_colours, add_isodose_models, add_plan_isodose_models, add_wash_colours
from .records import add_record
from .segmentation import add_segmentation
from .state import add_parameter_node


@dataclass(frozen=True)
class CourseNodes:
    """One course's nodes.

    Parameters
    ----------
    ct
        None where the course has no image.
    doses
        One per plan, physical dose.
    transforms
        What brings ``ct`` and ``doses`` to reference space, innermost first; empty for the reference course.
    eqd2
        In reference space; None where the content has none.
    """

    ct: slicer.vtkMRMLScalarVolumeNode | None
    doses: tuple[slicer.vtkMRMLScalarVolumeNode, ...]
    transforms: tuple[slicer.vtkMRMLTransformNode, ...]
    eqd2: slicer.vtkMRMLScalarVolumeNode | None


@dataclass(frozen=True)
class ReviewNodes:
    """The review's nodes in a scene; ``courses`` in the order of the content's courses.

    Parameters
    ----------
    record
        What the courses are, apart from their voxels: with it a saved scene can be reviewed again.
    images
        In the order of the content's images.
    plan_isodoses
        Of the new plan's own dose; hidden until a figure shows them in place of the composite's.
    """

    courses: tuple[CourseNodes, ...]
    reference_index: int
    composite: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    isodoses: tuple[slicer.vtkMRMLModelNode, ...]
    isodose_colours: slicer.vtkMRMLColorTableNode
    wash_colours: slicer.vtkMRMLColorTableNode
    record: slicer.vtkMRMLTextNode
    parameters: slicer.vtkMRMLScriptedModuleNode
    images: tuple[ImageNodes, ...] = ()
    plan_isodoses: tuple[slicer.vtkMRMLModelNode, ...] = ()

    @property
    def reference_ct(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The image the review is looked at on; None where the reference course has none."""
        return self.courses[self.reference_index].ct


def build_scene(environment: SceneEnvironment, content: SceneContent, progress: Progress = no_progress) -> ReviewNodes:
    """Put the review's content into the scene.

    Earlier courses' images and doses stay on their own grids, below the transform that shows them in reference space.
    """
    scene = environment.scene
    progress(0.0, "putting images and doses into the scene")
    isodose_colours = add_isodose_colours(scene, "Isodose_ColorTable_Review", content.levels)
    wash_colours = add_wash_colours(scene, "Dose_ColorTable_Review", content.levels)
    wash = Wash(wash_colours, content.levels)
    courses = tuple(_add_course(scene, wash, placed, content) for placed in content.courses)
    composite = add_eqd2(scene, "Composite", content.composite, content.alpha_beta_gy, wash)
    images = add_images(scene, content.images, content.reference.label)
    progress(0.4, "drawing the organs")
    reference_ct = courses[content.reference_index].ct
    segmentation = add_segmentation(
        scene, f"{content.reference.label}: structures", content.organs, drawn_on(content), reference_ct
    )
    progress(0.8, "drawing the isodoses")
    isodoses = add_isodose_models(scene, content.composite, content.levels)
    plan_isodoses: tuple[slicer.vtkMRMLModelNode, ...] = ()
    if content.plan_dose is not None:
        plan_isodoses = add_plan_isodose_models(scene, content.plan_dose, FIGURE1.levels, content.reference.label)
    add_colour_legend(composite, content.alpha_beta_gy)
    record = add_record(scene, "Re-irradiation review record", review_record(content))
    parameters = add_parameter_node(
        scene,
        scene_state(content),
        _roles(courses)
        | image_roles(images)
        | {
            "composite": [composite],
            "segmentation": [segmentation],
            "isodose": list(isodoses),
            "planIsodose": list(plan_isodoses),
            "isodoseColors": [isodose_colours],
            "washColors": [wash_colours],
            "record": [record],
        },
    )
    nodes = ReviewNodes(
        courses,
        content.reference_index,
        composite,
        segmentation,
        isodoses,
        isodose_colours,
        wash_colours,
        record,
        parameters,
        images,
        plan_isodoses,
    )
    _arrange(scene, content, nodes)
    progress(1.0, "scene built")
    return nodes


def _add_course(scene: slicer.vtkMRMLScene, wash: Wash, placed: PlacedCourse, content: SceneContent) -> CourseNodes:
    course = placed.course
    ct = _add_image(scene, f"{course.label}: {course.ct.modality}", course.ct) if course.ct is not None else None
    physical = tuple(
        add_dose(scene, f"{course.label}: dose, {plan.label}", plan.dose, "physical dose", wash)
        for plan in course.plans
    )
    eqd2 = None
    if placed.eqd2 is not None:
        eqd2 = add_eqd2(scene, f"{course.label}:", placed.eqd2, content.alpha_beta_gy, wash)
    if course is content.reference:
        return CourseNodes(ct, physical, (), eqd2)
    name = f"{course.label} to {content.reference.label}"
    transforms = add_transform_nodes(scene, name, placed.transform)
    for node in (ct, *physical):
        if node is not None:
            node.SetAndObserveTransformNodeID(transforms[0].GetID())
    return CourseNodes(ct, physical, transforms, eqd2)


def replace_transforms(
    scene: slicer.vtkMRMLScene, course: CourseNodes, transform: SpatialTransform, name: str
) -> CourseNodes:
    """Put all that is below a course's transform below another one; a linear one takes the place of a linear one."""
    if len(course.transforms) == 1 and transform.displacement is None:
        set_linear(course.transforms[0], transform)
        return course
    transforms = add_transform_nodes(scene, name, transform)
    below = scene.GetNodesByClass("vtkMRMLTransformableNode")
    for node in (below.GetItemAsObject(index) for index in range(below.GetNumberOfItems())):
        # What the user put there, such as points that were marked on the image, goes along.
        if node.GetParentTransformNode() is course.transforms[0]:
            node.SetAndObserveTransformNodeID(transforms[0].GetID())
    for node in course.transforms:
        remove_node(scene, node)
    return replace(course, transforms=transforms)


def _add_image(scene: slicer.vtkMRMLScene, name: str, image: ImageSeries) -> slicer.vtkMRMLScalarVolumeNode:
    node = add_volume_node(scene, name, image.volume.like(_compact(image.volume.array)))
    display = display_of(node, "vtkMRMLColorTableNodeGrey")
    if image.modality == "CT":
        display.SetWindowLevel(FIGURE1.ct_window_hu, FIGURE1.ct_level_hu)
    else:
        display.SetAutoWindowLevel(1)
    return node


def _compact(values: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers (HU) as int16, which takes half the room, and everything else as it is."""
    limits = np.iinfo(np.int16)
    if values.min() < limits.min or values.max() > limits.max:
        return values
    small = values.astype(np.int16)
    return small if np.array_equal(small, values) else values


def drawn_on(content: SceneContent) -> Volume:
    """Return the grid that the reference course's contours were drawn on; without a CT, the composite's."""
    ct = content.reference.ct
    return ct.volume if ct is not None else content.composite


def review_record(content: SceneContent) -> dict[str, Any]:
    """Return what the review is made from, apart from voxels and transforms, which have nodes of their own."""
    return {
        "courses": [course_record(placed.course) for placed in content.courses],
        "registrations": [registration_record(placed.registration) for placed in content.courses],
        "images": [image_record(image) for image in content.images],
    }


def scene_state(content: SceneContent) -> dict[str, Any]:
    """Return what the parameter node holds: the settings, and what the views show."""
    return {
        "settings": settings_record(content.settings),
        "alphaBetaGy": content.alpha_beta_gy,
        "referenceCourse": content.reference_index + 1,
        "courses": [{"label": placed.course.label, "date": placed.course.date} for placed in content.courses],
        "isodosesGy": [level.dose_gy for level in content.levels],
        "assumptions": list(content.assumptions),
        "hotSpotLpsMm": _point(content.hot_spot_lps),
        "targetLpsMm": _point(content.target_lps),
    }


def _point(point: NDArray[np.float64] | None) -> list[float] | None:
    return None if point is None else [float(part) for part in point]


def _roles(courses: tuple[CourseNodes, ...]) -> Mapping[str, list[slicer.vtkMRMLNode]]:
    """Return nodes by role; courses count from 1, as in the state and in the command line's file names."""
    roles: dict[str, list[slicer.vtkMRMLNode]] = {}
    for number, nodes in enumerate(courses, start=1):
        roles[f"course{number}.ct"] = [nodes.ct] if nodes.ct is not None else []
        roles[f"course{number}.dose"] = list(nodes.doses)
        roles[f"course{number}.transform"] = list(nodes.transforms)
        roles[f"course{number}.eqd2"] = [nodes.eqd2] if nodes.eqd2 is not None else []
    return roles


def _arrange(scene: slicer.vtkMRMLScene, content: SceneContent, nodes: ReviewNodes) -> None:
    """Put everything into the subject hierarchy."""
    hierarchy = SubjectHierarchy(scene, content.patient)
    review = hierarchy.add_review_study()
    for index, (placed, course_nodes) in enumerate(zip(content.courses, nodes.courses, strict=True)):
        course = placed.course
        study = hierarchy.add_course_study(course)
        if course_nodes.ct is not None and course.ct is not None:
            hierarchy.add_image(study, course_nodes.ct, course.ct)
        for plan, dose in zip(course.plans, course_nodes.doses, strict=True):
            hierarchy.add_dose(study, dose, plan)
        if index == nodes.reference_index:
            hierarchy.add_structures(study, nodes.segmentation, course)
        for node in (course_nodes.eqd2, *course_nodes.transforms):
            if node is not None:
                hierarchy.add_node(review, node)
    arrange_images(scene, content.patient, content.images, nodes.images)
    hierarchy.add_node(review, nodes.composite)
    put_isodoses(scene, nodes.composite, nodes.isodoses)
    if nodes.plan_isodoses:
        put_isodoses(scene, nodes.composite, nodes.plan_isodoses, "the new plan alone")


def arrange_images(
    scene: slicer.vtkMRMLScene, patient: Patient, images: Sequence[PlacedImage], nodes: Sequence[ImageNodes]
) -> None:
    """Put images beside the courses into the subject hierarchy."""
    hierarchy = SubjectHierarchy(scene, patient)
    review = hierarchy.find_review_study() if images else 0
    for image, image_nodes in zip(images, nodes, strict=True):
        hierarchy.add_image(hierarchy.add_series_study(image.series), image_nodes.volume, image.series)
        for transform in image_nodes.transforms:
            hierarchy.add_node(review, transform)


def remove_review(environment: SceneEnvironment, nodes: ReviewNodes) -> None:
    """Take a review's nodes out of the scene, but for its parameter node, which the next review takes over."""
    scene = environment.scene
    for course in nodes.courses:
        for node in (course.ct, *course.doses, *course.transforms, course.eqd2):
            remove_node(scene, node)
    made = (nodes.composite, nodes.segmentation, *nodes.isodoses, nodes.isodose_colours, nodes.wash_colours)
    for node in (*made, nodes.record, *nodes.plan_isodoses, *all_nodes(nodes.images)):
        remove_node(scene, node)
    remove_empty_studies(scene)
