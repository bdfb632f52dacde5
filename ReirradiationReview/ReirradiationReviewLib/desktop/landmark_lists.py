"""Points that the user marked on the CTs of two courses to measure a registration at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from ..core.errors import ReirradiationError
from ..core.registration.qa.landmarks import Points
from ..core.review import Review
from ..scene.landmarks import landmarks_of

if TYPE_CHECKING:
    from .panel import ReviewPanel


class LandmarkLists:
    """One point list per course, kept in the scene; that of an earlier course moves with its CT.

    Parameters
    ----------
    ui
        Widgets of the section of registration.
    """

    def __init__(self, panel: ReviewPanel, ui: Any) -> None:
        self.panel = panel
        self.ui = ui
        self._index = -1
        for selector, index in (
            (ui.newLandmarksSelector, self._newIndex),
            (ui.earlierLandmarksSelector, self._earlierIndex),
        ):
            selector.connect("nodeAddedByUser(vtkMRMLNode*)", self._onAdded(index))
            selector.connect("currentNodeChanged(vtkMRMLNode*)", self._onChosen(index))

    def update(self, index: int) -> None:
        """Show the lists of an earlier course and of the new one."""
        self._index = index
        for selector, shown in (
            (self.ui.newLandmarksSelector, self._newIndex()),
            (self.ui.earlierLandmarksSelector, index),
        ):
            wasBlocked = selector.blockSignals(True)
            selector.setCurrentNode(self._list(shown))
            selector.blockSignals(wasBlocked)

    def marked(self) -> dict[int, Points]:
        """Return the points by the course's index, each in the space of its course's CT.

        Raises
        ------
        ReirradiationError
            If a list does not lie where the CT does that it was marked on.
        """
        review = self.panel.session.review
        found = {}
        for index in range(0 if review is None else len(review.courses)):
            points = self._list(index)
            if points is None:
                continue
            if points.GetParentTransformNode() is not self._transform(index):
                text = _(
                    "The points {name} do not move with the CT that they were marked on: make a new list here, or put "
                    "it below the CT's transform in the Transforms module."
                )
                raise ReirradiationError(text.format(name=points.GetName()))
            found[index] = landmarks_of(points)
        return found

    def _newIndex(self) -> int:
        review = self.panel.session.review
        return -1 if review is None else review.reference_index

    def _earlierIndex(self) -> int:
        return self._index

    def _transform(self, index: int) -> Any:
        ct = self.panel.session.nodes.courses[index].ct
        return None if ct is None else ct.GetParentTransformNode()

    def _list(self, index: int) -> Any:
        review = self.panel.session.review
        return None if review is None or index < 0 else self.panel.state.node(_role(review, index))

    def _onAdded(self, index: Callable[[], int]) -> Callable[[Any], None]:
        def added(node: Any) -> None:
            below = self._transform(index())
            node.SetAndObserveTransformNodeID(None if below is None else below.GetID())
            # The next clicks in the views place its points.
            selection = slicer.mrmlScene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
            selection.SetReferenceActivePlaceNodeClassName(node.GetClassName())
            selection.SetActivePlaceNodeID(node.GetID())
            interaction = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
            interaction.SetPlaceModePersistence(1)
            interaction.SetCurrentInteractionMode(interaction.Place)

        return added

    def _onChosen(self, index: Callable[[], int]) -> Callable[[Any], None]:
        def chosen(node: Any) -> None:
            review = self.panel.session.review
            if review is not None and index() >= 0:
                self.panel.state.setNode(_role(review, index()), node)

        return chosen


def _role(review: Review, index: int) -> str:
    """Return what a course's list is kept by: the dose's UID stays while courses come and go."""
    course = review.courses[index]
    return f"landmarks.{next(iter(course.plans[0].dose_uids), course.label)}"
