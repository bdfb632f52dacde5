"""What is true of the demo case, worked out from the formulas and the written dose grids."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..volume import Volume, sample_linear
from . import organs, skeleton
from .case_data import CourseData, Roi
from .dicom_images import suv_per_bqml
from .grid import AnatomyGrid
from .motion import Motion
from .shapes import Array, Shape

_ALPHA_BETAS_GY = (2.0, 3.0, 10.0)
_LARGE_CC = 300.0
_CUTS_KJI = (3, 2, 2)  # how a CT voxel is cut to sample a smaller organ: about 1 mm each way


@dataclass(frozen=True)
class PlanMoments:
    """A plan's dose D and D squared on its own grid (Gy, Gy^2) and its fractions."""

    dose: Volume
    squared: Volume
    fractions: int

    @classmethod
    def of(cls, dose: Volume, fractions: int) -> PlanMoments:
        """Return the moments of a dose."""
        return cls(dose, dose.like(dose.array.astype(np.float64) ** 2), fractions)

    def at(self, points_lps: Array) -> tuple[Array, Array, Array]:
        """Return dose, squared dose / fractions, and whether known, each (N,); zero where unknown."""
        p, known = sample_linear(self.dose, points_lps)
        q = np.zeros_like(p)
        q[known] = sample_linear(self.squared, points_lps[known])[0] / self.fractions
        return p * known, q, known


def eqd2_gy(p: Array, q: Array, alpha_beta_gy: float) -> Array:
    """Return EQD2 from interpolated dose P and interpolated D^2/n Q: (ab P + Q) / (2 + ab)."""
    return np.asarray((alpha_beta_gy * p + q) / (2.0 + alpha_beta_gy))


# --- landmarks -----------------------------------------------------------------------------------------------------
def landmarks(motion: Motion) -> dict[str, Any]:
    """Return the landmarks' names and their places in both courses, LPS mm."""
    names, places = zip(*landmarks_course1().items(), strict=True)
    course2 = motion.to_course2(np.array(places))
    return {"names": names, "course1": np.round(places, 6).tolist(), "course2": np.round(course2, 6).tolist()}


def landmarks_course1() -> dict[str, tuple[float, float, float]]:
    """Return 40 anatomical points in the course-1 frame, LPS mm."""
    points: dict[str, tuple[float, float, float]] = {}
    for n in range(-5, 4):
        z = skeleton.VERTEBRA_CENTRE_MM + n * skeleton.VERTEBRA_PITCH_MM
        points[f"vertebra {n + 6}"] = (0.0, float(skeleton.spine_y(np.array(z))), z)
    for side, name in ((-1, "right"), (1, "left")):
        for angle in (40, 75, 110, 140):
            for level in (-1, 1):
                points[f"rib {name} {angle} deg level {level}"] = rib_point(side, np.radians(angle), level)
    return points | _ORGAN_LANDMARKS


def rib_point(side: int, angle: float, level: int) -> tuple[float, float, float]:
    """Return the middle of a rib's section at an angle around the chest (0 back, pi front), LPS mm."""
    z = (
        skeleton.VERTEBRA_CENTRE_MM
        + 4.0
        + level * skeleton.VERTEBRA_PITCH_MM
        - float(skeleton.rib_fall(np.array(angle)))
    )
    middle = float(skeleton.cavity_middle(np.array([z]))[0])
    low, high = 20.0, 220.0
    for _ in range(60):
        radius = (low + high) / 2
        x, y = np.array([side * radius * np.sin(angle)]), np.array([middle + radius * np.cos(angle)])
        low, high = (radius, high) if skeleton.cavity_field(x, y, np.array([z]))[0] < 5.0 else (low, radius)
    return float(x[0]), float(y[0]), z


