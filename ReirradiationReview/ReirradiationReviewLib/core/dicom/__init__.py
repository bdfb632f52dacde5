"""DICOM folders to checked courses."""

from __future__ import annotations

from .course import read_course, read_course_files, read_series
from .inspection import inspect

__all__ = ["inspect", "read_course", "read_course_files", "read_series"]
