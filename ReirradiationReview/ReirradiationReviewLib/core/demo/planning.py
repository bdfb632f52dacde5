"""The two treatment plans of the demo case, on the CTs of their courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..volume import Volume
from . import organs, skeleton
from .beams import (
    BIN_MM,
    HALF_BINS,
    Beam,
    Machine,
    Objective,
    dose_at,
    dose_on,
    open_fields,
    optimise,
    relative_density,
)
from .case_data import CourseData
from .grid import AnatomyGrid
from .shapes import Array, Shape

_TARGET_POINTS, _ORGAN_POINTS = 4000, 2500


@dataclass(frozen=True)
class PlannedDose:
    """A plan's dose over all fractions in Gy, shape ``(K, J, I)``, its isocentre (LPS mm), and its beams for RTPLAN."""

    dose_gy: Array
    isocentre_lps: Array
    beams: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class _Aims:
    """Margin of the open fields, dose limits (Gy), and the dose that 95 % of the PTV shall get."""

    margin_mm: float
    target_low_gy: float
    target_high_gy: float
    organ_limits_gy: tuple[tuple[Shape, float], ...]
    rounds: int
    d95_gy: float


_SBRT_LIMITS_GY = (
    (skeleton.CANAL, 14.0),
    (organs.OESOPHAGUS, 24.0),
    (organs.TRACHEA, 34.0),
    (organs.GREAT_VESSELS, 26.0),
)
_AIMS = {
    # Conventional: homogeneous, 95 % of the PTV gets 97 % of 60 Gy or more; the cord is held near 42 Gy.
    1: _Aims(5.0, 60.0, 61.5, ((skeleton.CANAL, 45.0), (organs.HEART, 45.0)), 14, 58.2),
    # SBRT: prescribed to the PTV's edge with a hot middle; cord and oesophagus bend the dose away.
    2: _Aims(1.0, 50.0, 62.0, _SBRT_LIMITS_GY, 12, 50.0),
}


def plan_course(course: CourseData, ct: Volume, grid: AnatomyGrid) -> PlannedDose:
    """Return the plan of a course: coplanar fields, modulated, scaled so that the PTV's D95 is as prescribed."""
    aims = _AIMS[course.number]
    ptv = next(roi.shape for roi in course.rois if roi.name == course.target)
    target = _points_in(grid, ptv, _TARGET_POINTS)
    isocentre = np.round(target.mean(axis=0))
    machine = Machine(relative_density(ct), isocentre, [Beam(angle) for angle in course.gantry_deg])
    fields = open_fields(machine.aim(target), aims.margin_mm)
    fields = _scaled(machine, fields, target, aims.d95_gy)
    objectives = [
        Objective(target, aims.target_low_gy, at_least=True),
        Objective(target, aims.target_high_gy, at_least=False),
    ]
    objectives += [
        Objective(_points_in(grid, s, _ORGAN_POINTS), limit, at_least=False) for s, limit in aims.organ_limits_gy
    ]
    fields = _scaled(machine, optimise(machine, fields, objectives, aims.rounds), target, aims.d95_gy)
    at_isocentre = dose_at(machine, fields, isocentre[None])[:, 0]
    beams = [
        {"gantry_deg": beam.gantry_deg, "dose_gy": float(dose) / course.fractions, "jaws_mm": _jaws(field)}
        for beam, dose, field in zip(machine.beams, at_isocentre, fields, strict=True)
    ]
    body = ct.like(grid.full_field(skeleton.BODY))
    return PlannedDose(dose_on(machine, fields, course.dose, body), isocentre, tuple(beams))


def _scaled(machine: Machine, fields: list[Array], target: Array, d95_gy: float) -> list[Array]:
    factor = d95_gy / float(np.percentile(dose_at(machine, fields, target).sum(axis=0), 5))
    return [field * factor for field in fields]


def _points_in(grid: AnatomyGrid, shape: Shape, at_most: int) -> Array:
    window, field = grid.field(shape)
    index = np.argwhere(field < 0) + [axis.start for axis in window]
    index = index[:: max(1, len(index) // at_most)]
    return grid.volume.to_lps(index[:, ::-1].astype(np.float64))


def _jaws(field: Array) -> dict[str, tuple[float, float]]:
    rows, columns = np.nonzero(field > 0.1 * field.max())
    return {
        name: ((index.min() - HALF_BINS - 0.5) * BIN_MM, (index.max() - HALF_BINS + 0.5) * BIN_MM)
        for name, index in (("ASYMX", columns), ("ASYMY", rows))
    }
