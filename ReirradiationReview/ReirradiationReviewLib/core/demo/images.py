"""CT, PET and MR pictures of the phantom, painted tissue over tissue."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import organs, skeleton
from .grid import AnatomyGrid, Window
from .shapes import Array, Shape
from .texture import Texture, scan_noise

# HU at 120 kV, rounded from common radiology teaching values; "blood" is unenhanced.
CT_HU: Mapping[str, float] = {
    "air": -1000, "fat": -102, "skin": 25, "muscle": 52, "mediastinum": -92, "lung": -855, "vessel": 25,
    "fissure": -640, "liver": 60, "spleen": 50, "stomach": 18, "gas": -950, "heart": 46, "blood": 40, "oesophagus": 36,
    "airway_wall": 20, "airway": -990, "cortical": 720, "marrow": 190, "rib_marrow": 230, "cartilage": 95, "disc": 85,
    "csf": 12, "cord": 38, "tumour": 42, "node": 40,
}  # fmt: skip
# Standardized uptake of FDG an hour after injection: textbook ranges for a fasting patient.
PET_SUV: Mapping[str, float] = {
    "air": 0, "fat": 0.25, "skin": 0.6, "muscle": 0.7, "mediastinum": 0.6, "lung": 0.45, "vessel": 1.4, "fissure": 0.5,
    "liver": 2.2, "spleen": 1.9, "stomach": 1.6, "gas": 0.3, "heart": 2.4, "blood": 1.6, "oesophagus": 1.8,
    "airway_wall": 1.0, "airway": 0.1, "cortical": 0.8, "marrow": 1.4, "rib_marrow": 1.1, "cartilage": 0.5, "disc": 0.5,
    "csf": 0.6, "cord": 1.5, "tumour": 2.4, "node": 1.6,
}  # fmt: skip
# T1-weighted spin echo, arbitrary units: fat bright, fluid dark, flowing blood and air black.
MR_T1: Mapping[str, float] = {
    "air": 0, "fat": 900, "skin": 420, "muscle": 330, "mediastinum": 830, "lung": 30, "vessel": 150, "fissure": 60,
    "liver": 440, "spleen": 300, "stomach": 240, "gas": 0, "heart": 350, "blood": 110, "oesophagus": 340,
    "airway_wall": 260, "airway": 0, "cortical": 40, "marrow": 560, "rib_marrow": 480, "cartilage": 380, "disc": 280,
    "csf": 140, "cord": 380, "tumour": 310, "node": 330,
}  # fmt: skip
CONTRAST_HU = 165.0  # blood in a venous-phase planning scan


class Painter:
    """Paints tissues over each other; a voxel that a surface cuts gets its share of both.

    Parameters
    ----------
    grid
        Where to paint.
    values
        What each tissue is worth.
    blur_mm
        Half the width over which a surface is smeared: the voxel and the scanner's resolution.
    """

    def __init__(self, grid: AnatomyGrid, values: Mapping[str, float], blur_mm: float) -> None:
        self.grid = grid
        self.values = values
        self.blur_mm = blur_mm
        self.image = np.full(grid.volume.array.shape, values["air"], dtype=np.float32)

    def paint(self, shape: Shape, tissue: str | Array, grow_mm: float = 0.0) -> None:
        """Paint a shape, grown by a margin, with a tissue or with values on the shape's window."""
        window, field = self.grid.field(shape)
        touched = field < self.blur_mm + grow_mm
        value = self.values[tissue] if isinstance(tissue, str) else tissue[touched]
        self.blend(window, touched, self.share(field[touched] - grow_mm), value)

    def blend(self, window: Window, touched: Array, share: Array, value: Array | float) -> None:
        """Replace a share (0 to 1) of the touched voxels of a window by a value."""
        view = self.image[window]
        old = view[touched]
        view[touched] = old + share * (value - old)

    def share(self, field: Array) -> Array:
        """Return how much of each voxel lies inside the surface, 0 to 1."""
        return np.asarray(np.clip(0.5 - field * (0.5 / self.blur_mm), 0.0, 1.0))


def paint_anatomy(painter: Painter, texture: Texture) -> None:
    """Paint the healthy anatomy; lesions come after."""
    _paint_wall(painter, texture)
    _paint_lungs(painter, texture)
    for shape, tissue in (
        (organs.LIVER, "liver"), (organs.SPLEEN, "spleen"), (organs.STOMACH, "stomach"), (organs.STOMACH_GAS, "gas"),
        (organs.HEART, "heart"), (organs.BLOOD, "blood"), (organs.OTHER_VESSELS, "blood"),
        (organs.GREAT_VESSELS, "blood"), (organs.AORTA, "blood"), (organs.OESOPHAGUS, "oesophagus"),
        (organs.DECOY, "node"), (organs.OESOPHAGUS_AIR, "gas"), (organs.AIRWAY_WALL, "airway_wall"),
        (organs.AIRWAY_LUMEN, "airway"),
    ):  # fmt: skip
        painter.paint(shape, tissue)
    _paint_bones(painter, texture)


