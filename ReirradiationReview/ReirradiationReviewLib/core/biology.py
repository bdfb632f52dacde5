"""Biologically effective dose (BED, EQD2), and the alpha/beta that an organ is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from .errors import ReirradiationError
from .resources import PROTOCOL_FOLDER, Record, read_json

if TYPE_CHECKING:
    from .organs.names import OrganMatch

Model = Literal["lq", "lql"]
# LQ-L: the dose per fraction from which on the effect grows linearly, in units of alpha/beta. Astrahan 2008
# (doi 10.1118/1.2969065); the value 2 is the usual one where none was fitted.
LQL_TRANSITION_ALPHA_BETAS = 2.0


@overload
def bed_gy(dose_gy: float, fractions: int, alpha_beta_gy: float, model: Model = "lq") -> float: ...


@overload
def bed_gy(dose_gy: NDArray[Any], fractions: int, alpha_beta_gy: float, model: Model = "lq") -> NDArray[np.float64]: ...


def bed_gy(
    dose_gy: float | NDArray[Any], fractions: int, alpha_beta_gy: float, model: Model = "lq"
) -> float | NDArray[np.float64]:
    """Return the biologically effective dose of a total dose given in equal, fully repaired fractions.

    LQ: ``n d (1 + d / ab)`` with ``d = D / n``. LQ-L (Astrahan 2008, doi 10.1118/1.2969065) above the transition dose
    per fraction ``dT = 2 ab``: ``n [dT (1 + dT / ab) + (gamma/alpha) (d - dT)]``. ``gamma/alpha = 1 + 2 dT / ab`` (5
    here) is the slope of the LQ curve at ``dT``, so that the curve has no kink. Published limits in EQD2 are LQ; do
    not compare an LQ-L value with them.

    Parameters
    ----------
    dose_gy
        Total dose in Gy, a number or an array of any shape, not negative.
    fractions
        Number of fractions, a whole number of at least 1.
    alpha_beta_gy
        Alpha/beta in Gy, above 0.

    Returns
    -------
    float or ndarray
        BED in Gy, of the shape of ``dose_gy``.

    Raises
    ------
    ReirradiationError
        If a value is out of its range or not finite.
    """
    check_schedule(fractions, alpha_beta_gy)
    dose = np.asarray(dose_gy, dtype=np.float64)
    if not np.all(np.isfinite(dose)) or np.any(dose < 0):
        raise ReirradiationError("the dose holds negative or undefined values, which have no BED: check the dose")
    per_fraction = dose / fractions
    if model == "lq":
        bed = dose * (1 + per_fraction / alpha_beta_gy)
    elif model == "lql":
        bed = fractions * _lql_effect_gy(per_fraction, alpha_beta_gy)
    else:
        raise ReirradiationError(f"{model!r} is no dose-effect model: choose lq or lql")
    return float(bed) if np.ndim(dose_gy) == 0 else bed


def _lql_effect_gy(per_fraction_gy: NDArray[np.float64], alpha_beta_gy: float) -> NDArray[np.float64]:
    transition_gy = LQL_TRANSITION_ALPHA_BETAS * alpha_beta_gy
    gamma_over_alpha = 1 + 2 * transition_gy / alpha_beta_gy
    curved = np.minimum(per_fraction_gy, transition_gy)
    return curved * (1 + curved / alpha_beta_gy) + gamma_over_alpha * (per_fraction_gy - curved)


@overload
def eqd2_gy(dose_gy: float, fractions: int, alpha_beta_gy: float, model: Model = "lq") -> float: ...


@overload
def eqd2_gy(
    dose_gy: NDArray[Any], fractions: int, alpha_beta_gy: float, model: Model = "lq"
) -> NDArray[np.float64]: ...


def eqd2_gy(
    dose_gy: float | NDArray[Any], fractions: int, alpha_beta_gy: float, model: Model = "lq"
) -> float | NDArray[np.float64]:
    """Return the dose of equal effect in 2 Gy fractions, ``BED / (1 + 2 / ab)``, in Gy; arguments as for `bed_gy`."""
    return bed_gy(dose_gy, fractions, alpha_beta_gy, model) / (1 + 2 / alpha_beta_gy)


def eqd2_from_moments(
    p_gy: NDArray[np.float64],
    s_gy2: NDArray[np.float64],
    fractions: int,
    alpha_beta_gy: float,
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the LQ EQD2 from the warped moments of a plan's dose, ``(ab P + S / n) / (2 + ab)``, in Gy.

    Parameters
    ----------
    p_gy, s_gy2
        ``W[D]`` in Gy and ``W[D^2]`` in Gy^2, of one shape, for a linear warp ``W`` (see `core.dose_mapping`).
    out
        Array to write into, of that shape; it may be ``s_gy2`` itself. A new one by default.

    Raises
    ------
    ReirradiationError
        If the number of fractions or alpha/beta is out of its range.
    """
    check_schedule(fractions, alpha_beta_gy)
    # (S / (n ab) + P) ab / (2 + ab): three passes in place, without a scratch array.
    result = np.multiply(s_gy2, 1 / (fractions * alpha_beta_gy), out=out)
    result += p_gy
    result *= alpha_beta_gy / (2 + alpha_beta_gy)
    return result


