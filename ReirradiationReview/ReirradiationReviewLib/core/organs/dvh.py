"""Dose-volume figures straight from weighted samples: no bins, no fixed dose steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError

_NUMBER = r"\d+(?:\.\d+)?"
_METRIC = re.compile(
    rf"(?P<kind>Dmin|Dmean|Dmax|D(?P<at_volume>{_NUMBER})(?P<volume_unit>cc|%)"
    rf"|(?P<family>CV|V)(?P<at_dose>{_NUMBER})Gy(?P<unit>cc|%))",
    re.ASCII,
)
# Interpolation or a sum that should give 20 Gy may be short of it by rounding, which must not decide on V20Gy.
ROUNDING = 1e-9
# Near-maximum doses, up to D2cc, need only this many of the hottest samples in order; more are taken where the samples
# are small.
_NEAR_MAXIMUM_CC, _FIRST_LOOK = 2.0, 1024


class DoseFigures(Protocol):
    """What can be asked of an organ's dose, however its samples are held; NaN where no dose is known."""

    @property
    def known_volume_cc(self) -> float:
        """Volume with a known dose."""
        ...

    @property
    def unknown_volume_cc(self) -> float:
        """Volume where the dose is not known."""
        ...

    @property
    def total_volume_cc(self) -> float:
        """Volume of the whole organ."""
        ...

    @property
    def dmin_gy(self) -> float:
        """Lowest dose."""
        ...

    @property
    def dmax_gy(self) -> float:
        """Highest dose of any sample point."""
        ...

    @property
    def dmean_gy(self) -> float:
        """Mean dose of the known part."""
        ...

    def dose_at_volume_cc(self, volume_cc: float) -> float:
        """Return the lowest dose within the hottest ``volume_cc``, Gy."""
        ...

    def volume_cc_at_dose(self, dose_gy: float) -> float:
        """Return the volume known to receive at least ``dose_gy``, cc."""
        ...

    def spared_volume_cc_at_dose(self, dose_gy: float) -> float:
        """Return the volume known to receive less than ``dose_gy``, cc."""
        ...


