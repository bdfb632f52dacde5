"""Planar contours, sorted into parallel planes, and the share of each pixel that they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..courses import Structure
from ..errors import Notice, ReirradiationError

Contours = Sequence[NDArray[np.float64]]

# Contour coordinates are written with a few decimals; planes closer than this are the same plane.
SAME_PLANE_MM = 0.1
# A contour that leaves its plane by more than this is not planar, whatever the file calls it.
PLANARITY_MM = 0.5
# A few stray contours in other planes may be left out with a notice; with more, the organ is not what was drawn.
_STRAY_SHARE = 0.1
# Contours narrower than this enclose nothing: a line or a point that was stored as a contour.
_NARROWEST_MM = 0.01
# Contours whose planes differ by less than this vote for the same normal; small contours have rough ones.
_SAME_NORMAL_COSINE = np.cos(np.radians(2.0))
_VOTERS = 50
# Scan lines in each row of pixels.
_LINES = 4


@dataclass(frozen=True)
class PlaneStack:
    """Contours of one structure, sorted into parallel planes.

    Parameters
    ----------
    axes_lps
        Rows are the unit vectors u, v (in the planes) and w (their normal), LPS, shape ``(3, 3)``.
    positions_mm
        Position of each plane along w, rising, shape ``(P,)``.
    contours_uv_mm
        For each plane its contours as points ``(u, v)``, each of shape ``(N, 2)``.
    """

    axes_lps: NDArray[np.float64]
    positions_mm: NDArray[np.float64]
    contours_uv_mm: tuple[tuple[NDArray[np.float64], ...], ...]
    notices: tuple[Notice, ...] = ()


def plane_stack(structure: Structure) -> PlaneStack:
    """Sort a structure's contours into planes; the planes may be tilted in the patient, but have to be parallel.

    Raises
    ------
    ReirradiationError
        If no contour encloses an area, or if the contours do not lie in parallel planes.
    """
    contours = [contour for contour in structure.contours_lps if _breadth_mm(contour) > _NARROWEST_MM]
    if not contours:
        raise ReirradiationError(
            f"structure {structure.name!r}: no contour in ContourData (3006,0050) encloses an area; contour it again"
        )
    axes = _axes(contours)
    located = [contour @ axes.T for contour in contours]
    flat = [uvw for uvw in located if np.ptp(uvw[:, 2]) <= PLANARITY_MM]
    if len(flat) < (1 - _STRAY_SHARE) * len(located):
        raise ReirradiationError(
            f"structure {structure.name!r}: its contours in ContourData (3006,0050) do not lie in parallel planes; "
            "export it as planar contours of one image series"
        )
    positions, planes = _group(sorted(flat, key=lambda uvw: float(uvw[:, 2].mean())))
    unique = tuple(_without_repeats(plane) for plane in planes)
    left_out = len(structure.contours_lps) - len(flat)
    repeated = sum(map(len, planes)) - sum(map(len, unique))
    return PlaneStack(axes, positions, unique, _notices(structure.name, left_out, repeated))


def coverage(
    stack: PlaneStack, origin_uv_mm: NDArray[np.float64], pitch_mm: float, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the share of each pixel that the contours of each plane enclose, shape ``(P, V, U)``.

    The contours of a plane are taken together by the even-odd rule (the exclusive or of PS3.3 C.8.8.6.3), so that one
    inside another is a hole, and a key-hole contour has one, too. The share is exact along u and the mean of four scan
    lines along v.

    Parameters
    ----------
    origin_uv_mm
        Centre of pixel ``[0, 0]``; the pixels have to reach beyond the contours on all sides.
    """
    rows, columns = shape
    line, u = _crossings(stack, origin_uv_mm, pitch_mm, rows)
    # From left to right each line enters and leaves by turns; all lines are crossed an even number of times.
    order = np.lexsort((u, line))
    row, u = line[order] // _LINES, u[order]
    entering = np.resize([1.0 / _LINES, -1.0 / _LINES], len(u))
    column = np.floor(u).astype(int)
    first = row * (columns + 1) + column
    # A crossing covers the rest of its own pixel, and all pixels to the right of it.
    count = len(stack.positions_mm) * rows * (columns + 1)
    steps = np.bincount(first, entering * (1 - (u - column)), count)
    steps += np.bincount(first + 1, entering * (u - column), count)
    return np.cumsum(steps.reshape(-1, rows, columns + 1)[..., :-1], axis=2).clip(0.0, 1.0)


