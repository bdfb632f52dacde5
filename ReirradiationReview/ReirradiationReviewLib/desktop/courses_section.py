"""The section of courses: find, load, check, correct, start."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ..core.course_assignment import in_order_of_time, reassigned, with_fractions
from ..core.courses import Course, Plan
from ..core.errors import Notice, Progress, ReirradiationError
from ..core.results.statements import all_notices
from ..run import part_of
from ..scene.course_nodes import course_from_nodes
from ..scene.found import find_courses
from .dicom_database import filesOf, importFolder
from .section import Section
from .tables import Cell, fillTable, prepareTable

FRACTIONS_COLUMN = 3
_FRACTIONS_SOURCES = {
    "plan": _("planned fractions, from the plan"),
    "record": _("delivered fractions, from the treatment records"),
    "user": _("entered by the user"),
    "unknown": _("not known: enter the number of fractions"),
}
_UNKNOWN_COLOR = (255, 214, 153)
_COURSE_WIDTH = 110


class CoursesSection(Section):
    """Courses as they were read, one row per plan."""

    name = "Courses"

    def setup(self) -> None:
        self.courses: tuple[Course, ...] = ()
        prepareTable(self.ui.coursesTable)
        self.ui.loadFolderButton.connect("clicked()", self.onLoadFolder)
        self.ui.findButton.connect("clicked()", self.onFind)
        self.ui.removeButton.connect("clicked()", self.onRemove)
        self.ui.startButton.connect("clicked()", self.onStart)
        self.ui.coursesTable.connect("cellChanged(int,int)", self.onCellChanged)

    def update(self) -> None:
        self._show()

    def setCourses(self, courses: Sequence[Course]) -> None:
        """Show these courses, oldest first."""
        self.courses = tuple(courses)
        self._show()
        self.panel.registration.update()

    @property
    def referenceIndex(self) -> int:
        """Index of the course that the review is made in."""
        return self.ui.referenceSelector.currentIndex

    def _plans(self) -> list[tuple[int, int, Plan]]:
        return [(c, p, plan) for c, course in enumerate(self.courses) for p, plan in enumerate(course.plans)]

    def _show(self) -> None:
        table = self.ui.coursesTable
        fillTable(table, [self._row(self.courses[c], plan) for c, _p, plan in self._plans()])
        for row, (c, p, _plan) in enumerate(self._plans()):
            table.setCellWidget(row, 0, self._courseChoice(c, p))
        table.setColumnWidth(0, _COURSE_WIDTH)
        self._showReferences()
        self._showNotices()
        reason = self._reasonNotToStart()
        self.ui.startButton.enabled = not reason
        self.ui.startButton.text = _("Start the review") if self.review is None else _("Review again")
        self.ui.startButton.toolTip = reason or _("Register the earlier courses, map their doses and show the sum")
        self.ui.removeButton.enabled = bool(self.courses)

    def _row(self, course: Course, plan: Plan) -> tuple[Cell, ...]:
        warnings = [notice.text for notice in course.notices]
        fractions = "" if plan.fractions is None else str(plan.fractions)
        source = _FRACTIONS_SOURCES[plan.fractions_source]
        return (
            Cell(course.label),
            Cell(plan.date or course.date or _("unknown")),
            Cell(plan.label, self._planFacts(plan)),
            Cell(fractions, source, editable=True, color=None if plan.fractions else _UNKNOWN_COLOR),
            Cell(f"{plan.dose.array.max():.1f} Gy", _("highest dose of all its fractions")),
            Cell(plan.dose_type or _("unknown")),
            Cell(course.ct.description or course.ct.modality if course.ct else _("none")),
            Cell(str(len(course.structures)), ", ".join(structure.name for structure in course.structures)),
            Cell(str(len(warnings)), "\n".join(warnings)),
        )

    def _planFacts(self, plan: Plan) -> str:
        prescription = _("unknown") if plan.prescription_gy is None else f"{plan.prescription_gy:g} Gy"
        return _("{label}\nPrescription: {prescription}\nDose summation: {summation}\nPlan: {uid}").format(
            label=plan.label,
            prescription=prescription,
            summation=plan.dose_summation_type or _("unknown"),
            uid=plan.plan_uid or _("no plan file"),
        )

    def _courseChoice(self, courseIndex: int, planIndex: int) -> qt.QComboBox:
        choice = qt.QComboBox()
        choice.addItems([*(course.label for course in self.courses), _("new course"), _("leave out")])
        choice.setCurrentIndex(courseIndex)
        choice.toolTip = _("The course that this plan belongs to")

        def chosen(index: int) -> None:
            self.onAssign(courseIndex, planIndex, index)

        choice.connect("activated(int)", chosen)
        return choice

    def _showReferences(self) -> None:
        selector = self.ui.referenceSelector
        wasBlocked = selector.blockSignals(True)
        current = self.review.reference_index if self.review is not None else len(self.courses) - 1
        selector.clear()
        selector.addItems([f"{course.label} ({course.date or _('date unknown')})" for course in self.courses])
        selector.setCurrentIndex(current)
        selector.blockSignals(wasBlocked)

    def _showNotices(self) -> None:
        notices = [notice for course in self.courses for notice in course.notices]
        if self.review is not None:
            notices = all_notices(self.review)
        self.ui.noticesList.clear()
        self.ui.noticesList.addItems([_noticeText(notice) for notice in notices])
        self.ui.noticesList.visible = bool(notices)

    def _reasonNotToStart(self) -> str:
        """Return why the review cannot start; empty where it can."""
        if self.panel.jobs.isRunning:
            return _("Wait for the running job, or cancel it")
        if len(self.courses) < 2:
            return _("Add at least two courses: earlier ones and the new plan")
        unknown = [plan.label for _c, _p, plan in self._plans() if plan.fractions is None]
        if unknown:
            return _("Enter the number of fractions of {plans}").format(plans=", ".join(unknown))
        return ""

    def onLoadFolder(self) -> None:
        """Ask for a folder and read it."""
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("DICOM folder of one course"))
        if folder:
            self.loadFolder(folder)

    def loadFolder(self, folder: str) -> None:
        """Read one course from a folder, beside the window, and put it into the DICOM database."""
        from ..core.dicom import read_course

        def read(progress: Progress) -> list[Course]:
            return [read_course(Path(folder), "course", progress)]

        def done(courses: list[Course]) -> None:
            self.add(courses)
            importFolder(folder)

        self.panel.start(_("Reading {folder}").format(folder=Path(folder).name), read, done)

    def loadDemoCase(self) -> None:
        """Make the synthetic demo case in the cache folder of Slicer, and load its courses."""
        from ..core.demo import write_demo_case
        from ..core.dicom import read_course

        folder = Path(slicer.app.cachePath) / "ReirradiationReviewDemo"

        def make(progress: Progress) -> list[Course]:
            case = write_demo_case(folder, progress=part_of(progress, 0.0, 0.6))
            spans = ((case.course1, 0.6), (case.course2, 0.8))
            return [read_course(path, "course", part_of(progress, start, start + 0.2)) for path, start in spans]

        self.panel.start(_("Making the demo case"), make, self.add)

    def onFind(self) -> None:
        """Read the courses that are in the scene already, from their files where the database knows them."""
        with self.panel.told():
            found = find_courses(slicer.mrmlScene)
            if not found:
                raise ReirradiationError(_("There is no dose in the scene: load a course first."))
            sources = [(each, filesOf(each)) for each in found]
            fromNodes = [course_from_nodes(each, each.name) for each, files in sources if not files]
            fromFiles = [files for _each, files in sources if files]
            self.panel.start(
                _("Reading the courses of the scene"),
                partial(_readAll, fromFiles),
                lambda courses: self.add([*courses, *fromNodes]),
            )

    def add(self, courses: Sequence[Course]) -> None:
        """Add courses that are not in the list yet, in order of time."""
        known = {uid for course in self.courses for plan in course.plans for uid in plan.dose_uids}
        new = [c for c in courses if not any(uid in known for plan in c.plans for uid in plan.dose_uids)]
        if len(new) < len(courses):
            self.panel.showMessage(_("A course whose dose is in the list already was not added again."))
        self.setCourses(in_order_of_time([*self.courses, *new]))

    def onRemove(self) -> None:
        """Take the course of the selected row off the list."""
        row = self.ui.coursesTable.currentRow()
        plans = self._plans()
        courseIndex = plans[row][0] if 0 <= row < len(plans) else len(self.courses) - 1
        rest = [course for index, course in enumerate(self.courses) if index != courseIndex]
        self.setCourses(in_order_of_time(rest))

    def onAssign(self, courseIndex: int, planIndex: int, choice: int) -> None:
        """Move a plan to the chosen course; the last two choices are a new course and none."""
        target = None if choice == len(self.courses) + 1 else choice
        if target != courseIndex:
            with self.panel.told():
                self.setCourses(reassigned(self.courses, {(courseIndex, planIndex): target}))
        self._show()

    def onCellChanged(self, row: int, column: int) -> None:
        """Take a number of fractions that was entered."""
        if column != FRACTIONS_COLUMN:
            return
        courseIndex, planIndex, plan = self._plans()[row]
        text = self.ui.coursesTable.item(row, column).text()
        with self.panel.told():
            if not text.strip().isdecimal() or int(text) < 1:
                self._show()
                raise ReirradiationError(
                    _("{text!r} is no number of fractions: enter a whole number of at least 1.").format(text=text)
                )
            self.setFractions(courseIndex, planIndex, plan, int(text))

    def setFractions(self, courseIndex: int, planIndex: int, plan: Plan, fractions: int) -> None:
        """Take a user-entered number of fractions; an open review follows at once."""
        if fractions == plan.fractions:
            return
        courses = list(self.courses)
        courses[courseIndex] = with_fractions(courses[courseIndex], planIndex, fractions)
        self.setCourses(courses)
        if self.review is not None and plan.label in {each.label for _i, each in self.review.plans}:
            self.panel.session.set_fractions({plan.label: fractions})

    def onStart(self) -> None:
        """Register, map and show, beside the window."""
        with self.panel.told():
            work = self.panel.registration.reviewWork(self.courses, self.referenceIndex)
            self.panel.start(_("Making the review"), work, self.panel.open)


def _readAll(fileLists: Sequence[Sequence[Path]], progress: Progress) -> list[Course]:
    """Read courses one after the other: two at a time would need the memory of both."""
    from ..core.dicom import read_course_files

    count = max(1, len(fileLists))

    def part(number: int) -> Progress:
        return lambda fraction, text: progress((number + fraction) / count, text)

    return [read_course_files(files, "course", part(number)) for number, files in enumerate(fileLists)]


def _noticeText(notice: Notice) -> str:
    return f"{notice.where}: {notice.text}" if notice.where else notice.text
