"""The review's state in the scene: one parameter node with a versioned JSON and references to the nodes by role."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import slicer

MODULE_NAME = "ReirradiationReview"
STATE_PARAMETER = "ReirradiationReview.state"
STATE_VERSION = 1


def add_parameter_node(
    scene: slicer.vtkMRMLScene, state: Mapping[str, Any], nodes: Mapping[str, Sequence[slicer.vtkMRMLNode]]
) -> slicer.vtkMRMLScriptedModuleNode:
    """Add the module's singleton parameter node, as Slicer's own scripted modules make it, or renew it.

    Parameters
    ----------
    state
        Plain JSON values.
    nodes
        Nodes by role; the references follow the nodes through saving, loading and renaming.
    """
    node = slicer.vtkMRMLScriptedModuleNode()
    node.SetSingletonTag(MODULE_NAME)
    node.SetModuleName(MODULE_NAME)
    node.SetName(MODULE_NAME)
    node = scene.AddNode(node)
    was_modifying = node.StartModify()
    node.SetParameter(STATE_PARAMETER, json.dumps({"version": STATE_VERSION, **state}, ensure_ascii=False))
    for role, referenced in nodes.items():
        node.RemoveNodeReferenceIDs(role)
        for each in referenced:
            node.AddNodeReferenceID(role, each.GetID())
    node.EndModify(was_modifying)
    return node
