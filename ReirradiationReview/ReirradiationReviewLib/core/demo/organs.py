"""The soft organs of the phantom: lungs, heart, great vessels, airways, oesophagus, upper abdomen, lesions.

Anatomy frame as in ``skeleton``: LPS mm, x = 0 the midline, z = 0 the carina.
"""

from __future__ import annotations

import numpy as np

from .shapes import (
    Array,
    Bounds,
    Field,
    Shape,
    cut_z,
    ellipsoid,
    smooth_maximum,
    smooth_minimum,
    smooth_union,
    tube,
    union,
    vertical_tube,
)
from .skeleton import CAVITY, cavity_field, spine_y

RIGHT_DOME_Z = -84.0
LEFT_DOME_Z = -97.0
_HEART_AXIS = (0.70, -0.44, -0.56)

# --- vessels -------------------------------------------------------------------------------------------------------
_ascending: Field = tube([(6, -22, -38, 14), (-6, -26, -15, 15), (-11, -27, 12, 15), (-7, -24, 28, 14.5)])
_arch: Field = tube(
    [(-7, -24, 28, 14.5), (1, -17, 40, 13.5), (15, -4, 45, 13), (27, 16, 41, 13), (31, 34, 27, 12.5), (31, 44, 8, 12.5)]
)
_descending: Field = vertical_tube(
    [
        (-170, 9, 4, 10.5, 10.5),
        (-130, 13, 14, 11, 11),
        (-90, 23, 34, 11.5, 11.5),
        (-40, 30, 45, 12, 12),
        (10, 31, 46, 12.5, 12.5),
    ]
)
_vena_cava_sup: Field = tube([(-24, -15, 52, 9), (-26, -17, 20, 10), (-25, -16, -10, 10.5), (-23, -18, -32, 11)])
_brachiocephalic_veins: Field = union(
    tube([(-24, -15, 52, 9), (-27, -18, 72, 8), (-40, -14, 96, 7)]),
    tube([(-22, -20, 56, 8), (4, -38, 58, 7), (30, -30, 70, 7), (46, -18, 92, 7)]),
)
_arch_branches: Field = union(
    tube([(1, -17, 46, 7), (-9, -12, 68, 6.5), (-18, -6, 86, 5.5), (-26, 0, 112, 5)]),
    tube([(12, -8, 50, 5), (16, -6, 75, 4.2), (18, -4, 112, 4)]),
    tube([(22, 6, 50, 5.5), (27, 10, 72, 5), (34, 12, 100, 4.5)]),
)
_pulmonary: Field = union(
    tube(
        [(20, -46, -40, 14), (18, -42, -16, 14), (20, -26, 2, 13.5), (32, -4, 6, 11), (46, 16, -4, 9), (56, 22, -22, 7)]
    ),
    tube([(18, -28, -1, 11), (4, -10, -7, 10), (-18, 0, -10, 9.5), (-38, 4, -16, 8.5), (-52, 8, -30, 6.5)]),
)
_pulmonary_veins: Field = union(
    tube([(-56, -2, -36, 4.5), (-36, 2, -40, 6), (-10, 8, -42, 7)]),
    tube([(-52, 22, -58, 4.5), (-32, 18, -50, 5.5), (-8, 12, -46, 7)]),
    tube([(56, 2, -34, 4.5), (40, 6, -40, 5.5), (18, 8, -42, 7)]),
    tube([(54, 30, -58, 4.5), (38, 24, -52, 5.5), (18, 12, -46, 7)]),
)
_vena_cava_inf: Field = tube([(-20, 2, -96, 11), (-20, -6, -80, 11), (-20, -14, -64, 11)])
_azygos: Field = union(
    cut_z(vertical_tube([(-170, -10, 22, 3, 3), (-60, -8, 36, 3.2, 3.2), (16, -9, 39, 3.4, 3.4)]), -170, 14),
    tube([(-9, 38, 10, 3.4), (-15, 30, 15, 3.6), (-22, 8, 13, 4), (-25, -8, 8, 4.2)]),
)

# --- airways and oesophagus ----------------------------------------------------------------------------------------
_TRACHEA = [(130.0, 0.0, -2.0), (100.0, -1.0, 1.0), (60.0, -2.0, 7.0), (20.0, -3.0, 13.0), (-6.0, -2.0, 16.0)]
_trachea_lumen: Field = cut_z(vertical_tube([(z, x, y, 8.6, 8.0) for z, x, y in _TRACHEA]), -3, 1e3)