def _crossings(
    stack: PlaneStack, origin_uv_mm: NDArray[np.float64], pitch_mm: float, rows: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return where contours cross scan lines: the line, counted through all planes, and u in pixels from the edge."""
    low, high, plane = _edges(stack)
    scale = np.array([1.0, _LINES]) / pitch_mm
    offset = np.array([0.5, _LINES / 2 - 0.5])
    low, high = (low - origin_uv_mm) * scale + offset, (high - origin_uv_mm) * scale + offset
    # Half-open edges [low, high): a vertex on a line is crossed once, not twice.
    first, end = np.ceil(low[:, 1]).astype(int), np.ceil(high[:, 1]).astype(int)
    edge = np.repeat(np.arange(len(low)), end - first)
    line = np.arange(len(edge)) - np.repeat(np.cumsum(end - first) - end, end - first)
    low, high = low[edge], high[edge]
    u = low[:, 0] + (high[:, 0] - low[:, 0]) * (line - low[:, 1]) / (high[:, 1] - low[:, 1])
    return plane[edge] * (rows * _LINES) + line, u


def _edges(stack: PlaneStack) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return both ends of all contours' edges, the one with the lower v first, and each edge's plane."""
    contours = [(number, uv) for number, plane in enumerate(stack.contours_uv_mm) for uv in plane]
    start = np.concatenate([uv for _, uv in contours])
    end = np.concatenate([np.roll(uv, -1, axis=0) for _, uv in contours])
    plane = np.repeat([number for number, _ in contours], [len(uv) for _, uv in contours])
    # The two edges of a key-hole's cut have to cross a line at the very same place, whichever way they run.
    rising = (start[:, 1] <= end[:, 1])[:, None]
    return np.where(rising, start, end), np.where(rising, end, start), plane


def _breadth_mm(contour: NDArray[np.float64]) -> float:
    """Return the extent of a contour across its longest direction: zero for a point or a line."""
    return float(np.linalg.svd(contour - contour.mean(axis=0), compute_uv=False)[1]) if len(contour) > 2 else 0.0


def _axes(contours: Contours) -> NDArray[np.float64]:
    """Return u, v, w as rows; u and v follow the patient's axes as closely as the planes allow."""
    normal = _common_normal(contours)
    normal = normal * np.sign(normal[np.argmax(np.abs(normal))])
    helper = np.eye(3)[np.argmin(np.abs(normal))]
    u = helper - (helper @ normal) * normal
    u /= np.linalg.norm(u)
    return np.array([u, np.cross(normal, u), normal])


def _common_normal(contours: Contours) -> NDArray[np.float64]:
    """Return the normal of the planes that most contours, weighted by size, lie in: strays do not pull at it."""
    scatter = np.array([np.cov(contour.T, bias=True) for contour in contours])
    spread, vectors = np.linalg.eigh(scatter)
    size_mm, normals = np.sqrt(spread[:, 1].clip(min=0)), vectors[:, :, 0]
    candidates = np.argsort(-size_mm, kind="stable")[:_VOTERS]
    agreeing = np.abs(normals[candidates] @ normals.T) > _SAME_NORMAL_COSINE
    winners = agreeing[np.argmax(agreeing @ size_mm)]
    normal: NDArray[np.float64] = np.linalg.eigh(scatter[winners].sum(axis=0))[1][:, 0]
    return normal


def _group(located: Contours) -> tuple[NDArray[np.float64], list[Contours]]:
    """Return the planes' positions and the contours ``(u, v)`` of each, from contours ``(u, v, w)`` sorted by w."""
    positions = np.array([uvw[:, 2].mean() for uvw in located])
    bounds = [0, *(np.flatnonzero(np.diff(positions) > SAME_PLANE_MM) + 1).tolist(), len(located)]
    slices = [slice(a, b) for a, b in pairwise(bounds)]
    return np.array([positions[s].mean() for s in slices]), [[uvw[:, :2] for uvw in located[s]] for s in slices]


def _without_repeats(plane: Contours) -> tuple[NDArray[np.float64], ...]:
    """Return the contours of a plane, each once: by exclusive or, a contour that is stored twice would be nothing."""
    return tuple({np.unique(np.round(uv, 3) + 0.0, axis=0).tobytes(): uv for uv in plane}.values())


def _notices(name: str, left_out: int, repeated: int) -> tuple[Notice, ...]:
    notices = []
    if left_out:
        text = f"{left_out} of its contours enclose no area or leave the plane of the others; they were left out"
        notices.append(Notice("contours-left-out", text, name))
    if repeated:
        text = f"{repeated} of its contours are stored twice in their plane; each was counted once"
        notices.append(Notice("contours-repeated", text, name))
    return tuple(notices)
