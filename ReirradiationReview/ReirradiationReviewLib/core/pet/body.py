"""What activity is normalised by: body weight, lean body mass, body surface, ideal weight.

Formulas as listed in the IBSI manual for SUV computation (oncoray/suv_computation, after Sugawara 1999).
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Notice
from .facts import PetFacts

# By DICOM SUV Type (0054,1006); kg from weight in kg and height in m, for men and for women.
_BY_SEX: dict[str, tuple[Callable[[float, float], float], Callable[[float, float], float]]] = {
    # Lean body mass: Morgan; James; Janmahasatian. Weight over height is in kg/cm there.
    "LBM": (lambda w, h: 1.10 * w - 120 * (w / h / 100) ** 2, lambda w, h: 1.07 * w - 148 * (w / h / 100) ** 2),
    "LBMJAMES128": (
        lambda w, h: 1.10 * w - 128 * (w / h / 100) ** 2,
        lambda w, h: 1.07 * w - 148 * (w / h / 100) ** 2,
    ),
    "LBMJANMA": (
        lambda w, h: 9270 * w / (6680 + 216 * w / h**2),
        lambda w, h: 9270 * w / (8780 + 244 * w / h**2),
    ),
    "IBW": (lambda _w, h: 48.0 + 1.06 * (100 * h - 152), lambda _w, h: 45.5 + 0.91 * (100 * h - 152)),
}
# What a user can ask for, by the name on the command line.
SUV_TYPES = {"bw": "BW", "lbm-james": "LBMJAMES128", "lbm-janma": "LBMJANMA", "bsa": "BSA"}
UNIT_WORDS = {
    "BW": "SUVbw (g/mL)",
    "LBM": "SUVlbm Morgan (g/mL)",
    "LBMJAMES128": "SUVlbm James (g/mL)",
    "LBMJANMA": "SUVlbm Janmahasatian (g/mL)",
    "IBW": "SUVibw (g/mL)",
    "BSA": "SUVbsa (cm2/mL)",
}
KNOWN_TYPES = frozenset(UNIT_WORDS)
# A weight of a ton and more is one in grams (IBSI manual).
_GRAMS_FROM_KG = 1000.0
_USUAL_KG = (2.0, 400.0)
_USUAL_M = (0.3, 2.5)


def normaliser(facts: PetFacts, suv_type: str) -> tuple[float, list[Notice]]:
    """Return what activity per injected activity is multiplied by: g, or cm2 for ``"BSA"``.

    Raises
    ------
    ReirradiationError
        If weight, height or sex is needed and not known.
    """
    weight_kg, notices = _weight_kg(facts)
    if suv_type == "BW":
        return weight_kg * 1000.0, notices
    height_m = facts.height_m
    if height_m is None or not _USUAL_M[0] <= height_m <= _USUAL_M[1]:
        said = "missing" if height_m is None else f"{height_m:g} m"
        raise facts.missing(f"PatientSize (0010,1020) is {said}", "--pet-height-m")
    if suv_type == "BSA":  # Du Bois and Du Bois 1916: m2 from cm and kg
        return 0.007184 * (100 * height_m) ** 0.725 * weight_kg**0.425 * 1e4, notices
    for_man, for_woman = (formula(weight_kg, height_m) for formula in _BY_SEX[suv_type])
    if facts.sex == "M":
        return for_man * 1000.0, notices
    if facts.sex == "F":
        return for_woman * 1000.0, notices
    if facts.sex != "O":
        raise facts.missing(f"PatientSex (0010,0040) is {facts.sex or 'missing'!r}", "--pet-sex")
    text = (
        f"PatientSex (0010,0040) is O: the mean of the formulas for men ({for_man:.1f} kg) and women "
        f"({for_woman:.1f} kg) was taken, on which there is no consensus (IBSI manual)"
    )
    return (for_man + for_woman) / 2 * 1000.0, [*notices, Notice("pet-sex-other", text, facts.name)]


def _weight_kg(facts: PetFacts) -> tuple[float, list[Notice]]:
    weight = facts.weight_kg
    if not weight or weight < 0:
        said = "missing" if weight is None else f"{weight:g}"
        raise facts.missing(f"PatientWeight (0010,1030) is {said}", "--pet-weight-kg")
    if weight >= _GRAMS_FROM_KG:
        text = f"PatientWeight (0010,1030) is {weight:g}: it was taken for grams, {weight / 1000:g} kg"
        return weight / 1000.0, [Notice("pet-weight-in-grams", text, facts.name)]
    if not _USUAL_KG[0] <= weight <= _USUAL_KG[1]:
        text = f"PatientWeight (0010,1030) is {weight:g} kg, which is unusual: check it, all SUV are proportional to it"
        return weight, [Notice("pet-unusual-weight", text, facts.name)]
    return weight, []
