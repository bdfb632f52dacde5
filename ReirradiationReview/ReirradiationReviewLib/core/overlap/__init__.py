"""Where the new course and earlier ones meet: volumes, maps, and which kind of re-irradiation that makes."""

from .classes import OVERLAP_PERCENT, RULE, Classification, classify
from .courses import PERCENT, course_dose, overlap_steps, prescription_gy
from .regions import overlap_map, volume_where_cc

__all__ = [
    "OVERLAP_PERCENT",
    "PERCENT",
    "RULE",
    "Classification",
    "classify",
    "course_dose",
    "overlap_map",
    "overlap_steps",
    "prescription_gy",
    "volume_where_cc",
]