def _bronchi(shrink_mm: float) -> Field:
    right = [(-3, 15, 3, 8.0), (-14, 16, -7, 7.8), (-26, 17, -15, 7.4), (-34, 18, -24, 6.8)]
    left = [(-1, 15, 3, 8.0), (11, 17, -7, 7.0), (24, 20, -16, 6.6), (38, 24, -25, 6.2)]
    lobes = [
        [(-26, 16, -12, 5.2), (-38, 14, -8, 4.8), (-50, 11, -2, 4.0)],
        [(-34, 18, -24, 6.2), (-37, 19, -38, 5.8), (-42, 24, -60, 4.6)],
        [(36, 23, -24, 5.2), (48, 15, -23, 4.8), (58, 8, -18, 4.0)],
        [(38, 24, -25, 5.4), (44, 30, -40, 5.0), (48, 35, -60, 4.4)],
    ]
    return union(*(tube([(x, y, z, r - shrink_mm) for x, y, z, r in path]) for path in [right, left, *lobes]))


AIRWAY_WALL_MM = 1.6
_airway_lumen: Field = union(_trachea_lumen, _bronchi(AIRWAY_WALL_MM))

OESOPHAGUS_KNOTS = [
    (130.0, 3.0, 14.0, 7.5, 5.5),
    (100.0, 5.0, 17.0, 8.0, 5.5),
    (60.0, 6.0, 23.0, 8.5, 6.0),
    (20.0, 5.0, 30.0, 9.0, 6.0),
    (0.0, 6.0, 32.0, 9.0, 6.0),
    (-40.0, 7.0, 33.0, 9.0, 6.0),
    (-80.0, 13.0, 24.0, 9.5, 7.0),
    (-112.0, 22.0, 8.0, 10.0, 8.0),
]
_oesophagus: Field = cut_z(vertical_tube(OESOPHAGUS_KNOTS), -112, 1e3)
_oesophagus_air: Field = cut_z(
    vertical_tube([(z, x - 1.0, y - 1.0, 2.6, 1.3) for z, x, y, _, _ in OESOPHAGUS_KNOTS]), -60, 1e3
)

# --- heart ---------------------------------------------------------------------------------------------------------
_muscle: Field = ellipsoid((28, -30, -64), (60, 46, 44), _HEART_AXIS)
_left_atrium: Field = ellipsoid((8, 5, -45), (27, 16, 18))
_right_atrium: Field = ellipsoid((-20, -24, -58), (22, 25, 29))
_left_ventricle: Field = ellipsoid((44, -26, -70), (32, 21, 20), _HEART_AXIS)
_right_ventricle: Field = ellipsoid((20, -52, -72), (36, 20, 17), (0.85, -0.25, -0.45))


def diaphragm_z(x: Array, y: Array) -> Array:
    """Return the height of the diaphragm, mm: two domes that fall to the sides and to the back."""
    right = RIGHT_DOME_Z - 46.0 * (((x + 66) / 78) ** 2 + ((y + 8) / 82) ** 2) ** 1.15
    left = LEFT_DOME_Z - 46.0 * (((x - 70) / 74) ** 2 + ((y + 2) / 82) ** 2) ** 1.15
    middle = -104.0 - 40.0 * ((x / 80) ** 2 + ((y + 20) / 70) ** 2)
    domes = -smooth_minimum(-right, -left, 8.0)
    return np.maximum(-smooth_minimum(-domes, -middle, 8.0), -190.0)


def _above_diaphragm(x: Array, y: Array, z: Array) -> Array:
    return np.asarray(0.75 * (z - diaphragm_z(x, y)))


def heart_field(x: Array, y: Array, z: Array) -> Array:
    """Return the heart with its atria, resting on the diaphragm."""
    whole = smooth_union([_muscle, _left_atrium, _right_atrium], 10.0)(x, y, z)
    return smooth_maximum(whole, 3.0 - _above_diaphragm(x, y, z), 8.0)


_chambers: Field = union(_left_ventricle, _right_ventricle, _left_atrium, _right_atrium)


def _blood_field(x: Array, y: Array, z: Array) -> Array:
    return np.maximum(_chambers(x, y, z) + 2.0, heart_field(x, y, z) + 4.0)


