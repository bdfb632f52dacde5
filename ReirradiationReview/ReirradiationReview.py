"""3D Slicer module: review of re-irradiation. The work is done in ReirradiationReviewLib; here is what Slicer sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
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
            "Brings earlier courses of radiotherapy to the new plan, sums them as EQD2, checks published constraints. "
            "Add one DICOM folder (CT, RTSTRUCT, RTPLAN, RTDOSE) per course, oldest first, and run. "
            "This first panel registers rigidly and uses default alpha/beta values; adjusting them, checking the "
            "registration and the printed report are, for now, on the command line "
            "(<code>reirradiation-review run</code>). "
            "<b>Research use only; not a medical device. Check every number independently.</b>"
        )
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
        thumbnailFileName=str(Path(__file__).parent / "Resources" / "Icons" / "ReirradiationReview.svg"),
        customDownloader=openDemoCase,
    )


def openDemoCase(_source=None) -> None:
    """Write the synthetic demo case into Slicer's cache and put its courses into the module's panel."""
    from ReirradiationReviewLib.core.demo import write_demo_case

    with slicer.util.tryWithErrorDisplay(_("The demo case could not be made."), waitCursor=True):
        cache = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
        case = write_demo_case(cache / "ReirradiationReviewDemo", progress=showProgress)
        slicer.util.selectModule("ReirradiationReview")
        slicer.util.getModuleWidget("ReirradiationReview").panel.setCourseFolders([case.course1, case.course2])


def showProgress(fraction: float, text: str) -> None:
    """Show progress in Slicer's status bar."""
    slicer.util.showStatusMessage(f"{fraction:.0%} {text}")
    slicer.app.processEvents()


class ReirradiationReviewWidget(ScriptedLoadableModuleWidget):
    """The panel in Slicer's window."""

    def setup(self) -> None:
        from ReirradiationReviewLib.desktop.panel import ReviewPanel

        ScriptedLoadableModuleWidget.setup(self)
        self.panel = ReviewPanel(self.layout, ReirradiationReviewLogic().run)

    def onReload(self) -> None:
        """Forget the library too, so that it is read anew."""
        for name in [name for name in sys.modules if name.split(".")[0] == "ReirradiationReviewLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)


class ReirradiationReviewLogic(ScriptedLoadableModuleLogic):
    """The review in the application's scene, without the panel."""

    def run(self, courseFolders, outputFolder, progress) -> Path:
        """Review the courses, put the result into the scene and write review.json; return that file's path."""
        from ReirradiationReviewLib.core.results.document import review_document
        from ReirradiationReviewLib.run import RunInputs, make_folder, make_review
        from ReirradiationReviewLib.scene.build import build_scene
        from ReirradiationReviewLib.scene.environment import SceneEnvironment
        from ReirradiationReviewLib.scene.from_review import scene_content

        data = Path(outputFolder) / "review.json"
        make_folder(data.parent)
        review, _images = make_review(RunInputs(courses=tuple(Path(folder) for folder in courseFolders)), progress)
        progress(0.7, _("Building the scene"))
        build_scene(SceneEnvironment(slicer.mrmlScene, slicer.app.applicationLogic()), scene_content(review))
        data.write_text(json.dumps(review_document(review), indent=1, ensure_ascii=False, allow_nan=False), "utf-8")
        return data


class ReirradiationReviewTest(ScriptedLoadableModuleTest):
    """Self-test: the demo case, reviewed in Slicer."""

    def runTest(self) -> None:
        slicer.mrmlScene.Clear()
        self.test_demoCaseGivesACompositeInTheScene()

    def test_demoCaseGivesACompositeInTheScene(self) -> None:
        from ReirradiationReviewLib.core.demo import write_demo_case

        folder = Path(slicer.util.tempDirectory())
        case = write_demo_case(folder / "case")
        data = ReirradiationReviewLogic().run([case.course1, case.course2], folder / "review", showProgress)
        document = json.loads(data.read_text(encoding="utf-8"))
        self.assertEqual([len(course["plans"]) for course in document["courses"]], [1, 1])
        self.assertTrue(document["constraints"])
        state = slicer.mrmlScene.GetSingletonNode("ReirradiationReview", "vtkMRMLScriptedModuleNode")
        composite = slicer.util.arrayFromVolume(state.GetNodeReference("composite"))
        self.assertGreater(np.nanmax(composite), 60.0)
