"""The whole review as nodes of a MRML scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from ..core.courses import ImageSeries
from ..core.errors import Progress, no_progress
from ..core.volume import Volume
from .content import PlacedCourse, SceneContent
from .environment import SceneEnvironment
from .geometry import add_transform_nodes, add_volume_node
from .hierarchy import SubjectHierarchy
from .isodose import add_isodose_colours, add_isodose_models, add_wash_colours
from .segmentation import add_segmentation
from .state import add_parameter_node

DOSE_ATTRIBUTE = "DicomRtImport.DoseVolume"  # as SlicerRT names it
ALPHA_BETA_ATTRIBUTE = "ReirradiationReview.AlphaBetaGy"
QUANTITY_ATTRIBUTE = "ReirradiationReview.Quantity"

# Soft tissue, the window that targets and organs are commonly looked at in (HU).
_CT_WINDOW, _CT_LEVEL = 400.0, 40.0


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
    """The review's nodes in a scene; ``courses`` in the order of the content's courses."""

    courses: tuple[CourseNodes, ...]
    reference_index: int
    composite: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    isodoses: tuple[slicer.vtkMRMLModelNode, ...]
    isodose_colours: slicer.vtkMRMLColorTableNode
    wash_colours: slicer.vtkMRMLColorTableNode
    parameters: slicer.vtkMRMLScriptedModuleNode

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
    doses = _DoseNodes(scene, content, wash_colours)
    courses = tuple(_add_course(scene, doses, placed, content) for placed in content.courses)
    composite = doses.add_eqd2(f"Composite EQD2 ({_alpha_beta(content)})", content.composite)
    progress(0.4, "drawing the organs")
    reference_ct = courses[content.reference_index].ct
    segmentation = add_segmentation(
        scene, f"{content.reference.label}: structures", content.organs, _drawn_on(content), reference_ct
    )
    progress(0.8, "drawing the isodoses")
    isodoses = add_isodose_models(scene, content.composite, content.levels)
    _add_colour_legend(composite, content)
    parameters = add_parameter_node(
        scene,
        _state(content),
        _roles(courses)
        | {
            "composite": [composite],
            "segmentation": [segmentation],
            "isodose": list(isodoses),
            "isodoseColors": [isodose_colours],
            "washColors": [wash_colours],
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
        parameters,
    )
    _arrange(scene, content, nodes)
    progress(1.0, "scene built")
    return nodes


class _DoseNodes:
    """Adds dose volumes that are shown as a wash."""

    def __init__(
        self, scene: slicer.vtkMRMLScene, content: SceneContent, colours: slicer.vtkMRMLColorTableNode
    ) -> None:
        self._scene = scene
        self._alpha_beta_gy = content.alpha_beta_gy
        self._levels = content.levels
        self._colours = colours

    def add_physical(self, name: str, dose: Volume) -> slicer.vtkMRMLScalarVolumeNode:
        return self._add(name, dose, "physical dose")

    def add_eqd2(self, name: str, dose: Volume) -> slicer.vtkMRMLScalarVolumeNode:
        node = self._add(name, dose, "EQD2")
        node.SetAttribute(ALPHA_BETA_ATTRIBUTE, f"{self._alpha_beta_gy:g}")
        return node

    def _add(self, name: str, dose: Volume, quantity: str) -> slicer.vtkMRMLScalarVolumeNode:
        node = add_volume_node(self._scene, name, dose.like(dose.array.astype(np.float32, copy=False)))
        node.SetAttribute(DOSE_ATTRIBUTE, "1")
        node.SetAttribute(QUANTITY_ATTRIBUTE, quantity)
        display = _display_of(node, self._colours.GetID())
        lowest, highest = self._levels[0].dose_gy, self._levels[-1].dose_gy
        display.SetWindowLevelMinMax(0.0, highest)
        # Below the lowest isodose the wash is clear; so is what is unknown (NaN).
        display.SetThreshold(lowest, 1e6)
        display.SetApplyThreshold(1)
        return node


def _display_of(node: slicer.vtkMRMLScalarVolumeNode, colour_id: str) -> slicer.vtkMRMLScalarVolumeDisplayNode:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour_id)
    display.SetAutoWindowLevel(0)
    display.SetInterpolate(1)
    return display


def _add_course(
    scene: slicer.vtkMRMLScene, doses: _DoseNodes, placed: PlacedCourse, content: SceneContent
) -> CourseNodes:
    course = placed.course
    ct = _add_image(scene, f"{course.label}: {course.ct.modality}", course.ct) if course.ct is not None else None
    physical = tuple(doses.add_physical(f"{course.label}: dose, {plan.label}", plan.dose) for plan in course.plans)
    eqd2 = None
    if placed.eqd2 is not None:
        eqd2 = doses.add_eqd2(f"{course.label}: EQD2 ({_alpha_beta(content)})", placed.eqd2)
    if course is content.reference:
        return CourseNodes(ct, physical, (), eqd2)
    name = f"{course.label} to {content.reference.label}"
    transforms = add_transform_nodes(scene, name, placed.transform)
    for node in (ct, *physical):
        if node is not None:
            node.SetAndObserveTransformNodeID(transforms[0].GetID())
    return CourseNodes(ct, physical, transforms, eqd2)


def _add_image(scene: slicer.vtkMRMLScene, name: str, image: ImageSeries) -> slicer.vtkMRMLScalarVolumeNode:
    node = add_volume_node(scene, name, image.volume.like(_compact(image.volume.array)))
    display = _display_of(node, "vtkMRMLColorTableNodeGrey")
    if image.modality == "CT":
        display.SetWindowLevel(_CT_WINDOW, _CT_LEVEL)
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


def _drawn_on(content: SceneContent) -> Volume:
    """Return the grid that the reference course's contours were drawn on; without a CT, the composite's."""
    ct = content.reference.ct
    return ct.volume if ct is not None else content.composite


def _alpha_beta(content: SceneContent) -> str:
    return f"alpha/beta {content.alpha_beta_gy:g} Gy"


def _add_colour_legend(composite: slicer.vtkMRMLScalarVolumeNode, content: SceneContent) -> None:
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(composite.GetDisplayNode())
    legend.SetTitleText(f"EQD2 (Gy)\n{_alpha_beta(content)}")
    legend.SetLabelFormat("%.0f")
    legend.SetVisibility(False)


def _state(content: SceneContent) -> dict[str, Any]:
    return {
        "settings": dict(content.settings),
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
    hierarchy.add_node(review, nodes.composite)
    isodoses = hierarchy.add_folder(review, "Isodoses of the composite EQD2")
    for node in nodes.isodoses:
        hierarchy.add_node(isodoses, node)
