"""Rigid refinement of one alignment at one resolution, by mutual information."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import Progress
from .subject import Subject, mask_on

if TYPE_CHECKING:
    import SimpleITK

Matrix = NDArray[np.float64]

_THREADS = threading.Lock()
_BINS = 50
_ITERATIONS = 200
# By how much the step shortens where the gradient turns. At ITK's 0.5 an MR on a CT stopped up to 16 mm off.
_RELAXATION = 0.9
# What ITK says where the images lose each other: no alignment then, and no defect.
_LOST = ("sample", "overlap", "outside")


@dataclass(frozen=True)
class Level:
    """One resolution: voxel size, number of random samples, and the optimiser's first and last step in mm."""

    spacing_mm: float
    samples: int
    first_step_mm: float
    last_step_mm: float


COARSE = Level(8.0, 20_000, 4.0, 0.1)
FINE = (Level(4.0, 30_000, 1.0, 0.02), Level(3.0, 60_000, 0.5, 0.01))


@dataclass
class Refinement:
    """One optimisation.

    Parameters
    ----------
    region
        Where the metric is sampled, a mask in the reference's space.
    centre_lps
        What rotations turn about, mm, shape ``(3,)``: near the region's middle, so that turns and shifts stay apart.
    seed
        Of the random choice of samples, so that results repeat.
    """

    reference: Subject
    moving: Subject
    region: SimpleITK.Image
    centre_lps: NDArray[np.float64]
    level: Level
    seed: int
    progress: Progress
    _stop: list[BaseException] = field(default_factory=list)

    def refined(self, matrix: Matrix) -> Matrix | None:
        """Return the matrix after optimisation; None where the images lose each other."""
        image = self.reference.pyramid[self.level.spacing_mm]
        transform = _euler(matrix, self.centre_lps)
        method = self._method(image)
        method.SetInitialTransform(transform, True)
        try:
            with _one_thread():
                method.Execute(image, self.moving.pyramid[self.level.spacing_mm])
        except RuntimeError as error:
            if any(word in str(error) for word in _LOST):
                return None
            raise
        finally:
            if self._stop:
                raise self._stop[0]
        return _matrix_of(transform)

    def _method(self, image: SimpleITK.Image) -> SimpleITK.ImageRegistrationMethod:
        import SimpleITK as sitk

        mask = mask_on(image, self.region)
        voxels = int(sitk.GetArrayViewFromImage(mask).sum())
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricFixedMask(mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(min(1.0, self.level.samples / max(voxels, 1)), self.seed)
        method.SetInterpolator(sitk.sitkLinear)
        steps = self.level.first_step_mm, self.level.last_step_mm
        method.SetOptimizerAsRegularStepGradientDescent(*steps, _ITERATIONS, _RELAXATION)
        method.SetOptimizerScalesFromPhysicalShift()
        method.AddCommand(sitk.sitkIterationEvent, lambda: self._report(method))
        return method

    def _report(self, method: SimpleITK.ImageRegistrationMethod) -> None:
        """Pass progress on. An exception cannot cross SimpleITK: it is kept, the run stopped, and then raised."""
        done = min(method.GetOptimizerIteration() / (_ITERATIONS / 2), 1.0)
        text = f"rigid registration at {self.level.spacing_mm:g} mm: mutual information {-method.GetMetricValue():.3f}"
        try:
            self.progress(done, text)
        except BaseException as stop:  # noqa: BLE001 - raised again as soon as SimpleITK has returned
            self._stop.append(stop)
            method.StopRegistration()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let ITK work in one thread: several add up the metric in another order each time, and results would not repeat.

    The metric heeds the global number only, not the method's own; one registration at a time changes it.
    """
    import SimpleITK as sitk

    with _THREADS:
        usual = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        try:
            yield
        finally:
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(usual)


def _euler(matrix: Matrix, centre_lps: NDArray[np.float64]) -> SimpleITK.Euler3DTransform:
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    transform.SetCenter(centre_lps.tolist())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation((matrix[:3, :3] @ centre_lps + matrix[:3, 3] - centre_lps).tolist())
    return transform


def _matrix_of(transform: SimpleITK.Euler3DTransform) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix
