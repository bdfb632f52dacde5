"""The module's self-test: the whole panel, driven on the demo case as a user would, in a running Slicer."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer

from ..scene.geometry import array_of, to_ras

# On a slow machine the registration of the demo case takes minutes.
_JOB_TIMEOUT_SECONDS = 1200


class PanelSelfTest:
    """Each step leaves the panel as the next one needs it; the first one that fails ends the test.

    Parameters
    ----------
    panel
        The panel in Slicer's window, with an empty scene.
    say
        Shows what is being tested.
    """

    def __init__(self, panel: Any, say: Callable[[str], None]) -> None:
        self.panel = panel
        self.say = say
        self.folder = Path(tempfile.mkdtemp(prefix="ReirradiationReview"))

    def run(self) -> None:
        """Run all steps."""
        for step in (
            self.emptyPanelSaysWhatIsMissing,
            self.demoCaseIsListed,
            self.reviewIsMade,
            self.biologyMovesTheNumbers,
            self.coursesAndProtocolsAreChosen,
            self.rowLeadsToItsHotSpot,
            self.dvhIsDrawn,
            self.displayFollowsItsChoices,
            self.registrationIsProposedAndRejected,
            self.adjustmentIsAccepted,
            self.targetIsContoured,
            self.slicerRtTakesOver,
            self.everythingIsWritten,
            self.sceneComesBackTheSame,
        ):
            self.say(step.__doc__ or step.__name__)
            step()
            slicer.app.processEvents()

    # What the steps share

    def wait(self) -> None:
        """Let Slicer live until the running job has ended and everything is shown."""
        started = time.monotonic()
        while self.panel.jobs.isRunning:
            slicer.app.processEvents()
            check(time.monotonic() - started < _JOB_TIMEOUT_SECONDS, f"{self.panel.jobs.title} takes too long")
        self.panel.applyNow()
        self.panel.catchUp()
        slicer.app.processEvents()
        check(not self.panel.ui.messageLabel.text, f"unexpected message: {self.panel.ui.messageLabel.text}")

    @property
    def review(self) -> Any:
        """The review that is open."""
        return self.panel.session.review

    def organ(self, tg263: str) -> Any:
        """Return the organ of a TG-263 name."""
        return next(organ for organ in self.review.organs if organ.match.tg263 == tg263)

    def nearMaximumGy(self, tg263: str) -> float:
        """Return an organ's D0.03cc of the composite EQD2."""
        return float(self.organ(tg263).eqd2(self.review.weights()).low.dose_at_volume_cc(0.03))

    def numbers(self) -> list[tuple[str, str | None, str, str]]:
        """Return every constraint's verdict and value, for comparing."""
        return [(r.id, r.structure, r.verdict, f"{r.value:.4f}") for r in self.panel.session.constraints()]

    # The steps, in their order

    def emptyPanelSaysWhatIsMissing(self) -> None:
        """An empty panel says what is missing."""
        for section in self.panel.sections:
            section.heading.collapsed = False
        courses = self.panel.courses.ui
        check(self.review is None, "a review is open in an empty scene")
        check(not courses.startButton.enabled, "the review could be started without courses")
        check(bool(courses.startButton.toolTip), "the start button does not say why it is disabled")
        courses.findButton.click()
        check("no dose" in self.panel.ui.messageLabel.text, "an empty scene is not said to be empty")
        self.panel.ui.dismissButton.click()

    def demoCaseIsListed(self) -> None:
        """The demo case is made and listed, one row per plan."""
        self.panel.courses.loadDemoCase()
        self.wait()
        table = self.panel.courses.ui.coursesTable
        check(table.rowCount == 2, f"{table.rowCount} plans are listed instead of 2")
        fractions = [table.item(row, 3).text() for row in range(2)]
        check(fractions == ["30", "5"], f"the fractions are {fractions}")
        dates = [table.item(row, 1).text() for row in range(2)]
        check(dates == sorted(dates), "the courses are not in the order of time")

    def reviewIsMade(self) -> None:
        """The earlier course is registered and the review is shown."""
        self.panel.courses.ui.startButton.click()
        self.wait()
        check(self.review is not None, "no review was made")
        check(self.review.registrations[0].method == "rigid", "the earlier course was not registered")
        composite = self.panel.session.nodes.composite
        highest = float(np.nanmax(array_of(composite.GetImageData())))
        check(highest > 60.0, f"the composite's maximum is {highest:.1f} Gy")
        check(composite.GetAttribute("DicomRtImport.DoseVolume") == "1", "the composite is no dose to SlicerRT")
        rows = self.panel.constraints.ui.constraintsTable.rowCount
        check(rows == len(self.panel.session.constraints()) > 0, "the constraint table is not filled")
        check("RERT-DEMO" in self.panel.ui.patientLabel.text, "the patient is not named")

    def biologyMovesTheNumbers(self) -> None:
        """Alpha/beta by slider and by typing, recovery, and back."""
        ui, before = self.panel.biology.ui, self.nearMaximumGy("SpinalCord")
        row = [organ.match.tg263 for organ in self.review.organs].index("SpinalCord")
        ui.biologyTable.selectRow(row)
        ui.alphaBetaSlider.value = 8.0
        self.wait()
        check(self.nearMaximumGy("SpinalCord") != before, "EQD2 did not follow the slider")
        ui.biologyTable.item(row, 2).setText("2,5")
        self.wait()
        check(math.isclose(self.organ("SpinalCord").alpha_beta_gy, 2.5), "a typed alpha/beta was not taken")
        ui.biologyTable.item(row, 2).setText("nonsense")
        check(bool(self.panel.ui.messageLabel.text), "nonsense was taken for a number")
        self.panel.ui.dismissButton.click()
        ui.recoverySlider.value = 25.0
        self.wait()
        check(max(self.organ("SpinalCord").recovery) == 0.25, "the recovery was not taken")
        ui.resetOrganButton.click()
        self.wait()
        check(math.isclose(self.nearMaximumGy("SpinalCord"), before), "the tables' values did not come back")

    def coursesAndProtocolsAreChosen(self) -> None:
        """A course is left out of the sum, a protocol is added."""
        ui, before = self.panel.constraints.ui, self.numbers()
        ui.coursesList.item(0).setCheckState(qt.Qt.Unchecked)
        self.wait()
        check(self.review.settings.left_out == frozenset({0}), "the course was not left out")
        check(self.numbers() != before, "no number changed without the first course")
        ui.coursesList.item(0).setCheckState(qt.Qt.Checked)
        self.wait()
        check(self.numbers() == before, "the numbers did not come back with the course")
        unticked = next(
            row for row in range(ui.protocolsList.count) if ui.protocolsList.item(row).checkState() != qt.Qt.Checked
        )
        ui.protocolsList.item(unticked).setCheckState(qt.Qt.Checked)
        self.wait()
        check(len(self.numbers()) > len(before), "the protocol was not added")

    def rowLeadsToItsHotSpot(self) -> None:
        """A click on a row brings all views to the hot spot and names the courses' shares."""
        section = self.panel.constraints
        for _once_more in range(2):
            section.onSort(3)
        row = next(index for index, shown in enumerate(section.rows) if shown.result.structure is not None)
        section.onRowClicked(row, 0)
        slicer.app.processEvents()
        check("course 1" in section.ui.detailLabel.text, "the shares of the courses are not told")
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        spot = np.array(crosshair.GetCrosshairRAS())
        for name in ("Red", "Yellow", "Green"):
            node = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
            matrix = node.GetSliceToRAS()
            normal = np.array([matrix.GetElement(row, 2) for row in range(3)])
            origin = np.array([matrix.GetElement(row, 3) for row in range(3)])
            check(abs(normal @ (spot - origin)) < 0.6, f"the {name} view does not go through the hot spot")

    def dvhIsDrawn(self) -> None:
        """The dose-volume histograms are drawn in a plot view."""
        ui = self.panel.constraints.ui
        ui.dvhGroup.collapsed = False
        ui.showDvhButton.click()
        self.wait()
        chart = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
        check(chart is not None and chart.GetNumberOfPlotSeriesNodes() > 0, "no histogram was drawn")
        ui.relativeVolumeCheckBox.checked = False
        self.wait()
        check(chart.GetYAxisTitle() == "Volume (cc)", "the volume did not become absolute")

    def displayFollowsItsChoices(self) -> None:
        """Overlays, isodose sets, surfaces, legend and layouts."""
        display, ui = self.panel.display, self.panel.display.ui
        for row in range(ui.overlaySelector.count):
            display.onOverlay(row)
        display.showVolume(self.panel.session.nodes.composite)
        for row in range(ui.isodoseSelector.count):
            display.onIsodoses(row)
            self.wait()
            check(bool(self.panel.session.nodes.isodoses), f"set {row} of isodoses is empty")
        display.onIsodoses(1)
        names = [node.GetName() for node in self.panel.session.nodes.isodoses]
        check(names == ["5 Gy", "20 Gy", "40 Gy", "60 Gy"], f"figure 1 has the isodoses {names}")
        for box in (ui.surfacesCheckBox, ui.legendCheckBox):
            box.checked = True
        self.wait()
        shown = self.panel.session.nodes.isodoses[0].GetDisplayNode()
        check(bool(shown.GetVisibility3D()), "the isodose surfaces are not shown")
        ui.surfacesCheckBox.checked = False
        for row in reversed(range(ui.layoutSelector.count)):
            display.onLayout(row)
            slicer.app.processEvents()

    def registrationIsProposedAndRejected(self) -> None:
        """A proposal is shown without any number following it, and is taken back."""
        registration, before = self.panel.registration, self.numbers()
        registration.ui.manualGroup.collapsed = False
        registration.ui.leftSlider.value = 10.0
        registration.ui.checkOpacitySlider.value = 0.6
        slicer.app.processEvents()
        check(registration.ui.acceptButton.enabled, "there is no proposal to accept")
        check(self.numbers() == before, "numbers follow a proposal that was not accepted")
        for row in range(registration.ui.checkModeSelector.count):
            registration.ui.checkModeSelector.currentIndex = row
            slicer.app.processEvents()
        registration.ui.checkModeSelector.currentIndex = 0
        registration.ui.rejectButton.click()
        self.wait()
        check(registration.preview.proposal is None, "the proposal was not taken back")
        # Two scans of different frames of reference cannot be taken as they are.
        names = [registration.ui.methodSelector.itemText(row) for row in range(registration.ui.methodSelector.count)]
        registration.ui.methodSelector.currentIndex = names.index(next(n for n in names if n.startswith("None")))
        registration.ui.registerButton.click()
        while self.panel.jobs.isRunning:
            slicer.app.processEvents()
        check("Frame" in self.panel.ui.messageLabel.text, "different frames of reference were taken as one")
        self.panel.ui.dismissButton.click()

    def adjustmentIsAccepted(self) -> None:
        """An adjustment by hand is accepted: the doses are mapped anew, and nothing else is."""
        ui, before = self.panel.registration.ui, self.numbers()
        composite = self.panel.session.nodes.composite
        ui.superiorSlider.value = 10.0
        ui.acceptButton.click()
        self.wait()
        check(self.review.registrations[0].method == "manual", "the adjustment was not used")
        check(self.numbers() != before, "no number followed the registration")
        check(self.panel.session.nodes.composite is composite, "the composite is another node than before")

    def targetIsContoured(self) -> None:
        """A target is contoured in the Segment Editor; it takes nothing from other structures and is evaluated."""
        ui, session = self.panel.target.ui, self.panel.session
        ui.targetNameEdit.text = "GTV_selftest"
        ui.contourButton.click()
        segmentation, ct = session.nodes.segmentation, session.nodes.reference_ct
        segmentId = segmentation.GetSegmentation().GetSegmentIdBySegmentName("GTV_selftest")
        check(bool(segmentId), "the target was not added")
        node = slicer.modules.SegmentEditorWidget.editor.mrmlSegmentEditorNode()
        check(node.GetOverwriteMode() == node.OverwriteNone, "contouring would take voxels from other structures")
        volumes = {organ.name: organ.samples.volume_cc for organ in self.review.organs}
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segmentId, ct)
        centre = _ijk(ct, to_ras(session.target_point()))
        k, j, i = np.ogrid[: mask.shape[0], : mask.shape[1], : mask.shape[2]]
        spacing = ct.GetSpacing()
        squares = ((i - centre[0]) * spacing[0]) ** 2 + ((j - centre[1]) * spacing[1]) ** 2
        ball = (squares + ((k - centre[2]) * spacing[2]) ** 2 <= 12.0**2).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(ball, segmentation, segmentId, ct)
        slicer.util.selectModule("ReirradiationReview")
        self.panel.sceneWatch.followSegments()
        self.wait()
        drawn = next(organ for organ in self.review.organs if organ.name == "GTV_selftest")
        check(abs(drawn.samples.volume_cc - 7.24) < 0.8, f"the ball of 7.24 cc has {drawn.samples.volume_cc:.2f} cc")
        kept = {organ.name: organ.samples.volume_cc for organ in self.review.organs if organ.name in volumes}
        check(kept == volumes, "another structure changed while the target was drawn")

    def slicerRtTakesOver(self) -> None:
        """SlicerRT's modules open on the composite, or the buttons say why they cannot."""
        display = self.panel.display.ui
        for button, capability, module in (
            (display.isodoseModuleButton, self.panel.capabilities.isodoseModule, "Isodose"),
            (display.dvhModuleButton, self.panel.capabilities.dvhModule, "DoseVolumeHistogram"),
        ):
            check(bool(button.enabled) == capability.available, f"{module}: the button does not tell what is there")
            if not capability.available:
                check("SlicerRT" in button.toolTip, f"{module}: the button does not say what is missing")
                continue
            button.click()
            self.wait()
            widget = slicer.util.getModule(module).widgetRepresentation()
            selector = slicer.util.findChild(widget, "MRMLNodeComboBox_DoseVolume")
            chosen = selector.currentNodeID
            check(chosen == self.panel.session.nodes.composite.GetID(), f"{module} is not open on the composite")
            slicer.util.selectModule("ReirradiationReview")

    def everythingIsWritten(self) -> None:
        """Pictures, numbers, RTDOSE, transforms and, where its packages are there, the report."""
        ui = self.panel.export.ui
        ui.folderButton.directory = str(self.folder)
        buttons = [ui.viewsButton, ui.standardViewsButton, ui.dataButton, ui.doseButton, ui.transformsButton]
        for button in buttons + ([ui.reportButton] if ui.reportButton.enabled else []):
            button.click()
            self.wait()
        written = {path.name for path in self.folder.rglob("*") if path.is_file() and path.stat().st_size > 0}
        wanted = {"review.json", "composite_eqd2_ab3.dcm", "course1.tfm", "hot_spot_axial.png", "view_axial.png"}
        check(wanted <= written, f"not written: {sorted(wanted - written)}")

    def sceneComesBackTheSame(self) -> None:
        """The scene is saved, closed and loaded: the same panel with the same numbers."""
        before, isodoses = self.numbers(), len(self.panel.session.nodes.isodoses)
        self.panel.export.ui.sceneButton.click()
        self.wait()
        slicer.mrmlScene.Clear()
        slicer.app.processEvents()
        check(self.review is None, "the review outlives its scene")
        check(self.panel.courses.ui.coursesTable.rowCount == 0, "courses outlive their scene")
        slicer.util.loadScene(str(self.folder / "review.mrb"))
        self.wait()
        check(self.review is not None, "the loaded scene's review was not opened")
        check(self.numbers() == before, "the loaded scene has other numbers")
        check(len(self.panel.session.nodes.isodoses) == isodoses, "the isodoses did not come back")


def check(holds: bool, sentence: str) -> None:
    """Raise AssertionError with a sentence unless something holds."""
    if not holds:
        raise AssertionError(sentence)


def _ijk(volume: Any, point_ras: Any) -> list[float]:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetRASToIJKMatrix(matrix)
    return list(matrix.MultiplyPoint([*np.asarray(point_ras).tolist(), 1.0])[:3])
