"""How each plan was given, from the files and the user: delivered fractions, protraction, RBE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .biology.delivery import DAILY, Delivery, parse_delivery
from .biology.rbe import AS_READ, Rbe, parse_rbe
from .courses import Course, FractionsSource, Plan
from .dose_mapping import PlanWeight
from .errors import Notice, ReirradiationError
from .settings import Settings

Value = TypeVar("Value")


@dataclass(frozen=True)
class PlanGiven:
    """How one plan enters every sum.

    Parameters
    ----------
    planned_fractions
        Number of fractions that the plan's dose stands for.
    fractions, source
        Number of fractions that is counted, and where it is from.
    recorded_fractions
        Number that treatment records show as delivered; None where none tell.
    """

    label: str
    planned_fractions: int
    fractions: int
    source: FractionsSource
    recorded_fractions: int | None
    delivery: Delivery
    rbe: Rbe

    def weight(self, share: float) -> PlanWeight:
        """Return how the plan enters a sum.

        Parameters
        ----------
        share
            Factor on its EQD2: ``1 - recovery``; 0 to leave it out.
        """
        return PlanWeight(
            fractions=self.planned_fractions,
            weight=share,
            delivered_share=self.fractions / self.planned_fractions,
            dose_factor=self.rbe.factor,
            rbe_model=self.rbe.model,
            delivery=self.delivery,
        )

    def notices(self) -> list[Notice]:
        """Return what the user must know of how the plan is counted."""
        found = self.delivery.notices(self.label)
        if self.fractions != self.planned_fractions:
            by = "as entered by the user" if self.source == "user" else "as the treatment records show"
            text = (
                f"plan {self.label!r}: {self.fractions} of {self.planned_fractions} fractions are counted, {by}; the "
                "dose per fraction is unchanged, so dose and EQD2 scale with their ratio. Enter another number with "
                f"--delivered {self.label!r}=N"
            )
            found.append(Notice("fractions-counted", text, self.label))
        elif self.recorded_fractions not in (None, self.fractions):
            by = "as the user says" if self.source == "user" else "since the new plan is judged as planned"
            text = (
                f"plan {self.label!r}: all {self.fractions} fractions are counted, {by}, though the treatment records "
                f"show {self.recorded_fractions}"
            )
            found.append(Notice("fractions-counted", text, self.label))
        return found


def plans_given(courses: Sequence[Course], reference_index: int, settings: Settings) -> tuple[PlanGiven, ...]:
    """Return how every plan was given, in the order of the courses and their plans.

    The user wins over the treatment records, and these over the plan. The new plan is judged as planned: records of it
    are counted only if the user says so.

    Raises
    ------
    ReirradiationError
        If the settings name a plan that is not there or is ambiguous, or hold a value without meaning; or if a plan of
        heavy ions is to be converted without the user's word that its dose is fit for it.
    """
    plans = [plan for course in courses for plan in course.plans]
    for option, values in (("delivered", settings.delivered), ("delivery", settings.delivery), ("rbe", settings.rbe)):
        _refuse_unknown_plans(option, values, plans)
    return tuple(
        _given(plan, index == reference_index, settings)
        for index, course in enumerate(courses)
        for plan in course.plans
    )


def _refuse_unknown_plans(option: str, values: Mapping[str, object], plans: Sequence[Plan]) -> None:
    for name in values:
        named = [plan for plan in plans if name in (plan.label, plan.plan_uid)]
        if not named:
            known = ", ".join(repr(plan.label) for plan in plans)
            raise ReirradiationError(f"--{option} names the plan {name!r}, but there is none; there are {known}")
        if len(named) > 1:
            uids = ", ".join(plan.plan_uid or "unknown" for plan in named)
            raise ReirradiationError(
                f"--{option} {name!r}: several plans have this label; give the plan's UID instead ({uids})"
            )


def _given(plan: Plan, is_reference: bool, settings: Settings) -> PlanGiven:
    assert plan.fractions is not None  # check_courses refused it
    fractions, source = plan.fractions, plan.fractions_source
    entered = _of(settings.delivered, plan)
    if entered is not None:
        if isinstance(entered, bool) or int(entered) != entered or entered < 0:
            raise ReirradiationError(f"--delivered {plan.label!r}={entered}: enter a whole number of 0 or more")
        fractions, source = int(entered), "user"
    elif plan.delivered_fractions and not is_reference:
        fractions, source = plan.delivered_fractions, "record"
    delivery = _of(settings.delivery, plan) or plan.delivery
    return PlanGiven(
        label=plan.label,
        planned_fractions=plan.fractions,
        fractions=fractions,
        source=source,
        recorded_fractions=plan.delivered_fractions,
        delivery=parse_delivery(delivery) if delivery else DAILY,
        rbe=_rbe(plan, _of(settings.rbe, plan)),
    )


def _of(values: Mapping[str, Value], plan: Plan) -> Value | None:
    return values.get(plan.plan_uid, values.get(plan.label))


def _rbe(plan: Plan, entered: str | None) -> Rbe:
    if entered is not None:
        rbe = parse_rbe(entered, dose_has_rbe=plan.dose_type == "EFFECTIVE")
        if plan.modality == "RTPLAN" and (rbe.factor != 1.0 or rbe.model is not None):
            raise ReirradiationError(
                f"--rbe {plan.label!r}={entered}: this is a plan of photons or electrons (RTPLAN): no RBE applies to it"
            )
        if rbe.model is not None and plan.letd_kev_um is None:
            raise ReirradiationError(
                f"plan {plan.label!r}: a variable RBE needs the LETd of the plan: give its volume with --let"
            )
        return rbe
    if plan.is_heavy_ion:
        raise ReirradiationError(
            f"plan {plan.label!r} is of ions heavier than protons (Radiation Atomic Number (300A,0306)): its dose does "
            "not follow the LQ model of photons, so it is not converted unasked. If it may be taken as it is, say so "
            f"with --rbe {plan.label!r}=included"
        )
    return AS_READ
