"""One resolution of a deformable registration: Gauss-Newton steps on the difference of two images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .regularity import Regularity
from .spline import Array, Values

if TYPE_CHECKING:
    import SimpleITK

# A voxel of the moving image with this value is not to be used; so is every value that it was mixed into.
NOT_USED_HU = -1e6
_LEAST_HU = -2000.0

_HALVINGS = 3
_SOLVER_STEPS = 40
_SOLVER_TOLERANCE = 1e-2
# A step that moves no knot further than this, or gains less than this share, is the last.
_SMALL_MOVE_MM = 0.02
_SMALL_GAIN = 1e-3


@dataclass(frozen=True)
class Fit:
    """Where the iteration stands.

    Parameters
    ----------
    knots
        Coefficients of the displacement along i, j, k in mm, shape ``(3, *lattice.shape)``.
    warped
        The moving image on the reference's voxels, HU; the reference's own value where it is not known.
    known
        Where both images count.
    mismatch_hu
        Root mean square of the differences, those beyond the tolerance counted as it.
    """

    knots: Array
    warped: Array
    known: NDArray[np.bool_]
    energy: float
    mismatch_hu: float


@dataclass(frozen=True)
class Matching:
    """Two images at one resolution, and the spline that deforms one of them.

    Parameters
    ----------
    fixed
        Reference, HU, float32.
    region
        Where it counts, shape ``(K, J, I)`` of ``fixed``.
    moving
        HU, float32; ``NOT_USED_HU`` where it does not count.
    to_moving
        Linear map that follows the displacement: reference points to moving points.
    splines
        Of the regularity's lattice, at the voxels of ``fixed``.
    tolerance_hu
        Differences well above it count less and less (S. Geman, D. E. McClure, "Statistical methods for tomographic
        image reconstruction", 1987): what has no counterpart in the other image, such as a new tumour or gas, does not
        pull.
    """

    fixed: SimpleITK.Image
    region: NDArray[np.bool_]
    moving: SimpleITK.Image
    to_moving: SimpleITK.Transform
    splines: Values
    regularity: Regularity
    tolerance_hu: float

    def steps(self, knots: Array, count: int) -> Iterator[Fit]:
        """Yield the start and then each better fit, at most ``count``."""
        fit = self.fit(knots)
        yield fit
        for _ in range(count):
            move = self._move(fit)
            better = self._first_better(fit, move)
            if better is None:
                return
            gain = 1.0 - better.energy / fit.energy
            moved_mm = float(np.abs(better.knots - fit.knots).max())
            fit = better
            yield fit
            if gain < _SMALL_GAIN or moved_mm < _SMALL_MOVE_MM:
                return

    def fit(self, knots: Array) -> Fit:
        """Return the images' difference under a displacement, and its cost."""
        import SimpleITK as sitk

        values = self._values(self.fixed)
        to_moving = sitk.CompositeTransform([self.to_moving, self._displacement(knots)])
        warped = sitk.Resample(self.moving, self.fixed, to_moving, sitk.sitkLinear, NOT_USED_HU)
        warped_values = self._values(warped)
        known = self.region & (warped_values > _LEAST_HU)
        warped_values = np.where(known, warped_values, values)
        squared = ((values - warped_values)[known] / self.tolerance_hu) ** 2
        cost = float(np.sum(squared / (1.0 + squared), dtype=np.float64)) * self._voxel_mm3
        penalty = float(np.vdot(knots, self.regularity.gradient(knots)))
        mismatch_hu = self.tolerance_hu * float(np.sqrt(np.mean(np.minimum(squared, 1.0)))) if squared.size else 0.0
        return Fit(knots, warped_values, known, 0.5 * (cost + penalty), mismatch_hu)

    def _first_better(self, fit: Fit, move: Array) -> Fit | None:
        """Return the fit after the move, or after half of it, and so on; None where none is better."""
        for halving in range(_HALVINGS + 1):
            tried = self.fit(fit.knots + move * np.float32(0.5**halving))
            if tried.energy < fit.energy:
                return tried
        return None

    def _move(self, fit: Fit) -> Array:
        """Return the Gauss-Newton step of the coefficients."""
        values = self._values(self.fixed)
        scaled = (values - fit.warped) / np.float32(self.tolerance_hu)
        # The derivative of s / (1 + s) by s, s the squared difference, is the weight of a difference.
        weight = np.where(fit.known, np.float32(self._voxel_mm3) / (1.0 + scaled**2) ** 2, np.float32(0.0))
        # The mean of both images' gradients makes the step right to second order (S. Benhimane, E. Malis, 2004).
        spacing_kji = self.fixed.GetSpacing()[::-1]
        slopes = np.gradient((values + fit.warped) / np.float32(2.0 * self.tolerance_hu), *spacing_kji)[::-1]
        root = np.sqrt(weight)
        slopes = [root * slope for slope in slopes]
        pull = np.stack([self.splines.adjoint(slope * root * scaled) for slope in slopes])

        def curvature(knots: Array) -> Array:
            change = sum(slope * self.splines.of(c) for slope, c in zip(slopes, knots, strict=True))
            forces = [self.splines.adjoint(slope * change) for slope in slopes]
            return np.stack(forces) + self.regularity.gradient(knots)

        squared = self.splines.squared()
        diagonal = np.stack([squared.adjoint(slope**2) for slope in slopes]) + self.regularity.diagonal
        return _solved(curvature, pull - self.regularity.gradient(fit.knots), diagonal)

    def _displacement(self, knots: Array) -> SimpleITK.Transform:
        import SimpleITK as sitk

        along_axes = np.stack([self.splines.of(component) for component in knots], axis=-1).astype(np.float64)
        axes = np.reshape(self.fixed.GetDirection(), (3, 3))
        field = sitk.GetImageFromArray(along_axes @ axes.T, isVector=True)
        field.CopyInformation(self.fixed)
        return sitk.DisplacementFieldTransform(field)

    @property
    def _voxel_mm3(self) -> float:
        return float(np.prod(self.fixed.GetSpacing()))

    @staticmethod
    def _values(image: SimpleITK.Image) -> Array:
        import SimpleITK as sitk

        return np.asarray(sitk.GetArrayViewFromImage(image))


def _solved(linear: Callable[[Array], Array], right: Array, diagonal: Array) -> Array:
    """Return ``x`` of ``linear(x) = right`` by conjugate gradients, scaled with the diagonal."""
    x = np.zeros_like(right)
    rest = right.copy()
    scaled = rest / diagonal
    direction = scaled.copy()
    size = first = float(np.vdot(rest, scaled))
    for _ in range(_SOLVER_STEPS):
        if size <= first * _SOLVER_TOLERANCE**2:
            break
        image = linear(direction)
        length = np.float32(size / float(np.vdot(direction, image)))
        x += length * direction
        rest -= length * image
        scaled = rest / diagonal
        new_size = float(np.vdot(rest, scaled))
        direction = scaled + np.float32(new_size / size) * direction
        size = new_size
    return x
