"""The linear-quadratic-linear model: the effect of large fractions grows linearly from a transition dose on.

``BED = n [dT (1 + dT / ab) + (gamma/alpha) (d - dT)]`` for a dose per fraction ``d`` above ``dT``, else LQ
[Astrahan 2008, Med. Phys. 35, 4161-4172, doi 10.1118/1.2969065]. ``gamma/alpha = 1 + 2 dT / ab`` is the slope of the LQ
curve at ``dT``, so that the curve has no kink: with ``dT = 2 ab`` it is 5.

It is not linear in the moments of the dose, so it is warped for each alpha/beta anew. Published limits in EQD2 were
derived with plain LQ: LQ-L is a view on how much the model matters, and no limit is compared with it. It holds for
acute, fully repaired fractions; with incomplete repair or protracted irradiation it is not defined and is refused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The transition dose per fraction in units of alpha/beta: the usual value where none was fitted for the tissue
# (Astrahan 2008 and the tables that follow it).
LQL_TRANSITION_ALPHA_BETAS = 2.0


def lql_bed_gy(dose_gy: NDArray[np.float64], fractions: int, alpha_beta_gy: float) -> NDArray[np.float64]:
    """Return the BED in Gy of a checked total dose in equal fractions; see `biology.lq.bed_gy`."""
    transition_gy = LQL_TRANSITION_ALPHA_BETAS * alpha_beta_gy
    gamma_over_alpha = 1 + 2 * transition_gy / alpha_beta_gy
    per_fraction = dose_gy / fractions
    curved = np.minimum(per_fraction, transition_gy)
    return fractions * (curved * (1 + curved / alpha_beta_gy) + gamma_over_alpha * (per_fraction - curved))
