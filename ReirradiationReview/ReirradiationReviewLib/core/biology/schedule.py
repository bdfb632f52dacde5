"""One prescription and all that can be said of how it is given, converted to BED and EQD2."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ReirradiationError
from .checks import check_positive, check_schedule, checked_dose_gy
from .delivery import DAILY, Delivery
from .lq import Model, bed_gy
from .rbe import VariableRbe
from .repopulation import bed_loss_gy, eqd2_loss_gy, refuse_for_organ
from .tissue import LATE_REPAIR_HALF_TIME_HOURS


@dataclass(frozen=True)
class Growth:
    """Repopulation of a tumour: ``Dprolif`` in Gy of EQD2 per day, or alpha and Tpot; see `biology.repopulation`."""

    overall_days: float
    kick_off_days: float
    proliferation_gy_per_day: float | None = None
    alpha_per_gy: float | None = None
    doubling_days: float | None = None

    def eqd2_loss_gy(self, alpha_beta_gy: float) -> float:
        """Return the EQD2 that growth takes away."""
        if self.proliferation_gy_per_day is not None:
            return eqd2_loss_gy(self.overall_days, self.kick_off_days, self.proliferation_gy_per_day)
        if self.alpha_per_gy is None or self.doubling_days is None:
            raise ReirradiationError("repopulation needs Dprolif in Gy per day, or alpha and the doubling time")
        loss = bed_loss_gy(self.overall_days, self.kick_off_days, self.alpha_per_gy, self.doubling_days)
        return loss / (1 + 2 / alpha_beta_gy)


GROWTH_FORM = "overall-days=N,kick-off-days=N,dprolif=N"


def parse_growth(text: str) -> Growth:
    """Return the repopulation that a text such as ``"overall-days=40,kick-off-days=21,dprolif=0.8"`` describes.

    Raises
    ------
    ReirradiationError
        If the text has another form, or the numbers are out of range.
    """
    pairs = dict(part.partition("=")[::2] for part in text.replace(" ", "").split(","))
    try:
        growth = Growth(*(float(pairs[key]) for key in ("overall-days", "kick-off-days", "dprolif")))
    except (KeyError, ValueError) as error:
        raise ReirradiationError(f"{text!r} is no repopulation: write {GROWTH_FORM}") from error
    growth.eqd2_loss_gy(1.0)  # refuses numbers out of range; the loss by Dprolif does not depend on alpha/beta
    return growth


@dataclass(frozen=True)
class Schedule:
    """A total dose in equal fractions or applications.

    Parameters
    ----------
    rbe_model, letd_kev_um
        Variable RBE of a physical proton dose at one LETd.
    is_tumour
        The dose is to a tumour: repopulation may be counted.
    """

    dose_gy: float
    fractions: int
    alpha_beta_gy: float
    model: Model = "lq"
    delivery: Delivery = DAILY
    repair_half_time_hours: float = LATE_REPAIR_HALF_TIME_HOURS
    rbe_model: VariableRbe | None = None
    letd_kev_um: float | None = None
    growth: Growth | None = None
    is_tumour: bool = False

    def eqd2_gy(self) -> float:
        """Return EQD2 in Gy, growth subtracted; not below 0.

        Raises
        ------
        ReirradiationError
            If a value is out of range, or models are combined that do not hold together.
        """
        eqd2 = self._bed_without_growth_gy() / (1 + 2 / self.alpha_beta_gy)
        return max(eqd2 - self._loss_gy(), 0.0)

    def bed_gy(self) -> float:
        """Return BED in Gy, growth subtracted; as for `eqd2_gy`."""
        return self.eqd2_gy() * (1 + 2 / self.alpha_beta_gy)

    def lines(self) -> list[str]:
        """Return the result and what it rests on."""
        model = "LQ" if self.model == "lq" else "LQ-L"
        fractions = "1 fraction" if self.fractions == 1 else f"{self.fractions} fractions"
        lines = [
            f"{self.dose_gy:g} Gy in {fractions}, alpha/beta {self.alpha_beta_gy:g} Gy, {model}: "
            f"BED {self.bed_gy():.2f} Gy, EQD2 {self.eqd2_gy():.2f} Gy"
        ]
        if self.model == "lql":
            lines.append("LQ-L is a view on the model's influence: do not compare it with limits, which are LQ.")
        if self.delivery.depends_on_repair:
            factor = self.delivery.quadratic_factor(self.repair_half_time_hours)
            repair = f"repair half-time {self.repair_half_time_hours:g} h"
            lines.append(f"{self.delivery.text()}, {repair}: the quadratic effect is times {factor:.4f}.")
        if self.rbe_model is not None and self.letd_kev_um is not None:
            rbe = float(self.rbe_model.rbe(self.dose_gy / self.fractions, self.letd_kev_um, self.alpha_beta_gy))
            lines.append(f"RBE {rbe:.4f} at LETd {self.letd_kev_um:g} keV/um ({self.rbe_model.source}).")
        if self.growth is not None:
            lines.append(f"Repopulation has taken {self._loss_gy():.2f} Gy of EQD2; it is subtracted above.")
        return lines + [notice.text for notice in self.delivery.notices("this schedule")]

    def _bed_without_growth_gy(self) -> float:
        check_schedule(self.fractions, self.alpha_beta_gy)
        check_positive(self.repair_half_time_hours, "the repair half-time", "h")
        dose_gy = float(checked_dose_gy(self.dose_gy))
        is_plain = not self.delivery.depends_on_repair and self.rbe_model is None
        if self.model == "lql" and not is_plain:
            raise ReirradiationError(
                "LQ-L is defined for acute, fully repaired photon fractions: it cannot be combined with several "
                "fractions a day, protracted irradiation or a variable RBE"
            )
        if self.model == "lql":
            return bed_gy(dose_gy, self.fractions, self.alpha_beta_gy, "lql")
        linear, quadratic = 1.0, 1.0
        if self.rbe_model is not None:
            if self.letd_kev_um is None:
                raise ReirradiationError("a variable RBE needs the LETd in keV/um")
            rbe_max, rbe_min = self.rbe_model.limits(self.letd_kev_um, self.alpha_beta_gy)
            linear, quadratic = float(rbe_max), float(rbe_min) ** 2
        quadratic *= self.delivery.quadratic_factor(self.repair_half_time_hours)
        return dose_gy * (linear + quadratic * dose_gy / self.fractions / self.alpha_beta_gy)

    def _loss_gy(self) -> float:
        if self.growth is None:
            return 0.0
        refuse_for_organ(self.is_tumour, "what this dose is given to")
        return self.growth.eqd2_loss_gy(self.alpha_beta_gy)
