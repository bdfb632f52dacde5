"""The body wall and the bones of the phantom: skin, chest cavity, spine, ribs, sternum, clavicles, scapulae.

Anatomy frame: LPS mm, x = 0 the midline, z = 0 the carina. Sizes are those of a well-fed adult man; they are drawn to
look and measure plausibly, not taken from one source.
"""

from __future__ import annotations

import numpy as np

from .shapes import Array, Field, Shape, curve, cut_z, smooth_maximum, smooth_minimum, superellipse, tube, union

VERTEBRA_PITCH_MM = 24.0
VERTEBRA_CENTRE_MM = 10.0  # z of one vertebral body; the others follow at the pitch
BODY_HALF_DEPTH_MM = 13.5
CANAL_OFFSET_MM = 22.0  # from the middle of a vertebral body back to the middle of the canal

_body = curve(
    [
        (-170, 162, 108, 8),
        (-120, 165, 109, 8),
        (-40, 168, 110, 7),
        (30, 170, 107, 9),
        (70, 165, 98, 13),
        (100, 152, 86, 18),
        (125, 128, 74, 22),
    ]
)
_cavity = curve(
    [
        (-170, 143, 84, 3),
        (-100, 141, 86, 2),
        (-50, 138, 84, 2),
        (0, 131, 79, 6),
        (30, 120, 71, 11),
        (55, 104, 60, 17),
        (75, 84, 47, 24),
        (88, 64, 35, 29),
        (97, 44, 23, 33),
        (104, 20, 10, 36),
    ]
)


def spine_y(z: Array) -> Array:
    """Return y of the vertebral bodies' middle, mm: the thoracic kyphosis."""
    return np.asarray(55.0 - 0.0009 * (z + 10.0) ** 2)


def body_field(x: Array, y: Array, z: Array) -> Array:
    """Return the skin surface."""
    half_x, half_y, middle = _body(z)
    outline = superellipse(x, y - middle, half_x, half_y, 2.5)
    back = np.exp(-((x / 14.0) ** 2)) * 6.0 * (y > 0)  # the furrow over the spinous processes
    front = np.exp(-((x / 22.0) ** 2)) * 5.0 * (y < 0)  # and over the sternum
    breasts = 7.0 * np.exp(-(((np.abs(x) - 70) / 45) ** 2) - ((z + 25) / 45) ** 2) * (y < 0)
    flattened = smooth_minimum(-(outline + back + front - breasts), 104.0 + middle - y, 18.0)
    return np.asarray(-flattened)


def cavity_field(x: Array, y: Array, z: Array) -> Array:
    """Return the inner face of the rib cage."""
    half_x, half_y, middle = _cavity(z)
    side = superellipse(x, y - middle, half_x, half_y, 2.25)
    return np.maximum(side, (z - 103.0) * 0.8)


def cavity_middle(z: Array) -> Array:
    """Return y of the rib cage's middle, mm."""
    _, _, middle = _cavity(z)
    return middle


def wall_angle(x: Array, y: Array, z: Array) -> Array:
    """Return the angle around the chest, radians: 0 at the back, pi at the front, both sides alike."""
    _, _, middle = _cavity(z)
    return np.asarray(np.arctan2(np.abs(x), y - middle))


def muscle_field(cavity: Array, x: Array, y: Array, z: Array) -> Array:
    """Return the muscles of the chest wall: what lies outside the cavity, as thick as the place asks."""
    angle = wall_angle(x, y, z)
    upper = 1.0 / (1.0 + np.exp(-(z + 25.0) / 12.0))
    shoulder = 1.0 / (1.0 + np.exp(-(z - 66.0) / 9.0))
    thick = (
        12.0
        + 15.0 * np.exp(-(((angle - 2.45) / 0.38) ** 2)) * upper  # pectorals
        + 11.0 * np.exp(-(((angle - 1.45) / 0.38) ** 2))  # latissimus, serratus
        + 20.0 * np.exp(-(((angle - 0.80) / 0.36) ** 2)) * upper  # around the scapula
        + 25.0 * np.exp(-((angle / 0.42) ** 2))  # erector spinae
        + shoulder * _shoulder_mm(angle)
    )
    return np.asarray(cavity - thick)


def _shoulder_mm(angle: Array) -> Array:
    """Return the muscle that the raised arms bring: deltoid and latissimus, trapezius, pectoral."""
    return np.asarray(
        12.0
        + 38.0 * np.exp(-(((angle - 1.4) / 0.55) ** 2))
        + 14.0 * np.exp(-(((angle - 0.6) / 0.5) ** 2))
        + 16.0 * np.exp(-(((angle - 2.35) / 0.4) ** 2))
    )


def _level(z: Array) -> Array:
    phase = (z - VERTEBRA_CENTRE_MM + VERTEBRA_PITCH_MM / 2) % VERTEBRA_PITCH_MM
    return np.asarray(phase - VERTEBRA_PITCH_MM / 2)


def vertebral_body_field(x: Array, y: Array, z: Array) -> Array:
    """Return the vertebral bodies, waisted, with discs between them."""
    level = _level(z)
    waist = 2.0 * (1.0 - (level / 12.0) ** 2)
    half_x = 17.0 - 0.022 * z - waist
    outline = superellipse(x, y - spine_y(z), half_x, BODY_HALF_DEPTH_MM - 0.6 * waist, 2.5)
    dent = np.hypot(x, y - spine_y(z) - CANAL_OFFSET_MM) - 10.5
    return np.maximum(np.maximum(outline, -dent), np.abs(level) - 9.8)


