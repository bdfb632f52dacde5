"""The linear-quadratic model: BED and EQD2 of a dose, and of the warped moments of a dose.

With a total dose ``D`` in ``n`` equal fractions, ``BED = D + q D^2 / (n ab)`` and ``EQD2 = BED / (1 + 2 / ab)``
[Fowler 1989, Br. J. Radiol. 62, 679-694; Bentzen 2012, Radiother. Oncol. 105, 266-268]. The quadratic factor ``q`` is 1
for acute fractions a day apart. It carries everything that repair during or between irradiations changes
(`biology.delivery`), so all those models stay linear in the moments ``P = W[D]`` and ``S = W[D^2]``.

Valid where dose per fraction is up to about 10 Gy; above, LQ may overestimate the effect (see `biology.lq_l`).
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from ..errors import ReirradiationError
from .checks import check_schedule, checked_dose_gy
from .lq_l import lql_bed_gy

Model = Literal["lq", "lql"]


@overload
def bed_gy(dose_gy: float, fractions: int, alpha_beta_gy: float, model: Model = "lq") -> float: ...


@overload
def bed_gy(dose_gy: NDArray[Any], fractions: int, alpha_beta_gy: float, model: Model = "lq") -> NDArray[np.float64]: ...


def bed_gy(
    dose_gy: float | NDArray[Any], fractions: int, alpha_beta_gy: float, model: Model = "lq"
) -> float | NDArray[np.float64]:
    """Return the biologically effective dose of a total dose given in equal, acute, fully repaired fractions.

    LQ: ``n d (1 + d / ab)`` with ``d = D / n``. For LQ-L see `biology.lq_l`. Published limits in EQD2 are LQ; do not
    compare an LQ-L value with them.

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
    dose = checked_dose_gy(dose_gy)
    if model == "lq":
        bed = dose * (1 + dose / fractions / alpha_beta_gy)
    elif model == "lql":
        bed = lql_bed_gy(dose, fractions, alpha_beta_gy)
    else:
        raise ReirradiationError(f"{model!r} is no dose-effect model: choose lq or lql")
    return float(bed) if np.ndim(dose_gy) == 0 else bed


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


def dose_of_bed_gy(bed_gy: float, fractions: int, alpha_beta_gy: float) -> float:
    """Return the total dose in Gy that has a BED in Gy in so many equal fractions: the inverse of LQ `bed_gy`.

    The positive root of ``n d (1 + d / ab) = BED``: ``d = (ab / 2) (-1 + sqrt(1 + 4 BED / (n ab)))``.

    Raises
    ------
    ReirradiationError
        If a value is out of its range.
    """
    check_schedule(fractions, alpha_beta_gy)
    bed = float(checked_dose_gy(bed_gy))
    return fractions * alpha_beta_gy / 2 * float(np.sqrt(1 + 4 * bed / (fractions * alpha_beta_gy)) - 1)


def eqd2_from_moments(
    p_gy: NDArray[np.float64],
    s_gy2: NDArray[np.float64],
    fractions: int,
    alpha_beta_gy: float,
    out: NDArray[np.float64] | None = None,
    *,
    quadratic_factor: float = 1.0,
) -> NDArray[np.float64]:
    """Return the LQ EQD2 from the warped moments of a plan's dose, ``(ab P + q S / n) / (2 + ab)``, in Gy.

    Parameters
    ----------
    p_gy, s_gy2
        ``W[D]`` in Gy and ``W[D^2]`` in Gy^2, of one shape, for a linear warp ``W`` (see `core.dose_mapping`).
    out
        Array to write into, of that shape; it may be ``s_gy2`` itself. A new one by default.
    quadratic_factor
        ``q``: 1 for acute fractions with complete repair between them, else see `biology.delivery`.

    Raises
    ------
    ReirradiationError
        If the number of fractions or alpha/beta is out of its range.
    """
    check_schedule(fractions, alpha_beta_gy)
    # (q S / (n ab) + P) ab / (2 + ab): three passes in place, without a scratch array.
    result = np.multiply(s_gy2, quadratic_factor / (fractions * alpha_beta_gy), out=out)
    result += p_gy
    result *= alpha_beta_gy / (2 + alpha_beta_gy)
    return result
