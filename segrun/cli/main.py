"""The command line: sub-commands and help are segrun's own, everything else is Hydra's."""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TextIO

from segrun import interrupt
from segrun.cli.arguments import is_file
from segrun.errors import ConfigError, SegrunError
from segrun.nearest import did_you_mean

HELP = """\
segrun - many clusterings of customers, declared in YAML, run fast, compared honestly

usage
  segrun [KEY=VALUE ...]              run one experiment
  segrun -m KEY=VALUE,VALUE ...       run every combination, one job each
  segrun FILE.yaml [KEY=VALUE ...]    run the experiment in a file, such as a sweep's best.yaml
  segrun COMMAND                      see below

examples
  segrun -m algo=kmeans,dbscan
  segrun dataset=online_retail dataset.path=OnlineRetail.csv.gz algo=kmeans
  segrun dataset=transactions dataset.path=FILE 'dataset.columns={customer: A, date: B, amount: C}'
  segrun algo=kmeans algo.params.n_clusters=7      fix an axis of the grid
  segrun algo=kmeans 'algo.grid.n_clusters=[3,5,7]'
  segrun experiment=kit_kmeans_x1 dataset.path=OnlineRetail.csv.gz

groups (folders of conf/; your own ./conf beside the current directory extends them)
  dataset features augmentation transform algo backend engine evaluation segments experiment

commands
  plan [--estimate] KEY=VALUE,VALUE ...   what -m would run: done, cached or missing
  resume SWEEP                run what is missing or failed of a sweep, and nothing else
  reproduce PATH              run a run, a sweep or a benchmark again: does it come to the same?
  describe RUN                segments of a run: which point, profiles, facts, names
  name RUN 3="Gift shops"     give a segment a name
  report RUN|SWEEP            one page with everything, report.html, and its pictures
  compare RUN RUN             scores, sizes, agreement and times side by side
  apply RUN INPUT --output FILE   the segments of new customers, and how they differ
  ingest RUN FILE ...         new sales merged in: features and segments of the customers touched
  export RUN --to FILE|URL    the input joined with its segments: a file or a database
  plugins                     every algorithm: origin, parameters, grid, whether it runs here
  plugins check NAME          run the conformance tests of an algorithm
  plugins new NAME [FOLDER]   write a working plugin to begin with
  generate dataset=NAME --output FILE   an embedded dataset as a file of any size
  fetch online_retail         download the UCI Online Retail data into the cache
  cache [clear [--older DAYS]]   what is kept of large inputs; remove it
  doctor [--all]              environment, versions, which backends and engines work here

options
  -m, --multirun   run every combination
  --cfg job        show the composed configuration and stop
  --info config    show how the configuration was composed
  --hydra-help     all options of Hydra
  --version        version of segrun
  -h, --help       this page

Results go to outputs/<name>/<time>/. Exit code: 0 all done; 1 a job or point failed;
2 the configuration is wrong; 3 reproduce came to other results; 130 interrupted.
"""


