"""``segrun describe RUN`` and ``segrun name RUN 3="Gift shops"``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from segrun.cli.arguments import Arguments
from segrun.cli.pages import COMMANDS
from segrun.config import check_ranges
from segrun.config.override import segments_config
from segrun.errors import ConfigError
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.rule import check
from segrun.segments.segment import Segments


def describe_command(arguments: Sequence[str]) -> int:
    """Describe the segments of a run, show them, and return the exit code."""
    path, rest = _run_and_rest(arguments, "describe")
    from segrun.segments.describe import describe

    run = open_run(path)
    config = segments_config(run.experiment, _changes(rest))
    check_ranges(config, "segments")
    check(config)
    _show(run, describe(run, config))
    _renew_report(run)
    return 0


def name_command(arguments: Sequence[str]) -> int:
    """Give segments of a described run names by hand and return the exit code."""
    path, rest = _run_and_rest(arguments, "name")
    from segrun.segments.description import rename

    if not rest:
        raise ConfigError(f"no name is given: {COMMANDS['name'].usage}")
    run = open_run(path)
    given: dict[int, str] = {}
    for argument in rest:
        found = re.fullmatch(r"(-?\d+)=(.*)", argument, re.DOTALL)
        if found is None:
            raise ConfigError(
                f"{argument!r} is no name of a segment: write {COMMANDS['name'].usage}"
            )
        if int(found[1]) in given:
            raise ConfigError(f"segment {found[1]} is given two names: give it one")
        given[int(found[1])] = found[2].strip()
    _show(run, rename(run, given))
    _renew_report(run)
    return 0


def _changes(arguments: Sequence[str]) -> list[str]:
    """Return the settings; the point may be named as other commands do."""
    parser = Arguments("describe")
    parser.add_argument("changes", nargs="*")
    parser.add_argument("--point")
    asked = parser.read(arguments)
    point = [] if asked["point"] is None else [f"segments.point={asked['point']}"]
    return [*asked["changes"], *point]


def _run_and_rest(arguments: Sequence[str], command: str) -> tuple[Path, list[str]]:
    # A path can have an = in it, too, but then it exists.
    if not arguments or ("=" in arguments[0] and not Path(arguments[0]).exists()):
        raise ConfigError(f"which run? {COMMANDS[command].usage}")
    return Path(arguments[0]), list(arguments[1:])


def _renew_report(run: FinishedRun) -> None:
    """Write the page again where the run has one: it and its pictures show the segments."""
    from segrun.report.html import write_report
    from segrun.report.html.page import REPORT
    from segrun.using.ingest.since import told

    if run.has(REPORT):
        print(write_report(run.path, told(run)))  # noqa: T201


def _show(run: FinishedRun, segments: Segments) -> None:
    from segrun.segments.segment import page
    from segrun.using.ingest.since import told

    # Opened again: it has just been added to.
    print(page(open_run(run.path), segments))  # noqa: T201
    if later := told(run):
        print(f"this is about the run as it was; {later}")  # noqa: T201
    for warning in segments.warnings:
        print(f"segrun: {warning['text']}", file=sys.stderr)  # noqa: T201
    print(run.path / "segments")  # noqa: T201
