"""Rigid registration of two CTs of one patient, from any start."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Progress, ReirradiationError, no_progress
from ..volume import Volume
from .similarity import Agreement, agreement
from .start import FULL_FAN, LEVEL_FAN, find_starts
from .subject import Subject, mask_on, mirrored, prepare
from .transform import SpatialTransform

if TYPE_CHECKING:
    import SimpleITK

_Matrix = NDArray[np.float64]

_STARTS = 4
# A start that scores less than this share of the best one is not worth refining.
_WORTH_REFINING = 0.5
_BINS = 50
_ITERATIONS = 200
# Pairs of one patient reached a correlation of 0.96 and more (head and neck, synthetic chest, half the field of view
# cut off); a mirrored patient 0.82 and 0.87; another body region, and slabs without overlap, 0.35 and less.
_LEAST_CORRELATION = 0.75
_LEAST_OVERLAP = 0.25


@dataclass(frozen=True)
class _Level:
    """One resolution: voxel size, number of random samples, and the optimiser's first and last step in mm."""

    spacing_mm: float
    samples: int
    first_step_mm: float
    last_step_mm: float


_COARSE = _Level(8.0, 20_000, 4.0, 0.1)
_FINE = (_Level(4.0, 30_000, 1.0, 0.02), _Level(3.0, 60_000, 0.5, 0.01))


@dataclass(frozen=True)
class RegistrationResult:
    """A rigid transform and what speaks for or against it.

    Parameters
    ----------
    transform
        Maps reference points to moving points, LPS mm. Not to be used where ``failed``.
    agreement
        How well the CTs agree at 4 mm.
    mirrored_agreement
        How well the reference agrees at 8 mm with the moving CT's mirror image, registered likewise.
    failure_reason
        Plain words; empty where the registration may be used.
    """

    transform: SpatialTransform
    agreement: Agreement
    mirrored_agreement: Agreement
    failure_reason: str
    seconds: float
    method: str = "rigid"

    @property
    def failed(self) -> bool:
        """Whether the transform must not be used."""
        return bool(self.failure_reason)

    @property
    def qa(self) -> dict[str, Any]:
        """Figures for the report, the unit in the name; all are without unit."""
        return {
            "similarity": self.agreement.correlation,
            "similarity_name": "correlation of HU in the overlap",
            "bone_dice": self.agreement.bone_dice,
            "overlap_fraction": self.agreement.overlap_fraction,
        }


def register_rigid(
    reference: Volume, moving: Volume, progress: Progress = no_progress, seed: int = 1
) -> RegistrationResult:
    """Find the rigid transform from reference points to moving points by mutual information.

    Parameters
    ----------
    reference, moving
        CTs in HU.
    progress
        May raise `Cancelled`; nothing is left behind then.
    seed
        Of the random choice of metric samples, so that results repeat.

    Raises
    ------
    ReirradiationError
        If one of the CTs shows no body.
    """
    run = _Run(_subject(reference, "reference"), _subject(moving, "earlier"), seed, progress, time.perf_counter())
    found = run.refined_starts(run.moving, FULL_FAN, _STARTS)
    if not found:
        none = Agreement(0.0, 0.0, 0.0)
        return RegistrationResult(SpatialTransform(), none, none, "no alignment of the two CTs was found", run.seconds)
    coarse, matrix = found[0]
    for level in _FINE:
        finer = run.refined(run.moving, matrix, level)
        matrix = matrix if finer is None else finer
    final = agreement(run.reference, run.moving, matrix, 4.0)
    turned = run.refined_starts(mirrored(run.moving), LEVEL_FAN, 1)
    mirror = turned[0][0] if turned else Agreement(0.0, 0.0, 0.0)
    return RegistrationResult(SpatialTransform(matrix), final, mirror, _reason(final, coarse, mirror), run.seconds)


