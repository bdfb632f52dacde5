"""An organ as points with volumes, made from its contours and not from any image's voxels.

Contours are read by `contours`, the shape between and beyond their planes is that of `sections`; here each slab is
filled with points. The points' volumes add up to the area of each cross-section times the slab's thickness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..errors import Notice, ReirradiationError
from .contours import PlaneStack, coverage, plane_stack
from .sections import Layer, joined, layers

# Points that an organ gets at least, and about at most. 0.03 cc of a 10 cc organ then hold 120 points, so that a
# near-maximum dose is no accident of sampling; large organs need no millimetre.
_FEWEST_POINTS, _MOST_POINTS = 40_000, 1_000_000
_FINEST_PITCH_MM = 0.25
# Pixels in all contoured planes together: a wide but thin organ (skin) is bound by this.
_MOST_PIXELS = 4_000_000
# Pixels along the longer side of the box in which an organ's size is measured first.
_SURVEY_PIXELS = 64
# Empty pixels around the contours, so that an outline may move outwards.
_MARGIN_PIXELS = 2
# Points in rows would all cross a dose level at once and make steps in the DVH; each is moved within its own cell along
# this sequence, which fills space evenly (additive recurrence, Roberts' generalised golden ratio in three dimensions).
_RECURRENCE = 1.0 / 1.2207440846057596 ** np.arange(1, 4)
# Where detail is wanted, a cell is split into this many along each axis.
_SPLIT = 3


@dataclass(frozen=True)
class OrganSamples:
    """Sample points of an organ.

    Parameters
    ----------
    points_lps
        LPS mm, shape ``(N, 3)``.
    volumes_cc
        The volume each point stands for, shape ``(N,)``.
    """

    points_lps: NDArray[np.float64]
    volumes_cc: NDArray[np.float64]
    notices: tuple[Notice, ...] = ()

    @property
    def volume_cc(self) -> float:
        """Volume of the organ."""
        return float(self.volumes_cc.sum())

    def split(self, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return finer points, LPS mm, and their volumes, cc, in place of the wanted points, shape ``(N,)``.

        Each stands for a cube of its volume, which is cut into equal parts along the patient's axes.
        """
        side_mm = np.cbrt(self.volumes_cc[wanted] * 1000.0)
        steps = (np.arange(_SPLIT) + 0.5) / _SPLIT - 0.5
        offsets = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
        points = (self.points_lps[wanted, None] + side_mm[:, None, None] * offsets).reshape(-1, 3)
        return points, np.repeat(self.volumes_cc[wanted] / len(offsets), len(offsets))


def sample_organ(
    structure: Structure, slice_thickness_mm: float | None = None, spacing_mm: float = 1.0
) -> OrganSamples:
    """Sample an organ from its contours.

    Parameters
    ----------
    slice_thickness_mm
        Thickness of a structure that is contoured in one plane only, which contours cannot tell.
    spacing_mm
        Pitch of the points; small organs get a finer one, very large ones a coarser one.

    Raises
    ------
    ReirradiationError
        If the contours enclose no volume, or do not lie in parallel planes.
    """
    stack = plane_stack(structure)
    gap_mm, notices = usual_gap(structure, stack, slice_thickness_mm)
    pitch_mm = _pitch_mm(stack, gap_mm, spacing_mm)
    grid = _Grid.of(stack, pitch_mm)
    covered = coverage(stack, grid.origin_uv_mm, pitch_mm, grid.shape)
    slabs = [_Cells.of(layer, grid) for layer in layers(covered, stack.positions_mm, gap_mm, pitch_mm)]
    cells = [slab for slab in slabs if len(slab.share)]
    if not cells:
        raise ReirradiationError(
            f"structure {structure.name!r} encloses no volume: check its contours, ContourData (3006,0050)"
        )
    points, volumes = _points(cells, grid)
    return OrganSamples(points @ stack.axes_lps, volumes, (*stack.notices, *notices))


@dataclass(frozen=True)
class _Grid:
    """Pixels of the cross-sections: centre of the first one, pitch, shape (V, U)."""

    origin_uv_mm: NDArray[np.float64]
    pitch_mm: float
    shape: tuple[int, int]

    @classmethod
    def of(cls, stack: PlaneStack, pitch_mm: float) -> _Grid:
        low, size = _extent(stack)
        columns, rows = np.ceil(size / pitch_mm).astype(int) + 2 * _MARGIN_PIXELS
        return cls(low + (0.5 - _MARGIN_PIXELS) * pitch_mm, pitch_mm, (int(rows), int(columns)))


@dataclass(frozen=True)
class _Cells:
    """Cells of a slab that are at least partly covered.

    ``inwards`` are unit vectors (u, v) that point into the organ in partly covered cells, else zero.
    """

    centre_uvw_mm: NDArray[np.float64]
    share: NDArray[np.float64]
    inwards: NDArray[np.float64]
    thickness_mm: float

    @classmethod
    def of(cls, layer: Layer, grid: _Grid) -> _Cells:
        depth, share = fitted(layer.depth_mm / grid.pitch_mm, layer.area_mm2 / grid.pitch_mm**2)
        row, column = np.nonzero(share > 1e-3)
        corner = np.array(layer.first_pixel[::-1])
        uv = grid.origin_uv_mm + (np.stack([column, row], axis=1) + corner) * grid.pitch_mm
        centre = np.column_stack([uv, np.full(len(uv), layer.centre_mm)])
        return cls(centre, share[row, column], _inwards(depth, share, row, column), layer.thickness_mm)


