"""The review's state in the scene: one parameter node with a versioned JSON and references to the nodes by role."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import slicer

from ..core.errors import ReirradiationError

MODULE_NAME = "ReirradiationReview"
STATE_PARAMETER = "ReirradiationReview.state"
STATE_VERSION = 1


def find_parameter_node(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScriptedModuleNode | None:
    """Return the module's parameter node; None where the scene has none that holds a review."""
    node = scene.GetSingletonNode(MODULE_NAME, "vtkMRMLScriptedModuleNode")
    return node if node is not None and node.GetParameter(STATE_PARAMETER) else None


def read_state(node: slicer.vtkMRMLScriptedModuleNode) -> dict[str, Any]:
    """Return the state that a parameter node holds.

    Raises
    ------
    ReirradiationError
        If it was written by a newer version, or is no JSON.
    """
    try:
        state: dict[str, Any] = json.loads(node.GetParameter(STATE_PARAMETER))
    except json.JSONDecodeError as error:
        raise ReirradiationError(f"the scene's review state cannot be read ({error.msg}); load the courses") from error
    if state.get("version") != STATE_VERSION:
        raise ReirradiationError(
            f"the scene's review state has version {state.get('version')}, this software reads {STATE_VERSION}: "
            "open it with the version that saved it"
        )
    return state


def referenced(node: slicer.vtkMRMLScriptedModuleNode, role: str) -> list[slicer.vtkMRMLNode]:
    """Return the nodes of a role that are still in the scene, in order."""
    nodes = (node.GetNthNodeReference(role, index) for index in range(node.GetNumberOfNodeReferences(role)))
    return [each for each in nodes if each is not None]


def all_referenced(node: slicer.vtkMRMLScriptedModuleNode) -> list[slicer.vtkMRMLNode]:
    """Return the nodes of all roles that are still in the scene."""
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    return [each for role in roles for each in referenced(node, role)]


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
    write_state(node, state)
    for role, those in nodes.items():
        set_referenced(node, role, those)
    node.EndModify(was_modifying)
    return node


def write_state(node: slicer.vtkMRMLScriptedModuleNode, state: Mapping[str, Any]) -> None:
    """Renew the state that a parameter node holds."""
    node.SetParameter(STATE_PARAMETER, json.dumps({"version": STATE_VERSION, **state}, ensure_ascii=False))


def set_referenced(node: slicer.vtkMRMLScriptedModuleNode, role: str, nodes: Sequence[slicer.vtkMRMLNode]) -> None:
    """Renew which nodes a role refers to."""
    node.RemoveNodeReferenceIDs(role)
    for each in nodes:
        node.AddNodeReferenceID(role, each.GetID())
