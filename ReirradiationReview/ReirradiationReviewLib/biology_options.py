"""The options by which biology is said on the command line: of a review, and of a single schedule."""

from __future__ import annotations

import argparse
from typing import Any

from .argument_types import named_file, named_text, pair, positive
from .core.biology.delivery import DELIVERY_FORMS, Delivery, Fractions, parse_delivery
from .core.biology.rbe import CONSTANT_RBE, VARIABLE_RBE
from .core.biology.schedule import GROWTH_FORM, Growth, Schedule
from .core.biology.tissue import LATE_REPAIR_HALF_TIME_HOURS
from .core.errors import ReirradiationError


def add_review_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a review: tissue, recovery, intervals, and how each plan was given."""

    def repeatable(option: str, reader: Any, metavar: str, text: str) -> None:
        parser.add_argument(option, type=reader, action="append", default=[], metavar=metavar, help=text)

    repeatable("--alpha-beta", pair(float), "NAME=GY", "alpha/beta of an organ")
    repeatable("--repair-half-time", pair(float), "NAME=HOURS", "half-time of repair of an organ, for protracted plans")
    repeatable(
        "--recovery",
        pair(float),
        "NAME=FRACTION",
        "recovered fraction (0 to 1) of an organ's earlier EQD2; used by discounted rows only",
    )
    parser.add_argument(
        "--recovery-table",
        default="",
        metavar="ID",
        help="recovery by organ and interval: umich, owen_2020_liver, or a file (default: none)",
    )
    repeatable(
        "--interval-months", pair(float), "COURSE=N", "months from a course (its number) to the new one, over the dates"
    )
    repeatable("--fractions", pair(int), "PLAN=N", "number of fractions that the dose of a plan stands for")
    repeatable("--delivered", pair(int), "PLAN=N", "fractions of a plan that were delivered, over the records")
    repeatable("--delivery", named_text, "PLAN=HOW", f"how each fraction is given: {DELIVERY_FORMS}")
    repeatable(
        "--rbe", named_text, "PLAN=RBE", f"of an ion plan: included, {CONSTANT_RBE:g}, {', '.join(VARIABLE_RBE)}"
    )
    repeatable("--let", named_file, "PLAN=FILE", "image of the LETd in keV/um of a plan, for a variable RBE")
    repeatable("--repopulation", named_text, "TARGET=HOW", f"what a target regains by growing: {GROWTH_FORM}")
    parser.add_argument(
        "--same-fraction",
        nargs="+",
        action="append",
        default=[],
        metavar="PLAN",
        help="plans given in the same fractions: their doses are summed before the conversion; repeatable",
    )


def review_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the options say, by the names of `core.settings.Settings`."""
    return {
        "alpha_beta_gy": dict(options.alpha_beta),
        "repair_half_time_hours": dict(options.repair_half_time),
        "recovery": dict(options.recovery),
        "recovery_table": options.recovery_table,
        "interval_months": {_course_label(name): months for name, months in options.interval_months},
        "delivered": dict(options.delivered),
        "delivery": dict(options.delivery),
        "rbe": dict(options.rbe),
        "repopulation": dict(options.repopulation),
    }


def review_inputs(options: argparse.Namespace) -> dict[str, Any]:
    """Return the inputs that the options say, by the names of `run.RunInputs`."""
    return {
        "fractions": dict(options.fractions),
        "same_fraction": tuple(tuple(group) for group in options.same_fraction),
        "letd": dict(options.let),
    }


def _course_label(name: str) -> str:
    """Return the label that a course of a run has; it may be called by its number."""
    return f"course {name}" if name.isdigit() else name


def add_schedule_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a single schedule."""
    number = positive(float)
    parser.add_argument("--dose", type=number, required=True, metavar="GY", help="total dose")
    parser.add_argument("--fractions", type=positive(int), required=True, metavar="N")
    parser.add_argument("--alpha-beta", type=number, required=True, metavar="GY")
    parser.add_argument("--model", choices=("lq", "lql"), default="lq", help="linear-quadratic (-linear)")
    parser.add_argument("--fractions-per-day", type=positive(int), metavar="N", help="1 to 3 (default: 1)")
    parser.add_argument("--interval-hours", type=number, metavar="H", help="between the fractions of a day")
    parser.add_argument("--delivery", metavar="HOW", help=f"of each fraction or application: {DELIVERY_FORMS}")
    parser.add_argument(
        "--repair-half-time",
        type=number,
        default=LATE_REPAIR_HALF_TIME_HOURS,
        metavar="H",
        help=f"half-time of repair (default: {LATE_REPAIR_HALF_TIME_HOURS:g}, late-responding tissue)",
    )
    parser.add_argument(
        "--rbe", choices=tuple(VARIABLE_RBE), help="variable RBE; the dose is then physical proton dose"
    )
    parser.add_argument("--letd", type=number, metavar="KEV_UM", help="dose-averaged LET in keV/um, for --rbe")
    parser.add_argument("--tumour", action="store_true", help="the dose is to a tumour: repopulation may be counted")
    parser.add_argument("--overall-days", type=number, metavar="D", help="overall time, for repopulation")
    parser.add_argument("--kick-off-days", type=float, default=0.0, metavar="D", help="when it starts (default: 0)")
    parser.add_argument("--dprolif", type=number, metavar="GY", help="EQD2 lost per day")
    parser.add_argument("--alpha", type=number, metavar="PER_GY", help="with --doubling-days, instead of --dprolif")
    parser.add_argument("--doubling-days", type=number, metavar="D", help="potential doubling time")


def schedule_of(options: argparse.Namespace) -> Schedule:
    """Return the schedule that the options say.

    Raises
    ------
    ReirradiationError
        If options contradict each other or one is missing.
    """
    return Schedule(
        options.dose,
        options.fractions,
        options.alpha_beta,
        options.model,
        _delivery(options),
        options.repair_half_time,
        VARIABLE_RBE[options.rbe] if options.rbe else None,
        options.letd,
        _growth(options),
        options.tumour,
    )


def _delivery(options: argparse.Namespace) -> Delivery:
    if options.delivery is None:
        if options.interval_hours is not None and options.fractions_per_day in (None, 1):
            raise ReirradiationError("--interval-hours is between the fractions of a day: give --fractions-per-day too")
        return Fractions(options.fractions_per_day or 1, options.interval_hours)
    if options.fractions_per_day is not None or options.interval_hours is not None:
        raise ReirradiationError("--delivery and --fractions-per-day say the same thing: give one of them")
    return parse_delivery(options.delivery)


def _growth(options: argparse.Namespace) -> Growth | None:
    rates = (options.dprolif, options.alpha, options.doubling_days)
    if options.overall_days is None:
        if any(rate is not None for rate in rates):
            raise ReirradiationError("repopulation needs the overall time: give --overall-days")
        return None
    return Growth(options.overall_days, options.kick_off_days, *rates)
