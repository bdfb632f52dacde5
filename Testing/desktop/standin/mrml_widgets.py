"""Slicer's MRML widgets on plain Qt."""

from __future__ import annotations

from typing import Any

from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal
from slicer import vtkMRMLScene


class qMRMLWidget(QtWidgets.QWidget):
    """A widget that knows the scene."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: vtkMRMLScene | None = None

    def mrmlScene(self) -> vtkMRMLScene | None:
        """Return the scene."""
        return self._scene

    def setMRMLScene(self, scene: vtkMRMLScene | None) -> None:
        """Set the scene and tell the widgets inside."""
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)


class qMRMLNodeComboBox(QtWidgets.QComboBox):
    """A choice among the scene's nodes of some classes."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeAddedByUser = Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: vtkMRMLScene | None = None
        self._tags: list[int] = []
        self._types: list[str] = []
        self._needed: list[tuple[str, str, Any]] = []
        self._options = {"noneEnabled": False, "addEnabled": True, "removeEnabled": True, "showHidden": False}
        self.currentIndexChanged.connect(self._tell)

    def setMRMLScene(self, scene: vtkMRMLScene | None) -> None:
        """Set the scene; the first node that fits becomes the current one, as in Slicer."""
        if self._scene is not None:
            for tag in self._tags:
                self._scene.RemoveObserver(tag)
        self._scene = scene
        self._tags = []
        if scene is not None:
            events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent, scene.EndCloseEvent)
            self._tags = [scene.AddObserver(event, lambda *_: self._refresh()) for event in events]
        self._refresh()

    def mrmlScene(self) -> vtkMRMLScene | None:
        """Return the scene."""
        return self._scene

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        """Offer only nodes of the type that have the attribute."""
        self._needed.append((node_type, name, value))
        self._refresh()

    def _fits(self, node: Any) -> bool:
        if not any(node.IsA(kind) for kind in self._types):
            return False
        if node.GetHideFromEditors() and not self._options["showHidden"]:
            return False
        wanted = [(name, value) for kind, name, value in self._needed if node.IsA(kind)]
        return all(node.GetAttribute(name) == value if value else node.GetAttribute(name) for name, value in wanted)

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = (self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes()))
        return [node for node in nodes if self._fits(node)]

    def _refresh(self) -> None:
        before = self.currentNodeID
        self.blockSignals(True)
        self.clear()
        if self._options["noneEnabled"]:
            self.addItem("None", "")
        for node in self._nodes():
            self.addItem(node.GetName() or "", node.GetID())
        found = self.findData(before)
        self.setCurrentIndex(found if found >= 0 else min(0, self.count() - 1))
        self.blockSignals(False)
        if self.currentNodeID != before:
            self._tell()

    def _tell(self) -> None:
        self.currentNodeChanged.emit(self.currentNode())
        self.currentNodeIDChanged.emit(self.currentNodeID)

    def currentNode(self) -> Any:
        """Return the chosen node; None where there is none."""
        return self._scene.GetNodeByID(self.currentNodeID) if self._scene and self.currentNodeID else None

    def setCurrentNode(self, node: Any) -> None:
        """Choose a node."""
        self._set_id(node.GetID() if node is not None else "")

    def addNode(self) -> Any:
        """Add a node of the first class, as "Create new ..." in the list does, and choose it."""
        node = self._scene.AddNewNodeByClass(self._types[0])
        self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def nodeCount(self) -> int:
        """Return how many nodes are offered."""
        return len(self._nodes())

    def _id(self) -> str:
        return self.currentData() or ""

    def _set_id(self, node_id: str) -> None:
        self.setCurrentIndex(max(-1, self.findData(node_id or "")))

    currentNodeID = Property(str, _id, _set_id)
    setCurrentNodeID = _set_id

    def _get_types(self) -> list[str]:
        return self._types

    def _set_types(self, types: list[str]) -> None:
        self._types = list(types)
        self._refresh()

    nodeTypes = Property("QStringList", _get_types, _set_types)

    def _option(name: str) -> Property:
        def write(self: qMRMLNodeComboBox, on: bool) -> None:
            self._options[name] = on
            self._refresh()

        return Property(bool, lambda self: self._options[name], write)

    noneEnabled = _option("noneEnabled")
    addEnabled = _option("addEnabled")
    removeEnabled = _option("removeEnabled")
    showHidden = _option("showHidden")
    renameEnabled = Property(bool, lambda self: False, lambda self, on: None)
    editEnabled = Property(bool, lambda self: False, lambda self, on: None)
    showChildNodeTypes = Property(bool, lambda self: True, lambda self, on: None)
    noneDisplay = Property(str, lambda self: "None", lambda self, text: None)
