"""Text nodes that carry what a review is made from, so that a saved scene can be reviewed again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import slicer

from ..core.errors import ReirradiationError

RECORD_ATTRIBUTE = "ReirradiationReview.Record"


def add_record(
    scene: slicer.vtkMRMLScene, name: str, record: Mapping[str, Any] | Sequence[Any]
) -> slicer.vtkMRMLTextNode:
    """Add a text node that holds a record as JSON; it is saved in a file of its own, not within the scene's XML."""
    node = scene.AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetAttribute(RECORD_ATTRIBUTE, "1")
    node.SetHideFromEditors(True)
    node.SetForceCreateStorageNode(True)
    write_record(node, record)
    return node


def write_record(node: slicer.vtkMRMLTextNode, record: Mapping[str, Any] | Sequence[Any]) -> None:
    """Renew what a text node holds."""
    node.SetText(json.dumps(record, ensure_ascii=False, allow_nan=False))


def read_record(node: slicer.vtkMRMLTextNode) -> Any:
    """Return what a text node holds.

    Raises
    ------
    ReirradiationError
        If the node holds no JSON: the scene was changed by another program.
    """
    try:
        return json.loads(node.GetText() or "")
    except json.JSONDecodeError as error:
        raise ReirradiationError(
            f"the scene's record {node.GetName()!r} cannot be read ({error.msg}); load the courses again"
        ) from error
