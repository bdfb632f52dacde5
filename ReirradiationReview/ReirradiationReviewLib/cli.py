"""The command line: `reirradiation-review demo | inspect | run | serve | eqd2 | protocols | evidence`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .argument_types import folder
from .biology_options import add_schedule_options, schedule_of
from .core.errors import ReirradiationError
from .run_options import add_run_options, run_inputs
from .web.command import add_serve, serve_review

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
    add_serve(commands, _say)
    _add_eqd2(commands)
    _add_protocols(commands)
    _add_evidence(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="make the synthetic demo case and run the whole review on it")
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="where to write (default: demo)")
    demo.add_argument("--seed", type=int, default=1, help="seed of the synthetic patient (default: 1)")
    demo.add_argument("--serve", action="store_true", help="then open the review in the browser")
    demo.set_defaults(command=_demo)


def _add_inspect(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    inspect = commands.add_parser("inspect", help="say what is in DICOM folders: courses, plans, doses, warnings")
    inspect.add_argument("folders", type=folder, nargs="+", metavar="DIR")
    inspect.set_defaults(command=_inspect)


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="run the review", description=RESEARCH_USE)
    run.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the report and files are written")
    add_run_options(run, courses_needed=True)
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
    if options.serve:
        serve_review(inputs, _say)
    else:
        _say("To look at it in the browser: reirradiation-review demo --serve")


def _inspect(options: argparse.Namespace) -> None:
    from .core.dicom import inspect

    for line in inspect(options.folders).lines():
        print(line)


def _run(options: argparse.Namespace) -> None:
    from .run import run_review

    progress = ConsoleProgress()
    written = run_review(run_inputs(options), options.out, progress)
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


def _say(line: str) -> None:
    print(line, flush=True)


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
