"""``segrun export``: the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segrun.cli.arguments import Arguments, misuse
from segrun.data.datasets.sql import address_of, file_of
from segrun.rundir.finished import FinishedRun, open_run
from segrun.segments.segment import is_described
from segrun.using.export.export import ExportOptions, read_called, rows, split
from segrun.using.export.files import check_suffix, refuse_existing, write_frames
from segrun.using.export.targets import check_targets, inputs_of
from segrun.using.ingest.since import now

if TYPE_CHECKING:
    from segrun.using.export.database import Target


def export_command(arguments: Sequence[str]) -> int:
    """Do what the arguments of ``segrun export`` ask for and return the exit code."""
    given = _arguments().read(arguments)
    if (given["join"] is None) != (given["on"] is None):
        raise misuse("export", "--join FILE and --on COLUMN go together")
    run = open_run(Path(given["run"]).expanduser())
    to = _to_database if "://" in given["to"] else _to_files
    print(to(run, given))  # noqa: T201
    if not is_described(run):
        print(f"the segments have no names yet: segrun describe {run.path}")  # noqa: T201
    return 0


def _to_files(run: FinishedRun, given: Mapping[str, Any]) -> str:
    file = Path(given["to"]).expanduser()
    if given["table"] is not None:
        raise misuse("export", f"--table is for databases, {file} is a file")
    check_suffix(file, ". A database is an address: sqlite:///FILE")
    if not given["replace"] and not given["split"]:
        refuse_existing(file, option="--replace")
    inputs = inputs_of(run, given["input"], given["join"])
    # Of several files the names are known later.
    check_targets([] if given["split"] else [file], inputs)
    # The rows of a CSV file stay as they stand in it.
    asked = _asked(given, typed=file.suffix.lower() != ".csv")
    frame, told = rows(run, asked, now(run, features=asked.customers))
    frames = split(frame, file, asked.called) if given["split"] else {file: frame}
    check_targets(frames, inputs)
    if not given["replace"]:
        refuse_existing(*frames, option="--replace")
    write_frames(frames)
    told += [f"{path}: {part.height} rows" for path, part in frames.items()]
    return "\n".join(told)


def _to_database(run: FinishedRun, given: Mapping[str, Any]) -> str:
    # Late: SQLAlchemy takes a while to import.
    from segrun.using.export import database
    from segrun.using.export.database import queries_of, refuse_inputs

    if given["split"]:
        raise misuse("export", "--split is for files: a table has a column for it")
    where: Target = database.target(given["to"], given["table"] or "segments")
    queries = queries_of(run, given["input"])
    if where.file is not None:
        # A database that was read takes new tables; what it holds besides is the user's own.
        files = [file_of(place) for place in queries if address_of(place).kind == "sqlite"]
        inputs = inputs_of(run, given["input"], given["join"])
        check_targets([where.file], [file for file in inputs if file not in files])
    if given["replace"]:
        refuse_inputs(where, queries)
    else:
        database.refuse_existing(where)
    asked = _asked(given, typed=True)
    frame, told = rows(run, asked, now(run, features=asked.customers))
    database.write_table(frame, where, replace=given["replace"])
    return "\n".join([*told, f"{where}: {frame.height} rows"])


def _asked(given: Mapping[str, Any], *, typed: bool) -> ExportOptions:
    return ExportOptions(
        given["point"], given["customers"], given["input"], given["join"], given["on"],
        read_called(given["as"]), typed,
    )  # fmt: skip


def _arguments() -> Arguments:
    parser = Arguments("export")
    parser.add_argument("run")
    parser.add_argument("--to", required=True)
    for option in ("--table", "--join", "--on", "--point", "--input", "--as"):
        parser.add_argument(option)
    for flag in ("--replace", "--customers", "--split"):
        parser.add_argument(flag, action="store_true")
    return parser
