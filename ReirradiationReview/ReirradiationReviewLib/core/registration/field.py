"""From a spline over a box to a displacement that is 0 far away."""

from __future__ import annotations

import numpy as np

from ..volume import Volume, affine
from .spline import Array, KnotLattice
from .transform import SpatialTransform

# Linear interpolation between nodes this far apart is some hundredths of a millimetre off a spline with knots at 12 mm.
_PITCH_MM = 4.0
# Beyond the box the displacement fades to nothing over this multiple of its size, at least over this length: it can
# then not fold there.
_FADE_PER_DISPLACEMENT = 4.0
_LEAST_FADE_MM = 24.0


def as_transform(
    knots: Array, lattice: KnotLattice, box_to_lps: Array, matrix_lps: Array, frame_of_reference_uid: str = ""
) -> SpatialTransform:
    """Return ``x -> A (x + u(x))`` of a spline displacement.

    Parameters
    ----------
    knots
        Coefficients of the displacement along the box's axes i, j, k in mm, shape ``(3, *lattice.shape)``.
    box_to_lps
        Shape ``(4, 4)``: maps ``(i, j, k, 1)``, mm from the box's beginning, to LPS.
    matrix_lps
        ``A``, shape ``(4, 4)``.
    """
    fade_mm = max(_LEAST_FADE_MM, _FADE_PER_DISPLACEMENT * float(np.abs(knots).max()))
    fade_mm = float(np.ceil(fade_mm / _PITCH_MM)) * _PITCH_MM
    places = [_places(length, fade_mm) for length in lattice.box_mm]
    inside = [np.clip(place, 0.0, length) for place, length in zip(places, lattice.box_mm, strict=True)]
    k, j, i = (_fade(place - near, fade_mm) for place, near in zip(places, inside, strict=True))
    splines = lattice.values_at(inside)
    along_axes = np.stack([splines.of(component) for component in knots], axis=-1)
    along_axes *= (k[:, None, None] * j[:, None] * i)[..., None]
    nodes_to_lps = np.array(box_to_lps, dtype=np.float64)
    nodes_to_lps[:3, 3] = affine(nodes_to_lps, np.array([[place[0] for place in places[::-1]]]))[0]
    nodes_to_lps[:3, :3] *= _PITCH_MM
    field = (along_axes @ np.asarray(box_to_lps)[:3, :3].T).astype(np.float32)
    return SpatialTransform(np.asarray(matrix_lps), Volume(field, nodes_to_lps, frame_of_reference_uid))


def _places(length_mm: float, fade_mm: float) -> Array:
    count = int(np.ceil(length_mm / _PITCH_MM)) + 1
    beyond = round(fade_mm / _PITCH_MM)
    return _PITCH_MM * (np.arange(count + 2 * beyond) - beyond)


def _fade(beyond_mm: Array, fade_mm: float) -> Array:
    """Return 1 within the box, 0 at ``fade_mm`` from it, smooth between."""
    near = np.clip(1.0 - np.abs(beyond_mm) / fade_mm, 0.0, 1.0)
    return near**2 * (3.0 - 2.0 * near)
