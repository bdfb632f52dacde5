"""The smallest margin from CTV to PTV that stated uncertainties leave.

The recipe is that of van Herk 2000 (Int J Radiat Oncol Biol Phys 47:1121-1135): ``2.5 S + 0.7 s`` gives the CTV at
least 95 % of the dose in 90 % of patients, S and s being the standard deviations, along each axis, of all systematic
and all random errors. Errors of independent causes add up in quadrature. What a registration contributes is
systematic: the target was drawn on another image, and the mistake stays for the whole treatment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import ReirradiationError

SYSTEMATIC_FACTOR, RANDOM_FACTOR = 2.5, 0.7
RECIPE = "2.5 S + 0.7 s, S^2 = S_registration^2 + S_setup^2 (van Herk 2000, Int J Radiat Oncol Biol Phys 47:1121)"
# "minimum CTV-PTV 5 mm": UK consensus on re-irradiation of the thorax, Rulach 2021 (PMC8022147, table 2).
CONSENSUS_MINIMUM_MM = 5.0
CONSENSUS_SOURCE = "UK consensus on thoracic re-irradiation, Rulach 2021 (PMC8022147, table 2): minimum CTV-PTV 5 mm"
# Of errors that are normal and alike along three axes, the mean length is sqrt(8 / pi) standard deviations of one axis
# (Maxwell distribution).
_MEAN_LENGTH_PER_SD = math.sqrt(8.0 / math.pi)


@dataclass(frozen=True)
class SmallestMargin:
    """A margin and what it follows from, all in mm.

    Parameters
    ----------
    registration_sd_mm, setup_systematic_mm, setup_random_mm
        Standard deviations along each axis; None where not stated.
    margin_mm
        By the recipe, from what is stated; None where nothing is.
    is_lower_bound
        Whether something that the recipe asks for was not stated.
    message
        Numbers, formula and what is missing, in words.
    """

    registration_sd_mm: float | None
    setup_systematic_mm: float | None
    setup_random_mm: float | None
    margin_mm: float | None
    is_lower_bound: bool
    message: str


def smallest_margin(
    registration_error_mm: float | None,
    setup_systematic_mm: float | None = None,
    setup_random_mm: float | None = None,
) -> SmallestMargin:
    """Return the smallest margin that uncertainties leave.

    Parameters
    ----------
    registration_error_mm
        Mean length of the error (target registration error at landmarks) of the registration that brought the image in
        which the target is seen to the planning CT; 0 for a target drawn on the planning CT itself, None if not known.
    setup_systematic_mm, setup_random_mm
        Standard deviations along each axis of the set-up at treatment, with the imaging that is used there.

    Raises
    ------
    ReirradiationError
        If a value is negative or not finite.
    """
    stated = {
        "the registration's error": registration_error_mm,
        "the systematic set-up error": setup_systematic_mm,
        "the random set-up error": setup_random_mm,
    }
    for what, value in stated.items():
        if value is not None and not 0.0 <= value < math.inf:
            raise ReirradiationError(f"{what} is {value:g} mm: give a number of 0 or more")
    missing = [what for what, value in stated.items() if value is None]
    registration_sd = None if registration_error_mm is None else registration_error_mm / _MEAN_LENGTH_PER_SD
    if len(missing) == len(stated):
        return SmallestMargin(None, None, None, None, True, f"Not known: {_listed(missing)} are not stated. {RECIPE}.")
    systematic = math.hypot(registration_sd or 0.0, setup_systematic_mm or 0.0)
    margin = SYSTEMATIC_FACTOR * systematic + RANDOM_FACTOR * (setup_random_mm or 0.0)
    parts = {
        f"registration (mean error {registration_error_mm or 0.0:g} mm / 1.60)": registration_sd,
        "set-up systematic": setup_systematic_mm,
        "set-up random": setup_random_mm,
    }
    message = _message(margin, [f"{what} {sd:.2f} mm" for what, sd in parts.items() if sd is not None], missing)
    return SmallestMargin(registration_sd, setup_systematic_mm, setup_random_mm, margin, bool(missing), message)


def _message(margin_mm: float, parts: list[str], missing: list[str]) -> str:
    start = "At least" if missing else "Margin of"
    sentences = [f"{start} {margin_mm:.1f} mm, from standard deviations: {_listed(parts)}; {RECIPE}."]
    if missing:
        sentences.append(f"Not stated, and so not in it: {_listed(missing)}.")
    if margin_mm < CONSENSUS_MINIMUM_MM:
        sentences.append(f"Smaller than the {CONSENSUS_SOURCE}.")
    return " ".join(sentences)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