def _paint_wall(painter: Painter, texture: Texture) -> None:
    painter.paint(skeleton.BODY, "skin")
    painter.paint(skeleton.BODY, "fat", grow_mm=-2.2)
    _paint_muscle(painter, texture)
    painter.paint(skeleton.CAVITY, "mediastinum")


def _paint_muscle(painter: Painter, texture: Texture) -> None:
    window, field = painter.grid.field(skeleton.MUSCLE)
    # Muscle ends 3 mm below the skin's surface.
    field = np.maximum(field, painter.grid.full_field(skeleton.BODY)[window] + 3.0)
    touched = (field < 6.0) & (painter.grid.field(skeleton.CAVITY)[1] > -painter.blur_mm)
    x, y, z = (axis[window][touched] for axis in painter.grid.points)
    # Fascia and fat between the muscle bundles, and a ragged outer face.
    ragged = field[touched] + 2.0 * texture.sample(texture.grain, x * 0.35, y * 0.35, z * 0.2)
    streaks = np.clip(texture.sample(texture.grain, x * 0.6, y * 0.6, z * 0.15) - 1.1, 0, 1)
    painter.blend(window, touched, painter.share(ragged) * (1.0 - streaks), painter.values["muscle"])


def _paint_lungs(painter: Painter, texture: Texture) -> None:
    window, field = painter.grid.field(organs.LUNGS)
    touched = field < painter.blur_mm
    x, y, z = (axis[window][touched] for axis in painter.grid.points)
    lung, share = painter.values["lung"], painter.share(field[touched])
    # Blood and weight make the lung denser at the back: about 60 HU from front to back.
    scale = abs(painter.values["muscle"] - lung)
    tissue = lung + scale * 0.00035 * (y + 20.0) + scale * 0.012 * texture.sample(texture.grain, x, y, z)
    painter.blend(window, touched, share, tissue)
    filled = texture.sample(texture.vessels, x, y, z)
    painter.blend(window, touched, filled * share, painter.values["vessel"])
    sheets = painter.share(organs.fissure_field(x, y, z)) * 0.6
    painter.blend(window, touched, sheets * share, painter.values["fissure"])


def _paint_bones(painter: Painter, texture: Texture) -> None:
    painter.paint(skeleton.DISCS, "disc")
    for shape, cortex_mm, inside in (
        (skeleton.RIBS, 1.5, "rib_marrow"),
        (skeleton.STERNUM, 1.3, "marrow"),
        (skeleton.CLAVICLES, 1.8, "rib_marrow"),
        (skeleton.SCAPULAE, 1.2, "rib_marrow"),
        (skeleton.ARCHES, 1.3, "rib_marrow"),
        (skeleton.VERTEBRAE, 1.2, "marrow"),
    ):
        painter.paint(shape, "cortical")
        window, field = painter.grid.field(shape)
        touched = field < painter.blur_mm - cortex_mm
        grain = texture.sample(texture.grain, *(axis[window][touched] for axis in painter.grid.points))
        marrow = painter.values[inside] * (1.0 + 0.2 * grain)
        painter.blend(window, touched, painter.share(field[touched] + cortex_mm), marrow)
    _paint_cartilage(painter)
    painter.paint(skeleton.CANAL, "csf")
    painter.paint(skeleton.CORD, "cord")


def _paint_cartilage(painter: Painter) -> None:
    # Towards the sternum the ribs are cartilage.
    window, field = painter.grid.field(skeleton.RIBS)
    touched = (field < painter.blur_mm) & (painter.grid.points[1][window] < -20.0)
    x, y, z = (axis[window][touched] for axis in painter.grid.points)
    front = np.clip((skeleton.wall_angle(x, y, z) - 2.25) / 0.1, 0.0, 1.0)
    painter.blend(window, touched, painter.share(field[touched]) * front, painter.values["cartilage"])


def make_ct(grid: AnatomyGrid, texture: Texture, course: int, seed: int) -> Array:
    """Return a planning CT in HU, int16, shape ``(K, J, I)``; course 2 is enhanced and shows scar and recurrence."""
    values = dict(CT_HU)
    if course == 2:
        values.update(blood=CONTRAST_HU, heart=85.0, liver=95.0, spleen=105.0, vessel=70.0)
    painter = Painter(grid, values, blur_mm=1.4)
    paint_anatomy(painter, texture)
    if course == 1:
        painter.paint(organs.TUMOUR, "tumour")
        _paint_spicules(painter, texture)
    else:
        painter.paint(organs.SCAR, "tumour")
        painter.paint(organs.RECURRENCE, "tumour")
    _add_couch(painter.image, grid)
    rng = np.random.default_rng([seed, 10 + course])
    image = painter.image + scan_noise(painter.image.shape, rng) * _noise_hu(grid)
    return np.asarray(np.clip(np.round(image), -1024, 3071), dtype=np.int16)


