"""Filling Qt tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import qt
from slicer.i18n import tr as _

from ..core.errors import ReirradiationError


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    color
        Background, 0 to 255; None for the table's own.
    """

    text: str
    toolTip: str = ""
    editable: bool = False
    color: tuple[int, int, int] | None = None


_WIDEST_COLUMN = 220
_ROW_HEIGHT = 24


def prepareTable(table: qt.QTableWidget) -> None:
    """Give a table low rows of one line, and its last column what room is left."""
    table.setWordWrap(False)
    table.verticalHeader().setVisible(False)
    table.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
    table.horizontalHeader().setStretchLastSection(True)


def fillTable(table: qt.QTableWidget, rows: Sequence[Sequence[Cell]]) -> None:
    """Show rows of cells; nobody is told of it as of a change by the user. The row that was selected stays so."""
    selected = table.currentRow()
    wasBlocked = table.blockSignals(True)
    table.rowCount = len(rows)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            table.setItem(row, column, _item(cell))
    if 0 <= selected < len(rows):
        table.selectRow(selected)
    fitColumns(table)
    table.blockSignals(wasBlocked)


def fitColumns(table: qt.QTableWidget) -> None:
    """Make columns as wide as their contents, within reason: the rest is in the tool tip."""
    table.resizeColumnsToContents()
    for column in range(table.columnCount - 1):
        if table.columnWidth(column) > _WIDEST_COLUMN:
            table.setColumnWidth(column, _WIDEST_COLUMN)


def _item(cell: Cell) -> qt.QTableWidgetItem:
    item = qt.QTableWidgetItem(cell.text)
    item.setToolTip(cell.toolTip or cell.text)
    flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
    item.setFlags(flags | qt.Qt.ItemIsEditable if cell.editable else flags)
    if cell.color is not None:
        item.setBackground(qt.QBrush(qt.QColor(*cell.color)))
        item.setForeground(qt.QBrush(qt.QColor(0, 0, 0)))
    return item


def number(text: str) -> float:
    """Return the number that was typed, with a point or a comma.

    Raises
    ------
    ReirradiationError
        If it is none.
    """
    try:
        value = float(text.strip().rstrip("%").strip().replace(",", "."))
    except ValueError as error:
        raise ReirradiationError(_("{text!r} is no number.").format(text=text)) from error
    if not math.isfinite(value):
        raise ReirradiationError(_("{text!r} is no number.").format(text=text))
    return value


def quietly(widget: Any, name: str, value: Any) -> None:
    """Set a property of a widget without anybody being told that it changed."""
    wasBlocked = widget.blockSignals(True)
    setattr(widget, name, value)
    widget.blockSignals(wasBlocked)


def checkedRows(items: qt.QListWidget) -> list[int]:
    """Return the numbers of the ticked rows of a list."""
    return [row for row in range(items.count) if items.item(row).checkState() == qt.Qt.Checked]


def fillChecklist(items: qt.QListWidget, entries: Sequence[tuple[str, str, bool]]) -> None:
    """Show ``(text, tool tip, ticked)``, with nobody told."""
    wasBlocked = items.blockSignals(True)
    items.clear()
    for text, toolTip, ticked in entries:
        item = qt.QListWidgetItem(text)
        item.setToolTip(toolTip)
        item.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
        item.setCheckState(qt.Qt.Checked if ticked else qt.Qt.Unchecked)
        items.addItem(item)
    items.blockSignals(wasBlocked)
