"""A proposed registration in the views: the earlier CT is moved, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from ..core.registration.course import CourseRegistration
from ..scene.geometry import add_transform_nodes, set_linear
from ..scene.hierarchy import remove_node
from ..scene.overlay import show_over_ct

if TYPE_CHECKING:
    from .panel import ReviewPanel

CHECK_MODES = (("off", _("Off")), ("blend", _("Blend")))


@dataclass(frozen=True)
class Proposal:
    """A registration that is shown but not in use."""

    index: int
    registration: CourseRegistration


class RegistrationPreview:
    """Puts the earlier CT below a transform of its own for as long as a proposal is looked at."""

    def __init__(self, panel: ReviewPanel) -> None:
        self.panel = panel
        self.proposal: Proposal | None = None
        self._nodes: tuple[Any, ...] = ()

    def connectCheck(self, modeSelector: Any, opacitySlider: Any) -> None:
        """Let the user choose how the two CTs are shown together."""
        self.modeSelector, self.opacitySlider = modeSelector, opacitySlider
        modeSelector.addItems([text for _name, text in CHECK_MODES])
        modeSelector.connect("currentIndexChanged(int)", lambda _row: self.showCheck())
        opacitySlider.connect("valueChanged(double)", lambda _value: self.showCheck())

    def show(self, index: int, registration: CourseRegistration) -> None:
        """Show a registration of a course."""
        linear = registration.transform.displacement is None
        if self.proposal is not None and self.proposal.index == index and linear and len(self._nodes) == 1:
            set_linear(self._nodes[0], registration.transform)
            self.proposal = Proposal(index, registration)
            return
        self.forget()
        ct = self.panel.session.nodes.courses[index].ct
        name = _("{course} (proposed)").format(course=self.panel.session.review.courses[index].label)
        self._nodes = add_transform_nodes(slicer.mrmlScene, name, registration.transform)
        if ct is not None:
            ct.SetAndObserveTransformNodeID(self._nodes[0].GetID())
        self.proposal = Proposal(index, registration)
        if self.mode == "off":
            self.modeSelector.setCurrentIndex(1)  # a proposal is there to be looked at
        self.showCheck()

    def forget(self) -> None:
        """Put the earlier CT back below the registration in use."""
        proposal, self.proposal = self.proposal, None
        session = self.panel.session
        if proposal is not None and session.review is not None:
            nodes = session.nodes.courses[proposal.index]
            if nodes.ct is not None and nodes.transforms:
                nodes.ct.SetAndObserveTransformNodeID(nodes.transforms[0].GetID())
        for node in self._nodes:
            remove_node(slicer.mrmlScene, node)
        self._nodes = ()

    @property
    def mode(self) -> str:
        """How the two CTs are shown together."""
        return CHECK_MODES[self.modeSelector.currentIndex][0]

    def showCheck(self) -> None:
        """Show the two CTs together as chosen."""
        session, index = self.panel.session, self.panel.registration.courseIndex
        if session.review is None or index < 0:
            return
        if self.mode == "off":
            self.panel.display.showOverlay()
        else:
            ct = session.nodes.courses[index].ct
            show_over_ct(slicer.mrmlScene, session.nodes, ct, self.opacitySlider.value)
