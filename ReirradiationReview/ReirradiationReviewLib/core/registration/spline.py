"""A smooth displacement over a box: cubic B-splines on a lattice of knots.

D. Rueckert et al., "Nonrigid registration using free-form deformations", IEEE Trans. Med. Imaging 18(8), 1999. On a
regular grid of voxels the splines are a product of three one-dimensional matrices, so that values, their adjoint and
all integrals are a few small matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

# Knots beyond each end of the box: the splines that reach into it.
_KNOTS_BEFORE = 1
_KNOTS_AFTER = 2
_GAUSS_POINTS = 4  # exact for products of cubics


@dataclass(frozen=True)
class KnotLattice:
    """Knots over a box that begins at 0.

    Parameters
    ----------
    box_mm
        Lengths of the box along k, j, i.
    spacing_mm
        Between knots, the same along all axes.
    """

    box_mm: tuple[float, float, float]
    spacing_mm: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of knots along k, j, i."""
        k, j, i = (int(length // self.spacing_mm) + 1 + _KNOTS_BEFORE + _KNOTS_AFTER for length in self.box_mm)
        return k, j, i

    def values_at(self, places_mm: Sequence[Array], slope_axis: int | None = None) -> Values:
        """Return the splines at a regular grid of places.

        Parameters
        ----------
        places_mm
            Coordinates along k, j, i in mm from the box's beginning.
        slope_axis
            Axis (0, 1, 2 for k, j, i) along which to take the first derivative instead of the value.
        """
        return Values(
            *(
                self._basis(axis, places, int(axis == slope_axis)).astype(np.float32)
                for axis, places in enumerate(places_mm)
            )
        )

    def roughness(self, knots: Array, slope_length_mm: float) -> Array:
        """Return half the gradient of the roughness ``sum |D2 u|^2 + |D u|^2 / L^2``, integrated over space in mm.

        Linear in the coefficients, symmetric and positive: ``sum(c * roughness(c))`` is the roughness itself.

        Parameters
        ----------
        knots
            Coefficients of one component, shape ``shape``.
        slope_length_mm
            ``L``: much longer than what is resolved, the slope's part only holds what nothing else does.
        """
        total = np.zeros_like(knots)
        for weight, (a, b, c) in self._terms(slope_length_mm):
            grams = self._grams
            total += weight * _product((grams[0][a], grams[1][b], grams[2][c]), knots)
        return total

    def roughness_diagonal(self, slope_length_mm: float) -> Array:
        """Return the diagonal of `roughness` as a matrix, shape ``shape``."""
        total = np.zeros(self.shape, dtype=np.float32)
        for weight, orders in self._terms(slope_length_mm):
            k, j, i = (np.diag(grams[order]) for grams, order in zip(self._grams, orders, strict=True))
            total += weight * k[:, None, None] * j[None, :, None] * i[None, None, :]
        return total

    @staticmethod
    def _terms(slope_length_mm: float) -> list[tuple[float, tuple[int, int, int]]]:
        """Return weights and orders of derivative along k, j, i of each term."""
        second = [(1.0, (2, 0, 0)), (1.0, (0, 2, 0)), (1.0, (0, 0, 2))]
        mixed = [(2.0, (1, 1, 0)), (2.0, (1, 0, 1)), (2.0, (0, 1, 1))]
        first = [(slope_length_mm**-2, orders) for orders in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
        return [*second, *mixed, *first]

    @cached_property
    def _grams(self) -> list[list[Array]]:
        """Return, by axis and order of derivative, the integrals of all products of two splines."""
        offset, weight = np.polynomial.legendre.leggauss(_GAUSS_POINTS)
        result = []
        for axis, count in enumerate(self.shape):
            intervals = np.arange(count + 3) - _KNOTS_BEFORE - 2  # all on which a spline is not 0
            places = (intervals[:, None] + 0.5 + 0.5 * offset).ravel() * self.spacing_mm
            weights = np.tile(0.5 * self.spacing_mm * weight, len(intervals))[:, None]
            bases = [self._basis(axis, places, order) for order in range(3)]
            result.append([((basis * weights).T @ basis).astype(np.float32) for basis in bases])
        return result

    def _basis(self, axis: int, places_mm: Array, order: int) -> NDArray[np.float64]:
        """Return the splines' values or derivatives along one axis, shape ``(places, knots)``."""
        away = np.asarray(places_mm)[:, None] / self.spacing_mm - (np.arange(self.shape[axis]) - _KNOTS_BEFORE)
        x, sign = np.abs(away), np.sign(away)
        if order == 0:
            inner, outer = 2 / 3 - x**2 + x**3 / 2, (2 - x) ** 3 / 6
        elif order == 1:
            inner, outer = sign * (1.5 * x**2 - 2 * x), -sign * (2 - x) ** 2 / 2
        else:
            inner, outer = 3 * x - 2, 2 - x
        return np.where(x < 1, inner, np.where(x < 2, outer, 0.0)) / self.spacing_mm**order


@dataclass(frozen=True)
class Values:
    """The splines at a regular grid of places: one matrix of shape ``(places, knots)`` along each of k, j, i."""

    k: Array
    j: Array
    i: Array

    def of(self, knots: Array) -> Array:
        """Return the spline's values, shape ``(K, J, I)``, of coefficients of the lattice's shape."""
        return _product((self.k, self.j, self.i), knots)

    def adjoint(self, values: Array) -> Array:
        """Return for each coefficient the sum of ``values``, shape ``(K, J, I)``, weighted with its spline."""
        return _product((self.k.T, self.j.T, self.i.T), values)

    def squared(self) -> Values:
        """Return the squares of all entries."""
        return Values(self.k**2, self.j**2, self.i**2)


def _product(matrices: Sequence[Array], array: Array) -> Array:
    """Apply one matrix along each of k, j, i: three matrix products, each of which brings its axis to the front."""
    for matrix in matrices[::-1]:
        lengths = array.shape[:2]
        array = (matrix @ array.reshape(-1, array.shape[2]).T).reshape(-1, *lengths)
    return array
