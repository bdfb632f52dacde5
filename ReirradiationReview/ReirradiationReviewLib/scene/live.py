"""Keeps a scene's nodes in step with a review that changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.courses import Structure
from ..core.dose_mapping import PlanWeight
from ..core.errors import ReirradiationError
from ..core.images import PlacedImage
from ..core.review import Review
from .build import ReviewNodes, arrange_images, drawn_on, replace_transforms, review_record, scene_state
from .content import IsodoseLevel, SceneContent
from .doses import Wash, set_eqd2
from .environment import SceneEnvironment
from .figure1_preset import FIGURE1
from .from_review import composite_eqd2, course_eqd2, levels_below, live_content, plan_dose, scene_organs
from .geometry import to_ras
from .hierarchy import put_beside, put_isodoses
from .images import add_images, image_roles
from .isodose import isodose_levels, set_isodose_colours, set_isodose_models, set_surfaces, set_wash_colours
from .records import write_record
from .segmentation import set_segments
from .segments import SegmentWatch
from .state import set_referenced, write_state


class LiveScene:
    """The nodes of one review in a scene.

    Parameters
    ----------
    nodes
        As `build_scene` made them or `restore_review` found them.
    review
        The review that they show.
    images
        What ``nodes.images`` show.

    Attributes
    ----------
    levels
        The isodoses that are drawn, by rising dose: lines, surfaces and the wash's colours.
    """

    def __init__(
        self,
        environment: SceneEnvironment,
        nodes: ReviewNodes,
        review: Review,
        images: Sequence[PlacedImage] = (),
    ) -> None:
        self._environment = environment
        self._images = tuple(images)
        self.nodes = nodes
        self._shown = self._composite_of = review
        self._levels: tuple[IsodoseLevel, ...] | None = None
        self.levels = isodose_levels(nodes.isodose_colours)
        self._watch = SegmentWatch(nodes.segmentation)

    def edited_structures(self) -> tuple[Structure, ...] | None:
        """Return the reference course's structures with what was contoured in the scene; None where nothing was."""
        return self._watch.edited(self._shown.reference.structures, drawn_on(self._content()))

    def follow(self, review: Review, *, segments_show_it: bool = False) -> None:
        """Bring the nodes up to date with another review of the same courses.

        Parameters
        ----------
        segments_show_it
            The review's structures are what was contoured in the scene: the segments are left as they are.
        """
        before, self._shown = self._shown, review
        if review is before:
            return
        content = self._content()
        with self._one_change():
            if review.registrations is not before.registrations:
                self._renew_transforms(review, before)
            if not _same_dose(review, before):
                self._renew_doses(content)
            if review.reference.structures is not before.reference.structures and not segments_show_it:
                set_segments(self.nodes.segmentation, content.organs, scene_organs(before), drawn_on(content))
                self._watch.reset()
            if review.courses is not before.courses or review.registrations is not before.registrations:
                write_record(self.nodes.record, review_record(content))
            if _own_weights(review) != _own_weights(before):
                set_surfaces(self.nodes.plan_isodoses, plan_dose(review), FIGURE1.levels)
            write_state(self.nodes.parameters, scene_state(content))

    def follow_composite(self, review: Review, *, courses_too: bool = False) -> None:
        """Bring the composite's volume up to date, quickly, while a control moves; `follow` does the rest.

        Parameters
        ----------
        courses_too
            And the volumes of the courses' own EQD2, where they are looked at.
        """
        if _same_dose(review, self._composite_of) and not courses_too:
            return
        self._composite_of = review
        alpha_beta_gy = review.settings.display_alpha_beta_gy
        composite = composite_eqd2(review)
        levels = self._levels or levels_below(float(np.nanmax(composite.array)))
        set_eqd2(self.nodes.composite, "Composite", composite, alpha_beta_gy)
        for index, nodes in enumerate(self.nodes.courses if courses_too else ()):
            if nodes.eqd2 is not None:
                set_eqd2(nodes.eqd2, f"{review.courses[index].label}:", course_eqd2(review, index), alpha_beta_gy)
        if levels != self.levels:
            with self._one_change():
                self._renew_wash(levels)

    @property
    def images(self) -> tuple[PlacedImage, ...]:
        """PET, MR and others that are shown beside the courses, in the order of ``nodes.images``."""
        return self._images

    def add_images(self, images: Sequence[PlacedImage]) -> None:
        """Show more images beside the courses.

        Raises
        ------
        ReirradiationError
            If an image of that name is shown already.
        """
        known = {image.name for image in self._images}
        for image in images:
            if image.name in known:
                raise ReirradiationError(f"an image {image.name!r} is there already: it was not added again")
        with self._one_change():
            added = add_images(self._environment.scene, images, self._shown.reference.label)
            self._images = (*self._images, *images)
            self.nodes = replace(self.nodes, images=(*self.nodes.images, *added))
            for role, nodes in image_roles(self.nodes.images).items():
                set_referenced(self.nodes.parameters, role, nodes)
            content = self._content()
            arrange_images(self._environment.scene, content.patient, images, added)
            write_record(self.nodes.record, review_record(content))

    def show_levels(self, levels: Sequence[IsodoseLevel] | None) -> None:
        """Draw these isodoses, by rising dose; None for the standard ones that the composite reaches."""
        self._levels = None if levels is None else tuple(levels)
        content = self._content()
        with self._one_change():
            self._renew_doses(content)
            write_state(self.nodes.parameters, scene_state(content))

    def jump_to(self, point_lps: NDArray[np.float64]) -> None:
        """Bring all slice views of the scene, and its crosshair, to a point in reference space, LPS mm, ``(3,)``."""
        point_ras = to_ras(point_lps).tolist()
        crosshair = self._environment.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None:
            crosshair.SetCrosshairRAS(*point_ras)
        nodes = self._environment.scene.GetNodesByClass("vtkMRMLSliceNode")
        for index in range(nodes.GetNumberOfItems()):
            nodes.GetItemAsObject(index).JumpSliceByCentering(*point_ras)

    def _content(self) -> SceneContent:
        content = replace(live_content(self._shown), images=self._images)
        return content if self._levels is None else replace(content, levels=self._levels)

    def _one_change(self) -> AbstractContextManager[None]:
        return self._environment.one_change(self._environment.scene)

    def _renew_doses(self, content: SceneContent) -> None:
        nodes, alpha_beta_gy = self.nodes, content.alpha_beta_gy
        self._composite_of = self._shown
        set_eqd2(nodes.composite, "Composite", content.composite, alpha_beta_gy)
        for placed, course_nodes in zip(content.courses, nodes.courses, strict=True):
            if course_nodes.eqd2 is not None and placed.eqd2 is not None:
                set_eqd2(course_nodes.eqd2, f"{placed.course.label}:", placed.eqd2, alpha_beta_gy)
        if content.levels != self.levels:
            self._renew_wash(content.levels)
        scene = self._environment.scene
        isodoses = set_isodose_models(scene, nodes.isodoses, content.composite, content.levels)
        self.nodes = replace(nodes, isodoses=isodoses)
        set_referenced(nodes.parameters, "isodose", isodoses)
        put_isodoses(scene, nodes.composite, isodoses)

    def _renew_transforms(self, review: Review, before: Review) -> None:
        """Put each course whose registration is another one below its new transform."""
        courses = list(self.nodes.courses)
        changed = zip(review.registrations, before.registrations, strict=True)
        for index, (registration, known) in enumerate(changed):
            if registration is known or index == review.reference_index:
                continue
            name = f"{review.courses[index].label} to {review.reference.label}"
            courses[index] = replace_transforms(self._environment.scene, courses[index], registration.transform, name)
            set_referenced(self.nodes.parameters, f"course{index + 1}.transform", courses[index].transforms)
            for node in courses[index].transforms:
                put_beside(self._environment.scene, self.nodes.composite, node)
        self.nodes = replace(self.nodes, courses=tuple(courses))

    def _renew_wash(self, levels: Sequence[IsodoseLevel]) -> None:
        nodes, self.levels = self.nodes, tuple(levels)
        set_wash_colours(nodes.wash_colours, levels)
        set_isodose_colours(nodes.isodose_colours, levels)
        wash = Wash(nodes.wash_colours, levels)
        of_courses = [node for course in nodes.courses for node in (course.eqd2, *course.doses)]
        for node in (nodes.composite, *of_courses):
            if node is not None:
                wash.apply(node)


def _same_dose(review: Review, other: Review) -> bool:
    """Return whether every dose that is shown is the same in two reviews."""
    return (
        review.composite is other.composite
        and review.weights() == other.weights()
        and review.settings.display_alpha_beta_gy == other.settings.display_alpha_beta_gy
    )


def _own_weights(review: Review) -> list[PlanWeight]:
    return review.weights([review.reference_index])
