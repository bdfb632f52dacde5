"""What the ranges are worked out for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import ReirradiationError
from ..registration.transform import SpatialTransform
from ..settings import Settings

# Published mean landmark errors: deformable 2.4 to 2.5 mm in the head and neck (Rigaud, ten methods), rigid 4 to 8 mm
# at re-treatment (PMC5711221). A mean distance is 1.6 standard deviations per axis (Maxwell distribution).
_MAXWELL_MEAN = 2.0 * math.sqrt(2.0 / math.pi)


@dataclass(frozen=True)
class RegistrationError:
    """Random error of a registration; standard deviations per axis, over patients and places.

    Parameters
    ----------
    translation_sd_mm, rotation_sd_deg
        Of the organ as a whole, about its own centre.
    deformation_sd_mm, correlation_mm
        Of the smooth rest, and the distance over which it stays alike (Gaussian correlation).
    """

    translation_sd_mm: float
    rotation_sd_deg: float
    deformation_sd_mm: float
    correlation_mm: float = 40.0

    @property
    def mean_error_mm(self) -> float:
        """Mean length of the error at the organ's centre."""
        return _MAXWELL_MEAN * math.hypot(self.translation_sd_mm, self.deformation_sd_mm)


# Mean errors of 2.5 and 6 mm; see above. How they split between the parts is this project's choice.
_ROTATION_SD_DEG = 1.0
DEFORMABLE_ERROR = RegistrationError(1.1, _ROTATION_SD_DEG, 1.1)
RIGID_ERROR = RegistrationError(1.1, _ROTATION_SD_DEG, 3.6)


_FARTHEST_SEARCH_MM = 20.0
_LARGEST_ERROR_MM = 50.0


@dataclass(frozen=True)
class UncertaintySettings:
    """What the ranges are worked out for.

    Parameters
    ----------
    search_mm
        Radius of the k-mm search; 0 for none. RADAR uses 3 mm (Mechalakos 2025, PMC12928241).
    search_within_organ
        Whether the search stays in the organ.
    error
        Registration error of every earlier course; None for what is usual for its kind of registration.
    samples
        Number of random errors.
    percentiles
        The two between which values under random errors are reported.
    other_transforms
        By course index: another transform to compare with, reference point to course point. None for the rigid part of
        every deformable registration.
    """

    search_mm: float = 3.0
    search_within_organ: bool = True
    error: RegistrationError | None = None
    samples: int = 100
    percentiles: tuple[float, float] = (5.0, 95.0)
    seed: int = 1
    other_transforms: Mapping[int, SpatialTransform] | None = field(default=None)

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if not 0 <= self.search_mm <= _FARTHEST_SEARCH_MM:
            raise ReirradiationError(
                f"the search radius is {self.search_mm:g} mm: give 0 (none) to {_FARTHEST_SEARCH_MM:g} mm"
            )
        error = self.error
        if error is not None and not 0 <= error.mean_error_mm <= _LARGEST_ERROR_MM:
            raise ReirradiationError(
                f"a registration error of {error.mean_error_mm:g} mm on average: give 0 to {_LARGEST_ERROR_MM:g} mm"
            )
        if self.samples < 0:
            raise ReirradiationError(f"{self.samples} random registration errors: give 0 (none) or more")


def uncertainty_settings(settings: Settings) -> UncertaintySettings:
    """Return what the user's settings of a review say."""
    error = _evenly_split(settings.registration_sd_mm) if settings.registration_sd_mm else None
    return UncertaintySettings(settings.search_mm, settings.search_within_organ, error)


@dataclass(frozen=True)
class AssumedError:
    """The error that a registration is given, and why."""

    error: RegistrationError
    basis: str


def error_of(
    settings: UncertaintySettings, transform: SpatialTransform, measured_mm: float | None = None
) -> AssumedError:
    """Return the error that a registration is given: the user's, else what was measured, else what is usual.

    Parameters
    ----------
    measured_mm
        Mean length of the error at an organ, as measured. It is not taken for less than is usual for a deformable
        registration: contours that agree do not show how tissue slides along them.
    """
    if settings.error is not None:
        return AssumedError(settings.error, "as set by the user")
    if measured_mm is not None:
        least_mm, basis = DEFORMABLE_ERROR.mean_error_mm, "from contours and landmarks here"
        if measured_mm < least_mm:
            basis = f"{measured_mm:.1f} mm {basis}, but no less is taken"
        return AssumedError(_evenly_split(max(measured_mm, least_mm) / _MAXWELL_MEAN), basis)
    if transform.displacement is None:
        return AssumedError(RIGID_ERROR, "usual for a rigid registration")
    return AssumedError(DEFORMABLE_ERROR, "usual for a deformable registration")


def _evenly_split(sd_mm: float) -> RegistrationError:
    """Return an error of a standard deviation per axis, half of its variance rigid, half smooth."""
    part_mm = sd_mm / math.sqrt(2.0)
    return RegistrationError(part_mm, _ROTATION_SD_DEG, part_mm)
