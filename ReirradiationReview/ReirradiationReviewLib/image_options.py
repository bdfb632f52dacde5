"""The options by which images, and targets made from them, are said on the command line."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from .argument_types import folder, positive
from .core.image_inputs import NO_SUV, ImageInputs
from .core.pet.body import SUV_TYPES
from .core.pet.facts import EnteredPet
from .core.targets.methods import METHODS, USAGE, TargetRequest, parse_request


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for PET and MR, what PET files lack, and new targets."""

    def repeatable(option: str, reader: Any, metavar: str, text: str) -> None:
        parser.add_argument(option, type=reader, action="append", default=[], metavar=metavar, help=text)

    repeatable("--pet", folder, "DIR", "DICOM folder with PET series; repeatable")
    repeatable("--mr", folder, "DIR", "DICOM folder with MR series; repeatable")
    repeatable("--spect", folder, "DIR", "DICOM folder with reconstructed SPECT; repeatable")
    repeatable("--pet-series", str, "TEXT", "of these, use series whose description contains TEXT (default: all)")
    repeatable("--mr-series", str, "TEXT", "likewise for MR")
    repeatable(
        "--image-registration",
        str,
        "auto|identity|rigid|FILE",
        "how PET and MR are brought to the reference; once for all or once for each folder, PET first (default: auto: "
        "by Frame of Reference, else by a REG object of the folders, else rigidly). FILE: as for --registration",
    )
    repeatable(
        "--gtv", str, "REQUEST", f"make a target: {USAGE}; METHOD is {', '.join(METHODS)}; SEED is L,P,S in mm or a "
        "structure; e.g. percent:41@12,200,-769"
    )  # fmt: skip
    parser.add_argument(
        "--suv", choices=(*SUV_TYPES, NO_SUV), default="bw", help="what SUV is normalised by (default: bw, body weight)"
    )
    pet = parser.add_argument_group("values that PET files lack or state wrongly; they are marked as entered")
    pet.add_argument("--pet-weight-kg", type=positive(float), metavar="KG")
    pet.add_argument("--pet-height-m", type=positive(float), metavar="M")
    pet.add_argument("--pet-sex", choices=("M", "F", "O"))
    pet.add_argument("--pet-dose-mbq", type=positive(float), metavar="MBQ", help="injected activity")
    pet.add_argument("--pet-injection", type=_moment, metavar="DATETIME", help="e.g. 2024-01-02T08:30:00")
    pet.add_argument("--pet-half-life-s", type=positive(float), metavar="S")
    pet.add_argument("--pet-decay-correction", choices=("START", "ADMIN", "NONE"))
    pet.add_argument("--pet-decay-reference", type=_moment, metavar="DATETIME", help="time the values stand for")
    pet.add_argument("--pet-bqml-per-count", type=positive(float), metavar="FACTOR", help="of a series in counts")


def image_inputs(options: argparse.Namespace) -> ImageInputs:
    """Return the images that the options say."""
    return ImageInputs(
        pet=tuple(options.pet),
        mr=tuple(options.mr),
        spect=tuple(options.spect),
        pet_series=tuple(options.pet_series),
        mr_series=tuple(options.mr_series),
        suv_type=options.suv,
        entered=EnteredPet(
            weight_kg=options.pet_weight_kg,
            height_m=options.pet_height_m,
            sex=options.pet_sex,
            dose_mbq=options.pet_dose_mbq,
            injection=options.pet_injection,
            half_life_s=options.pet_half_life_s,
            decay_correction=options.pet_decay_correction,
            decay_reference=options.pet_decay_reference,
            bqml_per_count=options.pet_bqml_per_count,
        ),
        registration=tuple(options.image_registration or ("auto",)),
    )


def target_requests(options: argparse.Namespace) -> tuple[TargetRequest, ...]:
    """Return the targets that are to be made; ReirradiationError where a request makes no sense."""
    return tuple(parse_request(text) for text in options.gtv)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date and time such as 2024-01-02T08:30:00") from error
    if moment.tzinfo is not None or len(text) <= len("2024-01-02"):
        raise argparse.ArgumentTypeError(f"{text!r} needs a time, and no time zone: local time, as in the files")
    return moment
