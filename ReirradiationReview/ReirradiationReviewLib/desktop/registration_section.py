"""The section of registration: find or choose a transform, look at it, adjust it, accept or reject it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from slicer.i18n import tr as _

from ..core.courses import Course
from ..core.errors import Notice, Progress, ReirradiationError
from ..core.registration.adjustment import Adjustment, adjusted
from ..core.registration.course import CourseRegistration
from ..core.registration.qa.quality import RegistrationQuality
from ..core.review import Review
from ..core.settings import Settings
from ..scene.node_transform import transform_of_node
from .landmark_lists import LandmarkLists
from .registration_check import RegistrationCheck
from .registration_preview import RegistrationPreview
from .registration_quality import qualityRows, qualitySentence
from .registration_work import ReviewMaking, mapped, registered
from .section import Section
from .tables import fillTable, prepareTable

# Method by its place in the list; "node" and "file" take what the widgets below name.
METHODS = (
    ("auto", _("Automatic: same frame of reference, else a DICOM registration, else rigid")),
    ("rigid", _("Rigid, by the CTs")),
    ("deformable", _("Deformable, after the rigid one")),
    ("identity", _("None: both share their frame of reference")),
    ("node", _("Transform node of the scene")),
    ("file", _("Transform file")),
)
SLIDERS = ("left", "anterior", "superior", "pitch", "roll", "yaw")


class RegistrationSection(Section):
    """A proposal is shown before it is used: values follow only what was accepted."""

    name = "Registration"

    def setup(self) -> None:
        self.preview = RegistrationPreview(self.panel)
        self._methods: dict[int, str] = {}
        self._base: CourseRegistration | None = None
        ui = self.ui
        ui.methodSelector.addItems([text for _name, text in METHODS])
        prepareTable(ui.qaTable)
        ui.courseSelector.connect("currentIndexChanged(int)", self.onCourseChosen)
        ui.methodSelector.connect("currentIndexChanged(int)", self.onMethodChosen)
        ui.registerButton.connect("clicked()", self.onRegister)
        ui.acceptButton.connect("clicked()", self.onAccept)
        ui.rejectButton.connect("clicked()", self.onReject)
        ui.resetManualButton.connect("clicked()", self.onResetManual)
        for name in SLIDERS:
            getattr(ui, f"{name}Slider").connect("valueChanged(double)", self.onAdjusted)
        self.check = RegistrationCheck(self.panel, ui)
        self.landmarks = LandmarkLists(self.panel, ui)
        ui.measureButton.connect("clicked()", self.panel.background.measureAgain)

    def update(self) -> None:
        self._showCourses()
        self._showResult()

    # What is chosen

    @property
    def courses(self) -> Sequence[Course]:
        """The courses of the review; before one is open, those of the list."""
        return self.panel.courses.courses if self.review is None else self.review.courses

    @property
    def referenceIndex(self) -> int:
        """Index of the course that the others are brought to."""
        return self.panel.courses.referenceIndex if self.review is None else self.review.reference_index

    @property
    def courseIndex(self) -> int:
        """Index of the chosen earlier course; -1 where there is none."""
        row = self.ui.courseSelector.currentIndex
        others = self._others()
        return others[row] if 0 <= row < len(others) else -1

    def _others(self) -> list[int]:
        return [index for index in range(len(self.courses)) if index != self.referenceIndex]

    def _showCourses(self) -> None:
        selector = self.ui.courseSelector
        wanted = [self.courses[index].label for index in self._others()]
        if wanted != [selector.itemText(row) for row in range(selector.count)]:
            wasBlocked = selector.blockSignals(True)
            selector.clear()
            selector.addItems(wanted)
            selector.blockSignals(wasBlocked)

    def onCourseChosen(self, _row: int) -> None:
        self.forgetProposal()
        names = [name for name, _text in METHODS]
        self.ui.methodSelector.setCurrentIndex(names.index(self._methods.get(self.courseIndex, "auto")))
        self._showResult()

    def onMethodChosen(self, row: int) -> None:
        self._methods[self.courseIndex] = METHODS[row][0]
        self._showResult()

    @property
    def method(self) -> str:
        """The chosen method."""
        return METHODS[self.ui.methodSelector.currentIndex][0]

    # What is asked for

    def reviewWork(self, courses: Sequence[Course], referenceIndex: int) -> Callable[[Progress], Review]:
        """Return the work that registers the courses and makes the review; nodes of the scene are read now.

        Courses that are in the open review already, with the same new plan, keep their registration.
        """
        if not 0 <= referenceIndex < len(courses):
            raise ReirradiationError(_("Choose the course that the review is made in."))
        given = dict(self._known(courses, referenceIndex))
        for index in range(len(courses)):
            if index not in given and self._methods.get(index) == "node":
                given[index] = self._fromNode(courses[referenceIndex])
        methods = {
            index: self._fileOr(self._methods.get(index, "auto"))
            for index in range(len(courses))
            if index not in given and index != referenceIndex
        }
        return ReviewMaking(tuple(courses), referenceIndex, methods, given, self._settings(courses))

    def _known(self, courses: Sequence[Course], referenceIndex: int) -> dict[int, CourseRegistration]:
        review = self.review
        if review is None or _doseUids(review.reference) != _doseUids(courses[referenceIndex]):
            return {}
        known = {
            _doseUids(c): registration for c, registration in zip(review.courses, review.registrations, strict=True)
        }
        return {index: known[uids] for index, c in enumerate(courses) if (uids := _doseUids(c)) in known}

    def _settings(self, courses: Sequence[Course]) -> Settings:
        """Return the settings to go on with: those of the open review, as far as they fit other courses."""
        if self.review is None:
            return Settings()
        same = len(courses) == len(self.review.courses)
        return self.review.settings if same else replace(self.review.settings, left_out=frozenset())

    def _fileOr(self, method: str) -> str:
        if method != "file":
            return method
        path = self.ui.transformFileEdit.currentPath
        if not path:
            raise ReirradiationError(_("Choose a transform file."))
        self.ui.transformFileEdit.addCurrentPathToHistory()
        return path

    def _fromNode(self, reference: Course) -> CourseRegistration:
        node = self.ui.transformSelector.currentNode()
        if node is None:
            raise ReirradiationError(_("Choose a transform node."))
        if reference.ct is None:
            raise ReirradiationError(_("The new plan has no CT."))
        text = _("the registration is the scene's transform {name}; its accuracy was not checked here")
        notice = Notice("registration-from-scene", text.format(name=node.GetName()))
        transform = transform_of_node(node, reference.ct.volume)
        return CourseRegistration(transform, "file", {"file": node.GetName()}, notices=(notice,))

    def onRegister(self) -> None:
        """Make a proposal for the chosen course."""
        review, index = self.review, self.courseIndex
        if review is None or index < 0:
            return
        with self.panel.told():
            self.forgetProposal()
            course, reference = review.courses[index], review.reference
            if self.method == "node":
                self.propose(index, self._fromNode(reference))
                return
            work = partial(registered, course, reference, self._fileOr(self.method))
            title = _("Registering {course}").format(course=course.label)
            self.panel.start(title, work, partial(self.propose, index))

    # The proposal

    def propose(self, index: int, registration: CourseRegistration) -> None:
        """Show a registration of a course without using it."""
        self._base = registration
        self._resetSliders()
        self._propose(index, registration)

    def _propose(self, index: int, registration: CourseRegistration) -> None:
        self.preview.show(index, registration)
        if self.check.mode == "off":
            self.check.setMode("blend")  # a proposal is there to be looked at
        else:
            self.check.show()
        self.panel.background.ask()
        self._showResult()

    def forgetProposal(self) -> None:
        """Show the registration in use again."""
        hadProposal = self.preview.proposal is not None
        if hadProposal:
            self.check.leave()
        self.preview.forget()
        if hadProposal:
            self.check.show()
            self.panel.background.ask()
        self._base = None
        self._resetSliders()

    def onReject(self) -> None:
        self.forgetProposal()
        self._showResult()

    def onAccept(self) -> None:
        """Use the proposal: all doses are mapped anew, beside the window."""
        review, proposal = self.review, self.preview.proposal
        if review is None or proposal is None:
            return
        registrations = list(review.registrations)
        registrations[proposal.index] = proposal.registration

        def done(changed: Review) -> None:
            current = self.review
            if current is None or current.courses is not review.courses:
                raise ReirradiationError(_("The courses changed while the doses were mapped: accept once more."))
            self.forgetProposal()
            self.panel.session.follow(changed.with_settings(current.settings))
            self.check.show()

        self.panel.start(_("Mapping the doses"), partial(mapped, review, registrations), done)

    # By hand

    def adjustment(self) -> Adjustment:
        """Return what the sliders say."""
        left, anterior, superior, pitch, roll, yaw = (getattr(self.ui, f"{name}Slider").value for name in SLIDERS)
        return Adjustment(left, anterior, superior, pitch, roll, yaw)

    def onAdjusted(self, _value: float) -> None:
        """Move the proposal, or the registration in use, and show it."""
        review, index = self.review, self.courseIndex
        if review is None or index < 0:
            return
        with self.panel.told():
            base = review.registrations[index] if self._base is None else self._base
            centre_lps = np.mean(review.reference.ct.volume.corners_lps(), axis=0)
            moved = adjusted(base, self.adjustment(), centre_lps)
            self._base = base
            self._propose(index, moved)

    def onResetManual(self) -> None:
        """Undo what was adjusted by hand."""
        base, index = self._base, self.courseIndex
        self._resetSliders()
        if base is not None and self.review is not None:
            if base is self.review.registrations[index]:
                self.forgetProposal()
            else:
                self._propose(index, base)
        self._showResult()

    def _resetSliders(self) -> None:
        for name in SLIDERS:
            slider = getattr(self.ui, f"{name}Slider")
            wasBlocked = slider.blockSignals(True)
            slider.value = 0.0
            slider.blockSignals(wasBlocked)

    # What is shown

    def _showResult(self) -> None:
        ui, review, index, proposal = self.ui, self.review, self.courseIndex, self.preview.proposal
        usable = review is not None and index >= 0
        ui.transformSelector.enabled = self.method == "node"
        ui.transformFileEdit.enabled = self.method == "file"
        ui.registerButton.enabled = usable
        ui.registerButton.toolTip = (
            _("Find the transform; it is shown first and used only when you accept it")
            if usable
            else _("The chosen method is used when the review is started")
        )
        ui.manualGroup.enabled = ui.landmarksGroup.enabled = ui.measureButton.enabled = usable
        ui.acceptButton.enabled = ui.rejectButton.enabled = proposal is not None
        self.landmarks.update(index)
        if not usable:
            ui.resultLabel.text = ui.qualityLabel.text = ""
            fillTable(ui.qaTable, [])
            return
        shown = review.registrations[index] if proposal is None else proposal.registration
        quality = review.quality.get(index) if proposal is None else proposal.quality
        state = (
            _("In use: {method}.")
            if proposal is None
            else _("<b>Proposed, not in use: {method}.</b> All values are those of the registration in use.")
        )
        notices = "".join(f"<br>{notice.text}" for notice in shown.notices)
        ui.resultLabel.text = state.format(method=shown.method) + notices
        ui.qualityLabel.text = self._qualityText() if quality is None else qualitySentence(quality)
        fillTable(ui.qaTable, qualityRows(shown, quality))

    def _qualityText(self) -> str:
        background = self.panel.background
        if background.isBusyWith("proposal") or background.isBusyWith("quality"):
            return _("Quality: being measured...")
        return _("Quality: not measured yet.")

    def setQuality(self, quality: RegistrationQuality) -> None:
        """Take what was measured of the proposal."""
        if self.preview.proposal is not None:
            self.preview.proposal = replace(self.preview.proposal, quality=quality)
            self._showResult()


def _doseUids(course: Course) -> tuple[str, ...]:
    return tuple(uid for plan in course.plans for uid in plan.dose_uids)
