"""A course out of nodes alone: for scenes whose DICOM files are not at hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from ..core.courses import Course, ImageSeries, Patient, Plan, Structure
from ..core.errors import Notice, ReirradiationError
from ..core.targets.outline import structure_of
from ..core.targets.region import Region
from ..core.volume import Volume
from .found import FoundCourse, FoundDose
from .geometry import to_ras, volume_of
from .segments import segment_mask, type_of_name

_CONTOURS = slicer.vtkSegmentationConverter.GetSegmentationPlanarContourRepresentationName()


def course_from_nodes(found: FoundCourse, label: str) -> Course:
    """Return the course that nodes hold, on their own grids: a transform above them is not part of it.

    What only the files say stays unknown: fractions, prescription, dose type. Slicer's planar contours are used as they
    are; other structures are outlined on the CT's planes.

    Raises
    ------
    ReirradiationError
        If a dose holds stored numbers instead of Gy, or CT, dose and structures lie under different transforms.
    """
    if found.ct is None:
        raise ReirradiationError(f"{found.name}: there is no CT in the scene; load the planning CT")
    _require_one_transform(found)
    ct = volume_of(found.ct, found.frame_of_reference_uid)
    structures: tuple[Structure, ...] = ()
    if found.structures is not None:
        structures = tuple(_structures(found.structures, ct))
    where = found.name
    return Course(
        label=label,
        date=found.date,
        patient=Patient(**found.patient),
        ct=ImageSeries(ct, "CT", found.ct.GetName(), found.ct_series_uid, found.study_uid, found.date, units="HU"),
        structures=structures,
        plans=tuple(_plan(found, dose) for dose in found.doses),
        notices=(
            Notice(
                "read-from-scene",
                "the DICOM files are not in the DICOM database: dose type, prescription and fractions are not known, "
                "and the dose is taken to lie in the CT's frame of reference",
                where,
            ),
        ),
        folder="",
    )


def _plan(found: FoundCourse, dose: FoundDose) -> Plan:
    if not dose.is_in_gy:
        raise ReirradiationError(
            f"{dose.node.GetName()}: this RTDOSE was loaded without SlicerRT, so its voxels are stored numbers and no "
            "dose (DoseGridScaling (3004,000E) was not applied); load its DICOM folder here instead"
        )
    volume = volume_of(dose.node, found.frame_of_reference_uid)
    return Plan(
        label=dose.node.GetName(),
        dose=volume.like(volume.array.astype(np.float32, copy=False)),
        fractions=None,
        fractions_source="unknown",
        dose_type="",
        dose_summation_type="",
        plan_uid=dose.plan_uid,
        dose_uids=(dose.instance_uid,) if dose.instance_uid else (),
        date=found.date,
    )


def _require_one_transform(found: FoundCourse) -> None:
    nodes = [found.ct, found.structures, *(dose.node for dose in found.doses)]
    parents = {node.GetTransformNodeID() for node in nodes if node is not None}
    if len(parents) > 1:
        raise ReirradiationError(
            f"{found.name}: its CT, doses and structures lie under different transforms, so how they belong together "
            "is not known; put them under one transform, or take it away"
        )


def _structures(node: slicer.vtkMRMLSegmentationNode, ct: Volume) -> list[Structure]:
    segmentation = node.GetSegmentation()
    result = []
    for number, segment_id in enumerate(segmentation.GetSegmentIDs(), start=1):
        segment = segmentation.GetSegment(segment_id)
        name, colour = segment.GetName(), tuple(round(255 * part) for part in segment.GetColor())
        kind = type_of_name(name)
        lines = segment.GetRepresentation(_CONTOURS)
        if lines is not None:
            contours = tuple(_contours_lps(lines))
            result.append(Structure(name, number, contours, colour, kind, ct.frame_of_reference_uid))
        elif (mask := segment_mask(node, segment_id)) is not None:
            region = Region(name, mask, "a segment of the scene")
            result.append(structure_of(region, ct, number=number, colour=colour, interpreted_type=kind))
    return result


def _contours_lps(lines: Any) -> Sequence[Any]:
    """Return the closed planar contours of a planar contour representation."""
    if lines.GetNumberOfPoints() == 0:
        return []
    points_lps = to_ras(vtk_to_numpy(lines.GetPoints().GetData()).astype(np.float64))  # RAS to LPS is the same step
    contours = []
    for cells in (lines.GetLines(), lines.GetPolys()):
        if cells.GetNumberOfCells() == 0:
            continue
        offsets, members = vtk_to_numpy(cells.GetOffsetsArray()), vtk_to_numpy(cells.GetConnectivityArray())
        for start, end in pairwise(offsets):
            ids = members[start:end]
            closed = len(ids) > 1 and ids[0] == ids[-1]
            contours.append(points_lps[ids[:-1] if closed else ids])
    return [contour for contour in contours if len(contour) >= 3]
