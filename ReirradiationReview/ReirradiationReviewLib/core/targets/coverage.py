"""How well a plan's dose covers and fits a target: figures of ICRU 83, and conformity after Paddick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..organs.dvh import DoseFigures, metric
from ..volume import Volume, interpolate

COVERAGE_PERCENT = 95.0
# The isodose is cut out of cells of about this size.
_CELL_MM = 1.0
_MOST_CELLS_PER_AXIS = 4


@dataclass(frozen=True)
class Coverage:
    """Dose to a target against the plan's prescription; NaN where a figure is not known.

    Parameters
    ----------
    v95_percent, v100_percent
        Share of the target that receives 95 % and 100 % of the prescription.
    d98_gy, d95_gy, d50_gy, d2_gy
        Near-minimum, dose to 95 %, median and near-maximum (ICRU Report 83).
    homogeneity_index
        (D2 - D98) / D50 (ICRU Report 83): 0 for a uniform dose; NaN where the plan does not treat the target, its
        median being below half of the prescription.
    """

    prescription_gy: float | None
    v95_percent: float
    v100_percent: float
    d98_gy: float
    d95_gy: float
    d50_gy: float
    d2_gy: float
    homogeneity_index: float


@dataclass(frozen=True)
class Conformity:
    """How an isodose fits a target.

    Parameters
    ----------
    isodose_cc
        Volume inside the isodose, in and out of the target; NaN where it reaches the edge of what is known.
    covered_cc
        Part of the target inside it.
    paddick
        covered^2 / (target isodose), Paddick 2000 (doi 10.3171/jns.2000.93.supplement_3.0219): 1 is a perfect fit.
    """

    isodose_gy: float
    isodose_cc: float
    covered_cc: float
    paddick: float


def coverage(dose: DoseFigures, prescription_gy: float | None) -> Coverage:
    """Return how a plan covers a target.

    Parameters
    ----------
    dose
        The plan's physical dose in the target.
    prescription_gy
        None where the plan does not state it; V95 and V100 are then not known.
    """
    d98, d95, d50, d2 = (metric(f"D{percent}%")(dose) for percent in (98, 95, 50, 2))
    v95, v100 = (
        100.0 * dose.volume_cc_at_dose(share * prescription_gy) / dose.total_volume_cc if prescription_gy else np.nan
        for share in (COVERAGE_PERCENT / 100.0, 1.0)
    )
    is_treated = d50 > 0 and d50 >= 0.5 * (prescription_gy or 0.0)
    return Coverage(prescription_gy, v95, v100, d98, d95, d50, d2, (d2 - d98) / d50 if is_treated else np.nan)


def conformity(dose: DoseFigures, plan_dose: Volume, isodose_gy: float) -> Conformity:
    """Return how the isodose of a plan fits a target, usually a PTV.

    Parameters
    ----------
    dose
        The plan's physical dose in the target.
    plan_dose
        The same in the whole patient, Gy; NaN where it is not known.
    """
    inside_cc = isodose_volume_cc(plan_dose, isodose_gy)
    covered_cc = dose.volume_cc_at_dose(isodose_gy)
    paddick = covered_cc**2 / (dose.total_volume_cc * inside_cc) if inside_cc > 0 else np.nan
    return Conformity(isodose_gy, inside_cc, covered_cc, paddick)


def isodose_volume_cc(dose: Volume, level_gy: float) -> float:
    """Return the volume where the linearly interpolated dose reaches a level, cc.

    NaN where that volume reaches the grid's edge or a voxel of unknown dose, beyond which it may go on.

    Parameters
    ----------
    dose
        Gy, shape ``(K, J, I)``, NaN where unknown.
    """
    reached = dose.array >= level_gy
    if not reached.any():
        return 0.0
    found = [np.flatnonzero(reached.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    low, high = (np.array([each[end] for each in found]) for end in (0, -1))
    if (low == 0).any() or (high == np.array(dose.array.shape) - 1).any():
        return np.nan
    part = dose.array[tuple(slice(a - 1, b + 2) for a, b in zip(low, high, strict=True))]
    if np.isnan(part).any() and _touches_unknown(part, level_gy):
        return np.nan
    values = np.where(np.isnan(part), 0.0, part)
    cuts = np.minimum(np.ceil(dose.spacing_mm[::-1] / _CELL_MM), _MOST_CELLS_PER_AXIS).astype(int)
    # Centres of cells between the voxels' centres, in voxels.
    k, j, i = (np.arange(size * cut - cut) / cut + 0.5 / cut for size, cut in zip(values.shape, cuts, strict=True))
    count = 0
    for height in k:  # plane by plane: all cells at once would take gigabytes
        index = np.stack(np.broadcast_arrays(i[None, :], j[:, None], height), axis=-1).reshape(-1, 3)
        count += int(np.count_nonzero(interpolate(values, index) >= level_gy))
    return count * dose.voxel_volume_cc / float(np.prod(cuts))


def _touches_unknown(part: NDArray[np.floating[Any]], level_gy: float) -> bool:
    from scipy.ndimage import binary_dilation

    return bool((binary_dilation(np.isnan(part), np.ones((3, 3, 3))) & (part >= level_gy)).any())
