"""Slicer's .ui files with the real Qt loader, the classes of CTK and Slicer stood in for."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from PySide6 import QtCore, QtWidgets
from PySide6.QtUiTools import QUiLoader

from . import mrml_widgets, slicer_widgets
from .facts import facts_of
from .proxy import PythonQtObject, connect, wrap

CUSTOM_CLASSES = {
    name: f"{space}.{name}"
    for module, space in ((slicer_widgets, "ctk"), (mrml_widgets, "slicer"))
    for name in vars(module)
    if name.startswith(("ctk", "qMRML"))
}


def full_name(ui_class: str) -> str:
    """Return a .ui file's class as facts.json names it, e.g. ``"ctk.ctkSliderWidget"``."""
    return CUSTOM_CLASSES.get(ui_class) or (f"qt.{ui_class}" if ui_class.startswith("Q") else f"slicer.{ui_class}")


def load_ui(path: str) -> PythonQtObject:
    """Return the top widget of a .ui file, its connections made.

    Raises
    ------
    RuntimeError
        As slicer.util.loadUI does, where the file is missing or at fault.
    """
    if not Path(path).exists():
        raise RuntimeError(f"Could not load UI file: file not found {path}")
    loader = QUiLoader()
    for module in (slicer_widgets, mrml_widgets):
        for name, kind in vars(module).items():
            if name in CUSTOM_CLASSES:
                loader.registerCustomWidget(kind)
    tree = ElementTree.parse(path)
    connections = tree.getroot().find("connections")
    wanted = [] if connections is None else list(connections)
    if connections is not None:
        tree.getroot().remove(connections)
    buffer = QtCore.QBuffer()
    buffer.setData(ElementTree.tostring(tree.getroot()))
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    top = loader.load(buffer)
    if top is None:
        raise RuntimeError(f"Could not load UI file: {path}: {loader.errorString()}")
    for connection in wanted:
        _connect(top, *(connection.findtext(part) for part in ("sender", "signal", "receiver", "slot")))
    return wrap(top)


def _connect(top: QtWidgets.QWidget, sender: str, signal: str, receiver: str, slot: str) -> None:
    from_widget, to_widget = (
        wrap(top if name == top.objectName() else top.findChild(QtWidgets.QWidget, name)) for name in (sender, receiver)
    )
    if slot not in facts_of(to_widget._facts.name).slots:
        raise RuntimeError(f"{receiver} ({to_widget._facts.name}) has no slot {slot}")
    connect(from_widget, signal, getattr(to_widget, slot.split("(", maxsplit=1)[0]))
