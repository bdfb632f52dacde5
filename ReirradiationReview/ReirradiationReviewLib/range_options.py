"""The options by which the ranges of values are said on the command line."""

from __future__ import annotations

import argparse
from typing import Any

from .argument_types import positive, zero_or_more
from .core.settings import SEARCH_MM


def add_range_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the k-mm search and of random registration errors."""
    parser.add_argument(
        "--search-mm",
        type=zero_or_more,
        default=SEARCH_MM,
        metavar="MM",
        help=f"range: highest earlier dose within this distance (default: {SEARCH_MM:g}; 0: none)",
    )
    parser.add_argument(
        "--search-anywhere", action="store_true", help="let that search leave the organ (default: it stays inside)"
    )
    parser.add_argument(
        "--registration-sigma-mm",
        type=positive(float),
        default=0.0,
        metavar="MM",
        help="range: standard deviation per axis of every registration's error (default: by the kind of registration)",
    )


def range_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the options say, by the names of `core.settings.Settings`."""
    return {
        "search_mm": options.search_mm,
        "search_within_organ": not options.search_anywhere,
        "registration_sd_mm": options.registration_sigma_mm,
    }
