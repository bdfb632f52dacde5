"""The section of constraints: the live table, where a value is reached, and the dose-volume histograms."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ..core.hot_spots import HotSpot, hot_spot
from ..core.protocols import list_protocols
from ..core.report.document import VERDICTS
from ..scene.dvh_chart import show_dvh
from .constraint_rows import ConstraintRowShown, number, shownRows, sortedRows
from .section import Section
from .tables import checkedRows, fillChecklist, fillTable, prepareTable, quietly

# More curves than these at first would be a tangle.
_DVH_STRUCTURES = 6


class ConstraintsSection(Section):
    """Shows every rule of the chosen protocols, worst first unless the user sorts it otherwise."""

    name = "Constraints"

    def setup(self) -> None:
        ui = self.ui
        self.rows: list[ConstraintRowShown] = []
        self._sortColumn, self._descending = 0, False
        self._protocols = list_protocols()
        prepareTable(ui.constraintsTable)
        header = ui.constraintsTable.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.connect("sectionClicked(int)", self.onSort)
        ui.constraintsTable.connect("cellClicked(int,int)", self.onRowClicked)
        ui.protocolsList.connect("itemChanged(QListWidgetItem*)", self.onProtocols)
        ui.coursesList.connect("itemChanged(QListWidgetItem*)", self.onCourses)
        ui.showDvhButton.connect("clicked()", self.onShowDvh)
        for box in (ui.relativeVolumeCheckBox, ui.dvhCoursesCheckBox):
            box.connect("toggled(bool)", self.onDvhChoice)
        ui.rangesCheckBox.connect("toggled(bool)", self.onRanges)
        ui.dvhList.connect("itemChanged(QListWidgetItem*)", self.onDvhChoice)

    def update(self) -> None:
        review, ui = self.review, self.ui
        self.widget.enabled = review is not None
        if review is None:
            self.rows = []
            fillTable(ui.constraintsTable, [])
            ui.summaryLabel.text = _("No review is open")
            return
        chosen = review.settings.protocols
        fillChecklist(ui.protocolsList, [(p.title, f"{p.id}\n{p.source}", p.id in chosen) for p in self._protocols])
        fillChecklist(
            ui.coursesList,
            [
                (f"{course.label} ({course.date})", "", index not in review.settings.left_out)
                for index, course in enumerate(review.courses)
            ],
        )
        quietly(ui.rangesCheckBox, "checked", self._rangesWanted)
        ranges = self.panel.background.rangesOf(review) if self._rangesWanted else None
        self.rows = shownRows(self.panel.session.constraints(), ranges)
        self._showRows()
        ui.summaryLabel.text = self._summary()
        self.panel.background.ask()
        self._fillDvhList()
        if self.panel.state.get("dvh.shown", False):
            self._drawDvh()

    def _summary(self) -> str:
        counts = {verdict: sum(row.result.verdict == verdict for row in self.rows) for verdict in VERDICTS}
        return ", ".join(f"{count} {VERDICTS[verdict][1]}" for verdict, count in counts.items() if count)

    # Sorting

    def onSort(self, column: int) -> None:
        """Sort by a column; once more turns the order round."""
        self._descending = column == self._sortColumn and not self._descending
        self._sortColumn = column
        order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
        self.ui.constraintsTable.horizontalHeader().setSortIndicator(column, order)
        self._showRows()

    def _showRows(self) -> None:
        self.rows = sortedRows(self.rows, self._sortColumn, self._descending)
        fillTable(self.ui.constraintsTable, [row.cells() for row in self.rows])

    # Choices

    @property
    def _rangesWanted(self) -> bool:
        return bool(self.panel.state.get("constraints.ranges", True))

    @property
    def showsRanges(self) -> bool:
        """Whether ranges would be seen, so that it is worth working them out."""
        return self._rangesWanted and not self.heading.collapsed

    def onRanges(self, on: bool) -> None:
        self.panel.state.set("constraints.ranges", on)
        self.panel.background.ask()
        self.refresh()

    def onProtocols(self, _item: object) -> None:
        chosen = tuple(self._protocols[row].id for row in checkedRows(self.ui.protocolsList))
        self.panel.apply(protocols=chosen)

    def onCourses(self, _item: object) -> None:
        ticked = checkedRows(self.ui.coursesList)
        self.panel.apply(left_out=frozenset(range(self.ui.coursesList.count)) - frozenset(ticked))

    def onRowClicked(self, row: int, _column: int) -> None:
        """Jump to the hot spot of the row's organ and say what each plan gives there."""
        review, shown = self.review, self.rows[row]
        structure = shown.result.structure
        detail = shown.details()
        organs = [] if review is None or structure is None else _organsOf(review, structure)
        spots = [spot for organ in organs if (spot := hot_spot(review, organ)) is not None]
        if spots:
            spot = max(spots, key=lambda each: each.mean_gy)
            self.panel.session.jump_to(spot.centre_lps)
            detail.insert(1, self._spotSentence(spot))
        self.ui.detailLabel.text = "<br>".join(detail)

    def _spotSentence(self, spot: HotSpot) -> str:
        labels = [course.label for course in self.review.courses]
        shares = [
            _("{course} {dose} ({edge:.0f} mm inside its dose grid)").format(
                course=labels[share.course_index], dose=number(share.eqd2_gy, "Gy"), edge=share.edge_mm
            )
            for share in spot.shares
        ]
        text = _("Hottest {volume:.2f} cc: {dose} EQD2, of which {shares}.")
        return text.format(volume=spot.volume_cc, dose=number(spot.mean_gy, "Gy"), shares="; ".join(shares))

    # Dose-volume histograms

    def _fillDvhList(self) -> None:
        names = [organ.name for organ in self.review.organs]
        chosen = self.panel.state.get("dvh.structures", None)
        if chosen is None:
            structures = [row.result.structure for row in self.rows if row.result.structure]
            ruled = [organ.name for structure in structures for organ in _organsOf(self.review, structure)]
            chosen = list(dict.fromkeys(ruled))[:_DVH_STRUCTURES]
        fillChecklist(self.ui.dvhList, [(name, "", name in chosen) for name in names])

    def _dvhStructures(self) -> list[str]:
        return [self.review.organs[row].name for row in checkedRows(self.ui.dvhList)]

    def onDvhChoice(self, _choice: object) -> None:
        if self.review is not None:
            self.panel.state.set("dvh.structures", self._dvhStructures())
            if self.panel.state.get("dvh.shown", False):
                self._drawDvh()

    def onShowDvh(self) -> None:
        """Draw the histograms and bring a plot view up."""
        if self.review is None:
            return
        with self.panel.told():
            chart = self._drawDvh()
            self.panel.state.set("dvh.shown", True)
            slicer.modules.plots.logic().ShowChartInLayout(chart)

    def _drawDvh(self) -> object:
        return show_dvh(
            self.panel.environment,
            self.review,
            self._dvhStructures(),
            relative_volume=self.ui.relativeVolumeCheckBox.checked,
            each_course=self.ui.dvhCoursesCheckBox.checked,
        )


def _organsOf(review: object, structure: str) -> list:
    """Return the organ of a result; its parts where they were joined for the rule."""
    names = {structure, *structure.split(" + ")}
    return [organ for organ in review.organs if organ.name in names]
