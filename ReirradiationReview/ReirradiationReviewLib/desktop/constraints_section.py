"""The section of constraints: the live table, where a value is reached, and the dose-volume histograms."""

from __future__ import annotations

import math
from collections.abc import Callable

import qt
import slicer
from slicer.i18n import tr as _

from ..core.constraints import ConstraintResult
from ..core.hot_spots import HotSpot, hot_spot
from ..core.protocols import list_protocols
from ..core.report.document import BASES, VERDICTS
from ..scene.dvh_chart import show_dvh
from .section import Section
from .tables import Cell, checkedRows, fillChecklist, fillTable, prepareTable

# Light enough for black letters; the word and the sign say the same as the color.
VERDICT_COLORS = {
    "fail": (255, 180, 180),
    "near": (255, 220, 150),
    "unknown": (215, 215, 215),
    "note": (200, 215, 245),
    "pass": (190, 230, 190),
}
# More curves than these at first would be a tangle.
_DVH_STRUCTURES = 6
_SEVERITY = {verdict: place for place, verdict in enumerate(VERDICTS)}


class ConstraintsSection(Section):
    """Shows every rule of the chosen protocols, worst first unless the user sorts it otherwise."""

    name = "Constraints"

    def setup(self) -> None:
        ui = self.ui
        self.results: list[ConstraintResult] = []
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
        ui.dvhList.connect("itemChanged(QListWidgetItem*)", self.onDvhChoice)

    def update(self) -> None:
        review, ui = self.review, self.ui
        self.widget.enabled = review is not None
        if review is None:
            self.results = []
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
        self.results = self._sorted(self.panel.session.constraints())
        fillTable(ui.constraintsTable, [self._row(result) for result in self.results])
        ui.summaryLabel.text = self._summary()
        self._fillDvhList()
        if self.panel.state.get("dvh.shown", False):
            self._drawDvh()

    def _summary(self) -> str:
        counts = {verdict: sum(r.verdict == verdict for r in self.results) for verdict in VERDICTS}
        return ", ".join(f"{count} {VERDICTS[verdict][1]}" for verdict, count in counts.items() if count)

    def _row(self, result: ConstraintResult) -> tuple[Cell, ...]:
        sign, word = VERDICTS[result.verdict]
        tip = f"{result.message}\n\n{BASES[result.basis]}\n{result.source}\n[{result.status}]"
        return (
            Cell(f"{sign} {word}", tip, color=VERDICT_COLORS[result.verdict]),
            Cell(result.structure or result.organs, tip),
            Cell(f"{result.metric} {_quantity(result)}", tip),
            Cell(_valueText(result), tip),
            Cell(f"{result.direction} {result.limit:g} {result.unit}", tip),
            Cell(_number(result.headroom, result.unit), tip),
            Cell(result.protocol, tip),
        )

    # Sorting

    def _sorted(self, results: list[ConstraintResult]) -> list[ConstraintResult]:
        key = _SORT_KEYS[self._sortColumn]
        known = [result for result in results if not _isNan(key(result))]
        unknown = [result for result in results if _isNan(key(result))]
        return sorted(known, key=key, reverse=self._descending) + unknown

    def onSort(self, column: int) -> None:
        """Sort by a column; once more turns the order round."""
        self._descending = column == self._sortColumn and not self._descending
        self._sortColumn = column
        order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
        self.ui.constraintsTable.horizontalHeader().setSortIndicator(column, order)
        self.results = self._sorted(self.results)
        fillTable(self.ui.constraintsTable, [self._row(result) for result in self.results])

    # Choices

    def onProtocols(self, _item: object) -> None:
        chosen = tuple(self._protocols[row].id for row in checkedRows(self.ui.protocolsList))
        self.panel.apply(protocols=chosen)

    def onCourses(self, _item: object) -> None:
        ticked = checkedRows(self.ui.coursesList)
        self.panel.apply(left_out=frozenset(range(self.ui.coursesList.count)) - frozenset(ticked))

    def onRowClicked(self, row: int, _column: int) -> None:
        """Jump to the hot spot of the row's organ and say what each plan gives there."""
        review, result = self.review, self.results[row]
        detail = [f"<b>{result.structure or result.organs}, {result.metric}</b>: {result.message}"]
        organs = [] if review is None or result.structure is None else _organsOf(review, result.structure)
        spots = [spot for organ in organs if (spot := hot_spot(review, organ)) is not None]
        if spots:
            spot = max(spots, key=lambda each: each.mean_gy)
            self.panel.session.jump_to(spot.centre_lps)
            detail.append(self._spotSentence(spot))
        detail.append(_("Source: {source} [{status}]").format(source=result.source, status=result.status))
        self.ui.detailLabel.text = "<br>".join(detail)

    def _spotSentence(self, spot: HotSpot) -> str:
        labels = [course.label for course in self.review.courses]
        shares = [
            _("{course} {dose} ({edge:.0f} mm inside its dose grid)").format(
                course=labels[share.course_index], dose=_number(share.eqd2_gy, "Gy"), edge=share.edge_mm
            )
            for share in spot.shares
        ]
        text = _("Hottest {volume:.2f} cc: {dose} EQD2, of which {shares}.")
        return text.format(volume=spot.volume_cc, dose=_number(spot.mean_gy, "Gy"), shares="; ".join(shares))

    # Dose-volume histograms

    def _fillDvhList(self) -> None:
        names = [organ.name for organ in self.review.organs]
        chosen = self.panel.state.get("dvh.structures", None)
        if chosen is None:
            ruled = [organ.name for r in self.results if r.structure for organ in _organsOf(self.review, r.structure)]
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


def _quantity(result: ConstraintResult) -> str:
    if result.quantity == "physical":
        return _("(physical)")
    return f"({result.quantity}, α/β {result.alpha_beta_gy:g})" if result.alpha_beta_gy else f"({result.quantity})"


def _valueText(result: ConstraintResult) -> str:
    text = _number(result.value, result.unit)
    if result.range is not None:
        text += f" ({result.range.low:.1f}–{result.range.high:.1f})"
    return text


def _number(value: float | None, unit: str) -> str:
    return _("unknown") if value is None or _isNan(value) else f"{value:.1f} {unit}"


def _isNan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


_SORT_KEYS: tuple[Callable[[ConstraintResult], object], ...] = (
    lambda result: _SEVERITY[result.verdict],
    lambda result: (result.structure or result.organs).lower(),
    lambda result: result.metric,
    lambda result: result.value,
    lambda result: result.limit,
    lambda result: result.headroom,
    lambda result: result.protocol,
)
