"""Proton RBE: constant, already in the dose, or variable with the dose-averaged LET.

A variable RBE changes alpha and beta: ``alpha = RBEmax alpha_x``, ``beta = RBEmin^2 beta_x``, so that for the physical
proton dose ``D`` and the LETd ``L`` of each voxel

    BED = D RBEmax(L, ab) + D^2 RBEmin(L, ab)^2 / (n ab)

``RBEmax = a0 + a1 L / ab`` and ``RBEmin = b0 + b1 f(ab) L``, so the BED is linear in five moments, ``W[D]``, ``W[D
L]``, ``W[D^2]``, ``W[D^2 L]``, ``W[D^2 L^2]``: one warp serves every alpha/beta, as with photons.

Coefficients as carried by matRad (matRad_McNamara.m, matRad_Wedenberg.m, matRad_Carabe.m), LETd in keV/um. Valid for
protons and an LETd up to about 20 keV/um; not for heavier ions, whose dose is never converted here unasked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError

# ICRU Report 78 and clinical practice; matRad_ConstantRBE.m.
CONSTANT_RBE = 1.1
# Beyond this no proton dose that matters is deposited; a larger value is another unit or another particle.
HIGHEST_LETD_KEV_UM = 50.0


@dataclass(frozen=True)
class LetMoments:
    """The moments of dose and LETd at N points that a variable RBE needs, each of shape ``(N,)``.

    Parameters
    ----------
    dl, d2l, d2l2
        ``W[D L]``, ``W[D^2 L]``, ``W[D^2 L^2]``: Gy and keV/um in the powers of the name.
    """

    dl: NDArray[np.float64]
    d2l: NDArray[np.float64]
    d2l2: NDArray[np.float64]


@dataclass(frozen=True)
class VariableRbe:
    """A model ``RBEmax = a0 + a1 L / ab``, ``RBEmin = b0 + b1 f(ab) L``.

    Parameters
    ----------
    source
        Paper of the model.
    """

    name: str
    source: str
    a0: float
    a1: float
    b0: float
    b1: float
    f: Callable[[float], float]

    def limits(
        self, letd_kev_um: float | NDArray[Any], alpha_beta_gy: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return RBEmax (small dose) and RBEmin (large dose) at an LETd.

        Raises
        ------
        ReirradiationError
            If LETd is negative, not finite or above 50 keV/um.
        """
        letd = checked_letd(letd_kev_um)
        return self.a0 + self.a1 * letd / alpha_beta_gy, self.b0 + self.b1 * self.f(alpha_beta_gy) * letd

    def rbe(
        self, dose_per_fraction_gy: float, letd_kev_um: float | NDArray[Any], alpha_beta_gy: float
    ) -> NDArray[np.float64]:
        """Return the RBE at a physical proton dose per fraction in Gy, above 0.

        ``[sqrt(ab^2 + 4 d ab RBEmax + 4 d^2 RBEmin^2) - ab] / (2 d)``.
        """
        rbe_max, rbe_min = self.limits(letd_kev_um, alpha_beta_gy)
        d, ab = dose_per_fraction_gy, alpha_beta_gy
        return (np.sqrt(ab**2 + 4 * d * ab * rbe_max + 4 * d**2 * rbe_min**2) - ab) / (2 * d)

    def effective_moments(
        self, p_gy: NDArray[np.float64], s_gy2: NDArray[np.float64], let: LetMoments, alpha_beta_gy: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``W[D RBEmax]`` and ``W[D^2 RBEmin^2]``, which take the place of P and S, for one alpha/beta."""
        slope = self.b1 * self.f(alpha_beta_gy)
        linear = self.a0 * p_gy + self.a1 / alpha_beta_gy * let.dl
        return linear, self.b0**2 * s_gy2 + 2 * self.b0 * slope * let.d2l + slope**2 * let.d2l2


VARIABLE_RBE = {
    model.name: model
    for model in (
        VariableRbe(
            "mcnamara",
            "McNamara 2015, Phys. Med. Biol. 60, 8399-8416",
            0.999064,
            0.35605,
            1.1012,
            -0.0038703,
            math.sqrt,
        ),
        VariableRbe("wedenberg", "Wedenberg 2013, Acta Oncol. 52, 580-588", 1.0, 0.434, 1.0, 0.0, lambda _: 0.0),
        VariableRbe(
            "carabe",
            "Carabe 2012, Phys. Med. Biol. 57, 1159-1172",
            0.843,
            0.154 * 2.686,
            1.09,
            0.006,
            lambda alpha_beta_gy: 2.686 / alpha_beta_gy,
        ),
    )
}


def checked_letd(letd_kev_um: float | NDArray[Any]) -> NDArray[np.float64]:
    """Return LETd as an array; refuse what cannot be the LETd of protons in keV/um."""
    letd = np.asarray(letd_kev_um, dtype=np.float64)
    if not np.all(np.isfinite(letd)) or np.any(letd < 0) or np.any(letd > HIGHEST_LETD_KEV_UM):
        raise ReirradiationError(
            f"the LETd holds values outside 0 to {HIGHEST_LETD_KEV_UM:g} keV/um or undefined ones: give the "
            "dose-averaged LET of protons in keV/um"
        )
    return letd


@dataclass(frozen=True)
class Rbe:
    """What has to be done to a plan's dose to make it RBE-weighted.

    Parameters
    ----------
    factor
        Factor on the dose as read: 1 where the RBE is in already (or for photons), 1.1 for a physical proton dose.
        With a model it leads from the dose as read to the physical dose: 1 / 1.1 where 1.1 is in it.
    model
        Variable RBE that replaces the constant one in EQD2 and BED; None for a constant RBE.
    entered
        The user said so.
    """

    factor: float = 1.0
    model: VariableRbe | None = None
    entered: bool = False

    def text(self) -> str:
        """Return what is done, in words."""
        if self.model is not None:
            return f"variable RBE of {self.model.source} on the physical dose, LETd as given"
        return "the dose as read" if self.factor == 1.0 else f"the dose as read times {self.factor:g}"


AS_READ = Rbe()


def parse_rbe(text: str, *, dose_has_rbe: bool) -> Rbe:
    """Return what a user's word asks for.

    Parameters
    ----------
    text
        ``"included"``, ``"1.1"`` or a variable model: ``"mcnamara"``, ``"wedenberg"``, ``"carabe"``.
    dose_has_rbe
        The dose type is EFFECTIVE: an RBE is in the dose, taken to be 1.1 where a model has to take it out.

    Raises
    ------
    ReirradiationError
        If the word is none of these, or 1.1 would be applied twice.
    """
    word = text.strip().lower()
    if word == "included":
        return Rbe(entered=True)
    if word == f"{CONSTANT_RBE:g}":
        if dose_has_rbe:
            raise ReirradiationError(
                "DoseType (3004,0004) is EFFECTIVE: the RBE is in already, so it is not applied again"
            )
        return Rbe(CONSTANT_RBE, entered=True)
    if word in VARIABLE_RBE:
        return Rbe(1.0 / CONSTANT_RBE if dose_has_rbe else 1.0, VARIABLE_RBE[word], entered=True)
    raise ReirradiationError(f"{text!r} is no RBE: write included, {CONSTANT_RBE:g}, {', '.join(VARIABLE_RBE)}")
