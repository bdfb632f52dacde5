"""Volumes of dose-averaged LET, brought to a plan's dose grid for a variable RBE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .biology.rbe import checked_letd
from .courses import Course, Plan
from .errors import ReirradiationError
from .volume import Volume, sample_linear

# Below this part of the maximum dose the LETd may be missing: no voxel there bears on a constraint.
_DOSE_THAT_MATTERS = 0.01


def with_letd(courses: Sequence[Course], files: Mapping[str, Path]) -> tuple[Course, ...]:
    """Return the courses with the LETd of some plans.

    Parameters
    ----------
    files
        By plan label or UID: an image (MHA, NRRD, NIfTI) of LETd in keV/um, in the patient space of the plan's dose.

    Raises
    ------
    ReirradiationError
        If a plan is not there, or an image cannot be read, does not cover the dose, or holds no LETd of protons.
    """
    plans = [plan for course in courses for plan in course.plans]
    for name in files:
        if sum(name in (plan.label, plan.plan_uid) for plan in plans) != 1:
            known = ", ".join(repr(plan.label) for plan in plans)
            raise ReirradiationError(f"--let names {name!r}, which is not one plan; there are {known}")
    return tuple(replace(course, plans=tuple(_with(plan, files) for plan in course.plans)) for course in courses)


def _with(plan: Plan, files: Mapping[str, Path]) -> Plan:
    path = files.get(plan.plan_uid, files.get(plan.label))
    return plan if path is None else replace(plan, letd_kev_um=on_dose_grid(read_letd(path), plan.dose, str(path)))


def read_letd(path: Path) -> Volume:
    """Return an image of LETd in keV/um; ReirradiationError if it cannot be read or has no three dimensions."""
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ReirradiationError(f"{path}: cannot be read as an image; give an MHA, NRRD or NIfTI file") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ReirradiationError(f"{path}: LETd has to be one number per voxel in three dimensions")
    return Volume.from_sitk(image)


def on_dose_grid(letd: Volume, dose: Volume, name: str) -> NDArray[np.float64]:
    """Return LETd at the voxel centres of a dose, linearly interpolated, shape of the dose's array.

    Raises
    ------
    ReirradiationError
        If it does not reach all voxels with at least 1 % of the maximum dose, or holds other values than LETd.
    """
    values, inside = sample_linear(letd, dose.centres_lps())
    matters = dose.array.ravel() >= _DOSE_THAT_MATTERS * float(dose.array.max())
    if np.any(matters & ~inside):
        raise ReirradiationError(
            f"{name}: the LETd does not cover the dose (from 1 % of its maximum on): is it of the same plan and in the "
            "same patient space?"
        )
    values[~matters] = np.clip(np.nan_to_num(values[~matters]), 0.0, None)
    try:
        checked_letd(values[matters])
    except ReirradiationError as error:
        raise ReirradiationError(f"{name}: {error}") from error
    return np.minimum(values, values[matters].max()).reshape(dose.array.shape)