# --- lungs ---------------------------------------------------------------------------------------------------------
_upper_mediastinum: Field = vertical_tube(
    [
        (-120, 8, 14, 8, 10),
        (-95, 8, 8, 14, 18),
        (-60, 2, -6, 30, 40),
        (-10, 0, -4, 33, 44),
        (40, 2, -2, 35, 40),
        (90, 2, 4, 40, 34),
        (130, 2, 4, 44, 32),
    ]
)
_hila: Field = union(ellipsoid((-38, 12, -20), (18, 16, 27)), ellipsoid((42, 14, -16), (17, 17, 26)))


def _spine_cover(x: Array, y: Array, z: Array) -> Array:
    around = np.hypot(x * 0.95, y - spine_y(z) - 12.0) - 27.0
    behind = np.maximum(np.abs(x) - 23.0, spine_y(z) + 12.0 - y)  # the cavity's back reaches past the spine low down
    return np.asarray(np.minimum(around, behind))


def mediastinum_field(x: Array, y: Array, z: Array) -> Array:
    """Return all between the lungs: spine, vessels, heart, hila and the fat around them."""
    junction = np.maximum(np.abs(x - 2.0) - 4.0 - 7.0 / (1.0 + np.exp((z + 78.0) / 7.0)), y + 6.0)
    parts = [
        _spine_cover(x, y, z),
        _upper_mediastinum(x, y, z),
        _hila(x, y, z) + 3.0,
        heart_field(x, y, z) - 4.0,
        _descending(x, y, np.minimum(z, 20.0)) - 2.0 + np.maximum(z - 20.0, 0) * 0.6,
        _arch(x, y, z) - 2.0,
        _pulmonary_veins(x, y, z) - 0.5,
        _oesophagus(x, y, z) - 5.0,
        junction,
    ]
    result = parts[0]
    for part in parts[1:]:
        result = smooth_minimum(result, part, 12.0)
    return result


def lungs_field(cavity: Array, x: Array, y: Array, z: Array) -> Array:
    """Return both lungs."""
    inside = smooth_maximum(cavity + 1.5, -mediastinum_field(x, y, z), 6.0)
    return smooth_maximum(inside, -_above_diaphragm(x, y, z), 6.0)


def fissure_field(x: Array, y: Array, z: Array) -> Array:
    """Return the fissures between the lobes as thin sheets."""
    oblique = np.abs(z + 20.0 - 0.75 * (y - 10.0) + 0.06 * np.abs(x)) * 0.75
    horizontal = np.where((x < 0) & (y < 5.0), np.abs(z + 12.0 + 0.15 * (y + x)), 50.0)
    return np.minimum(oblique, horizontal) - 0.5


# --- abdomen -------------------------------------------------------------------------------------------------------
def _under_diaphragm(x: Array, y: Array, z: Array, gap_mm: float) -> Array:
    return np.maximum(_above_diaphragm(x, y, z) + gap_mm, cavity_field(x, y, z) + 3.0)


def liver_field(x: Array, y: Array, z: Array) -> Array:
    """Return the part of the liver that a chest scan holds: right lobe and the tip of the left."""
    under = _under_diaphragm(x, y, z, 2.0)
    left_edge = 0.8 * (x - 32.0 + 0.5 * (y + 40.0) - 0.3 * (z + 110.0))
    spine = 30.0 - np.hypot(x, y - spine_y(z) - 2.0)
    return smooth_maximum(smooth_maximum(under, left_edge, 10.0), spine, 10.0)


def _spleen_field(x: Array, y: Array, z: Array) -> Array:
    return smooth_maximum(ellipsoid((92, 36, -140), (36, 34, 34))(x, y, z), _under_diaphragm(x, y, z, 2.0), 6.0)


def _stomach_field(x: Array, y: Array, z: Array) -> Array:
    return smooth_maximum(ellipsoid((60, -22, -138), (42, 40, 36))(x, y, z), _under_diaphragm(x, y, z, 3.0), 6.0)


def _stomach_gas(x: Array, y: Array, z: Array) -> Array:
    return np.maximum(_stomach_field(x, y, z) + 3.5, y + 32.0)


# --- lesions -------------------------------------------------------------------------------------------------------
def _lump(centre: tuple[float, float, float], radii: tuple[float, float, float], bumps: float) -> Field:
    body = ellipsoid(centre, radii)

    def field(x: Array, y: Array, z: Array) -> Array:
        dx, dy, dz = x - centre[0], y - centre[1], z - centre[2]
        waves = np.sin(0.21 * dx + 1.0) * np.cos(0.18 * dy) + np.sin(0.23 * dz + 0.5) * np.cos(0.2 * dx + 0.7)
        return np.asarray(body(x, y, z) + bumps * waves)

    return field