def _reason(final: Agreement, coarse: Agreement, mirror: Agreement) -> str:
    """Return why a result must not be used; empty if it may. A correlation says little of a few millimetres."""
    if final.overlap_fraction < _LEAST_OVERLAP:
        return f"the scans share only {final.overlap_fraction:.0%} of the body ({_LEAST_OVERLAP:.0%} are needed)"
    if not final.correlation >= _LEAST_CORRELATION:
        return (
            f"the scans correlate by only {final.correlation:.2f} where they overlap ({_LEAST_CORRELATION} is needed)"
        )
    if mirror.score > coarse.score:
        return "the mirror image of the earlier scan fits better than the scan itself: left and right may be swapped"
    return ""


def _subject(volume: Volume, role: str) -> Subject:
    subject = prepare(volume)
    if subject is None:
        raise ReirradiationError(
            f"the {role} CT shows no body (nothing denser than air): check the series, or give --registration a file"
        )
    return subject


@dataclass
class _Run:
    """One registration under way."""

    reference: Subject
    moving: Subject
    seed: int
    progress: Progress
    started: float
    _stop: list[BaseException] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def refined_starts(self, moving: Subject, fan: Any, count: int) -> list[tuple[Agreement, _Matrix]]:
        """Return the alignments that the best starts lead to, best first."""
        starts = find_starts(self.reference, moving, fan, count, self.progress)
        ends = [
            self.refined(moving, start.matrix_lps, _COARSE)
            for start in starts
            if start.score >= _WORTH_REFINING * starts[0].score
        ]
        found = [(agreement(self.reference, moving, end, 8.0), end) for end in ends if end is not None]
        return sorted(found, key=lambda pair: -pair[0].score)

    def refined(self, moving: Subject, matrix: _Matrix, level: _Level) -> _Matrix | None:
        """Optimise at one resolution; None where the images lose each other."""
        image = self.reference.pyramid[level.spacing_mm]
        transform = _euler(matrix, self.reference.centre_lps)
        method = self._method(image, level)
        method.SetInitialTransform(transform, True)
        try:
            method.Execute(image, moving.pyramid[level.spacing_mm])
        except RuntimeError as error:
            if "sample" in str(error) or "overlap" in str(error) or "outside" in str(error):
                return None
            raise
        finally:
            if self._stop:
                raise self._stop[0]
        return _matrix_of(transform)

    def _method(self, image: SimpleITK.Image, level: _Level) -> SimpleITK.ImageRegistrationMethod:
        import SimpleITK as sitk

        mask = mask_on(image, self.reference.ring)
        voxels = int(sitk.GetArrayViewFromImage(mask).sum())
        method = sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)  # threads add up samples in another order each time: results would not repeat
        method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricFixedMask(mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(min(1.0, level.samples / max(voxels, 1)), self.seed)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(level.first_step_mm, level.last_step_mm, _ITERATIONS, 0.5)
        method.SetOptimizerScalesFromPhysicalShift()
        method.AddCommand(sitk.sitkIterationEvent, lambda: self._report(method, level))
        return method

    def _report(self, method: SimpleITK.ImageRegistrationMethod, level: _Level) -> None:
        """Pass progress on. An exception cannot cross SimpleITK: it is kept, the run stopped, and then raised."""
        done = min(method.GetOptimizerIteration() / (_ITERATIONS / 2), 1.0)
        text = f"rigid registration at {level.spacing_mm:g} mm: mutual information {-method.GetMetricValue():.3f}"
        try:
            self.progress(done, text)
        except BaseException as stop:  # noqa: BLE001 - raised again as soon as SimpleITK has returned
            self._stop.append(stop)
            method.StopRegistration()


def _euler(matrix: _Matrix, centre_lps: NDArray[np.float64]) -> SimpleITK.Euler3DTransform:
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    transform.SetCenter(centre_lps.tolist())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation((matrix[:3, :3] @ centre_lps + matrix[:3, 3] - centre_lps).tolist())
    return transform


def _matrix_of(transform: SimpleITK.Euler3DTransform) -> _Matrix:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix
