"""CTK's and Slicer's widgets on plain Qt: as little as the panel needs, under their own names."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

_HEADER_HEIGHT = 26


class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A heading that folds away what is below it."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(4, _HEADER_HEIGHT + 2, 4, 4)
        self.toggled.connect(lambda opened: self.collapse(not opened))

    def _collapsed(self) -> bool:
        return not self.isChecked()

    def _set_collapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, _collapsed, _set_collapsed)

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        """Fold away what is put into a folded section."""
        super().childEvent(event)
        if event.added() and isinstance(event.child(), QtWidgets.QWidget) and not self.isChecked():
            event.child().hide()

    def collapse(self, collapsed: bool) -> None:
        """Fold the contents away or show them."""
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(not collapsed)
        self.setMaximumHeight(_HEADER_HEIGHT if collapsed else 16_777_215)
        self.contentsCollapsed.emit(collapsed)

    def sizeHint(self) -> QtCore.QSize:
        """Return room for the heading and the contents."""
        layout = self.layout()
        inside = layout.sizeHint() if layout and self.isChecked() else QtCore.QSize(100, 0)
        return QtCore.QSize(inside.width(), max(inside.height(), _HEADER_HEIGHT))

    def hitButton(self, position: QtCore.QPoint) -> bool:
        """Only the heading is the button."""
        return position.y() < _HEADER_HEIGHT

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        """Draw the heading."""
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), _HEADER_HEIGHT)
        option.text = ("▾ " if self.isChecked() else "▸ ") + self.text()
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButton, option)


class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box that folds away."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.toggled.connect(lambda opened: self._fold(not opened))

    def _collapsed(self) -> bool:
        return not self.isChecked()

    def _set_collapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)
        self._fold(collapsed)

    collapsed = Property(bool, _collapsed, _set_collapsed)

    def _fold(self, collapsed: bool) -> None:
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly):
            child.setVisible(not collapsed)
        self.setMaximumHeight(22 if collapsed else 16_777_215)


class ctkSliderWidget(QtWidgets.QWidget):
    """A slider with a spin box."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._box = QtWidgets.QDoubleSpinBox()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._follow)
        self._slider.valueChanged.connect(lambda step: self._box.setValue(self.minimum + step * self.singleStep))
        self._ranged()

    def _follow(self, value: float) -> None:
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(round((value - self.minimum) / self.singleStep))
        self._slider.blockSignals(blocked)
        self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)

    def _ranged(self) -> None:
        self._slider.setMaximum(max(1, round((self._box.maximum() - self._box.minimum()) / self._box.singleStep())))

    def setValue(self, value: float) -> None:
        """Set the value."""
        self._box.setValue(value)

    def _box_property(name: str, kind: type) -> Property:
        setter = f"set{name[0].upper()}{name[1:]}"

        def write(self: ctkSliderWidget, value: Any) -> None:
            getattr(self._box, setter)(value)
            self._ranged()

        return Property(kind, lambda self: getattr(self._box, name)(), write)

    value = _box_property("value", float)
    minimum = _box_property("minimum", float)
    maximum = _box_property("maximum", float)
    singleStep = _box_property("singleStep", float)
    decimals = _box_property("decimals", int)
    suffix = _box_property("suffix", str)
    prefix = _box_property("prefix", str)

    def _tracks(self) -> bool:
        return self._slider.hasTracking()

    def _track(self, tracking: bool) -> None:
        self._slider.setTracking(tracking)

    tracking = Property(bool, _tracks, _track)


class ctkDirectoryButton(QtWidgets.QPushButton):
    """A button that shows and chooses a folder."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def _directory(self) -> str:
        return self.text()

    def _set_directory(self, directory: str) -> None:
        if directory != self.text():
            self.setText(directory)
            self.directoryChanged.emit(directory)

    directory = Property(str, _directory, _set_directory)
    caption = Property(str, lambda self: "", lambda self, text: None)


class ctkPathLineEdit(QtWidgets.QWidget):
    """A line with a path and a button to choose one."""

    currentPathChanged = Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QtWidgets.QLineEdit()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit, 1)
        layout.addWidget(QtWidgets.QToolButton(text="..."))
        self._edit.textChanged.connect(self.currentPathChanged)
        self._name_filters: list[str] = []

    def _path(self) -> str:
        return self._edit.text()

    def _set_path(self, path: str) -> None:
        self._edit.setText(path)

    currentPath = Property(str, _path, _set_path)

    def setCurrentPath(self, path: str) -> None:
        """Set the path."""
        self._edit.setText(path)

    def addCurrentPathToHistory(self) -> None:
        """Remember the path: the stand-in remembers none."""

    def _filters(self) -> list[str]:
        return self._name_filters

    def _set_filters(self, filters: list[str]) -> None:
        self._name_filters = list(filters)

    nameFilters = Property("QStringList", _filters, _set_filters)
