"""The reference course's organs as a segmentation node: labelmaps to work on, surfaces to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk

from ..core.volume import Volume
from .content import SceneOrgan
from .contours import rasterise, signed_distance, thinned_in_plane
from .geometry import ijk_to_ras, image_of
from .surfaces import level_surface

TG263_TAG = "ReirradiationReview.TG263"
ROI_NUMBER_TAG = "DicomRtImport.RoiNumber"  # as SlicerRT names it

# Finest voxels of the labelmaps; all of them share one lattice, which is what a .seg.nrrd file can hold.
_LABELMAP_MM = 1.0
# A surface is made from at most this many voxels: the skin needs no millimetre.
_SURFACE_VOXELS = 1_000_000
# Planning volumes are large and wrap the tumour and its isodoses, which have to shine through.
_SURFACE_OPACITY = {"body": 0.12, "tumour": 0.9, "target": 0.15, "organ": 0.5}


def add_segmentation(
    scene: slicer.vtkMRMLScene,
    name: str,
    organs: Sequence[SceneOrgan],
    image: Volume,
    image_node: slicer.vtkMRMLScalarVolumeNode | None,
) -> slicer.vtkMRMLSegmentationNode:
    """Add one segment per organ that has a contour, in the order of the organs.

    Parameters
    ----------
    image
        The image that the contours were drawn on; its grid is the labelmaps' lattice.
    image_node
        The same in the scene; None where the course has no image.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    was_modifying = node.StartModify()
    node.GetSegmentation().SetSourceRepresentationName(LABELMAP)
    for organ in organs:
        _add_segment(node, organ, image)
    if image_node is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(image_node)
    node.CreateDefaultDisplayNodes()
    _show(node, organs)
    node.EndModify(was_modifying)
    return node


def set_segments(
    node: slicer.vtkMRMLSegmentationNode,
    organs: Sequence[SceneOrgan],
    shown: Sequence[SceneOrgan],
    image: Volume,
) -> None:
    """Renew the segments of the organs whose structure is not the very same as the one that is shown.

    Parameters
    ----------
    shown
        What the node's segments were made from.
    image
        As for `add_segmentation`.
    """
    before = {organ.structure.number: organ.structure for organ in shown}
    was_modifying = node.StartModify()
    for gone in before.keys() - {organ.structure.number for organ in organs}:
        _remove_segment(node, gone)
    for organ in organs:
        if before.get(organ.structure.number) is not organ.structure:
            _remove_segment(node, organ.structure.number)
            _add_segment(node, organ, image)
            _show_segment(node.GetDisplayNode(), organ)
    node.EndModify(was_modifying)


def segment_id(organ: SceneOrgan) -> str:
    """Return the ID of the segment that is made for an organ; names need not differ: two ROIs may have the same."""
    return f"roi_{organ.structure.number}"


def roi_number(node: slicer.vtkMRMLSegmentationNode, segment_id: str) -> int | None:
    """Return the number of the structure that a segment shows; None where it shows none (yet)."""
    text = vtk.reference("")
    known = node.GetSegmentation().GetSegment(segment_id).GetTag(ROI_NUMBER_TAG, text)
    return int(str(text)) if known and str(text).isdigit() else None


def set_roi_number(node: slicer.vtkMRMLSegmentationNode, segment_id: str, number: int) -> None:
    """Say which structure a segment shows."""
    node.GetSegmentation().GetSegment(segment_id).SetTag(ROI_NUMBER_TAG, str(number))


def _remove_segment(node: slicer.vtkMRMLSegmentationNode, number: int) -> None:
    for each in node.GetSegmentation().GetSegmentIDs():
        if roi_number(node, each) == number:
            node.GetSegmentation().RemoveSegment(each)


LABELMAP = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
_SURFACE = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()


def _add_segment(node: slicer.vtkMRMLSegmentationNode, organ: SceneOrgan, image: Volume) -> None:
    if any(len(contour) >= 3 for contour in organ.structure.contours_lps):
        node.GetSegmentation().AddSegment(_segment(organ, image), segment_id(organ))


def _segment(organ: SceneOrgan, image: Volume) -> slicer.vtkSegment:
    coverage = rasterise(organ.structure.contours_lps, image, _LABELMAP_MM)
    segment = slicer.vtkSegment()
    segment.SetName(organ.name)
    segment.SetColor(*(part / 255 for part in organ.colour))
    segment.AddRepresentation(LABELMAP, _labelmap(coverage))
    segment.AddRepresentation(_SURFACE, _surface(coverage))
    segment.SetTag(TG263_TAG, organ.tg263)
    segment.SetTag(ROI_NUMBER_TAG, str(organ.structure.number))
    return segment


def _labelmap(coverage: Volume) -> slicer.vtkOrientedImageData:
    labelmap = slicer.vtkOrientedImageData()
    labelmap.ShallowCopy(image_of((coverage.array >= 0.5).astype(np.uint8)))
    labelmap.SetGeometryFromImageToWorldMatrix(ijk_to_ras(coverage))
    return labelmap


def _surface(coverage: Volume) -> vtk.vtkPolyData:
    distance = signed_distance(thinned_in_plane(coverage, _SURFACE_VOXELS))
    return level_surface(distance.like(-distance.array), 0.0)


def _show(node: slicer.vtkMRMLSegmentationNode, organs: Sequence[SceneOrgan]) -> None:
    display = node.GetDisplayNode()
    # Cut from the surface: lines as fine as the contours, where a labelmap's outline follows its voxels.
    display.SetPreferredDisplayRepresentationName2D(_SURFACE)
    display.SetPreferredDisplayRepresentationName3D(_SURFACE)
    display.SetAllSegmentsVisibility2DFill(False)
    for organ in organs:
        _show_segment(display, organ)


def _show_segment(display: slicer.vtkMRMLSegmentationDisplayNode, organ: SceneOrgan) -> None:
    if organ.is_body:
        kind = "body"
    elif organ.is_target:
        kind = "tumour" if organ.name.upper().startswith("GTV") else "target"
    else:
        kind = "organ"
    display.SetSegmentOpacity3D(segment_id(organ), _SURFACE_OPACITY[kind])
