"""Protracted brachytherapy: what repair during irradiation leaves of the quadratic effect.

Each model is ``BED = D (1 + q D / ab)`` for the dose ``D`` of one application; ``q`` enters the moments as the
quadratic factor. ``mu = ln 2 / T_half`` is the rate of (mono-exponential) repair. Several applications, each fully
repaired before the next, are the fractions of the plan. HDR is given in acute fractions: ``q = 1``, plain LQ; next to
the source the dose per fraction is large, so LQ overestimates there (`biology.lq_l`).

The formulas are those of Dale 1985 (Br. J. Radiol. 58, 515-528), and of Dale and Jones for pulses, as commonly
quoted, not read in the papers; they were checked against their limits: PDR tends to LDR where the pauses vanish and
to HDR where repair between the pulses is complete, and LDR and permanent implants tend to a single acute dose where
they are short.
"""

from __future__ import annotations

import math

import numpy as np

from .checks import check_positive


def continuous_factor(hours: float, repair_half_time_hours: float) -> float:
    """Return ``q`` of irradiation at a constant rate (LDR): ``(2 / (mu T)) (1 - (1 - exp(-mu T)) / (mu T))``.

    Valid where the source hardly decays during the time ``T`` of the application.
    """
    check_positive(hours, "the time of the application", "h")
    check_positive(repair_half_time_hours, "the repair half-time", "h")
    x = math.log(2) * hours / repair_half_time_hours
    if x < 1e-4:  # the series; the closed form loses all its digits here
        return 1.0 - x / 3.0
    return 2.0 / x * (1.0 + math.expm1(-x) / x)


def pulsed_factor(pulses: int, pulse_hours: float, period_hours: float, repair_half_time_hours: float) -> float:
    """Return ``q`` of equal pulses (PDR), each of a constant rate.

    ``(2 / (N mu t)) [1 - (N Y - S Y^2) / (N mu t)]`` with ``Y = 1 - Z``, ``Z = exp(-mu t)``, ``K = exp(-mu x)``,
    ``S = sum over m of (N - m) K^m Z^(m-1)``, for ``N`` pulses of length ``t`` with pauses ``x``. With one pulse it is
    `continuous_factor`.

    Parameters
    ----------
    pulse_hours
        Irradiation time of a pulse, ``t``.
    period_hours
        From the start of one pulse to the start of the next, ``t + x``.
    """
    single = continuous_factor(pulse_hours, repair_half_time_hours)
    mu_t = math.log(2) * pulse_hours / repair_half_time_hours
    z, k = math.exp(-mu_t), math.exp(-math.log(2) * (period_hours - pulse_hours) / repair_half_time_hours)
    steps = np.arange(1, pulses)
    pairs = float(np.sum((pulses - steps) * k**steps * z ** (steps - 1.0)))
    # Within the pulses, and between each two of them: 2 S Y^2 / (N mu t)^2.
    return single / pulses + 2.0 * pairs * (math.expm1(-mu_t) / (pulses * mu_t)) ** 2


def permanent_factor(source_half_life_days: float, repair_half_time_hours: float) -> float:
    """Return ``q`` of a permanent implant after complete decay: ``lambda / (mu + lambda)``.

    ``BED = D [1 + R0 / ((mu + lambda) ab)]`` with the initial rate ``R0 = lambda D`` [Dale 1985; AAPM TG-137, 2009].
    Valid for the total dose to complete decay in tissue that stays as it is; proliferation is not counted.
    """
    check_positive(source_half_life_days, "the half-life of the source", "days")
    check_positive(repair_half_time_hours, "the repair half-time", "h")
    decay, repair = 1.0 / (24.0 * source_half_life_days), 1.0 / repair_half_time_hours
    return decay / (repair + decay)
