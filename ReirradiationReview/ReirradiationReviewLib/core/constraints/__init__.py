"""Constraints: what a row is about, the dose it may be held against, and the verdict."""

from .case import Circumstances, RowDose
from .evaluate import ConstraintResult, ValueRange, evaluate, evaluate_time, not_contoured, value_bounds, verdict_at
from .messages import Verdict
from .rows import Basis, ConstraintRow, Direction, Quantity, Span, Status

__all__ = [
    "Basis",
    "Circumstances",
    "ConstraintResult",
    "ConstraintRow",
    "Direction",
    "Quantity",
    "RowDose",
    "Span",
    "Status",
    "ValueRange",
    "Verdict",
    "evaluate",
    "evaluate_time",
    "not_contoured",
    "value_bounds",
    "verdict_at",
]
