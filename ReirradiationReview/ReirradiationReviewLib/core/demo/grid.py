"""The anatomy seen on an image grid: fields of shapes, computed only where the shape can be, and only once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..volume import Volume
from .shapes import FAR_MM, Array, Shape

Window = tuple[slice, slice, slice]
_COARSE = 3


def axial_grid(
    origin: tuple[float, float, float],
    spacing: tuple[float, float, float],
    size: tuple[int, int, int],
    frame_uid: str = "",
) -> Volume:
    """Return an empty axial int16 volume; origin and spacing in mm (LPS), size as (i, j, k)."""
    matrix = np.diag([*spacing, 1.0])
    matrix[:3, 3] = origin
    return Volume(np.zeros(size[::-1], dtype=np.int16), matrix, frame_uid)


class AnatomyGrid:
    """An image grid with the anatomy-frame coordinates of its voxels.

    Parameters
    ----------
    volume
        The grid; its values do not matter.
    to_anatomy
        Maps points of the grid's frame, shape ``(N, 3)`` LPS mm, to the anatomy frame (that of course 1).
    """

    def __init__(self, volume: Volume, to_anatomy: Callable[[Array], Array]) -> None:
        self.volume = volume
        self.to_anatomy = to_anatomy
        shape = volume.array.shape[:3]
        points = np.empty((3, *shape), dtype=np.float32)
        i, j, _ = volume.shape_ijk
        plane = np.indices((1, j, i), dtype=np.float64).reshape(3, -1)[::-1].T
        for k in range(shape[0]):  # by slices, which stay in the processor's cache
            points[:, k] = to_anatomy(volume.to_lps(plane + np.array([0, 0, k]))).T.reshape(3, j, i)
        self.points = points
        self._coarse = points[:, ::_COARSE, ::_COARSE, ::_COARSE]
        # Keyed by identity; the shape is kept with its values so that its identity is not given to another.
        self._cache: dict[int, tuple[Shape, Window, Array]] = {}

    def field(self, shape: Shape) -> tuple[Window, Array]:
        """Return the window of the grid that the shape's bounds touch, and the field there, mm, float32."""
        if id(shape) not in self._cache:
            self._cache[id(shape)] = (shape, *self._compute(shape))
        return self._cache[id(shape)][1:]

    def _compute(self, shape: Shape) -> tuple[Window, Array]:
        if shape.base is None:
            window = self._window(shape)
            x, y, z = (axis[window] for axis in self.points)
            return window, np.asarray(shape.field(x, y, z), dtype=np.float32)
        outer, inherited = self.field(shape.base)  # whose bounds hold those of the derived shape
        window = self._window(shape)
        a, b, c = (slice(w.start - o.start, w.stop - o.start) for w, o in zip(window, outer, strict=True))
        x, y, z = (axis[window] for axis in self.points)
        return window, np.asarray(shape.field(inherited[a, b, c], x, y, z), dtype=np.float32)

    def exact(self, shape: Shape, points_lps: Array) -> Array:
        """Return a shape's field at any points of the grid's frame, shape ``(N, 3)``, LPS mm."""
        return shape.at(self.to_anatomy(points_lps))

    def full_field(self, shape: Shape) -> Array:
        """Return the field on the whole grid; FAR_MM where the shape's bounds do not reach."""
        window, values = self.field(shape)
        whole = np.full(self.volume.array.shape[:3], FAR_MM, dtype=np.float32)
        whole[window] = values
        return whole

    def _window(self, shape: Shape) -> Window:
        pairs = zip(self._coarse, shape.bounds[0::2], shape.bounds[1::2], strict=True)
        inside = np.logical_and.reduce([(axis > low) & (axis < high) for axis, low, high in pairs])
        slices = []
        for axis, size in enumerate(self.volume.array.shape[:3]):
            hit = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
            first, last = (int(hit[0]), int(hit[-1])) if len(hit) else (0, -2)
            slices.append(slice(max(0, (first - 1) * _COARSE), min(size, (last + 2) * _COARSE)))
        return slices[0], slices[1], slices[2]
