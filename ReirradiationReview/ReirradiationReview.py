"""3D Slicer module: review of re-irradiation. The work is done in ReirradiationReviewLib; here is what Slicer sees."""

from __future__ import annotations

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class ReirradiationReview(ScriptedLoadableModule):
    """What the module list, the help and the Sample Data module show."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Re-irradiation Review")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Radiotherapy")]
        parent.dependencies = []  # SlicerRT is of use but not needed: a missing dependency would hide the module
        parent.contributors = ["ReirradiationReview contributors"]
        parent.helpText = _(
            "Brings earlier courses of radiotherapy to the new plan, sums them as EQD2 for any alpha/beta and checks "
            "published constraints while you change what they rest on. Load each course (CT, RTSTRUCT, RTPLAN, RTDOSE) "
            "from its DICOM folder, or find the courses that SlicerRT has loaded; check what was read; start the "
            "review. The demo case is in the Sample Data module; the tutorial is at <a href='{link}'>{link}</a>. "
            "<b>Research use only; not a medical device. Check every number independently.</b>"
        ).format(link="https://github.com/ReirradiationReview/SlicerReirradiationReview")
        parent.acknowledgementText = _(
            "Follows the recommendations of Beddok et al., Crit Rev Oncol Hematol 174 (2022) 103655, "
            "doi 10.1016/j.critrevonc.2022.103655."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData() -> None:
    """Offer the demo case in the Sample Data module. It is made on this computer; nothing is downloaded."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=_("Re-irradiation Review"),
        sampleName="ReirradiationReviewDemo",
        uris="",
        thumbnailFileName=str(Path(__file__).parent / "Resources" / "Icons" / "ReirradiationReviewDemo.png"),
        customDownloader=openDemoCase,
    )


def openDemoCase(_source=None) -> None:
    """Make the synthetic demo case in Slicer's cache, and load its courses into the module's panel."""
    slicer.util.selectModule("ReirradiationReview")
    slicer.util.getModuleWidget("ReirradiationReview").panel.courses.loadDemoCase()


class ReirradiationReviewWidget(ScriptedLoadableModuleWidget):
    """The panel in Slicer's window."""

    def setup(self) -> None:
        from ReirradiationReviewLib.desktop.panel import ReviewPanel

        ScriptedLoadableModuleWidget.setup(self)
        self.panel = ReviewPanel(self.layout, self.resourcePath)

    def enter(self) -> None:
        """Show what other modules changed meanwhile."""
        self.panel.sceneWatch.followSegments()
        self.panel.update()

    def cleanup(self) -> None:
        """Leave nothing behind; Slicer may call it before setup, or twice."""
        panel = getattr(self, "panel", None)
        if panel is not None:
            panel.close()
            self.panel = None

    def onReload(self) -> None:
        """Forget the library too, so that it is read anew."""
        for name in [name for name in sys.modules if name.split(".")[0] == "ReirradiationReviewLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)


class ReirradiationReviewLogic(ScriptedLoadableModuleLogic):
    """The review in the application's scene, without the panel: for scripts and other modules."""

    def openReview(self, courseFolders, progress=None):
        """Review the courses in these DICOM folders, oldest first, and show them in the scene.

        Returns
        -------
        ReviewSession
            Holds the review and follows changed settings; see ReirradiationReviewLib.session.
        """
        from ReirradiationReviewLib.core.errors import no_progress
        from ReirradiationReviewLib.desktop.environment import desktopEnvironment
        from ReirradiationReviewLib.run import RunInputs, make_review
        from ReirradiationReviewLib.session import ReviewSession

        review, beside = make_review(RunInputs(courses=tuple(map(Path, courseFolders))), progress or no_progress)
        session = ReviewSession(desktopEnvironment())
        session.open(review, images=beside.images)
        return session


class ReirradiationReviewTest(ScriptedLoadableModuleTest):
    """Self-test: the whole panel, driven on the demo case as a user would."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()

    def runTest(self, **_options) -> None:
        """Run what is in ReirradiationReviewLib.desktop.self_test."""
        from ReirradiationReviewLib.desktop.self_test import PanelSelfTest

        self.setUp()
        panel = slicer.util.getModuleWidget("ReirradiationReview").panel
        PanelSelfTest(panel, self.delayDisplay).run()
        self.setUp()