def main() -> None:
    """Run the console script ``segrun`` and exit."""
    # Closed by the caller (2>&-), which print and progress cannot bear.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    # A crash in compiled code, which no except sees, then says what crashed, and where.
    faulthandler.enable()
    try:
        interrupt.listen()
        code = dispatch(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _say("interrupted", 130)
    except SegrunError as error:
        code = _say(str(error), 2 if isinstance(error, ConfigError) else 1)
    except BrokenPipeError:
        # Whoever read our output has seen enough (| head).
        _silence_stdout()
        code = 1
    except OSError as error:
        code = _say(f"the output cannot be written: {error}", 1)
        _silence_stdout()
    # Else Python looks for garbage once more among all that was imported: half a second. DuckDB
    # complains of what is not collected.
    if "duckdb" not in sys.modules:
        gc.freeze()
    sys.exit(code)


def _silence_stdout() -> None:
    # What is still buffered would fail again when Python exits.
    with _nowhere() as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def dispatch(arguments: list[str]) -> int:
    """Do what the arguments ask for and return the exit code.

    Parameters
    ----------
    arguments : list of str
        The command line without the program's name.
    """
    # A file can be named behind an option: segrun -m FILE.yaml seed=1,2
    first = next((text for text in arguments if not text.startswith("-")), "")
    if "-h" in arguments or "--help" in arguments:
        print(HELP, end="")  # noqa: T201
        return 0
    if "--version" in arguments:
        print(f"segrun {metadata.version('segrun')}")  # noqa: T201
        return 0
    if any(text.startswith("query=") for text in arguments) and "COMP_LINE" in os.environ:
        from segrun.cli.completion import complete

        return complete(arguments, os.environ["COMP_LINE"], _COMMANDS)
    if is_file(first):
        from segrun.cli.compose import launch_file

        arguments = list(arguments)
        arguments.remove(first)
        return launch_file(Path(first), arguments)
    first = arguments[0] if arguments else ""
    if first and first[0] not in "-+~" and "=" not in first:
        return _command(first, arguments[1:])
    # Late: Hydra takes longer to import than the pages above take to print.
    from segrun.cli.compose import launch

    return launch(arguments)


def _command(name: str, rest: list[str]) -> int:
    if name not in _COMMANDS:
        return _usage(
            f"unknown command {name!r}.{did_you_mean(name, _COMMANDS)} "
            f"Commands: {', '.join(_COMMANDS)}"
        )
    return _COMMANDS[name](rest)


def _fetch(rest: list[str]) -> int:
    from segrun.data.fetch import fetch_command

    return fetch_command(rest)


def _resume(rest: list[str]) -> int:
    from segrun.sweep.resume import resume_command

    return resume_command(rest)


def _reproduce(rest: list[str]) -> int:
    from segrun.cli.reproduce import reproduce_command

    return reproduce_command(rest)


def _generate(rest: list[str]) -> int:
    from segrun.cli.generate import generate_command

    return generate_command(rest)


def _doctor(rest: list[str]) -> int:
    if rest not in ([], ["--all"]):
        return _usage(f"segrun doctor takes --all or nothing. Got {' '.join(rest)!r} instead")
    from segrun.cli.doctor import doctor_page

    page, healthy = doctor_page(start=bool(rest))
    print(page, end="")  # noqa: T201
    return 0 if healthy else 1


def _plan(rest: list[str]) -> int:
    from segrun.cli.compose import launch, launch_file
    from segrun.cli.session import Planning

    asked = [argument for argument in rest if argument not in ("-m", "--multirun", "--estimate")]
    planning = Planning(estimate="--estimate" in rest)
    if asked and is_file(asked[0]):
        return launch_file(Path(asked[0]), ["--multirun", *asked[1:]], planning)
    return launch(["--multirun", *asked], planning)


def _plugins(rest: list[str]) -> int:
    match rest:
        case []:
            from segrun.cli.plugins import plugins_page

            print(plugins_page(), end="")  # noqa: T201
            return 0
        case ["check", name]:
            from segrun.cli.conformance import check_command

            return check_command(name)
        case ["new", name, *folder] if len(folder) <= 1:
            from segrun.algorithms.skeleton import new_command

            return new_command(name, Path(folder[0]) if folder else None)
    return _usage(
        f"segrun plugins {' '.join(rest)}: write segrun plugins, segrun plugins check NAME or "
        "segrun plugins new NAME [FOLDER]"
    )


def _describe(rest: list[str]) -> int:
    from segrun.cli.segments import describe_command

    return describe_command(rest)


def _name(rest: list[str]) -> int:
    from segrun.cli.segments import name_command

    return name_command(rest)


def _apply(rest: list[str]) -> int:
    from segrun.cli.apply import apply_command

    return apply_command(rest)


def _export(rest: list[str]) -> int:
    from segrun.cli.export import export_command

    return export_command(rest)


def _ingest(rest: list[str]) -> int:
    from segrun.cli.ingest import ingest_command

    return ingest_command(rest)


def _report(rest: list[str]) -> int:
    from segrun.cli.report import report_command

    return report_command(rest)


def _compare(rest: list[str]) -> int:
    from segrun.cli.compare import compare_command

    return compare_command(rest)


def _cache(rest: list[str]) -> int:
    from segrun.cli.cache import cache_command

    return cache_command(rest)


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "plan": _plan,
    "resume": _resume,
    "reproduce": _reproduce,
    "plugins": _plugins,
    "describe": _describe,
    "name": _name,
    "report": _report,
    "compare": _compare,
    "apply": _apply,
    "ingest": _ingest,
    "export": _export,
    "generate": _generate,
    "fetch": _fetch,
    "cache": _cache,
    "doctor": _doctor,
}


def _usage(message: str) -> int:
    return _say(f"{message}\nSee segrun --help", 2)


def _say(message: str, code: int) -> int:
    print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
    return code