def check_schedule(fractions: float, alpha_beta_gy: float) -> None:
    """Refuse a number of fractions or an alpha/beta that the LQ model has no meaning for.

    Raises
    ------
    ReirradiationError
        If ``fractions`` is no whole number of at least 1, or ``alpha_beta_gy`` not finite and above 0.
    """
    if not np.isfinite(fractions) or fractions < 1 or fractions != int(fractions):
        raise ReirradiationError(f"the number of fractions is {fractions:g}: it has to be a whole number of 1 or more")
    if not np.isfinite(alpha_beta_gy) or alpha_beta_gy <= 0:
        raise ReirradiationError(f"alpha/beta is {alpha_beta_gy:g} Gy: it has to be a number above 0")


@dataclass(frozen=True)
class AlphaBeta:
    """One alpha/beta with where it comes from.

    Parameters
    ----------
    status
        ``"verified"`` (read in the source), ``"unverified"``, or ``"user"``.
    """

    alpha_beta_gy: float
    source: str
    status: str


@dataclass(frozen=True)
class AlphaBetaTable:
    """Alpha/beta by organ for late effects, one for targets, and one for everything else.

    Parameters
    ----------
    organs
        By the organ's TG-263 name without side or margin.
    """

    organs: Mapping[str, AlphaBeta]
    target: AlphaBeta
    default: AlphaBeta

    def find(self, match: OrganMatch, structure: str, user_values: Mapping[str, float] | None = None) -> AlphaBeta:
        """Return the alpha/beta of a structure.

        The user's value wins, by structure name first, then by TG-263 name with side, then without. A margin or part
        of an organ is given the organ's value.

        Parameters
        ----------
        user_values
            Alpha/beta in Gy by structure name or TG-263 name.

        Raises
        ------
        ReirradiationError
            If the user's value is not above 0.
        """
        for name in (structure, match.tg263, match.base):
            if user_values and name is not None and name in user_values:
                return self._of_user(name, user_values[name])
        if match.is_target:
            return self.target
        return self.organs.get(match.base or "", self.default)

    def _of_user(self, name: str, alpha_beta_gy: float) -> AlphaBeta:
        if not np.isfinite(alpha_beta_gy) or alpha_beta_gy <= 0:
            raise ReirradiationError(f"alpha/beta of {name!r} is {alpha_beta_gy:g} Gy: give a number above 0")
        return AlphaBeta(float(alpha_beta_gy), f"entered by the user for {name}", "user")


@lru_cache
def load_alpha_beta_table(path: Path = PROTOCOL_FOLDER / "alpha_beta.json") -> AlphaBetaTable:
    """Read a table of alpha/beta, by default the one that ships with the module.

    Raises
    ------
    ReirradiationError
        If a value is missing, out of its range, or an organ named twice; with the file, row and key.
    """
    document = read_json(path)
    document.check_keys(("schema", "title", "default", "target", "rows"), ("$schema",))
    document.choice("schema", ("reirradiation-review/alpha-beta/1",))
    organs: dict[str, AlphaBeta] = {}
    for row in document.records("rows", "id"):
        entry = _entry(row, "id", "organs")
        for organ in row.texts("organs"):
            if organ in organs:
                raise row.error("organs", f"{organ} has an alpha/beta in another row already")
            organs[organ] = entry
    return AlphaBetaTable(organs, _entry(document.record("target")), _entry(document.record("default")))


def _entry(record: Record, *more_keys: str) -> AlphaBeta:
    record.check_keys((*more_keys, "alpha_beta_gy", "source", "status"))
    status = record.choice("status", ("verified", "unverified"))
    return AlphaBeta(record.positive("alpha_beta_gy"), record.text("source"), status)
