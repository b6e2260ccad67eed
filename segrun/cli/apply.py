"""``segrun apply``: the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segrun.cli.arguments import Arguments
from segrun.data.address import is_address
from segrun.data.datasets.read import KEY
from segrun.errors import ConfigError
from segrun.formats import table
from segrun.rundir.finished import open_run
from segrun.using.apply import LITTLE, MUCH, Applied, Shift, apply
from segrun.using.export.export import read_called
from segrun.using.export.files import (
    SUFFIXES,
    as_frame,
    check_suffix,
    refuse_existing,
    write_frames,
)
from segrun.using.export.members import as_members
from segrun.using.export.rows import file_rows, with_segments
from segrun.using.export.targets import check_targets, inputs_of
from segrun.using.placing.reading import ApplyOptions


def apply_command(arguments: Sequence[str]) -> int:
    """Do what the arguments of ``segrun apply`` ask for and return the exit code."""
    asked = _arguments().read(arguments)
    if is_address(asked["output"]):
        # Not repeated: it may hold a password.
        raise ConfigError(
            f"--output takes a file ({', '.join(SUFFIXES)}), not a database. "
            "segrun export RUN --to DATABASE_URL writes the customers of a run to one, those of "
            "segrun ingest RUN FILE among them"
        )
    output = Path(asked["output"]).expanduser()
    beside = output.with_suffix(".shift.csv")
    check_suffix(output)
    called = read_called(asked["as"])
    if not asked["force"]:
        refuse_existing(output, beside)
    wanted = ApplyOptions(
        asked["input"], asked["point"], asked["from"], asked["to"], asked["reference_date"],
        asked["nearest"], asked["changes"],
    )  # fmt: skip
    run = open_run(Path(asked["run"]).expanduser())
    check_targets([output, beside], inputs_of(run, wanted.input))
    applied = apply(run, wanted)
    if asked["rows"]:
        found = _rows(applied, output, called)
    else:
        found = as_frame(applied.columns()).rename(called)
    write_frames({beside: as_frame(applied.shift.columns()), output: found})
    print(_page(applied, output, beside))  # noqa: T201
    return 0


def _rows(applied: Applied, output: Path, called: Mapping[str, str]) -> Any:
    """Return the rows of the input, each with the segment of its customer."""
    placed = applied.placed
    members = as_members(applied.new.customers.ids, placed.segment, placed.name)
    # The rows of a CSV file stay as they stand in it.
    rows = file_rows(applied.new.dataset, typed=output.suffix.lower() != ".csv")
    return with_segments(rows, members, called).drop(KEY)


def _arguments() -> Arguments:
    parser = Arguments("apply")
    for position in ("run", "input"):
        parser.add_argument(position)
    parser.add_argument("changes", nargs="*")
    for option in ("--point", "--from", "--to", "--reference-date", "--as"):
        parser.add_argument(option)
    parser.add_argument("--output", required=True)
    for flag in ("--nearest", "--rows", "--force"):
        parser.add_argument(flag, action="store_true")
    return parser


def _page(applied: Applied, output: Path, beside: Path) -> str:
    n_customers = len(applied.new.customers)
    lines = [*applied.new.told, _sizes(applied.shift), "", _verdict(applied.shift)]
    beyond = [r for r in applied.shift.ranges if r.outside > 0]
    beyond.sort(key=lambda r: -r.outside)
    if beyond:
        shown = ", ".join(
            f"{r.column} {r.outside:.1%} ({r.low:g} .. {r.high:g})" for r in beyond[:5]
        )
        more = f" and {len(beyond) - 5} more" if len(beyond) > 5 else ""
        lines.append(f"outside the range of the training: {shown}{more}")
    lines.append(f"{n_customers} customers by {applied.point}: {output}, {beside}")
    return "\n".join(lines)


def _sizes(shift: Shift) -> str:
    rows: list[Sequence[str]] = [("segment", "name", "training", "", "new", "", "change")]
    for s in shift.sizes:
        number = "none" if s.segment is None else str(s.segment)
        rows.append(
            (number, s.name, str(s.n_before), f"{s.before:.1%}", str(s.n_now), f"{s.now:.1%}",
             f"{100 * (s.now - s.before):+.1f} points")
        )  # fmt: skip
    return table(rows)


def _verdict(shift: Shift) -> str:
    what = "little" if shift.psi < LITTLE else "much" if shift.psi > MUCH else "some"
    return (
        f"population stability index {shift.psi:.3f}: {what} shift (below {LITTLE:g} little, "
        f"above {MUCH:g} much)"
    )
