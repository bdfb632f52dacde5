"""Measure a registration's quality: over the whole, and organ by organ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...courses import Course, Structure
from ...dose_mapping import PlanField
from ...errors import Notice, Progress, ReirradiationError, no_progress
from ...mapped_doses import SampledOrgan
from ...volume import Volume
from ..transform import SpatialTransform
from .contours import OPEN_ENDED, ContourAgreement, compare_contours
from .dose import DoseSlopes, dose_slopes
from .images import ImageAgreement, compare_images
from .jacobian import field_determinants, jacobian_at, jacobian_statistics
from .landmarks import LandmarkErrors, Points, landmark_errors
from .pairs import paired_organs
from .quality import Distances, OrganQuality, RegistrationQuality

# Points of an organ that geometry and dose slopes are asked at, at most.
_GEOMETRY_POINTS, _SLOPE_POINTS = 30_000, 2_000
# An organ's maximum is looked at over this volume, the smallest that limits are commonly stated for but one.
_HOT_CC, _HOT_POINTS = 0.1, 400
# Landmarks this near tell about an organ.
_NEAR_MM = 20.0
_SEED = 1


def assess_registration(
    reference: Course,
    course: Course,
    transform: SpatialTransform,
    *,
    organs: Sequence[SampledOrgan],
    fields: Sequence[PlanField],
    high_dose_lps: NDArray[np.float64],
    landmarks: tuple[Points, Points] | None = None,
    progress: Progress = no_progress,
) -> RegistrationQuality:
    """Measure what can be measured of a registration.

    Parameters
    ----------
    transform
        Reference point to course point, LPS mm.
    organs
        Of the reference, sampled.
    fields
        All plans of all courses, for the dose's slope.
    high_dose_lps
        Points of the region where dose is high, shape ``(N, 3)``, LPS mm.
    landmarks
        Of the reference and of the course.
    """
    notices: list[Notice] = []
    errors = None
    if landmarks is not None:
        errors, unpaired = landmark_errors(transform, *landmarks)
        notices += unpaired
    progress(0.0, "comparing the images")
    images = None
    if reference.ct is not None and course.ct is not None:
        images = compare_images(reference.ct.volume, course.ct.volume, transform)
    inverse = None if transform.displacement is None else transform.inverse()
    pairs, unclear = paired_organs([organ.structure for organ in organs], course.structures)
    notices += unclear
    measured = _Measured(reference, course, transform, inverse, images, errors, tuple(fields))
    assessed = []
    for number, organ in enumerate(organs):
        progress(0.2 + 0.8 * number / len(organs), f"registration quality of {organ.structure.name}")
        quality, found = measured.organ(organ, pairs.get(organ.structure.name))
        assessed.append(quality)
        notices += found
    return RegistrationQuality(
        landmarks=errors,
        images=images,
        jacobian=jacobian_statistics(field_determinants(transform)),
        jacobian_high_dose=(jacobian_statistics(jacobian_at(transform, high_dose_lps)) if len(high_dose_lps) else None),
        inverse=measured.inverse_over_body(),
        organs=tuple(assessed),
        notices=tuple(notices),
    )


@dataclass(frozen=True)
class _Measured:
    """What every organ's assessment draws on."""

    reference: Course
    course: Course
    transform: SpatialTransform
    inverse: SpatialTransform | None
    images: ImageAgreement | None
    landmarks: LandmarkErrors | None
    fields: tuple[PlanField, ...]

    def organ(self, organ: SampledOrgan, earlier: Structure | None) -> tuple[OrganQuality, list[Notice]]:
        """Assess one organ."""
        points = _drawn_points(organ, _GEOMETRY_POINTS)
        contours, notices = self._contours(organ, earlier)
        near = None
        if self.landmarks is not None:
            near = Distances.of(self.landmarks.near(points, _NEAR_MM))
        uncertainty, basis = self._uncertainty(contours, near)
        quality = OrganQuality(
            structure=organ.structure.name,
            tg263=organ.match.tg263 or "",
            earlier_structure=earlier.name if earlier is not None else "",
            contours=contours,
            jacobian=jacobian_statistics(jacobian_at(self.transform, points)),
            local_correlation=self._local_correlation(points),
            covered_percent=self._covered_percent(points),
            landmarks_near=near,
            inverse=self._inverse(points),
            uncertainty_mm=uncertainty,
            uncertainty_basis=basis,
            slopes=self._slopes(organ),
            resolution_mm=self._half_voxel_mm(),
        )
        return quality, notices

    def inverse_over_body(self) -> Distances | None:
        """Return how far points of the reference's body are from where they return to."""
        if self.inverse is None or self.images is None:
            return None
        seen = self.images.local_correlation
        points = seen.centres_lps()[np.isfinite(seen.array).ravel()]
        return self._inverse(points[:: max(1, len(points) // _GEOMETRY_POINTS)])

    def _contours(self, organ: SampledOrgan, earlier: Structure | None) -> tuple[ContourAgreement | None, list[Notice]]:
        if earlier is None:
            return None, []
        name = organ.structure.name
        try:
            open_ended = organ.match.base in OPEN_ENDED or organ.match.tg263 in OPEN_ENDED
            return compare_contours(organ.structure, earlier, self.transform, open_ended), []
        except ReirradiationError as error:
            text = f"the contours of {name} in {self.course.label} were not compared: {error}"
            return None, [Notice("contours-not-compared", text, name)]

    def _uncertainty(self, contours: ContourAgreement | None, near: Distances | None) -> tuple[float | None, str]:
        found = []
        if contours is not None:
            found.append((contours.mean_distance_mm, "mean distance to agreement of its contours"))
        if near is not None:
            found.append((near.mean_mm, f"mean error of {near.count} landmarks within {_NEAR_MM:g} mm"))
        elif self.landmarks is not None:
            found.append((self.landmarks.mean_mm, "mean error of all landmarks; none is near"))
        if not found:
            return None, ""
        value, basis = max(found)
        floor = self._half_voxel_mm()
        return (value, basis) if value >= floor else (floor, "half the larger CT's largest voxel side")

    def _half_voxel_mm(self) -> float:
        sides = [float(c.ct.volume.spacing_mm.max()) for c in (self.reference, self.course) if c.ct is not None]
        return max(sides, default=0.0) / 2

    def _local_correlation(self, points: NDArray[np.float64]) -> float | None:
        if self.images is None:
            return None
        values = _nearest(self.images.local_correlation, points)
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

    def _covered_percent(self, points: NDArray[np.float64]) -> float | None:
        if self.course.ct is None:
            return None
        return 100.0 * float(np.mean(self.course.ct.volume.inside(self.transform.apply(points))))

    def _inverse(self, points: NDArray[np.float64]) -> Distances | None:
        if self.inverse is None:
            return None
        back = self.inverse.apply(self.transform.apply(points))
        return Distances.of(np.asarray(np.linalg.norm(back - points, axis=1)))

    def _slopes(self, organ: SampledOrgan) -> DoseSlopes:
        """Return the dose's slope at points spread over the organ, and at its hottest."""
        dose_gy = np.sum([moment.p_gy for moment in organ.moments], axis=0)
        hottest = np.argsort(-dose_gy)[:_HOT_POINTS]
        hottest = hottest[: max(1, int(np.searchsorted(np.cumsum(organ.samples.volumes_cc[hottest]), _HOT_CC)))]
        spread = _drawn_points(organ, _SLOPE_POINTS)
        points = np.concatenate([spread, organ.samples.points_lps[hottest]])
        return dose_slopes(points, np.arange(len(points)) >= len(spread), self.fields)


def _drawn_points(organ: SampledOrgan, count: int) -> NDArray[np.float64]:
    """Return up to a number of an organ's points, drawn so that each stands for the same volume."""
    samples = organ.samples
    if len(samples.points_lps) <= count and np.ptp(samples.volumes_cc) == 0:
        return samples.points_lps
    share = samples.volumes_cc / samples.volumes_cc.sum()
    return samples.points_lps[np.random.default_rng(_SEED).choice(len(share), count, p=share)]


def _nearest(volume: Volume, points_lps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value of the voxel nearest to each point; NaN outside."""
    index = np.rint(volume.to_index(points_lps)).astype(int)
    inside = np.all((index >= 0) & (index < volume.shape_ijk), axis=1)
    i, j, k = np.where(inside[:, None], index, 0).T
    return np.where(inside, volume.array[k, j, i], np.nan)
