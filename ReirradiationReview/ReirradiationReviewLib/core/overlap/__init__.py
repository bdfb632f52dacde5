"""Where the new course and earlier ones meet: volumes, maps, and which kind of re-irradiation that makes."""

from .classes import OVERLAP_PERCENT, Classification, classify
from .regions import overlap_map, volume_where_cc

__all__ = ["OVERLAP_PERCENT", "Classification", "classify", "overlap_map", "volume_where_cc"]
