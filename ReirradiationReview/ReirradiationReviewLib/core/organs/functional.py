"""Dose-volume figures of an organ weighted by where it works: perfusion, ventilation, uptake.

With function ``f`` and volume ``v`` of each sample point, weighted figures are the plain ones with ``v`` replaced by
``v f / mean(f)``, ``mean(f)`` being the volume-weighted mean over the organ. So the function-weighted mean dose is
``sum(v f D) / sum(v f)`` and fV20 is ``sum(v f where D >= 20 Gy) / sum(v f)``; a uniform map changes nothing, and a
factor on the map (counts, SUV, percent) does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dose_mapping import SummedDose
from ..errors import ReirradiationError
from ..volume import Volume, sample_linear
from .dvh import DoseVolume, dose_volume
from .sampling import OrganSamples


@dataclass(frozen=True)
class FunctionalDose:
    """A dose in an organ, plain and weighted by function.

    Parameters
    ----------
    weighted
        Its volumes add up to the volume where the function is known.
    plain
        Of the same part of the organ, so that both can be compared.
    mean_function
        Mean of the map over the organ, in the map's unit.
    unknown_percent
        Share of the organ's volume that the map does not cover; it is in neither.
    """

    weighted: DoseVolume
    plain: DoseVolume
    mean_function: float
    unknown_percent: float


def functional_dose(dose: SummedDose, samples: OrganSamples, function: Volume, organ: str) -> FunctionalDose:
    """Return an organ's dose weighted by a functional map.

    Parameters
    ----------
    dose
        At the sample points; what is not known is left out by its function-weighted volume.
    function
        Map in the reference's space, not negative, in any unit; NaN where it is not known.
    organ
        Name for messages.

    Raises
    ------
    ReirradiationError
        If the map does not cover the organ, is negative in it, or shows no function there at all.
    """
    values, inside = sample_linear(function, samples.points_lps)
    known = inside & np.isfinite(values)
    if not known.any():
        raise ReirradiationError(
            f"the functional map does not cover {organ}: check its registration, or leave {organ} out"
        )
    volumes = samples.volumes_cc[known]
    if (values[known] < 0).any():
        raise ReirradiationError(
            f"the functional map is negative in {organ} (down to {values[known].min():.4g}), but a weight cannot be: "
            "give a map of function, such as perfusion or ventilation, that starts at 0"
        )
    mean = float(np.average(values[known], weights=volumes))
    if mean == 0:
        raise ReirradiationError(f"the functional map is zero in all of {organ}: there is no function to spare")
    weights = volumes * values[known] / mean
    return FunctionalDose(
        weighted=_dose_volume(dose, known, weights),
        plain=_dose_volume(dose, known, volumes),
        mean_function=mean,
        unknown_percent=100.0 * float(1.0 - volumes.sum() / samples.volume_cc),
    )


def _dose_volume(dose: SummedDose, part: NDArray[np.bool_], volumes_cc: NDArray[np.float64]) -> DoseVolume:
    known = dose.known[part]
    return dose_volume(dose.low_gy[part][known], volumes_cc[known], float(volumes_cc[~known].sum()))
