"""Writes the demo case: two courses, PET, MR, registration, and the truth about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Progress, no_progress
from ..organs.tracing import trace
from ..volume import Volume
from . import case_data as data
from . import truth
from .contours import moved_to_zero, subdivided, thinned
from .dicom_base import Study
from .dicom_images import finish_ct, finish_mr, pet_finisher, suv_per_bqml, write_series
from .dicom_rt import StoredDose, write_dose, write_plan, write_registration, write_structures
from .grid import AnatomyGrid
from .images import make_ct, make_mr, make_pet_suv
from .motion import Motion
from .planning import plan_course
from .shapes import FAR_MM, Array, Shape
from .texture import Texture, make_texture

_FIELD_STEP_MM = 4.0
_THINNING_MM = 0.01
_LEAST_POINTS = 100


@dataclass(frozen=True)
class DemoCase:
    """Where the demo case lies.

    Parameters
    ----------
    course1, course2
        Folders with CT, RTSTRUCT, RTPLAN and RTDOSE.
    pet, mr
        Folders with one image series each; the PET shares course 2's Frame of Reference, the MR has its own.
    registration
        DICOM spatial registration of the MR to course 2's CT.
    truth
        JSON with what is true of the case.
    displacement
        Displacement image (mm, LPS): course-1 point = course-2 point + displacement.
    """

    folder: Path
    course1: Path
    course2: Path
    pet: Path
    mr: Path
    registration: Path
    truth: Path
    displacement: Path


@dataclass(frozen=True)
class WrittenCourse:
    """What the truth needs of a course that was written."""

    grid: AnatomyGrid
    study: Study
    plan: truth.PlanMoments


def write_demo_case(folder: Path, seed: int = 1, progress: Progress = no_progress) -> DemoCase:
    """Write a synthetic two-course chest case with its truth; the same seed gives the same files, byte for byte.

    Parameters
    ----------
    folder
        Made if absent; files of an earlier demo case in it are overwritten.
    seed
        Varies texture, noise, sampled points and UIDs; anatomy, motion, beams and prescriptions stay.
    progress
        Called with the fraction done and what is being done.

    Returns
    -------
    DemoCase
        The paths written.
    """
    case = _paths(Path(folder))
    motion, texture = data.motion(), make_texture(seed)
    first = write_course(case.course1, data.course_1(seed), lambda points: points, texture, _part(progress, 0.05))
    second = write_course(case.course2, data.course_2(seed), motion.to_course1, texture, _part(progress, 0.38))
    progress(0.71, "PET")
    suv = _write_pet(case.pet, motion, texture, seed)
    progress(0.78, "MR")
    _write_mr(case, second, motion, texture, seed)
    progress(0.88, "Truth")
    _write_displacement(case.displacement, motion, second.grid.volume)
    facts = _truth(motion, [first, second], suv, seed)
    case.truth.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    progress(1.0, "Demo case written")
    return case


def _part(progress: Progress, start: float) -> Progress:
    """Return the progress of one course, whose work is a third of all, from where it starts."""
    return lambda fraction, text: progress(start + fraction / 3, text)


def _paths(folder: Path) -> DemoCase:
    case = DemoCase(
        folder, folder / "course1", folder / "course2", folder / "pet", folder / "mr",
        folder / "registration" / "REG_mr_to_course2.dcm", folder / "truth.json",
        folder / "truth_course2_to_course1.mha",
    )  # fmt: skip
    for path in (case.course1, case.course2, case.pet, case.mr, case.registration.parent):
        path.mkdir(parents=True, exist_ok=True)
    return case


def write_course(
    folder: Path, course: data.CourseData, to_anatomy: Callable[[Array], Array], texture: Texture, progress: Progress
) -> WrittenCourse:
    """Write CT, structures, plan and dose of a course; ``to_anatomy`` maps its points to course 1, (N, 3) LPS mm."""
    folder.mkdir(parents=True, exist_ok=True)
    progress(0.0, f"Course {course.number}: CT")
    seed = course.seed
    study = Study(seed, f"COURSE{course.number}", course.study_date, "100000", f"Course {course.number}",
                  course.ct.frame_of_reference_uid)  # fmt: skip
    grid = AnatomyGrid(course.ct, to_anatomy)
    ct = course.ct.like(make_ct(grid, texture, course.number, seed))
    write_series(folder, study, ct, "CT", finish_ct)
    progress(0.45, f"Course {course.number}: structures")
    contours = {roi.name: roi_contours(grid, roi.shape) for roi in course.rois}
    write_structures(folder / "RTSTRUCT.dcm", study, course, contours)
    progress(0.7, f"Course {course.number}: plan and dose")
    planned = plan_course(course, ct, grid)
    write_plan(folder / "RTPLAN.dcm", study, course, planned.isocentre_lps, planned.beams)
    # One grid in 32 bits with relative offsets, one in 16 with absolute ones: readers must cope with both.
    dose = StoredDose.of(planned.dose_gy, course.dose, bits=32 if course.number == 1 else 16)
    write_dose(folder / "RTDOSE.dcm", study, dose, absolute_offsets=course.number == 2)
    return WrittenCourse(grid, study, truth.PlanMoments.of(dose.volume(), course.fractions))


def roi_contours(grid: AnatomyGrid, shape: Shape) -> dict[int, list[Array]]:
    """Return per slice k the closed outlines of a shape, each ``(N, 2)`` with x and y in LPS mm."""
    window, field = grid.field(shape)
    origin, spacing = grid.volume.index_to_lps[:2, 3], grid.volume.spacing_mm[:2]
    corner = np.array([window[2].start, window[1].start])
    traced: list[tuple[int, Array]] = []
    for k, plane in enumerate(field, start=window[0].start):
        padded = np.pad(plane, 1, constant_values=FAR_MM)  # a shape cut by the picture's edge still closes
        # A sliver of three points says nothing.
        traced += [(k, origin + (line - 1 + corner) * spacing) for line in trace(padded) if len(line) > 3]
    outlines: dict[int, list[Array]] = {}
    for k, line in _refined(traced, grid, shape) if traced else []:
        outlines.setdefault(k, []).append(thinned(line, _THINNING_MM))
    return outlines


def _refined(traced: list[tuple[int, Array]], grid: AnatomyGrid, shape: Shape) -> list[tuple[int, Array]]:
    """Return outlines with their points on the surface; small ones get more, as long chords would cut their bends."""
    fine = [(k, subdivided(line, _LEAST_POINTS)) for k, line in traced]
    heights = [grid.volume.to_lps(np.array([[0.0, 0.0, k]]))[0, 2] for k, _ in fine]
    points = np.vstack([np.insert(line, 2, z, axis=1) for (_, line), z in zip(fine, heights, strict=True)])
    moved = moved_to_zero(points, lambda p: grid.exact(shape, p))[:, :2]
    ends = np.cumsum([len(line) for _, line in fine])[:-1]
    return [(k, part) for (k, _), part in zip(fine, np.split(moved, ends), strict=True)]


def _write_pet(folder: Path, motion: Motion, texture: Texture, seed: int) -> Volume:
    """Write the PET and return the SUV that its stored numbers mean."""
    volume = data.pet_grid(seed)
    study = Study(seed, "PET", "20240429", "101700", "FDG PET", volume.frame_of_reference_uid)
    suv = make_pet_suv(AnatomyGrid(volume, motion.to_course1), texture, seed)
    stored: list[Array] = []
    finish = pet_finisher(len(suv))

    def finish_and_keep(dataset: Any, plane: Array, k: int) -> None:
        finish(dataset, plane, k)
        stored.append(dataset.pixel_array * float(dataset.RescaleSlope) * suv_per_bqml())

    write_series(folder, study, volume.like(suv), "PT", finish_and_keep)
    return volume.like(np.stack(stored))


def _write_mr(case: DemoCase, second: WrittenCourse, motion: Motion, texture: Texture, seed: int) -> None:
    volume, matrix = data.mr_grid(seed), data.mr_to_course2()
    study = Study(seed, "MR", "20240502", "153000", "MR chest", volume.frame_of_reference_uid)

    def to_anatomy(points: Array) -> Array:
        return motion.to_course1(points @ matrix[:3, :3].T + matrix[:3, 3])

    image = volume.like(make_mr(AnatomyGrid(volume, to_anatomy), texture, seed))
    write_series(case.mr, study, image, "MR", finish_mr)
    ct_slices = len(second.grid.volume.array)
    write_registration(case.registration, (study, len(image.array)), (second.study, ct_slices), matrix)


def _write_displacement(path: Path, motion: Motion, ct: Volume) -> None:
    """Write the map from course 2 to course 1 as displacements on a grid around the CT."""
    import SimpleITK as sitk

    corners = ct.corners_lps()
    low = np.floor(corners.min(axis=0)) - 2 * _FIELD_STEP_MM
    size = np.ceil((corners.max(axis=0) - low) / _FIELD_STEP_MM).astype(int) + 3
    matrix = np.diag([_FIELD_STEP_MM] * 3 + [1.0])
    matrix[:3, 3] = low
    grid = Volume(np.zeros(size[::-1], dtype=np.float32), matrix)
    points = grid.centres_lps()
    shift = (motion.to_course1(points) - points).astype(np.float32)
    sitk.WriteImage(grid.like(shift.reshape(*size[::-1], 3)).to_sitk(), str(path))


def _truth(motion: Motion, courses: list[WrittenCourse], suv: Volume, seed: int) -> dict[str, Any]:
    given = data.course_1(seed), data.course_2(seed)
    plans = [course.plan for course in courses]
    samples = {roi.name: truth.organ_samples(roi.shape, courses[1].grid, motion) for roi in given[1].rois}
    return {
        "case": "reirradiation-demo",
        "note": "synthetic phantom, not a patient; LPS mm; course 2 is the reference; in structures a dose outside its "
        "grid counts as 0, and outside_dose_grid_percent says for how much of the organ",
        "seed": seed,
        "courses": [
            {"prescription_gy": course.prescription_gy, "fractions": course.fractions, "date": course.plan_date,
             "frame_of_reference_uid": course.ct.frame_of_reference_uid, "dose_max_gy": float(plan.dose.array.max())}
            for course, plan in zip(given, plans, strict=True)
        ],
        "transform": {"matrix_course2_to_course1": motion.matrix_lps.tolist(), **motion.parameters()},
        "mr_to_course2": data.mr_to_course2().tolist(),
        "landmarks": truth.landmarks(motion),
        "points": truth.point_doses(truth.sample_points(given[1], samples, seed), motion, plans),
        "structures": {roi.name: truth.organ_truth(roi, samples[roi.name], plans) for roi in given[1].rois},
        "pet": truth.pet_truth(suv, motion),
    }  # fmt: skip
