"""How each plan was given, and how long ago each course was: two tables of the biology section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from ..core.biology.delivery import DELIVERY_FORMS
from ..core.errors import ReirradiationError
from .tables import Cell, fillTable, number, prepareTable

if TYPE_CHECKING:
    from .biology_section import BiologySection

DELIVERED_COLUMN, DELIVERY_COLUMN, RBE_COLUMN = 2, 3, 4
_TEXT_SETTINGS = {DELIVERY_COLUMN: "delivery", RBE_COLUMN: "rbe"}
MONTHS_COLUMN = 1
_ENTERED_COLOR = (204, 229, 255)
_SOURCES = {
    "plan": _("as planned"),
    "record": _("from the treatment records"),
    "records": _("counted from the last treatment record"),
    "dates": _("from the dates of the courses"),
    "user": _("entered by the user"),
    "unknown": _("not known"),
}


class PlansGiven:
    """Delivered fractions, kind of delivery and RBE by plan, and the interval by course.

    Parameters
    ----------
    section
        The biology section, whose tables these are.
    """

    def __init__(self, section: BiologySection) -> None:
        self.section, self.ui, self.panel = section, section.ui, section.panel
        prepareTable(self.ui.plansTable)
        prepareTable(self.ui.intervalsTable)
        self.ui.plansTable.connect("cellChanged(int,int)", self.onPlanChanged)
        self.ui.intervalsTable.connect("cellChanged(int,int)", self.onIntervalChanged)

    def update(self) -> None:
        """Show the review as it is now."""
        review = self.section.review
        if review is None:
            fillTable(self.ui.plansTable, [])
            fillTable(self.ui.intervalsTable, [])
            return
        settings = review.settings
        rows = []
        for (_index, plan), given in zip(review.plans, review.given, strict=True):
            rows.append(
                (
                    Cell(plan.label),
                    Cell(str(given.planned_fractions)),
                    _cell(str(given.fractions), _SOURCES[given.source], _of(settings.delivered, plan)),
                    _cell(
                        _of(settings.delivery, plan) or plan.delivery or "daily",
                        DELIVERY_FORMS,
                        _of(settings.delivery, plan),
                    ),
                    _cell(_of(settings.rbe, plan) or _rbeOf(plan), _RBE_TIP, _of(settings.rbe, plan)),
                )
            )
        fillTable(self.ui.plansTable, rows)
        fillTable(self.ui.intervalsTable, [self._intervalRow(index) for index in self._earlier()])

    def _earlier(self) -> list[int]:
        review = self.section.review
        return [index for index in range(len(review.courses)) if index != review.reference_index]

    def _intervalRow(self, index: int) -> tuple[Cell, ...]:
        course, interval = self.section.review.courses[index], self.section.review.intervals[index]
        months = _("unknown") if interval.months is None else f"{interval.months:.1f}"
        entered = course.label in self.section.review.settings.interval_months
        return Cell(course.label), _cell(months, _SOURCES[interval.source], entered), Cell(_SOURCES[interval.source])

    def onPlanChanged(self, row: int, column: int) -> None:
        """Take what was typed of a plan; an empty cell goes back to what the files say."""
        review = self.section.review
        if review is None or column not in (DELIVERED_COLUMN, *_TEXT_SETTINGS):
            return
        plan = review.plans[row][1]
        text = self.ui.plansTable.item(row, column).text().strip()
        name = "delivered" if column == DELIVERED_COLUMN else _TEXT_SETTINGS[column]
        values = {
            key: value for key, value in self.panel.wanted(name).items() if key not in (plan.label, plan.plan_uid)
        }
        self._take(name, values, plan.plan_uid or plan.label, text, whole=column == DELIVERED_COLUMN)

    def onIntervalChanged(self, row: int, column: int) -> None:
        """Take an interval that was typed; an empty cell goes back to the dates."""
        if self.section.review is None or column != MONTHS_COLUMN:
            return
        label = self.section.review.courses[self._earlier()[row]].label
        text = self.ui.intervalsTable.item(row, column).text().strip()
        values = {key: value for key, value in self.panel.wanted("interval_months").items() if key != label}
        self._take("interval_months", values, label, text)

    def _take(self, name: str, values: dict[str, Any], key: str, text: str, *, whole: bool = False) -> None:
        with self.panel.told():
            try:
                if text:
                    values[key] = (
                        _wholeNumber(text) if whole else text if name in _TEXT_SETTINGS.values() else number(text)
                    )
                self.panel.apply(**{name: values})
                self.panel.applyNow()
            finally:
                self.update()  # what was refused is taken back


_RBE_TIP = _("included, 1.1, mcnamara, wedenberg or carabe; empty for what the dose file says")


def _rbeOf(plan: Any) -> str:
    return _("in the dose") if plan.dose_type == "EFFECTIVE" else _("none")


def _of(values: Any, plan: Any) -> Any:
    return values.get(plan.plan_uid, values.get(plan.label))


def _cell(text: str, toolTip: str, entered: object) -> Cell:
    color = _ENTERED_COLOR if entered is not None and entered is not False else None
    return Cell(text, toolTip, editable=True, color=color)


def _wholeNumber(text: str) -> int:
    value = number(text)
    if value != int(value) or value < 0:
        raise ReirradiationError(
            _("{text!r} is no number of fractions: enter a whole number of 0 or more.").format(text=text)
        )
    return int(value)
