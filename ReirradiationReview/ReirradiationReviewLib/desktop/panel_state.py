"""What the panel remembers in the scene beside the review: choices of display."""

from __future__ import annotations

import json
from typing import Any

import slicer

from ..scene.state import find_parameter_node

PANEL_PARAMETER = "ReirradiationReview.panel"


class PanelState:
    """Plain values in the module's parameter node, so that a saved scene opens with the same panel."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def get(self, name: str, default: Any) -> Any:
        """Return a value; the default where the scene holds no review, or not this value."""
        return self._values().get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Keep a value, where the scene holds a review."""
        node = find_parameter_node(self._scene)
        if node is not None and self.get(name, None) != value:
            node.SetParameter(PANEL_PARAMETER, json.dumps({**self._values(), name: value}))

    def node(self, role: str) -> Any:
        """Return a node that is kept by its role; None where there is none."""
        parameters = find_parameter_node(self._scene)
        return None if parameters is None else parameters.GetNodeReference(f"panel.{role}")

    def setNode(self, role: str, node: Any) -> None:
        """Keep a node by its role: the reference follows it through saving, loading and renaming."""
        parameters = find_parameter_node(self._scene)
        if parameters is not None:
            parameters.SetNodeReferenceID(f"panel.{role}", None if node is None else node.GetID())

    def _values(self) -> dict[str, Any]:
        node = find_parameter_node(self._scene)
        text = node.GetParameter(PANEL_PARAMETER) if node is not None else ""
        try:
            values = json.loads(text or "{}")
        except json.JSONDecodeError:  # not ours: nothing of it is needed
            values = {}
        return values if isinstance(values, dict) else {}
