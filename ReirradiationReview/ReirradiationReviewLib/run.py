"""The whole review from folders to files: what the command line and the Slicer module both start."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import __version__
from .beside import Beside, TargetInputs, check_wanted, place_beside, write_new_contours
from .core.courses import Course, Plan
from .core.dicom_export.rtdose import ComposedCourse, SpatialTransformKind, write_composite_rtdose
from .core.errors import Notice, Progress, ReirradiationError, no_progress, part_of
from .core.functional_maps import weighted_organs
from .core.image_inputs import ImageInputs, read_images
from .core.images import PlacedImage
from .core.letd import with_letd
from .core.registration.cache import RegistrationCache
from .core.registration.course import CourseRegistration, register_courses
from .core.registration.qa.landmarks import read_landmarks
from .core.registration.qa.of_review import assess_review
from .core.report.html import ReportPicture, write_report
from .core.results.document import review_document
from .core.review import Review
from .core.review_checks import TOO_FEW_COURSES
from .core.same_fraction import merge_same_fraction
from .core.settings import Settings
from .core.settings_checks import check_settings, check_tables
from .overlap_outputs import write_overlap_maps
from .registration_outputs import make_folder, write_earlier_contours, write_transforms
from .report_curves import dose_curves, functional_curves

if TYPE_CHECKING:
    from .scene.pictures import Picture


@dataclass(frozen=True)
class RunInputs:
    """What one run is made from.

    Parameters
    ----------
    courses
        One folder per course, oldest first.
    reference_index
        Index of the course the review is made in; -1 for the last.
    registration, compared_registration
        See `core.registration.course.register_courses`; the second, if any, for the ranges of values only.
    fractions
        User-entered number of fractions by plan label or plan UID.
    same_fraction
        Groups of plans, by label or UID, that were given in the same fractions; see `core.same_fraction`.
    letd
        Images of LETd in keV/um by plan label or UID; see `core.letd`.
    targets
        What is asked for around the target.
    landmarks
        Slicer point lists by the index of the course in whose CT they were marked.
    registration_cache
        Folder in which registrations that were found are kept and looked for; None to find them anew.
    """

    courses: tuple[Path, ...]
    reference_index: int = -1
    registration: tuple[str, ...] = ("auto",)
    compared_registration: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    fractions: Mapping[str, int] = field(default_factory=dict)
    same_fraction: tuple[tuple[str, ...], ...] = ()
    letd: Mapping[str, Path] = field(default_factory=dict)
    images: ImageInputs = field(default_factory=ImageInputs)
    targets: TargetInputs = field(default_factory=TargetInputs)
    landmarks: Mapping[int, Path] = field(default_factory=dict)
    registration_cache: Path | None = None


def read_courses(inputs: RunInputs, progress: Progress = no_progress) -> list[Course]:
    """Read all courses, with plans given in the same fractions made one."""
    from .core.dicom import read_course

    courses = []
    for number, folder in enumerate(inputs.courses):
        span = part_of(progress, number / len(inputs.courses), (number + 1) / len(inputs.courses))
        courses.append(read_course(folder, f"course {number + 1}", span, inputs.fractions))
    return list(merge_same_fraction(with_letd(courses, inputs.letd), inputs.same_fraction))


def make_review(inputs: RunInputs, progress: Progress = no_progress) -> tuple[Review, Beside]:
    """Read, register, make the new targets and evaluate; what can be refused before the long work is refused first."""
    if len(inputs.courses) < 2:
        raise ReirradiationError(TOO_FEW_COURSES)
    check_tables(inputs.settings)
    courses = read_courses(inputs, part_of(progress, 0.0, 0.12))
    images = read_images(inputs.images, part_of(progress, 0.12, 0.15))
    index = range(len(courses))[inputs.reference_index]
    check_settings(courses, index, inputs.settings)
    check_wanted(inputs.targets, courses[index], images)
    cache = None if inputs.registration_cache is None else RegistrationCache(inputs.registration_cache)
    registrations = register_courses(courses, index, inputs.registration, part_of(progress, 0.15, 0.42), cache)
    how, span = inputs.images.registration, part_of(progress, 0.42, 0.5)
    beside = place_beside(images, inputs.targets, courses, registrations, index, methods=how, progress=span)
    landmarks = {index: read_landmarks(path) for index, path in inputs.landmarks.items()}
    review = Review(courses, registrations, inputs.settings, index, part_of(progress, 0.5, 0.55))
    review.notices += beside.notices()
    if inputs.compared_registration:
        review = review.with_comparison(register_courses(courses, index, inputs.compared_registration))
    return assess_review(review, landmarks, part_of(progress, 0.55, 0.65)), beside


def run_review(inputs: RunInputs, out: Path, progress: Progress = no_progress) -> dict[str, Path]:
    """Make the review and write everything it yields below ``out``.

    Returns
    -------
    dict
        Paths by name: ``report``, ``data`` and, where the Slicer libraries could draw, ``scene``.

    Raises
    ------
    ReirradiationError
        If the input cannot be reviewed or ``out`` cannot be written.
    """
    make_folder(out)
    review, beside = make_review(inputs, progress)
    return write_review(review, beside, out, progress)


def write_review(review: Review, beside: Beside, out: Path, progress: Progress = no_progress) -> dict[str, Path]:
    """Write everything that a review yields below ``out``; see `run_review`."""
    make_folder(out)
    weighted = weighted_organs(review, beside.maps)
    transforms, registration_objects = write_transforms(review, out / "transforms")
    files: dict[str, Any] = {
        "transforms": transforms,
        "composite_rtdose": [write_composite(review, out, registration_objects)],
        "overlap_maps": write_overlap_maps(review, out),
        "rtstruct": write_new_contours(review, beside.targets, out),
        "earlier_contours": write_earlier_contours(review, out),
    }
    progress(0.65, "building the scene")
    scene_files, pictures, notices = write_scene(review, beside.images, out, part_of(progress, 0.65, 0.95))
    review.notices += notices
    files |= {name: str(path.relative_to(out)) for name, path in scene_files.items()}
    files["screenshots"] = [str(picture.path.relative_to(out)) for picture in pictures]
    shown = [ReportPicture(picture.path, picture.caption) for picture in pictures]
    progress(0.95, "writing the report")
    files |= {"report": "report.html", "data": "review.json"}
    document = review_document(
        review, files, beside.images, new_targets=beside.targets, margin=beside.margin, weighted=weighted
    )
    data = out / "review.json"
    data.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    report = out / "report.html"
    write_report(report, document, [*dose_curves(review), *map(functional_curves, weighted)], shown)
    progress(1.0, "done")
    return {"report": report, "data": data, **scene_files}


def write_composite(review: Review, out: Path, registration_objects: Mapping[int, tuple[str, str]]) -> str:
    """Write the composite EQD2 at the display alpha/beta as RTDOSE and return the file's name.

    Parameters
    ----------
    registration_objects
        SOP Class and Instance UID of the REG by the course's index: what the dose was brought here with.
    """
    alpha_beta_gy = review.settings.display_alpha_beta_gy
    composite = review.composite.eqd2(review.weights(), alpha_beta_gy)
    courses = [
        ComposedCourse(
            course.label,
            plans_as_given(review, index),
            0.0,
            _transform_kind(registration),
            registration_objects.get(index),
        )
        for index, (course, registration) in enumerate(zip(review.courses, review.registrations, strict=True))
        if index not in review.settings.left_out
    ]
    name = f"composite_eqd2_ab{alpha_beta_gy:g}.dcm"
    notices = write_composite_rtdose(
        out / name,
        composite,
        ~np.isnan(composite.array),
        review.reference,
        courses,
        alpha_beta_gy=alpha_beta_gy,
        software_version=__version__,
    )
    review.notices += notices
    return name


def plans_as_given(review: Review, course_index: int) -> tuple[Plan, ...]:
    """Return a course's plans with the number of fractions that the sums count."""
    return tuple(
        replace(plan, fractions=given.fractions, fractions_source=given.source)
        for (index, plan), given in zip(review.plans, review.given, strict=True)
        if index == course_index
    )