_ORGAN_LANDMARKS: dict[str, tuple[float, float, float]] = {
    "carina": (-2.0, 16.0, 0.0),
    "trachea 60 mm above the carina": (-2.0, 7.0, 60.0),
    "trachea 30 mm above the carina": (-2.7, 11.7, 30.0),
    "right main bronchus": (-26.0, 17.0, -15.0),
    "left main bronchus": (24.0, 20.0, -16.0),
    "right lower lobe bronchus": (-37.0, 19.0, -38.0),
    "left lower lobe bronchus": (44.0, 30.0, -40.0),
    "aortic arch, top": (15.0, -4.0, 45.0),
    "ascending aorta": (-11.0, -27.0, 12.0),
    "descending aorta": (30.0, 45.0, -40.0),
    "superior vena cava": (-26.0, -17.0, 20.0),
    "pulmonary trunk": (18.0, -42.0, -16.0),
    "left ventricle": (44.0, -26.0, -70.0),
    "right dome of the diaphragm": (-66.0, -8.0, organs.RIGHT_DOME_Z),
    "left dome of the diaphragm": (70.0, -2.0, organs.LEFT_DOME_Z),
}


# --- doses ---------------------------------------------------------------------------------------------------------
def point_doses(points_lps: Array, motion: Motion, plans: Sequence[PlanMoments]) -> list[dict[str, Any]]:
    """Return, per course-2 point, where it was in course 1, both doses, and summed EQD2; null where a grid ends."""
    moved = motion.to_course1(points_lps)
    (p1, q1, known1), (p2, q2, known2) = plans[0].at(moved), plans[1].at(points_lps)
    rows = []
    for n in range(len(points_lps)):
        both = bool(known1[n] and known2[n])
        row = {
            "x2": np.round(points_lps[n], 4).tolist(),
            "x1": np.round(moved[n], 6).tolist(),
            "d1_gy": float(p1[n]) if known1[n] else None,
            "d2_gy": float(p2[n]) if known2[n] else None,
        }
        for ab in _ALPHA_BETAS_GY:
            total = float(eqd2_gy(p1[n] + p2[n], q1[n] + q2[n], ab))
            row[f"eqd2_sum_ab{ab:g}_gy"] = total if both else None
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Samples:
    """Points inside an organ in both courses (N, 3), LPS mm, and the volume that each stands for, cc, (N,).

    ``cut_by_scan``: the organ goes on beyond the CT's first or last slice.
    """

    course2_lps: Array
    course1_lps: Array
    volumes_cc: Array
    cut_by_scan: bool


def organ_samples(shape: Shape, grid: AnatomyGrid, motion: Motion) -> Samples:
    """Return samples of an organ as far as course 2's CT shows it, which ends half a slice beyond its last planes.

    The CT's voxels are cut into twelve, each in or out; those well inside a large organ are taken whole.
    """
    window, field = grid.field(shape)
    corner = np.array([axis.start for axis in window])
    slices = np.flatnonzero((field < 0).any(axis=(1, 2))) + corner[0]
    large = (field < 0).sum() * grid.volume.voxel_volume_cc > _LARGE_CC
    reach_mm = float(grid.volume.spacing_mm.max()) + 0.5
    whole = (field < -reach_mm) & large
    parts, inside = _cut_voxels(shape, grid, np.argwhere((field < reach_mm) & ~whole) + corner, exact=not large)
    middles = grid.volume.to_lps((np.argwhere(whole) + corner)[:, ::-1].astype(np.float64))
    part_cc = grid.volume.voxel_volume_cc / math.prod(_CUTS_KJI)
    volumes_cc = np.repeat([grid.volume.voxel_volume_cc, part_cc], [len(middles), int(inside.sum())])
    course2 = np.vstack([middles, parts[inside]])
    cut = bool(slices[0] == 0 or slices[-1] == len(grid.volume.array) - 1)
    return Samples(course2, motion.to_course1(course2), volumes_cc, cut)


def _cut_voxels(shape: Shape, grid: AnatomyGrid, voxels_kji: Array, exact: bool) -> tuple[Array, Array]:
    """Return the middles of the voxels' parts, LPS mm, and which lie inside; large organs' fields are interpolated."""
    from scipy.ndimage import map_coordinates

    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in _CUTS_KJI]
    offsets = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    index = (voxels_kji[:, None] + offsets).reshape(-1, 3)
    points = grid.volume.to_lps(index[:, ::-1])
    if exact:
        return points, grid.exact(shape, points) < 0
    window, field = grid.field(shape)
    relative = (index - [axis.start for axis in window]).T
    return points, map_coordinates(field, relative, order=1, mode="nearest") < 0


