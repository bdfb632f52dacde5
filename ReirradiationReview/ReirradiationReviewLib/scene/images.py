"""PET, MR and other images beside the courses: volume nodes below the transform that shows them on the planning CT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
from numpy.typing import NDArray

from ..core.images import PlacedImage
from .doses import display_of
from .figure1_preset import FIGURE1
from .geometry import add_transform_nodes, add_volume_node

UNITS_ATTRIBUTE = "ReirradiationReview.Units"
MODALITY_ATTRIBUTE = "ReirradiationReview.Modality"
PET_COLOURS = "PET_ColorTable_Review"
_COLOURS = 256

# Units of SUV as PS3.16 CID 85 codes them, which is what Slicer's PET modules look for.
_SUV_CODES = {
    "SUVbw": ("{SUVbw}g/ml", "Standardized Uptake Value body weight"),
    "SUVlbm James": ("{SUVlbm(James128)}g/ml", "Standardized Uptake Value lean body mass (James 128 multiplier)"),
    "SUVlbm Janmahasatian": ("{SUVlbm(Janma)}g/ml", "Standardized Uptake Value lean body mass (Janma)"),
    "SUVibw": ("{SUVibw}g/ml", "Standardized Uptake Value ideal body weight"),
    "SUVbsa": ("{SUVbsa}cm2/ml", "Standardized Uptake Value body surface area"),
}


@dataclass(frozen=True)
class ImageNodes:
    """One image's nodes.

    Parameters
    ----------
    transforms
        What brings ``volume`` to reference space, innermost first.
    """

    volume: slicer.vtkMRMLScalarVolumeNode
    transforms: tuple[slicer.vtkMRMLTransformNode, ...]

    @property
    def modality(self) -> str:
        """DICOM Modality (0008,0060)."""
        return str(self.volume.GetAttribute(MODALITY_ATTRIBUTE) or "")

    @property
    def units(self) -> str:
        """Unit of the voxels, in words; empty where it is not known."""
        return str(self.volume.GetAttribute(UNITS_ATTRIBUTE) or "")


def add_images(scene: slicer.vtkMRMLScene, images: Sequence[PlacedImage], reference: str) -> tuple[ImageNodes, ...]:
    """Add the images, in their order, each with its transform to the reference course of that label."""
    colours = _add_pet_colours(scene) if any(image.series.modality == "PT" for image in images) else None
    return tuple(_add_image(scene, image, reference, colours) for image in images)


def image_roles(images: Sequence[ImageNodes]) -> dict[str, list[slicer.vtkMRMLNode]]:
    """Return the images' nodes by role in the parameter node; images count from 1."""
    roles: dict[str, list[slicer.vtkMRMLNode]] = {}
    for number, nodes in enumerate(images, start=1):
        roles[f"image{number}.volume"] = [nodes.volume]
        roles[f"image{number}.transform"] = list(nodes.transforms)
    return roles


def all_nodes(images: Sequence[ImageNodes]) -> list[slicer.vtkMRMLNode]:
    """Return every node that the images brought along, the PET's colours included."""
    colours = {nodes.volume.GetDisplayNode().GetColorNode() for nodes in images if nodes.modality == "PT"}
    return [node for nodes in images for node in (nodes.volume, *nodes.transforms)] + [c for c in colours if c]


def shows_suv(node: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Return whether a volume's voxels are SUV."""
    return str(node.GetAttribute(UNITS_ATTRIBUTE) or "").startswith("SUV")


def _add_image(
    scene: slicer.vtkMRMLScene, image: PlacedImage, reference: str, colours: slicer.vtkMRMLColorTableNode | None
) -> ImageNodes:
    series = image.series
    name = f"{image.name}, {series.units}" if series.units else image.name
    node = add_volume_node(scene, name, series.volume)
    node.SetAttribute(MODALITY_ATTRIBUTE, series.modality)
    node.SetAttribute(UNITS_ATTRIBUTE, series.units)
    if colours is not None and series.modality == "PT":
        _show_pet(node, colours, float(np.nanmax(series.volume.array)))
    else:
        display_of(node, "vtkMRMLColorTableNodeGrey").SetAutoWindowLevel(1)
    transforms = add_transform_nodes(scene, f"{image.name} to {reference}", image.transform)
    node.SetAndObserveTransformNodeID(transforms[0].GetID())
    return ImageNodes(node, transforms)


def _show_pet(node: slicer.vtkMRMLScalarVolumeNode, colours: slicer.vtkMRMLColorTableNode, highest: float) -> None:
    display = display_of(node, colours.GetID())
    # Without SUV there is no usual window: all values are shown.
    display.SetWindowLevelMinMax(*(FIGURE1.pet_window if shows_suv(node) else (0.0, highest)))
    code = _SUV_CODES.get(str(node.GetAttribute(UNITS_ATTRIBUTE)).split(" (")[0])
    if code is not None:
        node.SetVoxelValueQuantity(_coded("126400", "DCM", "Standardized Uptake Value"))
        node.SetVoxelValueUnits(_coded(code[0], "UCUM", code[1]))


def _coded(value: str, scheme: str, meaning: str) -> slicer.vtkCodedEntry:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(value, scheme, meaning)
    return entry


def _add_pet_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", PET_COLOURS)
    node.SetTypeToUser()
    node.SetNumberOfColors(_COLOURS)
    shares = np.linspace(0.0, 1.0, _COLOURS)
    for index, (share, colour) in enumerate(zip(shares, pet_rgb(shares), strict=True)):
        node.SetColor(index, f"{share:.0%} of the window", *colour.tolist(), 1.0)
    return node


def pet_rgb(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the PET's colours, 0 to 1, shape ``(N, 3)``, at shares of its window, shape ``(N,)``."""
    known = [share for share, _ in FIGURE1.pet_colours]
    colours = np.array([colour for _, colour in FIGURE1.pet_colours]) / 255
    return np.stack([np.interp(shares, known, colours[:, channel]) for channel in range(3)], axis=1)
