"""Dose volumes in the scene: their names, their attributes and how they are washed with colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer

from ..core.volume import Volume
from .content import IsodoseLevel
from .geometry import add_volume_node, set_values

DOSE_ATTRIBUTE = "DicomRtImport.DoseVolume"  # as SlicerRT names it
ALPHA_BETA_ATTRIBUTE = "ReirradiationReview.AlphaBetaGy"
QUANTITY_ATTRIBUTE = "ReirradiationReview.Quantity"


@dataclass(frozen=True)
class Wash:
    """How doses are coloured.

    Parameters
    ----------
    levels
        By rising dose: below the first the wash is clear, the last is where the colours end.
    """

    colours: slicer.vtkMRMLColorTableNode
    levels: Sequence[IsodoseLevel]

    def apply(self, node: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Colour a dose volume."""
        display = display_of(node, self.colours.GetID())
        display.SetWindowLevelMinMax(0.0, self.levels[-1].dose_gy)
        # Below the lowest isodose the wash is clear; so is what is unknown (NaN).
        display.SetThreshold(self.levels[0].dose_gy, 1e6)
        display.SetApplyThreshold(1)


def add_dose(
    scene: slicer.vtkMRMLScene, name: str, dose: Volume, quantity: str, wash: Wash
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a dose volume in Gy.

    Parameters
    ----------
    quantity
        ``"physical dose"`` or ``"EQD2"``.
    """
    node = add_volume_node(scene, name, dose.like(dose.array.astype(np.float32, copy=False)))
    node.SetAttribute(DOSE_ATTRIBUTE, "1")
    node.SetAttribute(QUANTITY_ATTRIBUTE, quantity)
    wash.apply(node)
    return node


def add_eqd2(
    scene: slicer.vtkMRMLScene, what: str, dose: Volume, alpha_beta_gy: float, wash: Wash
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add an EQD2 volume in Gy, whose name and attributes tell its alpha/beta."""
    node = add_dose(scene, what, dose, "EQD2", wash)
    _name(node, what, alpha_beta_gy)
    return node


def set_eqd2(node: slicer.vtkMRMLScalarVolumeNode, what: str, dose: Volume, alpha_beta_gy: float) -> None:
    """Renew an EQD2 volume's values, name and attributes."""
    set_values(node, dose)
    _name(node, what, alpha_beta_gy)


def display_of(node: slicer.vtkMRMLScalarVolumeNode, colour_id: str) -> slicer.vtkMRMLScalarVolumeDisplayNode:
    """Return a volume's display node, made if there is none, with these colours and no automatic window."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour_id)
    display.SetAutoWindowLevel(0)
    display.SetInterpolate(1)
    return display


def add_colour_legend(node: slicer.vtkMRMLScalarVolumeNode, alpha_beta_gy: float) -> None:
    """Give a dose volume a colour legend, hidden at first."""
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node.GetDisplayNode())
    legend.SetTitleText(_legend_title(alpha_beta_gy))
    legend.SetLabelFormat("%.0f")
    legend.SetVisibility(False)


def _name(node: slicer.vtkMRMLScalarVolumeNode, what: str, alpha_beta_gy: float) -> None:
    node.SetName(f"{what} EQD2 ({_alpha_beta(alpha_beta_gy)})")
    node.SetAttribute(ALPHA_BETA_ATTRIBUTE, f"{alpha_beta_gy:g}")
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node.GetDisplayNode())
    if legend is not None:
        legend.SetTitleText(_legend_title(alpha_beta_gy))


def _legend_title(alpha_beta_gy: float) -> str:
    return f"EQD2 (Gy)\n{_alpha_beta(alpha_beta_gy)}"


def _alpha_beta(alpha_beta_gy: float) -> str:
    return f"alpha/beta {alpha_beta_gy:g} Gy"
