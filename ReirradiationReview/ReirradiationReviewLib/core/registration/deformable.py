"""Deformable registration of two CTs of one patient that have been aligned rigidly.

The displacement is a cubic B-spline on a lattice of knots; what is minimised is a robust squared difference of HU plus
the spline's bending energy, by Gauss-Newton steps from coarse to fine voxels. The engines were compared on a head and
neck whose deformation is known (Testing/benchmarks/bench_registration.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import Progress, ReirradiationError, no_progress, part_of
from ..volume import Volume
from .field import as_transform
from .matching import NOT_USED_HU, Matching
from .qa.jacobian import field_determinants
from .regularity import Regularity, Stiffness
from .rigid import LEAST_CORRELATION, LEAST_OVERLAP, RegistrationResult, ct_subject
from .similarity import Agreement, agreement, deformed_agreement
from .spline import Array, KnotLattice
from .subject import (
    BONE_HU,
    COARSE_MM,
    FINE_MM,
    MIDDLE_MM,
    Subject,
    bounding_box,
    coarser,
    mask_image,
    mask_on,
)
from .transform import SpatialTransform

if TYPE_CHECKING:
    import SimpleITK

# Full range of CT: unlike rigid registration, a deformable one lives of airway and lung borders too.
_AIR_HU = -1000.0
# Voxel size in mm, greatest number of steps, and the difference in HU beyond which a voxel counts less.
_LEVELS = ((COARSE_MM, 8, 150.0), (MIDDLE_MM, 6, 100.0), (FINE_MM, 6, 50.0))
# Share of the whole that is done before each level, and after the last.
_DONE_BEFORE = (0.0, 0.1, 0.35, 1.0)
_SLOPE_LENGTH_MM = 100.0
# Bone's share is looked at this many times per knot along each axis.
_BONE_PLACES_PER_KNOT = 2
# Where the field folds, it is found anew with this many times the bending energy.
_STIFFER = (1.0, 4.0, 16.0)


@dataclass(frozen=True)
class DeformableOptions:
    """How a deformable registration is guided.

    Parameters
    ----------
    knot_spacing_mm
        Distance of the spline's knots: structure much smaller than this is not followed.
    roughness
        Weight of the bending energy; see `regularity.Regularity`. Larger is smoother.
    bone_stiffness
        Weight of strain in bone, in mm^-3 of bone volume; 0 lets bone deform like the rest.
    ignored
        Masks in the reference's space (above 0: not looked at), as of a new tumour.
    ignored_in_moving
        Masks in the moving CT's space, as of a tumour that was resected.
    """

    knot_spacing_mm: float = 12.0
    roughness: float = 30.0
    bone_stiffness: float = 0.0
    ignored: tuple[Volume, ...] = ()
    ignored_in_moving: tuple[Volume, ...] = ()


def register_deformable(
    reference: Volume,
    moving: Volume,
    start: SpatialTransform,
    options: DeformableOptions | None = None,
    progress: Progress = no_progress,
) -> RegistrationResult:
    """Find the map ``A (x + u(x))`` from reference points to moving points.

    Parameters
    ----------
    reference, moving
        CTs in HU.
    start
        Linear; its matrix is kept as ``A``.
    progress
        Called in every step with the images' difference; may raise `Cancelled`, and nothing is left behind then.

    Raises
    ------
    ReirradiationError
        If one of the CTs shows no body, or ``start`` is not linear.
    """
    if start.displacement is not None:
        raise ReirradiationError("a deformable registration begins with a linear transform, not with a deformation")
    started = time.perf_counter()
    options = options or DeformableOptions()
    fixed = ct_subject(reference, "reference", _AIR_HU)
    other = ct_subject(moving, "earlier", _AIR_HU)
    before = agreement(fixed, other, start.matrix_lps, MIDDLE_MM)
    work = _Work(_boxed(fixed), fixed, other, start.matrix_lps, options)
    for stiffer in _STIFFER:
        knots, trace = work.solved(stiffer, progress)
        transform = work.transform(knots, reference.frame_of_reference_uid)
        determinants = field_determinants(SpatialTransform(displacement=transform.displacement))
        if determinants.min() > 0.0:
            break
    after = deformed_agreement(fixed, other, transform, MIDDLE_MM)
    assert transform.displacement is not None
    qa = {
        "similarity": after.correlation,
        "similarity_name": "correlation of HU in the overlap",
        "similarity_before": before.correlation,
        "bone_dice": after.bone_dice,
        "overlap_fraction": after.overlap_fraction,
        "displacement_max_mm": float(np.linalg.norm(transform.displacement.array, axis=-1).max()),
        "jacobian_min": float(determinants.min()),
        "jacobian_max": float(determinants.max()),
        "inverse_consistency_max_mm": _inverse_consistency_mm(transform, work.body_lps()),
        "roughness": stiffer * options.roughness,
        "difference_hu": trace,
    }
    reason = _reason(before, after, float(determinants.min()))
    return RegistrationResult(transform, reason, time.perf_counter() - started, "deformable", qa)


def _reason(before: Agreement, after: Agreement, jacobian_min: float) -> str:
    """Return why a result must not be used; empty if it may."""
    if jacobian_min <= 0.0:
        return f"the deformation folds space over itself (smallest Jacobian {jacobian_min:.2f})"
    if after.overlap_fraction < LEAST_OVERLAP:
        return f"the scans share only {after.overlap_fraction:.0%} of the body ({LEAST_OVERLAP:.0%} are needed)"
    if not after.correlation >= LEAST_CORRELATION:
        return f"the scans correlate by only {after.correlation:.2f} where they overlap ({LEAST_CORRELATION} is needed)"
    if after.correlation < before.correlation:
        return (
            f"the scans correlate less after the deformation ({after.correlation:.3f}) than before "
            f"({before.correlation:.3f})"
        )
    return ""


def _inverse_consistency_mm(transform: SpatialTransform, points_lps: NDArray[np.float64]) -> float:
    """Return the greatest distance from a point to where the transform and then its inverse bring it."""
    back = transform.inverse().apply(transform.apply(points_lps))
    return float(np.linalg.norm(back - points_lps, axis=1).max())


def _boxed(subject: Subject) -> SimpleITK.Image:
    """Return the fine image cut to the body and its ring of air."""
    image = subject.pyramid[FINE_MM]
    corners = bounding_box(subject.ring)
    index = np.array([image.TransformPhysicalPointToContinuousIndex(corner.tolist()) for corner in corners])
    first = np.maximum(np.floor(index[0]), 0).astype(int)
    last = np.minimum(np.ceil(index[1]), np.array(image.GetSize()) - 1).astype(int)
    i, j, k = (slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return image[i, j, k]


@dataclass(frozen=True)
class _Work:
    """One registration under way: ``box`` is the part of the reference that is deformed, at its finest."""

    box: SimpleITK.Image
    fixed: Subject
    moving: Subject
    matrix_lps: NDArray[np.float64]
    options: DeformableOptions

    @property
    def lattice(self) -> KnotLattice:
        """Knots over the box."""
        i, j, k = (float(n - 1) * s for n, s in zip(self.box.GetSize(), self.box.GetSpacing(), strict=True))
        return KnotLattice((k, j, i), self.options.knot_spacing_mm)

    def solved(self, stiffer: float, progress: Progress) -> tuple[Array, list[dict[str, float]]]:
        """Return the knots' displacements, and the difference of the images after every step."""
        regularity = self._regularity(stiffer)
        knots: Array = np.zeros((3, *self.lattice.shape), dtype=np.float32)
        trace = []
        for n, (spacing_mm, steps, tolerance_hu) in enumerate(_LEVELS):
            report = part_of(progress, _DONE_BEFORE[n], _DONE_BEFORE[n + 1])
            for step, fit in enumerate(self._matching(spacing_mm, tolerance_hu, regularity).steps(knots, steps)):
                text = f"deformable registration at {spacing_mm:g} mm, step {step}: difference {fit.mismatch_hu:.1f} HU"
                report(step / (steps + 1), text)
                trace.append({"voxel_mm": spacing_mm, "difference_hu": round(fit.mismatch_hu, 2)})
                knots = fit.knots
        return knots, trace

    def transform(self, knots: Array, frame_of_reference_uid: str) -> SpatialTransform:
        """Return the whole map of the knots' displacements."""
        box_to_lps = np.eye(4)
        box_to_lps[:3, :3] = np.reshape(self.box.GetDirection(), (3, 3))
        box_to_lps[:3, 3] = self.box.GetOrigin()
        return as_transform(knots, self.lattice, box_to_lps, self.matrix_lps, frame_of_reference_uid)

    def body_lps(self) -> NDArray[np.float64]:
        """Return points all over the reference's body, LPS mm, shape ``(N, 3)``."""
        import SimpleITK as sitk

        coarse = coarser(sitk.Cast(self.fixed.body, sitk.sitkFloat32), COARSE_MM)
        body = Volume.from_sitk(coarse)
        return body.centres_lps()[body.array.ravel() > 0.5]

    def _matching(self, spacing_mm: float, tolerance_hu: float, regularity: Regularity) -> Matching:
        import SimpleITK as sitk

        image = coarser(self.box, spacing_mm)
        region = sitk.GetArrayFromImage(mask_on(image, self.fixed.ring)) > 0
        for mask in self.options.ignored:
            region &= sitk.GetArrayViewFromImage(mask_on(image, mask_image(mask))) == 0
        moving = self.moving.pyramid[spacing_mm]
        for mask in self.options.ignored_in_moving:
            moving = sitk.Mask(moving, mask_on(moving, mask_image(mask)), NOT_USED_HU, maskingValue=1)
        splines = self.lattice.values_at(_places(image))
        to_moving = SpatialTransform(self.matrix_lps).to_sitk()
        return Matching(image, region, moving, to_moving, splines, regularity, tolerance_hu)

    def _regularity(self, stiffer: float) -> Regularity:
        stiffness = self._stiffness() if self.options.bone_stiffness > 0 else None
        return Regularity(self.lattice, stiffer * self.options.roughness, _SLOPE_LENGTH_MM, stiffness)

    def _stiffness(self) -> Stiffness:
        import SimpleITK as sitk

        bone = sitk.Cast(self.box > BONE_HU, sitk.sitkFloat32)
        share = coarser(bone, self.options.knot_spacing_mm / _BONE_PLACES_PER_KNOT)
        places = _places(share)
        weight = sitk.GetArrayFromImage(share) * np.float32(self.options.bone_stiffness * np.prod(share.GetSpacing()))
        along_k, along_j, along_i = (self.lattice.values_at(places, axis) for axis in range(3))
        return Stiffness((along_k, along_j, along_i), weight)


def _places(image: SimpleITK.Image) -> list[Array]:
    """Return the coordinates of the voxel centres along k, j, i in mm from the first."""
    return [np.arange(n) * s for n, s in zip(image.GetSize()[::-1], image.GetSpacing()[::-1], strict=True)]
