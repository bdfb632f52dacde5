"""Where to begin: every shift at once, for a fan of rotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import Progress, no_progress
from .shifts import Likeness, ShiftGrid
from .subject import AIR_HU, SEARCH_MM, Subject

if TYPE_CHECKING:
    import SimpleITK

_Vector = NDArray[np.float64]

# At the search's voxel size bodies still correlate when turned by about 10 degrees, which sets the fan.
# Rotations about the patient's x (pitch), y (roll) and z (yaw) axes in degrees.
Fan = Sequence[tuple[float, ...]]
FULL_FAN: Fan = tuple(product((-15.0, 0.0, 15.0), repeat=3))
LEVEL_FAN: Fan = tuple(product((0.0,), (-15.0, 0.0, 15.0), (-15.0, 0.0, 15.0)))
# Smaller overlaps (as a fraction of the smaller body) correlate well by chance.
_LEAST_OVERLAP = 0.15
_PEAKS_PER_ROTATION = 3
# Starts that put the body's centre closer together than this lead to the same end.
_APART_MM = 30.0
_OUTSIDE = -5000.0


@dataclass(frozen=True)
class Start:
    """A first guess: ``matrix_lps`` maps reference points to moving points; ``score`` ranks it among its like."""

    matrix_lps: NDArray[np.float64]
    score: float


def find_starts(
    reference: Subject,
    moving: Subject,
    fan: Fan,
    count: int,
    *,
    likeness: Likeness,
    progress: Progress = no_progress,
) -> list[Start]:
    """Return the best first guesses, best first, at most ``count``.

    Every shift by whole voxels of 12 mm is scored at once inside the overlap of the reference's body (with its ring of
    air) and the moving field of view, once for each rotation of the fan about the body's centre. No origin, overlap or
    field of view is assumed.
    """
    fixed_centre, moving_centre = reference.centre_lps, moving.centre_lps
    fixed = _turned(reference.pyramid[SEARCH_MM], np.eye(3), fixed_centre, reference.ring)
    smaller_body_voxels = min(reference.body_cc, moving.body_cc) / (SEARCH_MM**3 / 1000.0)
    starts = []
    for step, degrees in enumerate(fan):
        progress(step / len(fan), "searching where the scans overlap")
        rotation = _rotation(degrees)
        turned = _turned(moving.pyramid[SEARCH_MM], rotation, moving_centre)
        for shift_mm, score in _peaks(fixed, turned, likeness, smaller_body_voxels):
            starts.append(Start(_matrix(rotation, shift_mm, fixed_centre, moving_centre), score))
    return _apart(sorted(starts, key=lambda start: -start.score), fixed_centre, count)


def _turned(
    image: SimpleITK.Image, rotation: NDArray[np.float64], centre_lps: _Vector, mask: SimpleITK.Image | None = None
) -> ShiftGrid:
    """Return the image at ``R v + centre`` for offsets ``v`` on a grid along the patient's axes."""
    import SimpleITK as sitk

    size = np.array(image.GetSize())
    corners = [image.TransformIndexToPhysicalPoint([int(n) for n in c]) for c in product(*[(0, n - 1) for n in size])]
    offsets = (np.array(corners) - centre_lps) @ rotation  # v = R^T (y - centre)
    low = offsets.min(axis=0)
    frame = sitk.AffineTransform(3)
    frame.SetMatrix(rotation.ravel().tolist())
    frame.SetTranslation(centre_lps.tolist())
    grid = sitk.ResampleImageFilter()
    grid.SetSize([int(n) for n in np.ceil((offsets.max(axis=0) - low) / SEARCH_MM) + 1])
    grid.SetOutputOrigin(low.tolist())
    grid.SetOutputSpacing([SEARCH_MM] * 3)
    grid.SetTransform(frame)
    grid.SetDefaultPixelValue(_OUTSIDE)
    values = sitk.GetArrayFromImage(grid.Execute(image))
    inside = values > _OUTSIDE
    if mask is not None:
        grid.SetDefaultPixelValue(0)
        inside &= sitk.GetArrayFromImage(grid.Execute(sitk.Cast(mask, sitk.sitkFloat32))) >= 0.5
    # About zero mean and unit scale (soft tissue lies some 300 HU above the clamp): single precision then suffices.
    scaled = np.where(inside, (values - AIR_HU) / 300.0 - 0.5, 0.0)
    return ShiftGrid(scaled.astype(np.float32), inside.astype(np.float32), low)


def _peaks(
    fixed: ShiftGrid, moving: ShiftGrid, likeness: Likeness, smaller_body_voxels: float
) -> Iterator[tuple[_Vector, float]]:
    """Yield the best shifts ``s`` in mm, where offset ``u`` of the fixed grid lies on ``u + s`` of the moving grid."""
    correlation, voxels = likeness(fixed, moving)
    overlap = np.minimum(voxels / smaller_body_voxels, 1.0)
    # The z value of a correlation grows with the square root of the number of samples (Fisher): so does trust in it.
    score = np.arctanh(np.clip(correlation, 0.0, 0.999)) * np.sqrt(overlap)
    score[overlap < _LEAST_OVERLAP] = 0.0
    reach = round(_APART_MM / SEARCH_MM)
    for _ in range(_PEAKS_PER_ROTATION):
        best = np.unravel_index(np.argmax(score), score.shape)
        if score[best] <= 0.0:
            return
        # Index 0 is no shift; beyond the moving grid's length the circular result stands for negative shifts.
        lag = [int(b) if b < m else int(b) - n for b, m, n in zip(best, moving.values.shape, score.shape, strict=True)]
        yield moving.corner_mm - fixed.corner_mm + SEARCH_MM * np.array(lag[::-1]), float(score[best])
        score[np.ix_(*[np.arange(b - reach, b + reach + 1) % n for b, n in zip(best, score.shape, strict=True)])] = 0.0


def _rotation(degrees: tuple[float, ...]) -> NDArray[np.float64]:
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler("xyz", degrees, degrees=True).as_matrix(), dtype=np.float64)


def _matrix(
    rotation: NDArray[np.float64], shift_mm: _Vector, fixed_centre: _Vector, moving_centre: _Vector
) -> NDArray[np.float64]:
    """Return the map ``x -> R (x - fixed centre + shift) + moving centre``."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = moving_centre + rotation @ (shift_mm - fixed_centre)
    return matrix


def _apart(starts: list[Start], centre_lps: _Vector, count: int) -> list[Start]:
    """Keep the best of every group of starts that put the body's centre at about the same place."""
    kept: list[Start] = []
    places: list[_Vector] = []
    for start in starts:
        place = start.matrix_lps[:3, :3] @ centre_lps + start.matrix_lps[:3, 3]
        if all(np.linalg.norm(place - other) >= _APART_MM for other in places):
            kept.append(start)
            places.append(place)
    return kept[:count]
