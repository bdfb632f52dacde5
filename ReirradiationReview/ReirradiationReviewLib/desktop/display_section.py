"""The section of display: dose wash, isodoses, fusion, layouts, and the hand-off to SlicerRT's modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from ..core.errors import ReirradiationError
from ..scene.figure1_preset import FIGURE1
from ..scene.isodose_presets import constraint_levels, percent_levels
from ..scene.overlay import show_isodoses, show_legend, show_over_ct, show_structures
from . import slicer_rt
from .capabilities import enableWith
from .section import Section
from .tables import quietly
from .view_layouts import LAYOUTS, showLayout

ISODOSE_PRESETS = (
    ("standard", _("5 to 120 Gy, as far as the composite reaches")),
    ("figure1", _("5, 20, 40, 60 Gy (Beddok 2022, figure 1)")),
    ("percent", _("Percent of a prescription")),
    ("constraints", _("At the limits of the constraints")),
)
NOTHING = ""


class DisplaySection(Section):
    """What is chosen here is kept in the scene, and changes no value."""

    name = "Display"

    def setup(self) -> None:
        ui = self.ui
        ui.isodoseSelector.addItems([text for _name, text in ISODOSE_PRESETS])
        ui.layoutSelector.addItems([text for _name, text in LAYOUTS])
        ui.overlaySelector.connect("activated(int)", self.onOverlay)
        ui.overlayOpacitySlider.connect("valueChanged(double)", self.onOpacity)
        ui.isodoseSelector.connect("activated(int)", self.onIsodoses)
        ui.prescriptionSpinBox.connect("valueChanged(double)", self.onPrescription)
        ui.layoutSelector.connect("activated(int)", self.onLayout)
        for name in ("lines", "surfaces", "structures", "legend"):
            getattr(ui, f"{name}CheckBox").connect("toggled(bool)", self._remember(name))
        ui.hotSpotButton.connect("clicked()", self.onHotSpot)
        ui.targetButton.connect("clicked()", self.onTarget)
        ui.isodoseModuleButton.connect("clicked()", lambda: self._handOver(slicer_rt.openIsodose))
        ui.dvhModuleButton.connect("clicked()", lambda: self._handOver(slicer_rt.openDvh))

    def _remember(self, name: str) -> Callable[[bool], None]:
        def toggled(on: bool) -> None:
            self.panel.state.set(f"display.{name}", on)
            self.showOverlay()

        return toggled

    # What is shown

    def showReview(self) -> None:
        """Show a review that was just opened: its choices of display, from the whole to the hot spot."""
        self.showIsodoses()
        self.showOverlay()
        slicer.util.resetSliceViews()
        self.update()
        self.onHotSpot()

    def update(self) -> None:
        review, ui, state = self.review, self.ui, self.panel.state
        self.widget.enabled = review is not None
        if review is None:
            return
        self._fillOverlays()
        quietly(ui.overlayOpacitySlider, "value", float(state.get("display.opacity", 0.4)))
        quietly(ui.isodoseSelector, "currentIndex", [name for name, _text in ISODOSE_PRESETS].index(self.preset))
        quietly(ui.prescriptionSpinBox, "value", float(self.prescriptionGy))
        ui.prescriptionSpinBox.enabled = self.preset == "percent"
        for name, default in (("lines", True), ("surfaces", False), ("structures", True), ("legend", False)):
            quietly(getattr(ui, f"{name}CheckBox"), "checked", bool(state.get(f"display.{name}", default)))
        ui.targetButton.enabled = self.panel.session.target_point() is not None
        enableWith(ui.isodoseModuleButton, self.panel.capabilities.isodoseModule, _("Open SlicerRT's Isodose module"))
        enableWith(ui.dvhModuleButton, self.panel.capabilities.dvhModule, _("Open SlicerRT's DVH module"))

    def _overlays(self) -> list[Any]:
        """Return what can be laid over the CT: the review's volumes first, then what else is in the scene."""
        nodes = self.panel.session.nodes
        found = [nodes.composite, *(course.eqd2 for course in nodes.courses if course.eqd2 is not None)]
        found += [dose for course in nodes.courses for dose in course.doses]
        found += [course.ct for course in nodes.courses if course.ct is not None]
        found += [image.volume for image in nodes.images]
        others = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        known = {node.GetID() for node in found}
        found += [node for node in others if node.GetID() not in known and not node.GetHideFromEditors()]
        return [node for node in found if node is not nodes.reference_ct]

    def _fillOverlays(self) -> None:
        selector, chosen = self.ui.overlaySelector, self.overlay
        wasBlocked = selector.blockSignals(True)
        selector.clear()
        for node in self._overlays():
            selector.addItem(node.GetName(), node.GetID())
        selector.addItem(_("Nothing"), NOTHING)
        row = selector.findData(NOTHING if chosen is None else chosen.GetID())
        selector.setCurrentIndex(max(0, row))
        selector.blockSignals(wasBlocked)

    @property
    def overlay(self) -> Any:
        """The volume that is laid over the CT; None for nothing."""
        if self.panel.state.get("display.plain", False):
            return None
        return self.panel.state.node("overlay") or self.panel.session.nodes.composite

    def showOverlay(self) -> None:
        """Show the chosen volume over the CT in all slice views."""
        if self.review is None:
            return
        opacity = float(self.panel.state.get("display.opacity", 0.4))
        show_over_ct(slicer.mrmlScene, self.panel.session.nodes, self.overlay, opacity)
        self.showLines()

    def showLines(self) -> None:
        """Show isodoses, structures and legend as chosen; new isodoses come with every change of the dose."""
        nodes, state = self.panel.session.nodes, self.panel.state
        show_isodoses(nodes, lines=state.get("display.lines", True), surfaces=state.get("display.surfaces", False))
        show_structures(nodes, state.get("display.structures", True))
        show_legend(slicer.mrmlScene, self.overlay, state.get("display.legend", False))

    def onOverlay(self, row: int) -> None:
        self.showVolume(slicer.mrmlScene.GetNodeByID(self.ui.overlaySelector.itemData(row) or ""))

    def showVolume(self, node: Any) -> None:
        """Lay a volume over the CT; None, or the CT itself, for the plain CT."""
        isPlain = node is None or node is self.panel.session.nodes.reference_ct
        self.panel.state.set("display.plain", isPlain)
        self.panel.state.setNode("overlay", None if isPlain else node)
        self.showOverlay()
        self.refresh()

    def onOpacity(self, value: float) -> None:
        self.panel.state.set("display.opacity", value)
        self.showOverlay()

    # Isodoses

    @property
    def preset(self) -> str:
        """The chosen set of isodose levels."""
        return str(self.panel.state.get("display.isodoses", "standard"))

    @property
    def prescriptionGy(self) -> float:
        """The EQD2 that percentages refer to: the user's, else the new plan's prescription."""
        known = [plan.prescription_gy for plan in self.review.reference.plans if plan.prescription_gy]
        return float(self.panel.state.get("display.prescription", max(known, default=60.0)))

    def showIsodoses(self) -> None:
        """Draw the isodoses of the chosen set."""
        with self.panel.told():
            levels = {
                "standard": lambda: None,
                "figure1": lambda: FIGURE1.levels,
                "percent": lambda: percent_levels(self.prescriptionGy),
                "constraints": lambda: constraint_levels(self.panel.session.constraints()),
            }[self.preset]()
            if levels is not None and not levels:
                raise ReirradiationError(_("No contoured organ has a limit in EQD2, so there is no level to draw."))
            self.panel.session.live.show_levels(levels)
            self.showLines()

    def onIsodoses(self, row: int) -> None:
        self.panel.state.set("display.isodoses", ISODOSE_PRESETS[row][0])
        self.ui.prescriptionSpinBox.enabled = self.preset == "percent"
        self.showIsodoses()

    def onPrescription(self, value: float) -> None:
        self.panel.state.set("display.prescription", value)
        if self.preset == "percent":
            self.showIsodoses()

    # Views

    def onLayout(self, row: int) -> None:
        showLayout(LAYOUTS[row][0], self.panel)

    def onHotSpot(self) -> None:
        self.panel.session.jump_to(self.review.hot_spot_lps())

    def onTarget(self) -> None:
        point = self.panel.session.target_point()
        if point is not None:
            self.panel.session.jump_to(point)

    def _handOver(self, openModule: Callable[[Any], None]) -> None:
        with self.panel.told():
            openModule(self.panel.session.nodes)
