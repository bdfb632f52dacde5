"""What a review is made from and with, on the command line: the options that ``run`` and ``serve`` share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .argument_types import folder, positive
from .biology_options import add_review_options, review_inputs, review_settings
from .core.errors import ReirradiationError
from .core.settings import DISPLAY_ALPHA_BETA_GY, Settings
from .image_options import add_image_options, image_inputs, target_requests
from .range_options import add_range_options, range_settings
from .registration_options import add_registration_options, landmark_files
from .target_options import add_target_options, derived_requests, margin_of

if TYPE_CHECKING:
    from .run import RunInputs


def add_run_options(run: argparse.ArgumentParser, *, courses_needed: bool) -> None:
    """Add what `run_inputs` reads."""
    run.add_argument(
        "--course",
        type=folder,
        action="append",
        required=courses_needed,
        default=None if courses_needed else [],
        metavar="DIR",
        help="DICOM folder of one course; give twice or more, oldest first; the last is the new plan",
    )
    run.add_argument("--reference", type=int, metavar="N", help="course number to review in (default: the last)")
    add_registration_options(run)
    run.add_argument(
        "--protocol", action="append", metavar="ID", help="constraint set or file (default: beddok_2022); repeatable"
    )
    add_review_options(run)
    add_range_options(run)
    add_image_options(run)
    add_target_options(run)
    run.add_argument(
        "--composite-alpha-beta",
        type=positive(float),
        default=DISPLAY_ALPHA_BETA_GY,
        metavar="GY",
        help=f"alpha/beta of the composite pictures and RTDOSE (default: {DISPLAY_ALPHA_BETA_GY:g})",
    )


def run_inputs(options: argparse.Namespace) -> RunInputs:
    """Return the inputs that the options stand for.

    Raises
    ------
    ReirradiationError
        If the reference is none of the courses.
    """
    from .beside import TargetInputs
    from .run import RunInputs

    count = len(options.course)
    if options.reference is not None and not 1 <= options.reference <= count:
        raise ReirradiationError(f"--reference {options.reference}: there are {count} courses, numbered 1 to {count}")
    settings = Settings(
        **review_settings(options),
        **range_settings(options),
        protocols=tuple(options.protocol or ("beddok_2022",)),
        display_alpha_beta_gy=options.composite_alpha_beta,
    )
    return RunInputs(
        courses=tuple(options.course),
        reference_index=-1 if options.reference is None else options.reference - 1,
        registration=tuple(options.registration or ("auto",)),
        compared_registration=tuple(options.compare_registration or ()),
        settings=settings,
        **review_inputs(options),
        landmarks=landmark_files(options),
        registration_cache=options.registration_cache,
        images=image_inputs(options),
        targets=TargetInputs(
            target_requests(options), derived_requests(options), margin_of(options), dict(options.function)
        ),
    )
