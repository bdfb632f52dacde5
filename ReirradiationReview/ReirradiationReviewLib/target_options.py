"""The options by which targets made from other targets, margins and functional maps are said on the command line."""

from __future__ import annotations

import argparse
from typing import Any

from .argument_types import named_text, zero_or_more
from .core.targets.derive_requests import (
    COMBINE_USAGE,
    MARGIN_USAGE,
    CombinationRequest,
    MarginRequest,
    parse_combination,
    parse_margin,
)
from .core.targets.margin_recipe import SmallestMargin, smallest_margin


def add_target_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for combinations, margins, their uncertainties and functional maps."""

    def repeatable(option: str, reader: Any, metavar: str, text: str) -> None:
        parser.add_argument(option, type=reader, action="append", default=[], metavar=metavar, help=text)

    repeatable("--combine", str, "REQUEST", f"make a target of several: {COMBINE_USAGE}")
    repeatable(
        "--margin",
        str,
        "REQUEST",
        f"make a target with a margin, after all combinations and in the order given: {MARGIN_USAGE}; in mm; e.g. "
        "PTV=CTV+5;skin=3;cut=SpinalCord",
    )
    parser.add_argument(
        "--target-registration-error",
        type=zero_or_more,
        metavar="MM",
        help="mean error of the registration of the image in which the target is seen, for the smallest margin",
    )
    parser.add_argument(
        "--setup-error",
        type=zero_or_more,
        nargs=2,
        metavar=("SYSTEMATIC", "RANDOM"),
        help="standard deviations of the set-up along each axis in mm, for the smallest margin",
    )
    repeatable(
        "--function",
        named_text,
        "ORGAN=MAP",
        "weight an organ's dose by a functional map: an image file in the planning CT's space, or a part of the name "
        "of a PET, SPECT or MR series",
    )


def derived_requests(options: argparse.Namespace) -> tuple[MarginRequest | CombinationRequest, ...]:
    """Return the combinations, then the margins; ReirradiationError where a request makes no sense."""
    return (*map(parse_combination, options.combine), *map(parse_margin, options.margin))


def margin_of(options: argparse.Namespace) -> SmallestMargin:
    """Return the smallest margin that the stated uncertainties leave."""
    systematic, random = options.setup_error or (None, None)
    return smallest_margin(options.target_registration_error, systematic, random)
