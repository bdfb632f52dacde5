"""The module's panel: one review in Slicer's scene, shown in sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..core.errors import Progress, ReirradiationError
from ..core.review import Review
from ..scene.restore import RestoredReview
from ..session import ReviewSession
from .background import Background
from .biology_section import BiologySection
from .capabilities import Capabilities
from .capabilities_section import CapabilitiesSection
from .constraints_section import ConstraintsSection
from .courses_section import CoursesSection
from .display_section import DisplaySection
from .environment import desktopEnvironment
from .export_section import ExportSection
from .jobs import Jobs, sentence
from .panel_state import PanelState
from .registration_section import RegistrationSection
from .registration_work import evaluated
from .scene_watch import SceneWatch
from .target_section import TargetSection

# Isodoses are drawn anew when a slider has rested this long: they take longer than the numbers.
_REST_MILLISECONDS = 150


class ReviewPanel:
    """Holds the session and lets the sections show and change it.

    Parameters
    ----------
    layout
        The layout of the module's widget.
    resourcePath
        Gives the path of a file of the module's Resources folder.
    """

    def __init__(self, layout: qt.QLayout, resourcePath: Callable[[str], str]) -> None:
        self.resourcePath = resourcePath
        self.widget = slicer.util.loadUI(resourcePath("UI/ReirradiationReview.ui"))
        self.widget.setMRMLScene(slicer.mrmlScene)
        layout.addWidget(self.widget)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.capabilities = Capabilities()
        self.environment = desktopEnvironment()
        self.session = ReviewSession(self.environment)
        self.state = PanelState(slicer.mrmlScene)
        self.jobs = Jobs(self._onJob, self.showMessage)
        self.background = Background(self)
        self._makeSections()
        self._connect()
        self.sceneWatch = SceneWatch(self)
        self.restore()
        self.update()

    def _makeSections(self) -> None:
        self.courses = CoursesSection(self)
        self.registration = RegistrationSection(self)
        self.biology = BiologySection(self)
        self.constraints = ConstraintsSection(self)
        self.display = DisplaySection(self)
        self.target = TargetSection(self)
        self.export = ExportSection(self)
        self.about = CapabilitiesSection(self)
        self.sections = (
            self.courses,
            self.registration,
            self.biology,
            self.constraints,
            self.display,
            self.target,
            self.export,
            self.about,
        )

    def _connect(self) -> None:
        self.ui.cancelButton.connect("clicked()", self.jobs.cancel)
        self.ui.dismissButton.connect("clicked()", lambda: self.showMessage(""))
        self.session.add_observer(self.update)
        self.session.add_observer(self.background.ask)
        # Many changes in one go (a slider that is dragged) lead to one update: the newest wins.
        self._wanted: dict[str, Any] = {}
        self._applyTimer = qt.QTimer()
        self._applyTimer.setSingleShot(True)
        self._applyTimer.setInterval(0)
        self._applyTimer.connect("timeout()", self.applyNow)
        self._restTimer = qt.QTimer()
        self._restTimer.setSingleShot(True)
        self._restTimer.setInterval(_REST_MILLISECONDS)
        self._restTimer.connect("timeout()", self.catchUp)
        self.showMessage("")
        self._onJob(None, "", 0.0)

    def close(self) -> None:
        """Leave nothing behind: the panel is taken away or made anew."""
        self.jobs.cancel()
        self.background.close()
        self._applyTimer.stop()
        self._restTimer.stop()
        self.registration.forgetProposal()
        self.sceneWatch.close()

    def update(self) -> None:
        """Show the review as it is now, in every section that is unfolded."""
        review = self.session.review
        if review is None:
            self.ui.patientLabel.text = _("No review is open")
        else:
            patient = review.reference.patient
            facts = [patient.name, patient.id, patient.birth_date, patient.sex]
            self.ui.patientLabel.text = ", ".join(fact for fact in facts if fact) or _("Unknown patient")
        for section in self.sections:
            section.refresh()

    def showMessage(self, text: str) -> None:
        """Show what went wrong; an empty text takes the message away."""
        self.ui.messageLabel.text = text
        self.ui.messageLabel.visible = bool(text)
        self.ui.dismissButton.visible = bool(text)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Show an error that occurs within as a message, instead of raising it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a plain sentence is shown, the rest is logged too
            self.showMessage(sentence(error))

    def start(self, title: str, work: Callable[[Progress], Any], done: Callable[[Any], None]) -> bool:
        """Run pure work beside the window; what ``done`` raises is shown as a message."""

        def finished(result: Any) -> None:
            with self.told():
                done(result)

        self.showMessage("")
        self.background.giveWay()
        started = self.jobs.start(title, work, finished)
        if not started:
            self.showMessage(_("{title} is still running: wait for it, or cancel it.").format(title=self.jobs.title))
        return started

    def _onJob(self, title: str | None, text: str, fraction: float) -> None:
        self.ui.jobWidget.visible = title is not None
        if title is None:
            self.background.ask()
        self.ui.jobLabel.text = text
        self.ui.progressBar.value = round(100 * fraction)

    def apply(self, **changes: Any) -> None:
        """Change settings soon: all that is asked for until Slicer is idle becomes one update."""
        self._wanted |= changes
        self._applyTimer.start()

    def applyNow(self) -> None:
        """Change the settings that were asked for: numbers and composite at once, the rest when the controls rest."""
        self._applyTimer.stop()
        wanted, self._wanted = self._wanted, {}
        review = self.session.review
        if review is not None and wanted:
            with self.told():
                try:
                    self.session.apply_numbers(replace(review.settings, **wanted))
                except ReirradiationError:
                    self.update()  # what was refused is taken back
                    raise
                self.session.show_composite()
                self.showMessage("")
                self._restTimer.start()

    def catchUp(self) -> None:
        """Bring isodoses, surfaces and the state that is saved up to date with what was asked for last."""
        self.applyNow()
        self._restTimer.stop()
        if self.session.review is not None:
            with self.told():
                self.session.catch_up()
                self.display.showLines()

    def wanted(self, name: str) -> Any:
        """Return a setting as it will be once the changes that were asked for are made."""
        assert self.session.review is not None
        return self._wanted.get(name, getattr(self.session.review.settings, name))

    def restore(self) -> None:
        """Open the review that the scene holds, if any."""
        with self.told():
            found = self.session.find_restorable()
            if found is not None:
                title = _("Restoring the review of the scene")
                self.start(title, partial(_madeAnew, found), lambda review: self._resume(found, review))

    def _resume(self, found: RestoredReview, review: Review) -> None:
        self.session.resume(found, review)
        self.courses.setCourses(review.courses)
        self.display.showIsodoses()
        self.display.showOverlay()

    def open(self, review: Review) -> None:
        """Show a new review."""
        self.registration.forgetProposal()
        with slicer.util.RenderBlocker():
            self.session.open(review)
        self.courses.setCourses(review.courses)
        self.display.showReview()


def _madeAnew(found: RestoredReview, progress: Progress) -> Review:
    return evaluated(found.review(progress))
