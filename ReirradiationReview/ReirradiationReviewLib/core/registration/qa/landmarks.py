"""Target registration error at landmarks that were marked in both images."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import Notice, ReirradiationError
from ..transform import SpatialTransform

Points = Mapping[str, NDArray[np.float64]]

_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])
# Slicer wrote 0 and 1 in the first fcsv files, and words since (Markups: vtkMRMLMarkupsFiducialStorageNode).
_TO_LPS = {"LPS": np.ones(3), "1": np.ones(3), "RAS": _RAS_TO_LPS, "0": _RAS_TO_LPS}


@dataclass(frozen=True)
class LandmarkErrors:
    """Distances between where landmarks are mapped to and where they were marked.

    Parameters
    ----------
    names
        Of the landmarks that both images have, in the reference's order.
    points_lps
        Where they lie in the reference, LPS mm, shape ``(N, 3)``.
    errors_mm
        Shape ``(N,)``, in the earlier course's space.
    """

    names: tuple[str, ...]
    points_lps: NDArray[np.float64]
    errors_mm: NDArray[np.float64]

    @property
    def mean_mm(self) -> float:
        """Mean error."""
        return float(self.errors_mm.mean())

    @property
    def max_mm(self) -> float:
        """Largest error."""
        return float(self.errors_mm.max())

    def near(self, points_lps: NDArray[np.float64], distance_mm: float) -> NDArray[np.float64]:
        """Return the errors of the landmarks within a distance of any of some points, shape ``(N, 3)``, LPS mm."""
        from scipy.spatial import cKDTree

        away, _ = cKDTree(points_lps).query(self.points_lps, distance_upper_bound=distance_mm)
        return self.errors_mm[np.isfinite(away)]


def landmark_errors(
    transform: SpatialTransform, reference: Points, course: Points
) -> tuple[LandmarkErrors | None, tuple[Notice, ...]]:
    """Return the errors at the landmarks that both images have; None where they share no name.

    Parameters
    ----------
    reference, course
        Landmarks by name, LPS mm, shape ``(3,)``; points of one name belong together.
    """
    names = tuple(name for name in reference if name in course)
    if not names:
        text = "the landmarks of the two images have no name in common, so they measure nothing"
        return None, (Notice("landmarks-unpaired", text),)
    alone = sorted({*reference, *course} - set(names))
    notices: tuple[Notice, ...] = ()
    if alone:
        text = f"landmarks that only one of the two images has were left out: {', '.join(alone)}"
        notices = (Notice("landmarks-unpaired", text),)
    points = np.array([reference[name] for name in names])
    marked = np.array([course[name] for name in names])
    errors = np.linalg.norm(transform.apply(points) - marked, axis=1)
    return LandmarkErrors(names, points, errors), notices


def read_landmarks(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read named points from a Slicer markups file (.mrk.json, .json) or fiducial list (.fcsv).

    Returns
    -------
    dict
        Points in LPS mm, shape ``(3,)``, by label, in file order.

    Raises
    ------
    ReirradiationError
        If the file is none of these, states no coordinate system, or names two points alike.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReirradiationError(f"{path.name} cannot be read as landmarks ({error}); give a .mrk.json") from error
    rows = _fcsv(text, path.name) if path.suffix.lower() == ".fcsv" else _markups(text, path.name)
    points: dict[str, NDArray[np.float64]] = {}
    for name, point in rows:
        if name in points:
            raise ReirradiationError(f"{path.name} names two landmarks {name!r}: which one is meant is not clear")
        points[name] = point
    if not points:
        raise ReirradiationError(f"{path.name} holds no landmarks")
    return points


def _markups(text: str, file: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
    try:
        markups = json.loads(text)["markups"]
    except (ValueError, TypeError, LookupError) as error:
        raise ReirradiationError(f"{file} is no Slicer markups file; save the point list as .mrk.json") from error
    for markup in markups if isinstance(markups, list) else []:
        if not isinstance(markup, dict):
            continue
        to_lps = _to_lps(markup.get("coordinateSystem"), file)
        for point in markup.get("controlPoints", []):
            if isinstance(point, dict) and point.get("positionStatus", "defined") == "defined":
                yield str(point.get("label", "")), _position(point.get("position"), file) * to_lps


def _fcsv(text: str, file: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the points of a Slicer fiducial list; columns as its header names them."""
    head = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
    stated = dict(line.split("=", 1) for line in head if "=" in line)
    facts = {key.strip(): value.strip() for key, value in stated.items()}
    to_lps = _to_lps(facts.get("CoordinateSystem"), file)
    columns = [name.strip() for name in facts.get("columns", "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label").split(",")]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for values in csv.reader(lines):
        row = dict(zip(columns, values, strict=False))
        yield row.get("label") or row.get("id", ""), _position([row.get(axis) for axis in "xyz"], file) * to_lps


def _to_lps(system: Any, file: str) -> NDArray[np.float64]:
    if str(system) not in _TO_LPS:
        raise ReirradiationError(f"{file} does not say whether its coordinates are LPS or RAS (coordinateSystem)")
    return _TO_LPS[str(system)]


def _position(values: Any, file: str) -> NDArray[np.float64]:
    try:
        point = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ReirradiationError(f"{file} has a landmark without a position") from error
    if point.shape != (3,) or not np.all(np.isfinite(point)):
        raise ReirradiationError(f"{file} has a landmark whose position is not three numbers")
    return point
