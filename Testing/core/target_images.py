"""Images whose targets are known in closed form: Gaussian hills, at a threshold a ball of known radius."""

from __future__ import annotations

import numpy as np
from ReirradiationReviewLib.core.courses import ImageSeries
from ReirradiationReviewLib.core.images import PlacedImage
from ReirradiationReviewLib.core.registration.transform import SpatialTransform
from ReirradiationReviewLib.core.volume import Volume

BACKGROUND, HEIGHT, WIDTH_MM = 1.0, 9.0, 9.0
HILL = np.array([10.0, 20.0, -30.0])
# Another one, as high, that the first does not reach into.
DECOY = HILL + np.array([55.0, 0.0, 0.0])


def a_grid(spacing_mm=(4.0, 4.0, 3.0), half_mm=90.0, centre=HILL):
    size = np.ceil(2 * half_mm / np.asarray(spacing_mm)).astype(int) + 1
    matrix = np.diag([*spacing_mm, 1.0])
    # The hill's top is the centre of a voxel: the highest value is then known, too.
    matrix[:3, 3] = centre - np.asarray(spacing_mm) * (size // 2)
    return Volume(np.zeros(size[::-1], dtype=np.float32), matrix, "1.2.3")


def hills(points, centres=(HILL, DECOY), height=HEIGHT, width_mm=WIDTH_MM):
    away = [np.linalg.norm(points - centre, axis=1) for centre in centres]
    return BACKGROUND + height * sum(np.exp(-0.5 * (r / width_mm) ** 2) for r in away)


def an_image(values, grid=None, modality="PT", unit="SUVbw (g/mL)", suv=True):
    grid = a_grid() if grid is None else grid
    volume = grid.like(values(grid.centres_lps()).reshape(grid.array.shape).astype(np.float32))
    series = ImageSeries(volume, modality, description="made up", units=unit if modality == "PT" else "")
    facts = {"suv_type": unit} if suv and modality == "PT" else {}
    return PlacedImage(f"{modality} made up", series, volume, SpatialTransform(), "identity", suv=facts)


def radius_mm(threshold, height=HEIGHT, width_mm=WIDTH_MM):
    """Return the radius of a hill at a threshold."""
    return width_mm * np.sqrt(2 * np.log(height / (threshold - BACKGROUND)))


def ball_cc(radius):
    return 4 / 3 * np.pi * radius**3 / 1000