def organ_truth(roi: Roi, samples: Samples, plans: Sequence[PlanMoments]) -> dict[str, Any]:
    """Return volume, what lies outside each dose grid, and dose statistics per course and composite.

    Of the body's outline only the volume: nobody asks for the dose to all of it, and it holds most of the voxels.
    """
    volumes_cc, ab = samples.volumes_cc, roi.alpha_beta_gy
    total = float(volumes_cc.sum())
    if roi.interpreted_type == "EXTERNAL":
        return {"volume_cc": total, "cut_by_scan": samples.cut_by_scan}
    p1, q1, known1 = plans[0].at(samples.course1_lps)
    p2, q2, known2 = plans[1].at(samples.course2_lps)
    return {
        "alpha_beta_gy": ab,
        "volume_cc": total,
        "cut_by_scan": samples.cut_by_scan,
        "outside_dose_grid_percent": [100 * float(volumes_cc[~known].sum()) / total for known in (known1, known2)],
        "physical_course1": statistics(p1, volumes_cc),
        "physical_course2": statistics(p2, volumes_cc),
        "eqd2_course1": statistics(eqd2_gy(p1, q1, ab), volumes_cc),
        "eqd2_course2": statistics(eqd2_gy(p2, q2, ab), volumes_cc),
        "composite_eqd2": statistics(eqd2_gy(p1 + p2, q1 + q2, ab), volumes_cc),
    }


def statistics(dose_gy: Array, volumes_cc: Array) -> dict[str, float]:
    """Return dose-volume figures of weighted samples; a dose outside its grid counts as no dose here."""
    order = np.argsort(dose_gy)[::-1]
    dose, filled = dose_gy[order], np.cumsum(volumes_cc[order])
    middle = filled - volumes_cc[order] / 2
    total = float(filled[-1])
    figures = {"Dmin_gy": float(dose[-1]), "Dmax_gy": float(dose[0])}
    figures["Dmean_gy"] = float(np.average(dose_gy, weights=volumes_cc))
    figures |= {f"D{v:g}cc_gy": float(np.interp(v, middle, dose)) for v in (0.03, 0.1, 1.0, 2.0) if v < total}
    figures |= {f"D{v:g}%_gy": float(np.interp(v / 100 * total, middle, dose)) for v in (2, 50, 95, 98)}
    figures |= {f"V{d:g}Gy_percent": 100 * float(volumes_cc[dose_gy >= d].sum()) / total for d in (5, 15, 20, 40, 60)}
    return figures


def pet_truth(suv: Volume, motion: Motion) -> dict[str, Any]:
    """Return what the PET as written holds; ``suv`` is what its stored numbers mean, g/mL."""
    points = motion.to_course1(suv.centres_lps())
    values = suv.array.ravel()
    near = organs.RECURRENCE.at(points) < 8.0
    decoy = organs.DECOY.at(points) < 4.0
    peak = float(values[near].max())
    hot = near & (values >= 0.41 * peak)
    return {
        "suv_per_bqml": suv_per_bqml(),
        "suv_max_recurrence": peak,
        "suv_max_decoy": float(values[decoy].max()),
        "volume_at_41_percent_cc": float(hot.sum() * suv.voxel_volume_cc),
        "suv_mean_liver": float(values[organs.LIVER.at(points) < -12.0].mean()),
        "suv_mean_aorta": float(values[organs.AORTA.at(points) < -6.0].mean()),
        "recurrence_centre_course2": motion.to_course2(np.array([organs.RECURRENCE_CENTRE]))[0].tolist(),
        "decoy_centre_course2": motion.to_course2(np.array([organs.DECOY_CENTRE]))[0].tolist(),
    }


def sample_points(course: CourseData, samples: Mapping[str, Samples], seed: int) -> Array:
    """Return 60 points of course 2: in target and organs inside the dose grid, and ten anywhere in the body."""
    rng = np.random.default_rng([seed, 40])
    names = [
        course.target,
        "Oesophagus",
        "Trachea",
        "PBT",
        "Great_Vessels",
        "Aorta",
        "Heart_1",
        "Cord",
        "Lung R",
        "Lung L",
    ]
    chosen = []
    for name in names:
        points = samples[name].course2_lps
        points = points[course.dose.inside(points)]
        chosen.append(points[rng.choice(len(points), 5, replace=False)])
    body = samples["External"].course2_lps
    chosen.append(body[rng.choice(len(body), 10, replace=False)])
    return np.round(np.vstack(chosen), 3)
