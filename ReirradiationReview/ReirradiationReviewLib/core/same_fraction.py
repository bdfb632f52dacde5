"""Plans given in the same fractions: their doses are summed first and converted then.

The effect of a fraction follows from its whole dose: ``(d1 + d2)^2`` is more than ``d1^2 + d2^2``. So such plans become
one plan with the dose ``D1 + D2`` before any dose is mapped, and the moments of the sum are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .courses import Course, Plan
from .errors import Notice, ReirradiationError
from .volume import Volume, sample_linear

# Voxel centres that agree within this fraction of a voxel are the same.
_SAME_VOXELS = 1e-3


def merge_same_fraction(courses: Sequence[Course], groups: Sequence[Sequence[str]]) -> tuple[Course, ...]:
    """Return the courses with each group of plans made one.

    Doses on one grid are added. Otherwise they are interpolated onto the finest grid, as far as all of them reach, and
    a notice says so: beyond, the dose of the fraction is not known.

    Parameters
    ----------
    groups
        Plan labels or UIDs; all plans of a group are of one course, with the same number of fractions.

    Raises
    ------
    ReirradiationError
        If a plan is not there, is named twice or is ambiguous, or if the plans cannot have been given together.
    """
    merged = list(courses)
    for group in groups:
        index, plans = _plans_of(merged, group)
        merged[index] = _merged(merged[index], plans)
    return tuple(merged)


def _plans_of(courses: Sequence[Course], group: Sequence[str]) -> tuple[int, list[Plan]]:
    option = "--same-fraction " + " ".join(repr(name) for name in group)
    if len(group) < 2 or len(set(group)) < len(group):
        raise ReirradiationError(f"{option}: name two or more different plans")
    found: list[tuple[int, Plan]] = []
    for name in group:
        named = [(i, plan) for i, c in enumerate(courses) for plan in c.plans if name in (plan.label, plan.plan_uid)]
        if len(named) != 1:
            known = ", ".join(repr(plan.label) for course in courses for plan in course.plans)
            problem = "several plans have this label; give the plan's UID" if named else f"there are {known}"
            raise ReirradiationError(f"{option}: {name!r} is not one plan: {problem}")
        found += named
    if len({index for index, _ in found}) > 1:
        raise ReirradiationError(f"{option}: these plans are of different courses, so not of the same fractions")
    plans = [plan for _, plan in found]
    for what, values in (
        ("numbers of fractions", {plan.fractions for plan in plans}),
        ("delivered fractions", {plan.delivered_fractions for plan in plans}),
        ("deliveries", {plan.delivery for plan in plans}),
    ):
        if len(values) > 1:
            raise ReirradiationError(f"{option}: the plans have different {what}: {', '.join(map(str, values))}")
    for plan in plans:
        if plan.is_heavy_ion or (plan.modality == "RTIONPLAN" and plan.dose_type != "EFFECTIVE"):
            raise ReirradiationError(
                f"{option}: the dose of the ion plan {plan.label!r} is not RBE-weighted for protons (DoseType "
                "(3004,0004)), so it cannot be added to another; export the RBE-weighted dose"
            )
    return found[0][0], plans


def _merged(course: Course, plans: Sequence[Plan]) -> Course:
    label = " + ".join(plan.label for plan in plans)
    dose, notices = _summed(course.label, label, [plan.dose for plan in plans])
    is_effective = any(plan.dose_type == "EFFECTIVE" for plan in plans)
    whole = replace(
        plans[0],
        label=label,
        dose=dose,
        dose_type="EFFECTIVE" if is_effective else plans[0].dose_type,
        dose_summation_type="MULTI_PLAN",
        plan_uid="",
        dose_uids=tuple(uid for plan in plans for uid in plan.dose_uids),
        # What each plan prescribes is to its own target; there is no prescription to their sum.
        prescription_gy=None,
        modality="RTIONPLAN" if any(plan.modality == "RTIONPLAN" for plan in plans) else plans[0].modality,
        letd_kev_um=None,
        parts=tuple((plan.label, plan.plan_uid, plan.modality) for plan in plans),
    )
    text = f"{label}: given in the same fractions as the user says, so their doses are summed before the conversion"
    notices = [Notice("same-fraction", text, course.label), *notices]
    rest = tuple(plan for plan in course.plans if not any(plan is part for part in plans))
    return replace(course, plans=(whole, *rest), notices=(*course.notices, *notices))


def _summed(course: str, label: str, doses: Sequence[Volume]) -> tuple[Volume, list[Notice]]:
    finest = min(doses, key=lambda dose: abs(np.linalg.det(dose.index_to_lps[:3, :3])))
    if all(_is_same_grid(finest, dose) for dose in doses):
        return finest.like(_sum([dose.array for dose in doses])), []
    low, high = _common_box(label, finest, doses)
    grid = _part(finest, low, high)
    points = grid.centres_lps()
    total = _sum([sample_linear(dose, points)[0] for dose in doses]).reshape(grid.array.shape)
    text = (
        f"{label}: the doses are on different grids; they were interpolated onto the finest and summed there, as far "
        "as all of them reach. Beyond, the dose of a fraction is not known"
    )
    return grid.like(total), [Notice("same-fraction-resampled", text, course)]


def _sum(doses_gy: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    total: NDArray[np.float64] = np.sum(doses_gy, axis=0, dtype=np.float64)
    return total.astype(np.float32)


def _is_same_grid(a: Volume, b: Volume) -> bool:
    """Return whether all corners agree; within a small part of a voxel, since files round."""
    if a.array.shape != b.array.shape:
        return False
    return bool(np.abs(a.to_index(b.corners_lps()) - a.to_index(a.corners_lps())).max() < _SAME_VOXELS)


def _common_box(label: str, grid: Volume, doses: Sequence[Volume]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last index (i, j, k) of the grid's voxels that lie within every dose."""
    low, high = np.zeros(3), np.array(grid.shape_ijk) - 1.0
    for dose in doses:
        steps = np.linalg.inv(grid.index_to_lps[:3, :3]) @ dose.index_to_lps[:3, :3]
        if np.abs(steps - np.diag(np.diag(steps))).max() > _SAME_VOXELS * np.abs(steps).max():
            raise ReirradiationError(
                f"{label}: the dose grids are turned to each other, so their doses cannot be summed without loss; "
                "export them on one grid"
            )
        corners = grid.to_index(dose.corners_lps())
        low = np.maximum(low, np.ceil(corners.min(axis=0) - _SAME_VOXELS))
        high = np.minimum(high, np.floor(corners.max(axis=0) + _SAME_VOXELS))
    if np.any(high < low):
        raise ReirradiationError(f"{label}: the dose grids have no part in common; check which plans belong together")
    return low.astype(np.int64), high.astype(np.int64)


def _part(grid: Volume, low: NDArray[np.int64], high: NDArray[np.int64]) -> Volume:
    """Return the geometry of a part of a grid, first and last index (i, j, k) included."""
    matrix = grid.index_to_lps.copy()
    matrix[:3, 3] = grid.to_lps(low[None].astype(np.float64))[0]
    (i0, j0, k0), (i1, j1, k1) = low, high
    return Volume(grid.array[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1], matrix, grid.frame_of_reference_uid)
