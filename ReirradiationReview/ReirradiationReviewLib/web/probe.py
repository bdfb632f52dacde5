"""What lies at a point: the image's value, and the dose of each course."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.review import Review
from ..scene.geometry import RAS_FROM_LPS


def probe_text(review: Review, point_ras: Sequence[float]) -> str:
    """Return a line about a point in RAS mm; what is not known there is said so."""
    r, a, s = point_ras
    directions = [names[0 if value >= 0 else 1] for value, names in ((r, "RL"), (a, "AP"), (s, "SI"))]
    place = ", ".join(f"{name} {abs(value):.0f}" for name, value in zip(directions, point_ras, strict=True))
    point_lps = (np.array(point_ras) * np.diag(RAS_FROM_LPS)[:3])[None]
    parts = [f"{place} mm"]
    ct = review.reference.ct
    if ct is not None:
        index = np.rint(ct.volume.to_index(point_lps)[0]).astype(int)
        if ((index >= 0) & (index < ct.volume.shape_ijk)).all():
            parts.append(f"{ct.modality} {float(ct.volume.array[tuple(index[::-1])]):.0f} HU")
    grid = review.composite.grid
    index = np.rint(grid.to_index(point_lps)[0]).astype(int)
    if ((index < 0) | (index >= grid.shape_ijk)).any():
        return "   ".join([*parts, "no dose here"])
    voxel = int(np.ravel_multi_index(tuple(index[::-1]), grid.array.shape))
    alpha_beta_gy = review.settings.display_alpha_beta_gy
    sums = [("composite", review.weights()), *((c.label, review.weights([n])) for n, c in enumerate(review.courses))]
    doses = [(label, review.composite.eqd2_at(voxel, weights, alpha_beta_gy)) for label, weights in sums]
    said = [f"{label} {dose_gy:.1f}" if not np.isnan(dose_gy) else f"{label} unknown" for label, dose_gy in doses]
    return "   ".join([*parts, f"EQD2 (α/β {alpha_beta_gy:g}): {', '.join(said)} Gy"])
