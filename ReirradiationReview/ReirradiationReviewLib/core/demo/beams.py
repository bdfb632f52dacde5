"""Photon-like doses on the phantom: depth along the ray, penumbra, build-up, scatter, and modulated fields.

This is no treatment planning system: it draws doses that look and fall off as clinical ones do, with what matters to a
review (attenuation by radiological depth, penumbra wider in lung, entrance and exit dose, steep SBRT edges).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..volume import Volume
from .shapes import Array

BIN_MM = 2.5  # fluence pixel at the isocentre
HALF_BINS = 60
_SIZE = 2 * HALF_BINS + 1
_SOURCE_AXIS_MM = 1000.0
_ATTENUATION_PER_MM = 0.0045  # broad 6 MV beam in water: TPR20,10 about 0.67
_BUILD_UP_PER_MM = 0.22  # maximum near 15 mm depth
_PENUMBRA_MM = (3.0, 7.0, 26.0)  # sigma in tissue (80 to 20 % in about 5 mm), in lung, of scatter
_RAY_STEPS_MM = (6.0, 4.0)  # across and along
_LEAKAGE = 0.004
_STEP_EXPONENT = 0.7  # how far one optimiser round goes: below 1, or it oscillates


@dataclass(frozen=True)
class Objective:
    """What the fluence optimiser wants at the points (LPS mm): at least or at most ``dose_gy``."""

    points_lps: Array
    dose_gy: float
    at_least: bool


@dataclass(frozen=True)
class Beam:
    """A coplanar field: gantry angle in degrees, IEC 61217, couch at 0, patient head first supine."""

    gantry_deg: float

    def axes(self) -> tuple[Array, Array, Array]:
        """Return unit vectors (LPS) of the field's u and v axes and of the beam's direction of travel."""
        angle = np.radians(self.gantry_deg)
        travel = np.array([-np.sin(angle), np.cos(angle), 0.0], dtype=np.float32)
        across = np.array([np.cos(angle), np.sin(angle), 0.0], dtype=np.float32)
        return across, np.array([0.0, 0.0, 1.0], dtype=np.float32), travel


def relative_density(ct: Volume) -> Volume:
    """Return electron density relative to water from HU: two straight lines, as a simple CT calibration."""
    hu = ct.array.astype(np.float32)
    density = np.where(hu < 0, 1.0 + hu / 1000.0, 1.0 + 0.0006 * hu)
    return ct.like(np.clip(density, 0.0, 2.2))


@dataclass(frozen=True)
class Sight:
    """Points as one beam sees them: fluence pixel (2, N), primary and scatter weight (N,), lung share 0 to 1 (N,)."""

    pixel: Array
    primary: Array
    scatter: Array
    lung: Array

    def dose(self, blurred: Sequence[Array]) -> Array:
        """Return the dose at the points, shape ``(N,)``, for the fluence blurred for tissue, lung and scatter."""
        from scipy.ndimage import map_coordinates

        tissue, lung = (map_coordinates(b, self.pixel, order=1, output=np.float32) for b in blurred[:2])
        wide = map_coordinates(blurred[2], self.pixel, order=0, output=np.float32)  # smooth: the nearest will do
        return np.asarray(self.primary * (tissue + self.lung * (lung - tissue) + _LEAKAGE) + self.scatter * wide)

    def mean_per_pixel(self, values: Array) -> Array:
        """Return the weighted mean of values (N,) over the points behind each fluence pixel; 1 where there is none."""
        row, column = np.clip(np.round(self.pixel), 0, _SIZE - 1).astype(int)
        flat = row * _SIZE + column
        total = np.bincount(flat, self.primary, _SIZE * _SIZE)
        summed = np.bincount(flat, self.primary * values, _SIZE * _SIZE)
        mean = np.divide(summed, total, out=np.ones_like(summed), where=total > 0)
        return np.asarray(mean.reshape(_SIZE, _SIZE))


def blur(fluence: Array) -> list[Array]:
    """Return a fluence map as it arrives in tissue, in lung, and as scatter."""
    from scipy.ndimage import gaussian_filter

    return [gaussian_filter(fluence.astype(np.float32), sigma / BIN_MM, truncate=3) for sigma in _PENUMBRA_MM]


class Machine:
    """Shoots beams at one patient and isocentre (LPS mm)."""

    def __init__(self, density: Volume, isocentre: Array, beams: Sequence[Beam]) -> None:
        from scipy.ndimage import uniform_filter

        self.density = density
        # Electrons see the density around them, over about a centimetre.
        size = np.maximum(1, np.round(12.0 / density.spacing_mm[::-1])).astype(int)
        self.local_density = density.like(uniform_filter(density.array, size))
        self.isocentre = np.asarray(isocentre, dtype=np.float32)
        self.beams = list(beams)
        self._depths = [self._radiological_depth(beam) for beam in self.beams]

    def _radiological_depth(self, beam: Beam) -> Volume:
        """Return water-equivalent depth, mm, on a grid of (distance along the axis, v, u), u and v at the isocentre."""
        u, v, travel = beam.axes()
        across_mm, along_mm = _RAY_STEPS_MM
        across = np.arange(-150.0, 151.0, across_mm, dtype=np.float32)
        along = np.arange(-260.0, 261.0, along_mm, dtype=np.float32)
        a, vv, uu = (part.ravel() for part in np.meshgrid(along, across, across, indexing="ij"))
        scale = (_SOURCE_AXIS_MM + a) / _SOURCE_AXIS_MM
        uu, vv = uu * scale, vv * scale
        points = np.stack(
            [c + a * t + uu * p + vv * q for c, t, p, q in zip(self.isocentre, travel, u, v, strict=True)]
        )
        density = _sample(self.density, points).reshape(len(along), len(across), len(across))
        depth = (np.cumsum(density, axis=0) - 0.5 * density) * along_mm
        matrix = np.diag([across_mm, across_mm, along_mm, 1.0])
        matrix[:3, 3] = across[0], across[0], along[0]
        return Volume(depth, matrix)

    def aim(self, points_lps: Array) -> Iterator[Sight]:
        """Yield, per beam, where points (N, 3) lie in the field and how much of the fluence reaches them."""
        points = np.ascontiguousarray(points_lps.T, dtype=np.float32)
        lung = np.clip((0.95 - _sample(self.local_density, points)) / 0.70, 0.0, 1.0)
        for beam, depths in zip(self.beams, self._depths, strict=True):
            yield self._sight(beam, depths, points, lung)

    def _sight(self, beam: Beam, depths: Volume, points: Array, lung: Array) -> Sight:
        offset = points - self.isocentre[:, None]
        u, v, along = (axis[0] * offset[0] + axis[1] * offset[1] + axis[2] * offset[2] for axis in beam.axes())
        shrink = _SOURCE_AXIS_MM / (_SOURCE_AXIS_MM + along)
        u, v = u * shrink, v * shrink
        depth = _sample(depths, np.stack([u, v, along]))
        arriving = np.exp(-_ATTENUATION_PER_MM * depth) * (1.0 - 0.55 * np.exp(-_BUILD_UP_PER_MM * depth)) * shrink**2
        scattered = 0.16 * (1.0 - np.exp(-depth / 55.0))
        pixel = np.stack([v, u]) / BIN_MM + HALF_BINS
        return Sight(pixel, arriving * (1.0 - scattered), 1.6 * arriving * scattered, lung)


def open_fields(sights: Iterable[Sight], margin_mm: float) -> list[Array]:
    """Return fluence maps that are 1 on the projection of the points, grown by a margin at the isocentre."""
    from scipy.ndimage import binary_dilation, gaussian_filter

    reach = int(np.ceil(margin_mm / BIN_MM))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] * BIN_MM
    disc = np.hypot(x, y) <= margin_mm + 0.1
    fields = []
    for sight in sights:
        shadow = np.zeros((_SIZE, _SIZE), dtype=bool)
        row, column = np.clip(np.round(sight.pixel), 0, _SIZE - 1).astype(int)
        shadow[row, column] = True
        fields.append(gaussian_filter(binary_dilation(shadow, disc).astype(np.float64), 0.4))
    return fields


def optimise(machine: Machine, fields: list[Array], objectives: Sequence[Objective], rounds: int) -> list[Array]:
    """Return the fluence maps after some rounds of scaling each pixel towards what the points behind it want."""
    sights = [list(machine.aim(objective.points_lps)) for objective in objectives]
    for _ in range(rounds):
        blurred = [blur(field) for field in fields]
        factors = [np.ones_like(field) for field in fields]
        for objective, seen in zip(objectives, sights, strict=True):
            dose = sum(sight.dose(b) for sight, b in zip(seen, blurred, strict=True))
            ratio = np.clip(objective.dose_gy / np.maximum(dose, 1e-3), 0.5, 2.0)
            wish = np.maximum(ratio, 1.0) if objective.at_least else np.minimum(ratio, 1.0)
            for n, sight in enumerate(seen):
                factors[n] *= sight.mean_per_pixel(wish) ** _STEP_EXPONENT
        fields = [field * factor for field, factor in zip(fields, factors, strict=True)]
    return fields


def dose_at(machine: Machine, fields: Sequence[Array], points_lps: Array) -> Array:
    """Return the dose of each field at points (N, 3), shape ``(beams, N)``."""
    return np.stack([s.dose(blur(f)) for s, f in zip(machine.aim(points_lps), fields, strict=True)])


def dose_on(machine: Machine, fields: Sequence[Array], grid: Volume, body: Volume) -> Array:
    """Return the dose of all fields on a grid, shape ``(K, J, I)``, float32; zero outside the body (a signed field)."""
    points = grid.centres_lps()
    inside = _sample(body, np.ascontiguousarray(points.T, dtype=np.float32)) < 0.0
    total = np.zeros(len(points), dtype=np.float32)
    for sight, field in zip(machine.aim(points[inside]), fields, strict=True):
        total[inside] += sight.dose(blur(field))
    return total.reshape(grid.array.shape[:3])


def _sample(volume: Volume, points: Array) -> Array:
    """Return an axis-aligned volume interpolated at points of shape ``(3, N)``, the nearest edge beyond it."""
    from scipy.ndimage import map_coordinates

    origin, spacing = volume.index_to_lps[:3, 3].tolist(), volume.spacing_mm.tolist()
    index = np.stack([(points[axis] - origin[axis]) / spacing[axis] for axis in (2, 1, 0)])
    return np.asarray(map_coordinates(volume.array, index, order=1, mode="nearest", output=np.float32))
