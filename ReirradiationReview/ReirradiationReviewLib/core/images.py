"""Images beside the planning CT, each at its place in the reference's space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .courses import ImageSeries
from .errors import Notice
from .registration.transform import SpatialTransform
from .volume import Volume, sample_linear

# Off a rotation by more than this, a matrix shears or scales: a moved grid would not be right-angled.
_RIGID_TOLERANCE = 1e-4


@dataclass(frozen=True)
class PlacedImage:
    """One PET, MR or other series, brought to the reference's space.

    Parameters
    ----------
    name
        Unique among the images of a review.
    series
        As read, a PET in SUV unless that was waived; its own Frame of Reference.
    volume
        The same values in the reference's space.
    transform
        Reference point to image point, LPS mm.
    method
        How the transform is known: ``"identity"``, ``"rigid"``, ``"file"``, ...
    qa
        What supports it.
    suv
        How the SUV came about, units in the keys; empty where the values are none.
    """

    name: str
    series: ImageSeries
    volume: Volume
    transform: SpatialTransform
    method: str
    qa: Mapping[str, Any] = field(default_factory=dict)
    suv: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    @property
    def unit(self) -> str:
        """Unit of the values; empty where they have none (MR)."""
        return self.series.units


def in_reference_space(volume: Volume, transform: SpatialTransform, frame_of_reference_uid: str) -> Volume:
    """Return an image in the reference's space.

    A rigid transform moves the image's grid, and no value changes. Any other has the values interpolated on a grid of
    the image's spacing; they are NaN where the image does not reach.

    Parameters
    ----------
    transform
        Reference point to image point.
    """
    inverse = np.linalg.inv(transform.matrix_lps)
    rotation = inverse[:3, :3]
    is_rigid = transform.displacement is None and np.abs(rotation @ rotation.T - np.eye(3)).max() < _RIGID_TOLERANCE
    moved = Volume(volume.array, inverse @ volume.index_to_lps, frame_of_reference_uid)
    if is_rigid:
        return moved
    corners = moved.corners_lps()
    spacing = volume.spacing_mm
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = corners.min(axis=0)
    size = np.ceil(np.ptp(corners, axis=0) / spacing).astype(int) + 1
    grid = Volume(np.empty(size[::-1], dtype=np.float32), matrix, frame_of_reference_uid)
    for k in range(len(grid.array)):  # plane by plane: all points at once would take gigabytes
        plane = grid.part((slice(k, k + 1), slice(0, int(size[1])), slice(0, int(size[0]))))
        values, known = sample_linear(volume, transform.apply(plane.centres_lps()))
        grid.array[k] = np.where(known, values, np.nan).reshape(plane.array.shape[1:])
    return grid
