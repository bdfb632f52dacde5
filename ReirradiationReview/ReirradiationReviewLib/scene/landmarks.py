"""Points that were marked in the scene, as landmarks of a course."""

from __future__ import annotations

import numpy as np
import slicer
from numpy.typing import NDArray

from ..core.errors import ReirradiationError
from .geometry import to_ras


def landmarks_of(node: slicer.vtkMRMLMarkupsNode) -> dict[str, NDArray[np.float64]]:
    """Return a point list's points by label, LPS mm, in the node's own space.

    A list that was marked on an earlier course's CT lies below that course's transform, as the CT does; what counts is
    where its points are in the course, not where the registration shows them.

    Raises
    ------
    ReirradiationError
        If two points are called the same.
    """
    points: dict[str, NDArray[np.float64]] = {}
    for index in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(index) != node.PositionDefined:
            continue
        name = node.GetNthControlPointLabel(index)
        if name in points:
            raise ReirradiationError(
                f"the point list {node.GetName()!r} names two points {name!r}: which one is meant is not clear"
            )
        points[name] = to_ras(np.array(node.GetNthControlPointPosition(index)))  # its own inverse
    return points
