"""A proposed registration in the views: the earlier CT is moved, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from ..core.registration.course import CourseRegistration
from ..core.registration.qa.quality import RegistrationQuality
from ..scene.build import ReviewNodes
from ..scene.geometry import add_transform_nodes, set_linear
from ..scene.hierarchy import remove_node

if TYPE_CHECKING:
    from .panel import ReviewPanel


@dataclass(frozen=True)
class Proposal:
    """A registration that is shown but not in use.

    Parameters
    ----------
    quality
        None until it is measured.
    """

    index: int
    registration: CourseRegistration
    quality: RegistrationQuality | None = None


class RegistrationPreview:
    """Puts the earlier CT below a transform of its own for as long as a proposal is looked at."""

    def __init__(self, panel: ReviewPanel) -> None:
        self.panel = panel
        self.proposal: Proposal | None = None
        self._nodes: tuple[Any, ...] = ()

    def show(self, index: int, registration: CourseRegistration) -> None:
        """Show a registration of a course."""
        linear = registration.transform.displacement is None
        if self.proposal is not None and self.proposal.index == index and linear and len(self._nodes) == 1:
            set_linear(self._nodes[0], registration.transform)
        else:
            self.forget()
            name = _("{course} (proposed)").format(course=self.panel.session.review.courses[index].label)
            self._nodes = add_transform_nodes(slicer.mrmlScene, name, registration.transform)
            self._move(index, self._nodes[0])
        self.proposal = Proposal(index, registration)

    def forget(self) -> None:
        """Put the earlier CT back below the registration in use."""
        proposal, self.proposal = self.proposal, None
        session = self.panel.session
        if proposal is not None and session.review is not None:
            inUse = session.nodes.courses[proposal.index].transforms
            self._move(proposal.index, inUse[0] if inUse else None)
        for node in self._nodes:
            remove_node(slicer.mrmlScene, node)
        self._nodes = ()

    def _move(self, index: int, transform: Any) -> None:
        """Put the CT below a transform, and with it the points that were marked on it."""
        ct = self.panel.session.nodes.courses[index].ct
        if ct is None:
            return
        before = ct.GetParentTransformNode()
        marked = [n for n in slicer.util.getNodesByClass("vtkMRMLMarkupsNode") if n.GetParentTransformNode() is before]
        for node in [ct, *(marked if before is not None else ())]:
            node.SetAndObserveTransformNodeID(None if transform is None else transform.GetID())

    def shownNodes(self) -> ReviewNodes:
        """Return the review's nodes, with the proposal's transforms in place of those in use."""
        nodes = self.panel.session.nodes
        if self.proposal is None:
            return nodes
        courses = list(nodes.courses)
        courses[self.proposal.index] = replace(courses[self.proposal.index], transforms=self._nodes)
        return replace(nodes, courses=tuple(courses))