def _paint_spicules(painter: Painter, texture: Texture) -> None:
    """Fray the primary tumour's edge into the lung."""
    window, field = painter.grid.field(organs.PRIMARY)
    touched = (field < 12.0) & (painter.grid.full_field(organs.LUNGS)[window] < 0.0)
    x, y, z = (axis[window][touched] for axis in painter.grid.points)
    frayed = field[touched] - 4.0 - 5.0 * texture.sample(texture.grain, x * 0.55, y * 0.55, z * 0.4)
    painter.blend(window, touched, 0.75 * painter.share(np.maximum(frayed, 0.5 * field[touched] - 4.0)), -20.0)


def _noise_hu(grid: AnatomyGrid) -> Array:
    # More noise where the beam crosses most tissue: the middle of the body and the shoulders; little in air.
    body = grid.full_field(skeleton.BODY)
    depth = np.clip(-body / 80.0, 0.0, 1.0)
    return np.asarray(5.0 + 9.0 * depth, dtype=np.float32)


def _add_couch(image: Array, grid: AnatomyGrid) -> None:
    """Add a flat carbon-fibre couch top with a foam core, in the scanner's own axes, just below the back."""
    inside = grid.full_field(skeleton.BODY) < 0
    lowest = int(np.flatnonzero(inside.any(axis=(0, 2)))[-1])
    i = np.arange(image.shape[2]) * grid.volume.spacing_mm[0]
    row_mm = grid.volume.spacing_mm[1]
    across = np.abs(i - i.mean())
    for row in range(lowest + 1, image.shape[1]):
        depth = (row - lowest - 1) * row_mm
        edge = 26.0 - 12.0 * np.clip((across - 120) / 70.0, 0, 1) ** 2  # the underside curves up to the rails
        shell = ((depth < 2.5) | (np.abs(depth - edge) < 1.6)) & (across < 192)
        core = (depth >= 2.5) & (depth < edge) & (across < 192)
        image[:, row, shell] = -180.0
        image[:, row, core] = -935.0


def make_pet_suv(grid: AnatomyGrid, texture: Texture, seed: int, suv_max: float = 9.0) -> Array:
    """Return FDG uptake (SUV by body weight, g/mL), float32: hot recurrence, mildly hot node at the left hilum."""
    from scipy.ndimage import gaussian_filter

    painter = Painter(grid, PET_SUV, blur_mm=2.0)
    paint_anatomy(painter, texture)
    sigma = 6.5 / 2.355 / grid.volume.spacing_mm[::-1]  # 6.5 mm full width at half maximum
    background = gaussian_filter(painter.image, sigma)
    hot = gaussian_filter(_share_on_grid(painter, organs.RECURRENCE), sigma)
    decoy = gaussian_filter(_share_on_grid(painter, organs.DECOY), sigma)
    noise = scan_noise(background.shape, np.random.default_rng([seed, 20]))
    mild = background * (1.0 + 0.05 * gaussian_filter(noise, (0.6, 0.8, 0.8)) * 2.0)
    peak = np.unravel_index(int(hot.argmax()), hot.shape)
    mild = mild + decoy * (3.4 - background)
    image = mild + hot * (suv_max - mild[peak]) / hot[peak]
    return np.asarray(np.maximum(image, 0.0), dtype=np.float32)


def _share_on_grid(painter: Painter, shape: Shape) -> Array:
    return painter.share(painter.grid.full_field(shape))


def make_mr(grid: AnatomyGrid, texture: Texture, seed: int) -> Array:
    """Return a T1-weighted MR in arbitrary units, int16, with coil shading and Rician noise."""
    painter = Painter(grid, MR_T1, blur_mm=1.6)
    paint_anatomy(painter, texture)
    painter.paint(organs.SCAR, "tumour")
    painter.paint(organs.RECURRENCE, "tumour")
    columns, rows, _ = grid.volume.shape_ijk
    across = np.linspace(-0.5, 0.5, columns, dtype=np.float32)
    down = np.linspace(-0.5, 0.5, rows, dtype=np.float32)[:, None]
    shading = 1.0 + 0.18 * np.cos(2.2 * np.pi * down) + 0.12 * np.sin(np.pi * (across + 0.1))
    rng = np.random.default_rng([seed, 30])
    real = painter.image * shading + 14.0 * rng.standard_normal(painter.image.shape, dtype=np.float32)
    imaginary = 14.0 * rng.standard_normal(painter.image.shape, dtype=np.float32)
    return np.asarray(np.round(np.hypot(real, imaginary)), dtype=np.int16)
