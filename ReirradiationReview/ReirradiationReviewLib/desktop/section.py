"""What the sections of the panel have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    from ..core.review import Review
    from .panel import ReviewPanel


class Section:
    """One foldable part of the panel: its widgets from a .ui file, its handlers, and nothing that computes.

    Parameters
    ----------
    panel
        The panel that the section is put into.
    """

    # The section's .ui file is Resources/UI/ReirradiationReview<name>.ui; its heading in the panel is <name>Section.
    name = ""

    def __init__(self, panel: ReviewPanel) -> None:
        self.panel = panel
        self.widget = slicer.util.loadUI(panel.resourcePath(f"UI/ReirradiationReview{self.name}.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.heading = getattr(panel.ui, f"{self.name[0].lower()}{self.name[1:]}Section")
        self.heading.layout().addWidget(self.widget)
        self.setup()
        self.heading.connect("contentsCollapsed(bool)", self._onFolded)

    @property
    def review(self) -> Review | None:
        """The review that is open; None where there is none."""
        return self.panel.session.review

    def setup(self) -> None:
        """Fill what does not change, and connect the widgets."""

    def update(self) -> None:
        """Show the review as it is now."""

    def refresh(self) -> None:
        """Show the review, unless the section is folded: then it is shown when it is unfolded."""
        if not self.heading.collapsed:
            self.update()

    def _onFolded(self, collapsed: bool) -> None:
        if not collapsed:
            self.update()
