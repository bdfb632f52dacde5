"""An organ's samples in blocks of similar dose, so that a change of biology need look at few of them.

The EQD2 of every sample is a linear combination of its dose moments (`linear_dose`), whatever the alpha/beta, the
recovery, the fractions or the scale of a plan. The same combination of a block's least and greatest moments bounds the
EQD2 of all of its samples. A block that lies wholly on one side of the dose or volume that a metric asks about is
counted as a whole; only what is left is evaluated sample by sample. The figures are those of all samples, without
approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .organs.dvh import ROUNDING, DoseVolume, dose_volume

_BLOCK = 96
# Bits of the code by which samples of similar dose are brought together.
_MOST_BITS, _CODE_BITS = 10, 60
# Bounds and samples are summed in a different order; this is far above what that changes, relative to the dose.
_SLACK = 1e-12
# Below this share of the organ, leaving out the blocks that are hotter than asked saves nothing.
_SMALL_SHARE = 0.05
_FEW = 48


@dataclass(frozen=True)
class DoseBlocks:
    """The samples, block by block; all samples of a block lie inside the same dose grids.

    Parameters
    ----------
    features
        Dose moments, shape ``(M, F, B)``: M blocks, F moments of all plans, B samples in each.
    volumes_cc
        Shape ``(M, B)``; 0 where a block is filled up with a copy of its last sample.
    low, high
        Least and greatest of each moment, shape ``(F, M)``.
    plan_of
        Which plan each moment belongs to, shape ``(F,)``.
    groups
        Per set of dose grids: which plans' grids the blocks lie in, shape ``(K,)``, and the range of these blocks.
    """

    features: NDArray[np.float64]
    volumes_cc: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    plan_of: NDArray[np.intp]
    groups: tuple[tuple[NDArray[np.bool_], slice], ...]

    @cached_property
    def block_volumes_cc(self) -> NDArray[np.float64]:
        """Volume of each block, shape ``(M,)``."""
        volumes: NDArray[np.float64] = self.volumes_cc.sum(axis=1)
        return volumes

    @cached_property
    def volume_cc(self) -> float:
        """Volume of the organ."""
        return float(self.block_volumes_cc.sum())

    @cached_property
    def largest_sample_cc(self) -> float:
        """Volume of the largest sample."""
        return float(self.volumes_cc.max())

    @cached_property
    def _group_means(self) -> tuple[NDArray[np.float64], ...]:
        """Volume times moment, summed over each group, shape ``(F,)``."""
        return tuple(
            np.einsum("mfb,mb->f", self.features[blocks], self.volumes_cc[blocks]) for _, blocks in self.groups
        )

    def dose(
        self, coefficients: NDArray[np.float64], active: NDArray[np.bool_], assume_unknown: bool = False
    ) -> BlockDose:
        """Return the dose whose value at a sample is ``coefficients`` times its moments.

        Parameters
        ----------
        coefficients
            Shape ``(F,)``.
        active
            Which plans enter the sum, shape ``(K,)``.
        assume_unknown
            Take a plan's dose beyond its grid as that at the nearest edge: an upper bound. By default it is left out,
            and what no plan reaches is unknown.
        """
        terms = []
        for number, (inside, blocks) in enumerate(self.groups):
            counted = active if assume_unknown else active & inside
            if assume_unknown or counted.any():
                terms.append(_Term(blocks, coefficients * counted[self.plan_of], self._group_means[number]))
        return BlockDose(self, tuple(terms))

    def incomplete_cc(self, active: NDArray[np.bool_]) -> float:
        """Return the volume beyond the grid of at least one plan of the sum."""
        return float(
            sum(self.block_volumes_cc[blocks].sum() for inside, blocks in self.groups if (active & ~inside).any())
        )


@dataclass(frozen=True)
class _Term:
    """A range of blocks with known dose, and the coefficients that hold there."""

    blocks: slice
    coefficients: NDArray[np.float64]
    volume_times_moment: NDArray[np.float64]


@dataclass(frozen=True)
class BlockDose:
    """One dose of an organ, as the figures that a metric asks for (`organs.dvh.DoseFigures`)."""

    of: DoseBlocks
    terms: tuple[_Term, ...]
    _found: dict[float, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def known_volume_cc(self) -> float:
        """Volume with a known dose."""
        return float(sum(self.of.block_volumes_cc[term.blocks].sum() for term in self.terms))

    @property
    def total_volume_cc(self) -> float:
        """Volume of the whole organ."""
        return self.of.volume_cc

    @property
    def unknown_volume_cc(self) -> float:
        """Volume where the dose is not known."""
        return self.total_volume_cc - self.known_volume_cc

    @cached_property
    def dmin_gy(self) -> float:
        """Lowest dose."""
        if not self.terms:
            return np.nan
        low, high, _ = self._bounds
        return float(self._samples(low <= high.min()).dose_gy.min())

    @cached_property
    def dmax_gy(self) -> float:
        """Highest dose of any sample point."""
        if not self.terms:
            return np.nan
        return float(self._hottest(0.0)[0][0])

    @cached_property
    def dmean_gy(self) -> float:
        """Mean dose of the known part."""
        if not self.terms:
            return np.nan
        return float(sum(term.coefficients @ term.volume_times_moment for term in self.terms)) / self.known_volume_cc

    def dose_at_volume_cc(self, volume_cc: float) -> float:
        """Return the lowest dose within the hottest ``volume_cc``, Gy; Dmin where the known part is smaller."""
        if not self.terms:
            return np.nan
        if volume_cc < _SMALL_SHARE * self.known_volume_cc:
            doses, middles = self._hottest(volume_cc)
            return float(np.interp(volume_cc, middles, doses))
        low, high, volumes = self._bounds
        margin_cc = self.of.largest_sample_cc
        at_least = _level(low, volumes, volume_cc + margin_cc, otherwise=-np.inf)
        hotter = low > _level(high, volumes, volume_cc - margin_cc, otherwise=np.inf)
        part = self._samples((high >= at_least) & ~hotter)
        return part.dose_at_volume_cc(volume_cc - float(volumes[hotter].sum()))

    def _hottest(self, volume_cc: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the falling doses of the hottest samples, and the volume down to the middle of each.

        They are at least ``volume_cc`` and one sample more, since dose is read between the middles of two.
        """
        for found_cc, found in self._found.items():
            if found_cc >= volume_cc:
                return found
        low, high, volumes = self._bounds
        wanted_cc = volume_cc + self.of.largest_sample_cc
        first = self._samples(low >= _level(low, volumes, wanted_cc, otherwise=-np.inf))
        at_least = _level(first.dose_gy, first.volumes_cc, wanted_cc, otherwise=-np.inf)
        part = self._samples(high >= at_least)
        hot = part.dose_gy >= at_least
        doses, of_samples = part.dose_gy[hot], part.volumes_cc[hot]
        order = np.argsort(-doses)
        of_samples = of_samples[order]
        self._found[volume_cc] = doses[order], np.cumsum(of_samples) - of_samples / 2
        return self._found[volume_cc]

    def volume_cc_at_dose(self, dose_gy: float) -> float:
        """Return V_D: the volume known to receive at least ``dose_gy``, cc."""
        if not self.terms:
            return np.nan
        low, high, volumes = self._bounds
        level = dose_gy * (1 - ROUNDING)
        wholly = low >= level
        part = self._samples((high >= level) & ~wholly)
        return float(volumes[wholly].sum() + part.volumes_cc[part.dose_gy >= level].sum())

    def spared_volume_cc_at_dose(self, dose_gy: float) -> float:
        """Return CV_D, the critical volume: what is known to receive less than ``dose_gy``, cc."""
        return self.known_volume_cc - self.volume_cc_at_dose(dose_gy) if self.terms else np.nan

    def curve(self, points: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the cumulative DVH at evenly spaced doses from 0 to Dmax; see `DoseVolume.curve`."""
        return self.all_samples.curve(points)

    @cached_property
    def all_samples(self) -> DoseVolume:
        """Every sample with a known dose."""
        count = sum(term.blocks.stop - term.blocks.start for term in self.terms)
        part = self._samples(np.ones(count, dtype=bool))
        return dose_volume(part.dose_gy, part.volumes_cc, self.unknown_volume_cc)

    @cached_property
    def _bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper bound of the dose in each block with known dose, Gy, and its volume, cc."""
        low, high, volumes = [], [], []
        for term in self.terms:
            least, greatest = self.of.low[:, term.blocks], self.of.high[:, term.blocks]
            rising, falling = np.maximum(term.coefficients, 0.0), np.minimum(term.coefficients, 0.0)
            lower, upper = rising @ least, rising @ greatest
            slack = _SLACK * upper
            if falling.any():
                lower, upper = lower + falling @ greatest, upper + falling @ least
                slack -= _SLACK * (falling @ greatest)
            low.append(lower - slack)
            high.append(upper + slack)
            volumes.append(self.of.block_volumes_cc[term.blocks])
        return np.concatenate(low), np.concatenate(high), np.concatenate(volumes)

    def _samples(self, chosen: NDArray[np.bool_]) -> DoseVolume:
        """Return the samples of the chosen blocks, shape ``(number of blocks with known dose,)``."""
        if len(self.terms) == 1:
            return dose_volume(*self._samples_of(self.terms[0], chosen))
        doses, volumes, start = [np.empty(0)], [np.empty(0)], 0
        for term in self.terms:
            end = start + term.blocks.stop - term.blocks.start
            of_term = self._samples_of(term, chosen[start:end])
            doses.append(of_term[0])
            volumes.append(of_term[1])
            start = end
        return dose_volume(np.concatenate(doses), np.concatenate(volumes))

    def _samples_of(self, term: _Term, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return dose and volume of the samples in the chosen blocks of one range."""
        blocks = term.blocks.start + chosen.nonzero()[0]
        volumes = self.of.volumes_cc[blocks].ravel()
        doses = (term.coefficients @ self.of.features[blocks]).ravel()
        if volumes.all():
            return doses, volumes
        # What fills up a block has no volume.
        return doses[volumes > 0], volumes[volumes > 0]


def _level(bound_gy: NDArray[np.float64], volumes_cc: NDArray[np.float64], volume_cc: float, otherwise: float) -> float:
    """Return the dose that the hottest blocks of together ``volume_cc`` reach, judged by one bound."""
    # Only the hottest need to be put in order, and for most questions these are few.
    if len(bound_gy) > _FEW and _FEW * volumes_cc.sum() > volume_cc * len(bound_gy):
        few = np.argpartition(bound_gy, -_FEW)[-_FEW:]
        if volumes_cc[few].sum() > volume_cc:
            bound_gy, volumes_cc = bound_gy[few], volumes_cc[few]
    order = np.argsort(-bound_gy)
    reached = int(np.searchsorted(np.cumsum(volumes_cc[order]), volume_cc))
    return float(bound_gy[order[reached]]) if reached < len(order) else otherwise


def dose_blocks(
    moments: Sequence[Sequence[NDArray[np.float64]]],
    inside: Sequence[NDArray[np.bool_]],
    volumes_cc: NDArray[np.float64],
) -> DoseBlocks:
    """Bring samples of similar dose together.

    Parameters
    ----------
    moments
        Per plan, its dose moments, dose itself first, each of shape ``(N,)``.
    inside
        Per plan, where its dose is known, shape ``(N,)``.
    volumes_cc
        Volume of each sample, shape ``(N,)``.
    """
    columns = [moment for of_plan in moments for moment in of_plan]
    plan_of = np.repeat(np.arange(len(moments)), [len(of_plan) for of_plan in moments])
    code = _code([of_plan[0] for of_plan in moments])
    # Which dose grids a sample lies in, as one number.
    pattern_of = np.sum([of_plan.astype(np.int64) << plan for plan, of_plan in enumerate(inside)], axis=0)
    parts, groups, start = [], [], 0
    for number in np.flatnonzero(np.bincount(pattern_of)):
        members = np.flatnonzero(pattern_of == number)
        ordered = members[np.argsort(code[members])]
        count = -(-len(ordered) // _BLOCK)
        filled = np.concatenate([ordered, np.repeat(ordered[-1:], count * _BLOCK - len(ordered))])
        copies = np.arange(len(filled)) >= len(ordered)
        parts.append((filled, copies))
        pattern = (number >> np.arange(len(inside))) % 2 == 1
        groups.append((pattern, slice(start, start + count)))
        start += count
    order = np.concatenate([filled for filled, _ in parts])
    volumes = np.where(np.concatenate([copies for _, copies in parts]), 0.0, volumes_cc[order]).reshape(-1, _BLOCK)
    features = np.stack([column[order].reshape(-1, _BLOCK) for column in columns], axis=1)
    low, high = np.ascontiguousarray(features.min(axis=2).T), np.ascontiguousarray(features.max(axis=2).T)
    return DoseBlocks(features, volumes, low, high, plan_of, tuple(groups))


def _code(doses_gy: Sequence[NDArray[np.float64]]) -> NDArray[np.uint64]:
    """Return a code for each sample that is close for samples with close doses (the bits of all doses, interleaved)."""
    bits = min(_MOST_BITS, _CODE_BITS // len(doses_gy))
    levels = [_levels(dose_gy, bits) for dose_gy in doses_gy]
    code = np.zeros(len(doses_gy[0]), dtype=np.uint64)
    for bit in reversed(range(bits)):
        for level in levels:
            code = (code << np.uint64(1)) | ((level >> np.uint64(bit)) & np.uint64(1))
    return code


def _levels(dose_gy: NDArray[np.float64], bits: int) -> NDArray[np.uint64]:
    low, high = float(dose_gy.min()), float(dose_gy.max())
    if high == low:
        return np.zeros(len(dose_gy), dtype=np.uint64)
    return ((dose_gy - low) * ((2**bits - 1) / (high - low))).astype(np.uint64)