@dataclass(frozen=True)
class DoseVolume:
    """The dose and the volume of every sample of an organ.

    Every figure is NaN where no part of the organ has a known dose: unknown, never zero.

    Parameters
    ----------
    dose_gy, volumes_cc
        Samples with a known dose, shape ``(N,)``.
    unknown_volume_cc
        Volume of the organ where the dose is not known.
    """

    dose_gy: NDArray[np.float64]
    volumes_cc: NDArray[np.float64]
    unknown_volume_cc: float = 0.0

    @cached_property
    def known_volume_cc(self) -> float:
        """Volume with a known dose."""
        return float(self.volumes_cc.sum())

    @property
    def total_volume_cc(self) -> float:
        """Volume of the whole organ."""
        return self.known_volume_cc + self.unknown_volume_cc

    @property
    def dmin_gy(self) -> float:
        """Lowest dose."""
        return float(self.dose_gy.min()) if len(self.dose_gy) else np.nan

    @property
    def dmax_gy(self) -> float:
        """Highest dose of any sample point: a point maximum, which depends on sampling more than D0.03cc does."""
        return float(self.dose_gy.max()) if len(self.dose_gy) else np.nan

    @property
    def dmean_gy(self) -> float:
        """Mean dose of the known part."""
        return float(np.dot(self.dose_gy, self.volumes_cc)) / self.known_volume_cc if len(self.dose_gy) else np.nan

    @cached_property
    def _hottest_first(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Dose, falling, and the volumes of the samples in that order."""
        return _by_falling_dose(self.dose_gy, self.volumes_cc)

    def _hottest(self, volume_cc: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return that for at least the hottest ``volume_cc``: much quicker to find than the order of all samples."""
        count = _FIRST_LOOK
        while count < len(self.dose_gy) // 4:
            hot = self.dose_gy >= np.partition(self.dose_gy, -count)[-count]
            # Half of the last sample's volume lies beyond its middle, where its dose is read.
            if self.volumes_cc[hot].sum() - self.volumes_cc[hot].max() >= volume_cc:
                return _by_falling_dose(self.dose_gy[hot], self.volumes_cc[hot])
            count *= 4
        return self._hottest_first

    def dose_at_volume_cc(self, volume_cc: float) -> float:
        """Return the lowest dose within the hottest ``volume_cc``, Gy; Dmin where the known part is smaller."""
        if not len(self.dose_gy):
            return np.nan
        dose, volumes = self._hottest(volume_cc) if volume_cc <= _NEAR_MAXIMUM_CC else self._hottest_first
        return float(np.interp(volume_cc, np.cumsum(volumes) - volumes / 2, dose))

    def dose_at_volume_percent(self, percent: float) -> float:
        """Return the lowest dose within the hottest ``percent`` of the whole organ, Gy."""
        return self.dose_at_volume_cc(percent / 100.0 * self.total_volume_cc)

    def volume_cc_at_dose(self, dose_gy: float) -> float:
        """Return V_D: the volume known to receive at least ``dose_gy``, cc."""
        return float(self.volumes_cc[self._reaches(dose_gy)].sum()) if len(self.dose_gy) else np.nan

    def volume_percent_at_dose(self, dose_gy: float) -> float:
        """Return V_D as percent of the whole organ, the unknown part included in the whole."""
        return 100.0 * self.volume_cc_at_dose(dose_gy) / self.total_volume_cc if len(self.dose_gy) else np.nan

    def spared_volume_cc_at_dose(self, dose_gy: float) -> float:
        """Return CV_D, the critical volume: what is known to receive less than ``dose_gy``, cc."""
        return float(self.volumes_cc[~self._reaches(dose_gy)].sum()) if len(self.dose_gy) else np.nan

    def _reaches(self, dose_gy: float) -> NDArray[np.bool_]:
        return self.dose_gy >= dose_gy * (1 - ROUNDING)

    def curve(self, points: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the cumulative DVH at evenly spaced doses from 0 to Dmax.

        Returns
        -------
        dose_gy, volume_cc : ndarray, shape (points,)
            Volume that receives at least each dose; both empty where nothing is known.
        """
        if not len(self.dose_gy):
            return np.empty(0), np.empty(0)
        levels = np.linspace(0.0, self.dmax_gy, points)
        step_gy = self.dmax_gy / (points - 1) if self.dmax_gy > 0 else 1.0
        highest_reached = (self.dose_gy / (step_gy * (1 - ROUNDING))).astype(np.intp).clip(0, points - 1)
        at_highest = np.bincount(highest_reached, self.volumes_cc, points).astype(np.float64)
        return levels, np.cumsum(at_highest[::-1])[::-1]


def _by_falling_dose(
    dose_gy: NDArray[np.float64], volumes_cc: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(-dose_gy, kind="stable")
    return dose_gy[order], volumes_cc[order]


def dose_volume(dose_gy: NDArray[Any], volumes_cc: NDArray[np.float64], unknown_volume_cc: float = 0.0) -> DoseVolume:
    """Return the dose-volume relation of samples, each of shape ``(N,)``."""
    return DoseVolume(np.asarray(dose_gy, dtype=np.float64), volumes_cc, unknown_volume_cc)


@dataclass(frozen=True)
class Metric:
    """One dose-volume figure, ready to be read from any organ's dose.

    Parameters
    ----------
    kind
        ``"Dmin"``, ``"Dmean"``, ``"Dmax"``; ``"D"``, the dose at a volume; ``"V"``, the volume at a dose; ``"CV"``, the
        volume below a dose.
    level
        Of ``"D"``: the volume, in cc or %; of ``"V"`` and ``"CV"``: the dose in Gy; else 0.
    unit
        ``"cc"`` or ``"%"``, of the volume that is given or asked for; empty where none is.
    """

    kind: str
    level: float = 0.0
    unit: str = ""

    def __call__(self, dose: DoseFigures) -> float:
        """Return the figure: Gy for doses, cc or % for volumes."""
        if self.kind == "D":
            return dose.dose_at_volume_cc(self.in_cc(self.level, dose))
        if self.kind in ("V", "CV"):
            read = dose.volume_cc_at_dose if self.kind == "V" else dose.spared_volume_cc_at_dose
            volume_cc = read(self.level)
            return volume_cc if self.unit == "cc" else 100.0 * volume_cc / dose.total_volume_cc
        return float(getattr(dose, {"Dmin": "dmin_gy", "Dmean": "dmean_gy", "Dmax": "dmax_gy"}[self.kind]))

    def in_cc(self, volume: float, dose: DoseFigures) -> float:
        """Return a volume in the metric's unit as cc; percent are of the whole organ, unknown parts included."""
        return volume if self.unit == "cc" else volume / 100.0 * dose.total_volume_cc


@lru_cache
def metric(name: str) -> Metric:
    """Return the metric of a name.

    ``Dmin``, ``Dmean``, ``Dmax``; ``D0.03cc``, ``D2%`` in Gy; ``V20Gy%``, ``V20Gycc`` (receiving at least);
    ``CV15Gycc``, ``CV15Gy%`` (receiving less).

    Raises
    ------
    ReirradiationError
        If the name is none of these.
    """
    match = _METRIC.fullmatch(name)
    if match is None:
        raise ReirradiationError(
            f"{name!r} is no dose-volume metric: write Dmin, Dmean, Dmax, D0.03cc, D2%, V20Gy%, V20Gycc or CV15Gycc"
        )
    if match["at_volume"]:
        return Metric("D", float(match["at_volume"]), match["volume_unit"])
    if match["at_dose"]:
        return Metric(match["family"], float(match["at_dose"]), match["unit"])
    return Metric(match["kind"])
