"""The module's panel: course folders, output folder, Run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from ..core.errors import Cancelled, Progress

# Called with the course folders (oldest first), the output folder and the progress; returns the file with the numbers.
RunReview = Callable[[Sequence[str], str, Progress], Path]


class ReviewPanel:
    """Choose the courses, start the review, show how far it is.

    Parameters
    ----------
    layout
        The layout of the module's widget.
    runReview
        What the Run button starts.
    """

    def __init__(self, layout: qt.QLayout, runReview: RunReview) -> None:
        self.runReview = runReview
        self.cancelRequested = False
        self._makeInputs()
        self.runButton = qt.QPushButton(_("Run review"))
        self.cancelButton = qt.QPushButton(_("Cancel"))
        self.progressBar = qt.QProgressBar()
        self.status = qt.QLabel()
        self.status.wordWrap = True
        for widget in (self.inputs, self.runButton, self.cancelButton, self.progressBar, self.status):
            layout.addWidget(widget)
        layout.addStretch(1)
        self._connect()
        self.showState(running=False)

    def _makeInputs(self) -> None:
        self.inputs = qt.QWidget()
        self.courses = slicer.qSlicerDirectoryListView()
        self.courses.toolTip = _("One DICOM folder per course, oldest first; the last is the new plan")
        self.addButton = qt.QPushButton(_("Add course folder..."))
        self.removeButton = qt.QPushButton(_("Remove selected"))
        self.output = ctk.ctkDirectoryButton()
        self.output.directory = slicer.app.defaultScenePath
        form = qt.QFormLayout(self.inputs)
        form.addRow(_("Courses, oldest first:"), self.courses)
        form.addRow("", self.addButton)
        form.addRow("", self.removeButton)
        form.addRow(_("Write results to:"), self.output)

    def _connect(self) -> None:
        self.courses.connect("directoryListChanged()", self.onCoursesChanged)
        self.addButton.connect("clicked()", self.onAddCourse)
        self.removeButton.connect("clicked()", self.courses.removeSelectedDirectories)
        self.runButton.connect("clicked()", self.onRun)
        self.cancelButton.connect("clicked()", self.onCancel)

    def setCourseFolders(self, folders: Sequence[Path]) -> None:
        """Replace the list of course folders, oldest first."""
        self.courses.directoryList = [str(folder) for folder in folders]

    def showState(self, running: bool) -> None:
        """Enable what can be used now, and say why Run cannot be."""
        enough = len(self.courses.directoryList) > 1
        self.inputs.enabled = not running
        self.runButton.enabled = enough and not running
        self.runButton.toolTip = "" if enough else _("Add the folders of at least two courses")
        self.cancelButton.visible = running
        self.progressBar.visible = running

    def onCoursesChanged(self) -> None:
        self.showState(running=False)

    def onAddCourse(self) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("DICOM folder of one course"))
        if folder:
            self.courses.addDirectory(folder)

    def onCancel(self) -> None:
        self.cancelRequested = True

    def onProgress(self, fraction: float, text: str) -> None:
        """Show progress; stop the work where the user asked for it."""
        self.progressBar.value = round(100 * fraction)
        self.status.text = text
        slicer.app.processEvents()
        if self.cancelRequested:
            raise Cancelled

    def onRun(self) -> None:
        self.cancelRequested = False
        self.showState(running=True)
        outcome = _("The review was not made.")
        try:
            with slicer.util.tryWithErrorDisplay(_("The review could not be made.")):
                outcome = self._runToOutcome()
        finally:
            self.status.text = outcome
            self.showState(running=False)

    def _runToOutcome(self) -> str:
        try:
            data = self.runReview(self.courses.directoryList, self.output.directory, self.onProgress)
        except Cancelled:  # no error, so not one for tryWithErrorDisplay to show
            return _("Cancelled; the scene is as it was.")
        return _("The composite is in the scene. All numbers: {path}").format(path=data)
