"""The section of the target: contour it on PET or MR, with the isodoses in view."""

from __future__ import annotations

import math
from typing import Any

from slicer.i18n import tr as _

from ..core.errors import ReirradiationError
from ..core.organ_dose import OrganDose
from ..core.organs.dvh import metric
from .section import Section
from .segment_editor import contour, segmentNamed
from .tables import Cell, fillTable, prepareTable

_TARGET_COLOR = (1.0, 0.0, 0.0)


class TargetSection(Section):
    """Targets are segments of the review's own segmentation; values follow while they are drawn."""

    name = "Target"

    def setup(self) -> None:
        ui = self.ui
        prepareTable(ui.targetsTable)
        ui.contourButton.connect("clicked()", self.onContour)
        ui.sourceSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onSource)

    def update(self) -> None:
        review = self.review
        self.widget.enabled = review is not None
        if review is None:
            fillTable(self.ui.targetsTable, [])
            return
        targets = [organ for organ in review.organs if organ.match.is_target]
        fillTable(self.ui.targetsTable, [self._row(organ) for organ in targets])

    def _row(self, organ: OrganDose) -> tuple[Cell, ...]:
        review = self.review
        earlier = [index for index in range(len(review.courses)) if index != review.reference_index]
        new = organ.physical(review.weights([review.reference_index])).low
        return (
            Cell(organ.name),
            Cell(f"{organ.samples.volume_cc:.2f}"),
            Cell(_gy(metric("D98%")(new))),
            Cell(_gy(metric("D95%")(new))),
            Cell(_gy(metric("D2%")(organ.eqd2(review.weights(earlier)).low))),
        )

    def images(self) -> list[Any]:
        """Return the PET, MR and other volumes of the review."""
        return [] if self.review is None else [nodes.volume for nodes in self.panel.session.nodes.images]

    @property
    def source(self) -> Any:
        """The volume that is contoured on: the chosen one, else the planning CT."""
        return self.ui.sourceSelector.currentNode() or self.panel.session.nodes.reference_ct

    def onSource(self, _node: object) -> None:
        self.update()

    def onContour(self) -> None:
        """Open the Segment Editor on the target."""
        with self.panel.told():
            name = self.ui.targetNameEdit.text.strip()
            if not name:
                raise ReirradiationError(_("Give the target a name, such as GTV_new."))
            nodes = self.panel.session.nodes
            segmentId = segmentNamed(nodes.segmentation, name, _TARGET_COLOR)
            contour(nodes.segmentation, segmentId, self.source, None)
            self.panel.display.showVolume(self.source)


def _gy(value: float) -> str:
    return _("unknown") if math.isnan(value) else f"{value:.1f} Gy"