TUMOUR_CENTRE = (-58.0, 2.0, 37.0)
# Involved nodes: under the carina (station 7) and right of the trachea (4R), where the disease comes back.
NODE_7_CENTRE = (-3.0, 20.0, -21.0)
NODE_4R_CENTRE = (-22.0, 15.0, 22.0)
RECURRENCE_CENTRE = (-30.0, 20.0, 26.0)
DECOY_CENTRE = (50.0, 6.0, -4.0)
_plexus_right: Field = tube([(-22, 30, 103, 4), (-45, 14, 99, 4), (-72, 2, 94, 4), (-98, -8, 88, 4)])
_primary: Field = _lump(TUMOUR_CENTRE, (19, 20, 18), 2.2)
_nodes: Field = union(ellipsoid(NODE_7_CENTRE, (11, 8, 9)), ellipsoid(NODE_4R_CENTRE, (8, 8, 12)))
_scar: Field = union(
    tube([(-48, 8, 28, 5), (-58, 2, 34, 7), (-66, 6, 38, 5)]),
    tube([(-58, 2, 34, 3), (-74, -8, 44, 2), (-92, -16, 48, 1)]),
    tube([(-60, 6, 34, 3), (-72, 20, 28, 2), (-84, 36, 22, 1)]),
)

_WIDE: Bounds = (-150, 150, -95, 100, -1e4, 120)
LUNGS = Shape(lungs_field, _WIDE, base=CAVITY)
LUNG_R = Shape(lambda lungs, x, _y, _z: np.maximum(lungs, x - 2.0), _WIDE, base=LUNGS)
LUNG_L = Shape(lambda lungs, x, _y, _z: np.maximum(lungs, 2.0 - x), _WIDE, base=LUNGS)
HEART = Shape(heart_field, (-60, 100, -100, 40, -130, 0))
BLOOD = Shape(_blood_field, (-60, 100, -100, 40, -130, 0))
AORTA = Shape(union(_ascending, _arch, cut_z(_descending, -1e3, 12)), (-40, 60, -55, 75, -1e4, 75))
GREAT_VESSELS = Shape(union(_vena_cava_sup, _brachiocephalic_veins, _pulmonary), (-70, 75, -75, 45, -70, 115))
OTHER_VESSELS = Shape(union(_arch_branches, _pulmonary_veins, _vena_cava_inf, _azygos), (-75, 75, -40, 60, -1e4, 130))
TRACHEA = Shape(
    lambda x, y, z: np.maximum(_trachea_lumen(x, y, z) - AIRWAY_WALL_MM, 0.5 - z), (-25, 25, -25, 40, -12, 1e4)
)
BRONCHI = Shape(cut_z(_bronchi(0.0), -1e3, 0.5), (-68, 72, -8, 50, -78, 16))
AIRWAY_WALL = Shape(
    union(lambda x, y, z: _trachea_lumen(x, y, z) - AIRWAY_WALL_MM, _bronchi(0.0)), (-68, 72, -25, 50, -78, 1e4)
)
AIRWAY_LUMEN = Shape(_airway_lumen, (-68, 72, -25, 50, -78, 1e4))
OESOPHAGUS = Shape(_oesophagus, (-20, 50, -15, 55, -120, 1e4))
OESOPHAGUS_AIR = Shape(_oesophagus_air, (-10, 30, -5, 45, -66, 1e4))
LIVER = Shape(liver_field, (-150, 90, -95, 100, -1e4, -70))
SPLEEN = Shape(_spleen_field, (50, 135, -5, 78, -1e4, -90))
STOMACH = Shape(_stomach_field, (10, 110, -70, 28, -1e4, -90))
STOMACH_GAS = Shape(_stomach_gas, (10, 110, -70, 28, -1e4, -90))
PLEXUS_R = Shape(_plexus_right, (-112, -8, -24, 44, 74, 117))
PRIMARY = Shape(_primary, (-96, -16, -36, 40, 0, 74))
TUMOUR = Shape(union(_primary, _nodes), (-96, 26, -36, 44, -48, 74))
RECURRENCE = Shape(_lump(RECURRENCE_CENTRE, (12.5, 14, 15), 1.3), (-60, 0, -12, 52, -6, 58))
SCAR = Shape(_scar, (-105, -38, -28, 48, 8, 62))
DECOY = Shape(ellipsoid(DECOY_CENTRE, (7, 8, 9)), (32, 68, -12, 24, -24, 16))
