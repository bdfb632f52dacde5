"""What a displacement costs by itself: bending everywhere, strain where bone is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .spline import Array, KnotLattice, Values


@dataclass(frozen=True)
class Stiffness:
    """A penalty on strain, so that bone turns and shifts but keeps its shape.

    The energy is half the integral of ``weight`` times the squared norm of the strain ``(D u + D u^T) / 2``, in which
    small rotations do not appear (M. Staring et al., "A rigidity penalty term for nonrigid registration", Med. Phys.
    34(11), 2007, has the idea).

    Parameters
    ----------
    slopes
        The splines' first derivatives along k, j, i at the places of ``weight``.
    weight
        Share of bone at each place times its volume in mm3 times the penalty's strength, shape ``(K, J, I)``.
    """

    slopes: tuple[Values, Values, Values]
    weight: Array

    def gradient(self, knots: Array) -> Array:
        """Return the energy's gradient by coefficients along i, j, k, shape ``(3, *lattice.shape)``."""
        along = self.slopes[::-1]  # of i, j, k, in the order of the components
        slope = [[axis.of(component) for axis in along] for component in knots]
        result = np.zeros_like(knots)
        for a in range(3):
            for b in range(3):
                result[a] += along[b].adjoint(0.5 * self.weight * (slope[a][b] + slope[b][a]))
        return result

    def diagonal(self) -> Array:
        """Return the diagonal of the linear map `gradient`."""
        squares = [axis.squared().adjoint(self.weight) for axis in self.slopes[::-1]]
        return np.stack([0.5 * (sum(squares) + square) for square in squares])


@dataclass(frozen=True)
class Regularity:
    """The penalty of a lattice's splines: a quadratic form of their coefficients.

    Parameters
    ----------
    roughness
        Weight of the bending energy in mm; against it stand squared differences in units of the tolerated difference,
        integrated over mm3.
    slope_length_mm
        See `KnotLattice.roughness`.
    """

    lattice: KnotLattice
    roughness: float
    slope_length_mm: float
    stiffness: Stiffness | None = None

    def gradient(self, knots: Array) -> Array:
        """Return the gradient, shape ``(3, *lattice.shape)``; half of ``sum(knots * gradient)`` is the energy."""
        bending = [self.roughness * self.lattice.roughness(component, self.slope_length_mm) for component in knots]
        return np.stack(bending) + (0.0 if self.stiffness is None else self.stiffness.gradient(knots))

    @cached_property
    def diagonal(self) -> Array:
        """Diagonal of the linear map `gradient`, shape ``(3, *lattice.shape)``."""
        bending = self.roughness * self.lattice.roughness_diagonal(self.slope_length_mm)
        return np.stack([bending] * 3) + (0.0 if self.stiffness is None else self.stiffness.diagonal())
