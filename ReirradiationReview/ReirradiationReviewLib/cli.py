"""The command line: `reirradiation-review demo | inspect | run | eqd2 | protocols | evidence`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .argument_types import folder, positive
from .biology_options import add_review_options, add_schedule_options, review_inputs, review_settings, schedule_of
from .core.errors import ReirradiationError
from .core.settings import DISPLAY_ALPHA_BETA_GY, Settings
from .image_options import add_image_options, image_inputs, target_requests
from .range_options import add_range_options, range_settings
from .registration_options import add_registration_options, landmark_files
from .target_options import add_target_options, derived_requests, margin_of

RESEARCH_USE = "Research use only; not a medical device. Check every number independently."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 input cannot be reviewed, 2 wrong usage."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        options.command(options)
    except ReirradiationError as error:
        print(f"reirradiation-review: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("reirradiation-review: stopped; nothing more was written", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: no failure. Python would complain when it flushes at exit.
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"reirradiation-review: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="reirradiation-review",
        description="Review a re-irradiation: earlier courses and the new plan in, composite EQD2, constraints and a "
        f"report out. {RESEARCH_USE}",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_demo(commands)
    _add_inspect(commands)
    _add_run(commands)
    _add_eqd2(commands)
    _add_protocols(commands)
    _add_evidence(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="make the synthetic demo case and run the whole review on it")
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="where to write (default: demo)")
    demo.add_argument("--seed", type=int, default=1, help="seed of the synthetic patient (default: 1)")
    demo.set_defaults(command=_demo)


def _add_inspect(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    inspect = commands.add_parser("inspect", help="say what is in DICOM folders: courses, plans, doses, warnings")
    inspect.add_argument("folders", type=folder, nargs="+", metavar="DIR")
    inspect.set_defaults(command=_inspect)


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="run the review", description=RESEARCH_USE)
    run.add_argument(
        "--course",
        type=folder,
        action="append",
        required=True,
        metavar="DIR",
        help="DICOM folder of one course; give twice or more, oldest first; the last is the new plan",
    )
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the report and files are written")
    run.add_argument("--reference", type=int, metavar="N", help="course number to review in (default: the last)")
    add_registration_options(run)
    run.add_argument(
        "--protocol", action="append", metavar="ID", help="constraint set or file (default: beddok_2022); repeatable"
    )
    add_review_options(run)
    add_range_options(run)
    add_image_options(run)
    add_target_options(run)
    run.add_argument(
        "--composite-alpha-beta",
        type=positive(float),
        default=DISPLAY_ALPHA_BETA_GY,
        metavar="GY",
        help=f"alpha/beta of the composite pictures and RTDOSE (default: {DISPLAY_ALPHA_BETA_GY:g})",
    )
    run.set_defaults(command=_run)


def _add_eqd2(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    eqd2 = commands.add_parser("eqd2", help="convert one prescription to BED and EQD2")
    add_schedule_options(eqd2)
    eqd2.set_defaults(command=_eqd2)


def _add_protocols(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    protocols = commands.add_parser(
        "protocols", help="list constraint sets and recovery tables, or print one with its sources"
    )
    protocols.add_argument("id", nargs="?", metavar="ID|FILE", help="of a set or table; a file of your own is checked")
    protocols.set_defaults(command=_protocols)


def _add_evidence(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evidence = commands.add_parser("evidence", help="print what the literature reports, for one site or for all")
    evidence.add_argument("site", nargs="?", metavar="SITE", help="e.g. head_and_neck")
    evidence.set_defaults(command=_evidence)


def _demo(options: argparse.Namespace) -> None:
    from .core.demo import write_demo_case
    from .core.errors import part_of
    from .core.image_inputs import ImageInputs
    from .run import RunInputs, run_review

    progress = ConsoleProgress()
    case = write_demo_case(options.out / "case", options.seed, part_of(progress, 0.0, 0.3))
    images = ImageInputs(pet=(case.pet,), mr=(case.mr,), registration=("auto", str(case.registration)))
    inputs = RunInputs((case.course1, case.course2), images=images)
    written = run_review(inputs, options.out / "review", part_of(progress, 0.3, 1.0))
    progress.finish()
    _say_written(written)


def _inspect(options: argparse.Namespace) -> None:
    from .core.dicom import inspect

    for line in inspect(options.folders).lines():
        print(line)


def _run(options: argparse.Namespace) -> None:
    from .beside import TargetInputs
    from .run import RunInputs, run_review

    count = len(options.course)
    if options.reference is not None and not 1 <= options.reference <= count:
        raise ReirradiationError(f"--reference {options.reference}: there are {count} courses, numbered 1 to {count}")
    settings = Settings(
        **review_settings(options),
        **range_settings(options),
        protocols=tuple(options.protocol or ("beddok_2022",)),
        display_alpha_beta_gy=options.composite_alpha_beta,
    )
    inputs = RunInputs(
        courses=tuple(options.course),
        reference_index=-1 if options.reference is None else options.reference - 1,
        registration=tuple(options.registration or ("auto",)),
        compared_registration=tuple(options.compare_registration or ()),
        settings=settings,
        **review_inputs(options),
        landmarks=landmark_files(options),
        registration_cache=options.registration_cache,
        images=image_inputs(options),
        targets=TargetInputs(
            target_requests(options), derived_requests(options), margin_of(options), dict(options.function)
        ),
    )
    progress = ConsoleProgress()
    written = run_review(inputs, options.out, progress)
    progress.finish()
    _say_written(written)


def _eqd2(options: argparse.Namespace) -> None:
    for line in schedule_of(options).lines():
        print(line)


def _protocols(options: argparse.Namespace) -> None:
    from .core.constraint_tables import list_tables, load_table

    if options.id is None:
        for table in list_tables():
            print(f"{table.id}  {table.title}")
        return
    for line in load_table(options.id).lines():
        print(line)


def _evidence(options: argparse.Namespace) -> None:
    from .core.evidence import load_evidence

    evidence = load_evidence()
    if options.site is None:
        print("Sites: " + ", ".join(site.id for site in evidence.sites))
    for line in (evidence if options.site is None else evidence.for_site(options.site)).lines():
        print(line)


def _say_written(written: dict[str, Path]) -> None:
    print(f"Report: {written['report'].resolve()}")
    print(f"Data:   {written['data'].resolve()}")
    print(f"Scene:  {written['scene'].resolve()}" if "scene" in written else "Scene:  not written (see the warnings)")
    print(RESEARCH_USE)


class ConsoleProgress:
    """Progress on the error stream: one line rewritten on a terminal, one line per step elsewhere."""

    def __init__(self) -> None:
        self._last_text = ""
        self._on_terminal = sys.stderr.isatty()

    def __call__(self, fraction: float, text: str) -> None:
        """Show how far the work is."""
        if self._on_terminal:
            print(f"\r\033[K[{fraction:4.0%}] {text}", end="", file=sys.stderr, flush=True)
        elif text != self._last_text:
            print(f"[{fraction:4.0%}] {text}", file=sys.stderr, flush=True)
        self._last_text = text

    def finish(self) -> None:
        """Clear the terminal's progress line."""
        if self._on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