def usual_gap(structure: Structure, stack: PlaneStack, slice_thickness_mm: float | None) -> tuple[float, list[Notice]]:
    """Return the usual distance of the planes, mm, and what the user must know about the planes."""
    gaps = np.diff(stack.positions_mm)
    if not len(gaps):
        if slice_thickness_mm is None:
            raise ReirradiationError(
                f"structure {structure.name!r} is contoured in one plane only and no image says how thick that is"
            )
        text = f"contoured in one plane only; a thickness of {slice_thickness_mm:g} mm was taken"
        return slice_thickness_mm, [Notice("single-plane-structure", text, structure.name)]
    usual, together = float(np.median(gaps)), joined(stack.positions_mm)
    notices = []
    if (gaps[together] > 1.5 * usual).any():
        text = f"planes without a contour: interpolated across up to {gaps[together].max():.3g} mm"
        notices.append(Notice("contour-gap-interpolated", text, structure.name))
    if not together.all():
        text = f"no contour over {gaps[~together].max():.3g} mm: what lies on either side was taken as separate parts"
        notices.append(Notice("contour-gap-left-open", text, structure.name))
    return usual, notices


def _extent(stack: PlaneStack) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest corner and the size of the contours' box, (u, v) in mm."""
    points = np.concatenate([uv for plane in stack.contours_uv_mm for uv in plane])
    return points.min(axis=0), np.ptp(points, axis=0)


def _pitch_mm(stack: PlaneStack, gap_mm: float, spacing_mm: float) -> float:
    """Return the distance of the points that gives an organ neither too few nor too many."""
    _, size = _extent(stack)
    survey = _Grid.of(stack, float(size.max()) / _SURVEY_PIXELS)
    area = coverage(stack, survey.origin_uv_mm, survey.pitch_mm, survey.shape).sum() * survey.pitch_mm**2
    pitch = max(min(spacing_mm, float(np.cbrt(area * gap_mm / _FEWEST_POINTS))), _FINEST_PITCH_MM)
    most_points = float(np.cbrt(area * gap_mm / _MOST_POINTS))
    most_pixels = float(np.sqrt(size.prod() * len(stack.positions_mm) / _MOST_PIXELS))
    return max(pitch, most_points, most_pixels)


def fitted(depth: NDArray[np.float64], area: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move an outline in or out until it encloses an area, all in pixels; return the depths and the covered shares."""
    rank = min(max(round(area), 1), depth.size)
    depth = depth - np.partition(depth, -rank, axis=None)[-rank]
    for _ in range(2):
        share = np.clip(depth + 0.5, 0.0, 1.0)
        rim = max(np.count_nonzero((share > 0) & (share < 1)), 1)
        depth = depth + np.clip((area - share.sum()) / rim, -1.0, 1.0)
    share = np.clip(depth + 0.5, 0.0, 1.0)
    return depth, share * (area / max(float(share.sum()), 1e-9))


def _inwards(
    depth: NDArray[np.float64], share: NDArray[np.float64], row: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return unit vectors (u, v) along which the depth grows, shape ``(N, 2)``; zero in fully covered cells."""
    result = np.zeros((len(row), 2))
    rim = share[row, column] < 1 - 1e-3
    row, column = row[rim], column[rim]
    rows, columns = depth.shape
    along_u = depth[row, np.minimum(column + 1, columns - 1)] - depth[row, np.maximum(column - 1, 0)]
    along_v = depth[np.minimum(row + 1, rows - 1), column] - depth[np.maximum(row - 1, 0), column]
    gradient = np.stack([along_u, along_v], axis=1)
    result[rim] = gradient / np.maximum(np.linalg.norm(gradient, axis=1), 1e-6)[:, None]
    return result


def _points(cells: list[_Cells], grid: _Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points (u, v, w) in mm, shape ``(N, 3)``, and the volumes that they stand for in cc."""
    points = np.concatenate([slab.centre_uvw_mm for slab in cells])
    share = np.concatenate([slab.share for slab in cells])
    inwards = np.concatenate([slab.inwards for slab in cells])
    thickness = np.repeat([slab.thickness_mm for slab in cells], [len(slab.share) for slab in cells])
    scatter = (np.arange(1, len(points) + 1)[:, None] * _RECURRENCE) % 1.0 - 0.5
    # A partly covered cell is represented by a point of its covered part: moved inwards, and scattered along the rim.
    along = np.stack([-inwards[:, 1], inwards[:, 0]], axis=1)
    rim = np.any(inwards != 0, axis=1, keepdims=True)
    depth = (1.0 - share) / 2 + scatter[:, 0] * share
    offset = np.where(rim, inwards * depth[:, None] + along * scatter[:, 1:2], scatter[:, :2])
    points[:, :2] += offset * grid.pitch_mm
    points[:, 2] += scatter[:, 2] * thickness
    return points, share * thickness * grid.pitch_mm**2 / 1000.0
