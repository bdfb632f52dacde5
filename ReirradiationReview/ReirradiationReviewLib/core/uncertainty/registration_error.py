"""Random errors of a registration: where an organ's points may really lie in an earlier course.

The error is added in the course's space, behind the registration: a translation and a rotation of the organ about its
centre, and a smooth field. The field is a sum of waves with normally distributed wave vectors, which has the same
variance at every point and the correlation ``exp(-d^2 / (2 l^2))`` (random Fourier features, Rahimi and Recht 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..volume import affine
from .settings import RegistrationError

_WAVES = 32


@dataclass(frozen=True)
class ErrorSamples:
    """Some random errors, the first of which is none, ready to be applied to an organ's points.

    Parameters
    ----------
    translations_mm
        Shape ``(S, 3)``.
    rotations
        Rotation matrices, shape ``(S, 3, 3)``.
    wave_vectors
        Per mm, shape ``(3, W)``.
    amplitudes_mm
        Of the cosines and sines of all waves, shape ``(S, 3, 2 W)``.
    """

    translations_mm: NDArray[np.float64]
    rotations: NDArray[np.float64]
    wave_vectors: NDArray[np.float64]
    amplitudes_mm: NDArray[np.float64]

    @classmethod
    def draw(cls, error: RegistrationError, samples: int, seed: int) -> ErrorSamples:
        """Draw some errors behind the first; the same seed gives the same errors."""
        from scipy.spatial.transform import Rotation

        random = np.random.default_rng(seed)
        translations = random.normal(0.0, error.translation_sd_mm, (samples + 1, 3))
        angles = random.normal(0.0, np.deg2rad(error.rotation_sd_deg), (samples + 1, 3))
        waves = random.normal(0.0, 1.0 / error.correlation_mm, (3, _WAVES))
        amplitudes = random.normal(0.0, error.deformation_sd_mm / np.sqrt(_WAVES), (samples + 1, 3, 2 * _WAVES))
        for none in (translations, angles, amplitudes):
            none[0] = 0.0
        return cls(translations, Rotation.from_rotvec(angles).as_matrix(), waves, amplitudes)

    def moved(
        self, points_mm: NDArray[np.float64], centre_mm: NDArray[np.float64], matrix: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Return points under every error, mapped by a matrix, shape ``(3, S, N)``.

        Parameters
        ----------
        points_mm, centre_mm
            Points of an organ in the course's space, shape ``(N, 3)``, and the centre it turns about, shape ``(3,)``.
        matrix
            From the course's space to the indices of a grid, shape ``(4, 4)``.
        """
        linear = matrix[:3, :3]
        # R (x - c) + c + t + sum of waves, all of it mapped: one matrix product does it for all errors. Single
        # precision is good for 1e-5 voxels.
        at_centre = affine(matrix, centre_mm + self.translations_mm)
        factors = np.concatenate([linear @ self.rotations, at_centre[:, :, None], linear @ self.amplitudes_mm], axis=2)
        phases = self.wave_vectors.T @ points_mm.T
        centred = (points_mm - centre_mm).T
        rows = np.concatenate([centred, np.ones((1, len(points_mm))), np.cos(phases), np.sin(phases)])
        by_axis = factors.transpose(1, 0, 2).reshape(-1, len(rows)).astype(np.float32)
        return (by_axis @ rows.astype(np.float32)).reshape(3, -1, len(points_mm))
