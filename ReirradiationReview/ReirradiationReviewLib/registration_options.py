"""The command line's options about how courses are brought to the reference."""

from __future__ import annotations

import argparse
from pathlib import Path

from .argument_types import numbered_file
from .core.errors import ReirradiationError


def add_registration_options(run: argparse.ArgumentParser) -> None:
    """Add what `landmark_files` and the registration read."""
    run.add_argument(
        "--registration",
        action="append",
        metavar="rigid|deformable|identity|auto|FILE",
        help="how earlier courses are brought to the reference; once for all or once for each (default: auto, that is "
        "identity where the Frame of Reference is the same, else the DICOM REG in the courses' folders that links "
        "them, else rigid). deformable: rigid first, then a smooth deformation. FILE: DICOM REG, or an ITK transform "
        "or displacement field, reference point to course point, LPS",
    )
    run.add_argument(
        "--compare-registration",
        action="append",
        metavar="rigid|identity|auto|FILE",
        help="range: what this other registration would give, as for --registration (default: the rigid part of a "
        "deformable one)",
    )
    run.add_argument(
        "--landmarks",
        type=numbered_file,
        action="append",
        default=[],
        metavar="N=FILE",
        help="points marked in the CT of course N, a Slicer point list (.mrk.json, .fcsv); points of the same name in "
        "two courses measure their registration",
    )
    run.add_argument(
        "--registration-cache",
        type=Path,
        metavar="DIR",
        help="folder in which registrations that were found are kept, and taken from where the images are the same",
    )


def landmark_files(options: argparse.Namespace) -> dict[int, Path]:
    """Return the files of landmarks by the index of the course that they were marked in.

    Raises
    ------
    ReirradiationError
        If there is no such course, or one is given two files.
    """
    count = len(options.course)
    files: dict[int, Path] = {}
    for number, path in options.landmarks:
        if not 1 <= number <= count:
            raise ReirradiationError(f"--landmarks {number}={path}: there are {count} courses, numbered 1 to {count}")
        if number - 1 in files:
            raise ReirradiationError(f"--landmarks is given twice for course {number}: put all points in one file")
        files[number - 1] = path
    return files
