"""How alike two images are at every shift at once, through Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[Any]

# Grey levels that tell tissues apart at 12 mm; their counts at a shift make its joint histogram.
_CLASSES = 4


@dataclass(frozen=True)
class ShiftGrid:
    """Values (0 outside the mask), mask, and the offset of voxel (0, 0, 0) from the turning point in mm."""

    values: NDArray[np.float32]
    mask: NDArray[np.float32]
    corner_mm: NDArray[np.float64]


# Returns a coefficient (1: alike, 0: not) and the number of voxels that both masks hold, for every lag (circular).
Likeness = Callable[[ShiftGrid, ShiftGrid], tuple[_Array, _Array]]


def correlation_of_shifts(fixed: ShiftGrid, moving: ShiftGrid) -> tuple[_Array, _Array]:
    """Return the correlation coefficient inside both masks, for images of one modality.

    D. Padfield, "Masked object registration in the Fourier domain", IEEE Trans. Image Process. 21(5), 2012.
    """
    lengths = _lengths(fixed, moving)
    f0, f1, f2 = np.conj(_spectra([fixed.mask, fixed.values, fixed.values**2], lengths))
    m0, m1, m2 = _spectra([moving.mask, moving.values, moving.values**2], lengths)
    n = np.maximum(_sums(f0, m0, lengths), 1.0)
    fixed_sum, moving_sum = _sums(f1, m0, lengths), _sums(f0, m1, lengths)
    covariance = _sums(f1, m1, lengths) - fixed_sum * moving_sum / n
    variance = (_sums(f2, m0, lengths) - fixed_sum**2 / n) * (_sums(f0, m2, lengths) - moving_sum**2 / n)
    # The floor keeps uniform regions, where rounding is all that is left, from dividing by nothing.
    return covariance / np.sqrt(np.maximum(variance, (1e-3 * n) ** 2)), n


def information_of_shifts(fixed: ShiftGrid, moving: ShiftGrid) -> tuple[_Array, _Array]:
    """Return the informational coefficient of correlation inside both masks, for images of different modalities.

    Each image is cut into a few grey levels of equal volume; how often two levels meet at a shift is the correlation
    of their masks. The coefficient is ``sqrt(1 - exp(-2 I))`` of the mutual information ``I`` (E. H. Linfoot,
    Information and Control 1:85, 1957).
    """
    lengths = _lengths(fixed, moving)
    fixed_levels = np.conj(_spectra(_levels(fixed), lengths))
    moving_levels = _spectra(_levels(moving), lengths)
    counts = np.stack([[np.maximum(_sums(f, m, lengths), 0.0) for m in moving_levels] for f in fixed_levels])
    n = np.maximum(counts.sum(axis=(0, 1)), 1.0)
    information = (_entropy(counts.sum(axis=0), n) + _entropy(counts.sum(axis=1), n)) - _entropy(
        counts.reshape(-1, *n.shape), n
    )
    # The estimate of I between unrelated images is not 0 (G. A. Miller, 1955): levels met by chance are taken off.
    chance = (len(fixed_levels) - 1) * (len(moving_levels) - 1) / (2.0 * n)
    return np.sqrt(1.0 - np.exp(-2.0 * np.maximum(information - chance, 0.0))), n


def _levels(grid: ShiftGrid) -> list[_Array]:
    """Return one mask for each grey level."""
    inside = grid.mask > 0
    edges = np.unique(np.quantile(grid.values[inside], np.arange(1, _CLASSES) / _CLASSES))
    level = np.searchsorted(edges, grid.values, side="left")
    return [((level == n) & inside).astype(np.float32) for n in range(len(edges) + 1)]


def _entropy(counts: _Array, n: _Array) -> _Array:
    """Return the entropy in nats of the counts along the first axis, which sum to ``n``."""
    share = counts / n
    return -np.sum(share * np.log(np.maximum(share, 1e-12)), axis=0)


def _lengths(fixed: ShiftGrid, moving: ShiftGrid) -> list[int]:
    from scipy.fft import next_fast_len

    return [next_fast_len(a + b - 1, real=True) for a, b in zip(fixed.mask.shape, moving.mask.shape, strict=True)]


def _spectra(images: Sequence[_Array], lengths: list[int]) -> _Array:
    from scipy.fft import rfftn

    return np.stack([rfftn(image, lengths, workers=2) for image in images])


def _sums(a: _Array, b: _Array, lengths: list[int]) -> _Array:
    from scipy.fft import irfftn

    return np.asarray(irfftn(a * b, lengths, workers=2))