def disc_field(x: Array, y: Array, z: Array) -> Array:
    """Return the column of discs (the bodies are painted over it)."""
    return superellipse(x, y - spine_y(z), 17.0 - 0.022 * z, BODY_HALF_DEPTH_MM, 2.5)


def arch_field(x: Array, y: Array, z: Array) -> Array:
    """Return the vertebral arches: pedicles and laminae, transverse and spinous processes."""
    back = y - spine_y(z) - CANAL_OFFSET_MM
    radius = np.hypot(x * 0.95, back)
    ring = np.maximum(np.maximum(np.abs(radius - 11.3) - 2.3, np.abs(_level(z - 1.0)) - 8.5), -back - 13.0)
    spinous = np.maximum(
        np.maximum(np.abs(x) - 2.6, np.abs(_level(z + 0.8 * back - 2.0)) - 6.0), np.abs(back - 20) - 10
    )
    across = np.abs(x) - 10.0
    transverse = np.maximum(np.hypot(back - 4.0 - 0.55 * across, _level(z - 1.0) * 0.8) - 4.3, np.abs(across - 11) - 12)
    return np.asarray(np.minimum(np.minimum(ring, spinous), transverse))


def canal_field(x: Array, y: Array, z: Array) -> Array:
    """Return the spinal canal."""
    return superellipse(x, y - spine_y(z) - CANAL_OFFSET_MM, 9.2, 8.4, 2.0)


def cord_field(x: Array, y: Array, z: Array) -> Array:
    """Return the spinal cord."""
    return superellipse(x, y - spine_y(z) - CANAL_OFFSET_MM + 0.8, 5.0, 4.0, 2.0)


def rib_fall(angle: Array) -> Array:
    """Return how far, mm, a rib has fallen from its vertebra at an angle around the chest."""
    # Ribs leave the spine, fall towards the side and the front, and their cartilage turns up again to the sternum.
    return np.asarray(46.0 * (1.0 - np.cos(np.minimum(angle, 2.5))) - 26.0 * np.maximum(angle - 2.3, 0.0) ** 1.5)


def rib_field(cavity: Array, x: Array, y: Array, z: Array) -> Array:
    """Return all ribs at once: one oval section repeated along z, on the cavity's surface, falling to the front."""
    angle = wall_angle(x, y, z)
    outward = cavity - 5.0
    height = _level(z + rib_fall(angle) - 4.0)
    section = np.sqrt((outward / 3.7) ** 2 + (height / 6.4) ** 2)
    oval = 4.6 * (section - 1.0)
    return np.maximum(oval, 18.0 - np.abs(x))


def sternum_field(x: Array, y: Array, z: Array) -> Array:
    """Return the sternum: manubrium above, body below."""
    half_x, half_y, middle = _cavity(z)
    del half_x
    half_width = np.where(z > 28, 17.0 + 0.25 * (z - 28), 15.0 - 3.0 * np.cos(z / 14.0))
    plate = smooth_maximum(np.abs(x) - half_width, np.abs(y - (middle - half_y - 6.5)) - 5.5, 7.0)
    return smooth_maximum(plate, np.maximum(-98.0 - z, z - 62.0), 6.0)


def _mirrored(path: list[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    return [(-x, y, z, radius) for x, y, z, radius in path]


def scapula_field(outward: Array, x: Array, y: Array, z: Array) -> Array:
    """Return both shoulder blades: thin plates in the muscle behind the ribs, with their spines."""
    angle = wall_angle(x, y, z)
    height = (z - 30.0) / 62.0
    plate = np.maximum(np.abs(outward - 20.0) - 2.3, (np.abs(angle - 0.82) - 0.38 * (0.6 + 0.5 * height)) * 90.0)
    spine = np.maximum(np.abs(z - 62.0 - 0.25 * (np.abs(x) - 90)) - 3.0, np.abs(outward - 24.0) - 7.0)
    spine = np.maximum(spine, (np.abs(angle - 0.85) - 0.4) * 90.0)
    return np.maximum(np.minimum(plate, spine), np.abs(z - 22.0) - 68.0)


_CLAVICLE = [(14.0, -44.0, 62.0, 7.0), (45.0, -50.0, 72.0, 5.5), (85.0, -38.0, 86.0, 5.5), (120.0, -14.0, 99.0, 6.5)]
_clavicles: Field = union(tube(_CLAVICLE), tube(_mirrored(_CLAVICLE)))

BODY = Shape(body_field, (-185, 185, -125, 135, -1e4, 1e4))
CAVITY = Shape(cavity_field, (-175, 175, -115, 130, -1e4, 1e4))
MUSCLE = Shape(muscle_field, CAVITY.bounds, base=CAVITY)
VERTEBRAE = Shape(vertebral_body_field, (-26, 26, 10, 78, -1e4, 1e4))
DISCS = Shape(disc_field, (-26, 26, 10, 78, -1e4, 1e4))
ARCHES = Shape(arch_field, (-40, 40, 35, 118, -1e4, 1e4))
CANAL = Shape(canal_field, (-20, 20, 30, 100, -1e4, 1e4))
CORD = Shape(cord_field, (-16, 16, 30, 98, -1e4, 1e4))
RIBS = Shape(rib_field, (-160, 160, -105, 108, -1e4, 125), base=CAVITY)
STERNUM = Shape(sternum_field, (-40, 40, -110, -20, -104, 68))
SCAPULAE = Shape(scapula_field, (-160, 160, 0, 125, -52, 96), base=CAVITY)
CLAVICLES = Shape(cut_z(_clavicles, -1e3, 1e3), (-135, 135, -65, 5, 48, 112))