def _transform_kind(registration: CourseRegistration) -> SpatialTransformKind:
    if registration.method in ("reference", "identity"):
        return "NONE"
    return "RIGID" if registration.transform.displacement is None else "NON_RIGID"


def write_scene(
    review: Review, images: Sequence[PlacedImage], out: Path, progress: Progress = no_progress
) -> tuple[dict[str, Path], list[Picture], list[Notice]]:
    """Build the MRML scene, draw its pictures and save it.

    Returns
    -------
    files, pictures, notices
        Where drawing is not possible on this machine, nothing is written, and a notice says what is missing.
    """
    try:
        from .scene.environment import check_rendering, headless_environment
    except ImportError as error:
        return {}, [], [Notice("no-slicer-libraries", f"no scene and no pictures: {error}; install the review extra")]
    from .scene.build import build_scene
    from .scene.figure1_pictures import render_figure1
    from .scene.from_review import scene_content
    from .scene.pictures import render_pictures
    from .scene.registration_pictures import render_registration_pictures
    from .scene.save import save_scene

    try:
        check_rendering()
    except ReirradiationError as error:
        return {}, [], [Notice("no-pictures", str(error))]
    environment = headless_environment()
    content = scene_content(review, images)
    nodes = build_scene(environment, content)
    progress(0.4, "drawing the pictures")
    pictures = render_pictures(environment, nodes, content, out / "screenshots")
    pictures += render_figure1(environment, nodes, content, out / "screenshots")
    pictures += render_registration_pictures(environment, nodes, content, out / "screenshots")
    progress(0.8, "saving the scene")
    save_scene(environment, out / "review.mrb")
    return {"scene": out / "review.mrb"}, pictures, []
