"""The section of biology: what each organ is evaluated with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slicer.i18n import tr as _

from ..core.biology.recovery import list_recovery_tables
from ..core.errors import ReirradiationError
from ..core.organ_dose import OrganDose
from .plans_given import PlansGiven
from .section import Section
from .tables import Cell, fillTable, number, prepareTable, quietly

ALPHA_BETA_COLUMN, REPAIR_COLUMN, RECOVERY_COLUMN = 2, 3, 4
_SETTING_OF_COLUMN = {
    ALPHA_BETA_COLUMN: "alpha_beta_gy",
    REPAIR_COLUMN: "repair_half_time_hours",
    RECOVERY_COLUMN: "recovery",
}
ENTERED_COLOR = (204, 229, 255)


class BiologySection(Section):
    """A table to type into, and sliders for the selected organ; the review follows while they move."""

    name = "Biology"

    def setup(self) -> None:
        ui = self.ui
        prepareTable(ui.biologyTable)
        self._recoveryTables = ("", *(table.id for table in list_recovery_tables()))
        ui.recoveryTableSelector.addItems([_("None"), *(table.title for table in list_recovery_tables())])
        ui.recoveryTableSelector.connect("activated(int)", self.onRecoveryTable)
        ui.displayAlphaBetaSlider.connect("valueChanged(double)", self.onDisplayAlphaBeta)
        ui.biologyTable.connect("cellChanged(int,int)", self.onCellChanged)
        ui.biologyTable.connect("itemSelectionChanged()", self._showSelected)
        ui.alphaBetaSlider.connect("valueChanged(double)", lambda value: self._set("alpha_beta_gy", value))
        ui.recoverySlider.connect("valueChanged(double)", lambda value: self._set("recovery", value / 100))
        ui.resetOrganButton.connect("clicked()", self.onReset)
        self.plans = PlansGiven(self)

    def update(self) -> None:
        review = self.review
        self.widget.enabled = review is not None
        self.plans.update()
        if review is None:
            fillTable(self.ui.biologyTable, [])
            return
        quietly(self.ui.displayAlphaBetaSlider, "value", review.settings.display_alpha_beta_gy)
        chosen = review.settings.recovery_table
        if chosen in self._recoveryTables:
            quietly(self.ui.recoveryTableSelector, "currentIndex", self._recoveryTables.index(chosen))
        fillTable(self.ui.biologyTable, [self._row(organ) for organ in review.organs])
        self._showSelected()

    def _row(self, organ: OrganDose) -> tuple[Cell, ...]:
        isTarget = organ.match.is_target
        sources = [organ.alpha_beta_source]
        recoveries = list(dict.fromkeys(r.source for r in organ.recoveries if r.source))
        return (
            Cell(organ.name),
            Cell(organ.match.tg263 or _("not matched")),
            self._cell(organ, "alpha_beta_gy", f"{organ.alpha_beta_gy:g}", organ.alpha_beta_source),
            self._cell(
                organ, "repair_half_time_hours", f"{organ.repair_half_time.value:g}", organ.repair_half_time.source
            ),
            Cell(_("none"), _("A target never recovers"))
            if isTarget
            else self._cell(organ, "recovery", _percents(organ), "\n".join(recoveries) or _("none is assumed")),
            Cell("; ".join([*sources, *recoveries])),
        )

    def _cell(self, organ: OrganDose, name: str, text: str, source: str) -> Cell:
        entered = _entered(getattr(self.review.settings, name), organ)
        return Cell(text, source, editable=True, color=ENTERED_COLOR if entered else None)

    def organ(self) -> OrganDose | None:
        """Return the organ of the selected row."""
        row = self.ui.biologyTable.currentRow()
        return self.review.organs[row] if self.review is not None and 0 <= row < len(self.review.organs) else None

    def _showSelected(self) -> None:
        organ, ui = self.organ(), self.ui
        isThere = organ is not None
        ui.alphaBetaSlider.enabled = ui.resetOrganButton.enabled = isThere
        ui.recoverySlider.enabled = isThere and not organ.match.is_target
        if not isThere:
            ui.organLabel.text = _("Select an organ to change its values with the sliders")
            return
        ui.organLabel.text = _("<b>{organ}</b>: {source}").format(organ=organ.name, source=organ.alpha_beta_source)
        quietly(ui.alphaBetaSlider, "value", float(organ.alpha_beta_gy))
        quietly(ui.recoverySlider, "value", 100.0 * max(organ.recovery))

    def onDisplayAlphaBeta(self, value: float) -> None:
        self.panel.apply(display_alpha_beta_gy=value)

    def onRecoveryTable(self, row: int) -> None:
        self.panel.apply(recovery_table=self._recoveryTables[row])

    def onCellChanged(self, row: int, column: int) -> None:
        """Take a value that was typed."""
        if self.review is None or column not in _SETTING_OF_COLUMN:
            return
        organ, text = self.review.organs[row], self.ui.biologyTable.item(row, column).text()
        with self.panel.told():
            try:
                value = number(text)
                if column == RECOVERY_COLUMN:
                    _require(0 <= value <= 100, _("Recovery has to be from 0 to 100 %."))
                    value /= 100
                else:
                    _require(0 < value <= 100, _("The value has to be above 0 and at most 100."))
            except ReirradiationError:
                self.update()  # what was typed is taken back
                raise
            self._setOf(organ, _SETTING_OF_COLUMN[column], value)

    def _set(self, name: str, value: float) -> None:
        organ = self.organ()
        if organ is not None:
            self._setOf(organ, name, value)

    def _setOf(self, organ: OrganDose, name: str, value: float) -> None:
        self.panel.apply(**{name: {**self.panel.wanted(name), organ.name: value}})

    def onReset(self) -> None:
        """Forget the user's values of the selected organ."""
        organ = self.organ()
        if organ is not None:
            names = set(_names(organ))
            kept = {
                setting: {key: value for key, value in self.panel.wanted(setting).items() if key not in names}
                for setting in _SETTING_OF_COLUMN.values()
            }
            self.panel.apply(**kept)


def _names(organ: OrganDose) -> tuple[str | None, ...]:
    return organ.name, organ.match.tg263, organ.match.base


def _entered(values: Mapping[str, Any], organ: OrganDose) -> bool:
    return any(name in values for name in _names(organ) if name)


def _percents(organ: OrganDose) -> str:
    """Return what is forgiven of the courses, e.g. ``"25"``, or ``"50/25"`` where they differ."""
    percents = [f"{100 * recovery.fraction:.0f}" for recovery in organ.recoveries if recovery.source]
    return "/".join(dict.fromkeys(percents)) or "0"


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ReirradiationError(sentence)
