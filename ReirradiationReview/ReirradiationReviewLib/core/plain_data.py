"""Values made ready for JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def plain_data(value: Any) -> Any:
    """Return JSON-ready data: NaN and infinities become None, numpy scalars become numbers."""
    if isinstance(value, dict):
        return {key: plain_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
