"""Segments that are contoured in the scene, read back as structures."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from ..core.courses import Structure
from ..core.targets.outline import structure_of
from ..core.targets.region import Region
from ..core.volume import Volume
from .geometry import RAS_FROM_LPS, array_of, numpy_matrix
from .segmentation import LABELMAP, roi_number, set_roi_number

TARGET_TYPES = ("GTV", "CTV", "PTV")


def segment_mask(node: slicer.vtkMRMLSegmentationNode, segment_id: str) -> Volume | None:
    """Return a segment's binary labelmap as a bool volume, LPS; None where it has none or an empty one.

    A transform above the segmentation is not applied.
    """
    image = slicer.vtkOrientedImageData()
    if not node.GetBinaryLabelmapRepresentation(segment_id, image) or min(image.GetDimensions()) <= 0:
        return None
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    index_to_ras = numpy_matrix(matrix)
    index_to_ras[:3, 3] += index_to_ras[:3, :3] @ image.GetExtent()[::2]
    mask = array_of(image).astype(bool)
    return Volume(mask, RAS_FROM_LPS @ index_to_ras) if mask.any() else None


def type_of_name(name: str) -> str:
    """Return the RT ROI Interpreted Type (3006,00A4) that a target's name speaks of; empty for other names."""
    return next((kind for kind in TARGET_TYPES if name.upper().startswith(kind)), "")


class SegmentWatch:
    """Knows which segments of a segmentation were changed since it last looked."""

    def __init__(self, node: slicer.vtkMRMLSegmentationNode) -> None:
        self._node = node
        self._seen: dict[str, _SegmentState] = {}
        self.reset()

    def reset(self) -> None:
        """Take the segments as they are."""
        self._seen = self._state()

    def edited(self, structures: Sequence[Structure], image: Volume) -> tuple[Structure, ...] | None:
        """Return the structures with what was contoured since; None where nothing was.

        A segment whose voxels changed is outlined on the image's planes; a new segment is a new structure; a segment
        that was emptied or taken out is no structure any more. The others stay the very same.

        Parameters
        ----------
        structures
            What the segments were made from.
        image
            Its planes are contoured: the reference CT.
        """
        before, now = self._seen, self._state()
        changed = [segment_id for segment_id, state in now.items() if not state.shows_the_same(before.get(segment_id))]
        if not changed and before.keys() == now.keys():
            self._seen = now
            return None
        result = {structure.number: structure for structure in structures}
        for segment_id in before.keys() - now.keys():
            result.pop(before[segment_id].number, None)
        for segment_id in changed:
            number = now[segment_id].number
            if number is None:
                number = max([0, *result]) + 1
                set_roi_number(self._node, segment_id, number)
            outlined = self._outlined(segment_id, number, result.get(number), image)
            if outlined is None:
                result.pop(number, None)
            else:
                result[number] = outlined
        self.reset()
        return tuple(result.values())

    def _outlined(self, segment_id: str, number: int, known: Structure | None, image: Volume) -> Structure | None:
        segment = self._node.GetSegmentation().GetSegment(segment_id)
        mask = segment_mask(self._node, segment_id)
        if mask is None:
            return None
        return structure_of(
            Region(segment.GetName(), mask, "contoured in Slicer"),
            image,
            number=number,
            colour=tuple(round(255 * part) for part in segment.GetColor()),
            interpreted_type=known.interpreted_type if known is not None else type_of_name(segment.GetName()),
        )

    def _state(self) -> dict[str, _SegmentState]:
        segmentation = self._node.GetSegmentation()
        state = {}
        for segment_id in segmentation.GetSegmentIDs():
            segment = segmentation.GetSegment(segment_id)
            labelmap = segment.GetRepresentation(LABELMAP)
            changed_at = 0 if labelmap is None else labelmap.GetMTime()
            known = self._seen.get(segment_id)
            # Segments can share a labelmap, which then changes with each of them: only the voxels tell.
            is_known = known is not None and known.changed_at == changed_at
            voxels = known.voxels if is_known else _fingerprint(segment_mask(self._node, segment_id))
            number = roi_number(self._node, segment_id)
            state[segment_id] = _SegmentState(changed_at, segment.GetName(), number, voxels)
        return state


@dataclass(frozen=True)
class _SegmentState:
    """When a segment's labelmap last changed, its name, the number of the structure that it shows, and its voxels."""

    changed_at: int
    name: str
    number: int | None
    voxels: int

    def shows_the_same(self, other: _SegmentState | None) -> bool:
        """Return whether name and voxels are the same."""
        return other is not None and (self.name, self.voxels) == (other.name, other.voxels)


def _fingerprint(mask: Volume | None) -> int:
    """Return a number that differs where the set of voxels does, whatever box they are stored in."""
    if mask is None:
        return 0
    inside = mask.array
    spans = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(span[0], span[-1] + 1) for span in spans)
    start_lps = mask.to_lps(np.array([[part.start for part in box[::-1]]], dtype=np.float64))
    place = np.round(np.concatenate([start_lps.ravel(), mask.index_to_lps[:3, :3].ravel()]), 3) + 0.0
    return zlib.crc32(np.packbits(inside[box]).tobytes() + place.tobytes())
