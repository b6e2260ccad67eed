"""What is written of a run's segments, and names given to them by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.rundir.directory import RunDirectory
from segrun.rundir.finished import FinishedRun
from segrun.segments.names import check_names
from segrun.segments.segment import SEGMENTS, Segments, read_segments
from segrun.segments.separability import heading

FOLDER = "segments"
MEMBERS = f"{FOLDER}/members.parquet"
RULES = f"{FOLDER}/rules.txt"
SETTINGS = f"{FOLDER}/settings.json"
#: Names by hand, by point and by the algorithm's label, which a new order does not change: apart
#: from the segments, so that they outlive a new description.
GIVEN = f"{FOLDER}/names.json"
TABLES = (
    "profile", "facts", "criteria", "stability", "separability", "confusion", "distinctive",
    "inertia",
)  # fmt: skip


@dataclass(frozen=True)
class Description:
    """Everything that is known of a run's segments."""

    segments: Segments
    tables: Mapping[str, Sequence[Mapping[str, object]]]  # rows by name of the table
    rules: str  # of the tree; empty without one
    members: Mapping[str, NDArray[Any]]  # columns of `members.parquet`
    settings: Mapping[str, Any]  # how they were described


def discard(out: RunDirectory) -> None:
    """Remove what there is of a description that was not written to its end, or is an old one."""
    tables = [f"{FOLDER}/{name}.csv" for name in TABLES]
    for name in (SEGMENTS, SETTINGS, MEMBERS, RULES, *tables):
        out.remove(name)


def write(out: RunDirectory, found: Description) -> None:
    """Write a description into a run directory; what an earlier one has left goes."""
    for name in TABLES:
        file = f"{FOLDER}/{name}.csv"
        if rows := found.tables.get(name):
            out.write_table(file, rows)
        else:
            out.remove(file)
    if found.rules:
        out.write_text(RULES, found.rules)
    else:
        out.remove(RULES)
    out.write_columns(MEMBERS, found.members)
    out.write_json(SETTINGS, found.settings)
    # Last: a run with it is described.
    out.write_json(SEGMENTS, found.segments.to_json())


def given_names(run: FinishedRun, point: str) -> dict[int, str]:
    """Return the names given by hand to the clusters of a point, by label."""
    return {int(label): name for label, name in run.json(GIVEN).get(point, {}).items()}


def rename(run: FinishedRun, given: Mapping[int, str]) -> Segments:
    """Name segments by hand, in every file that has a name in it, and return them.

    DataError if there is no such segment, or a name is empty, too long or another segment's;
    StoreError if the run was not described yet.
    """
    before = read_segments(run)
    check_names(given, {segment.number: segment.name for segment in before.segments})
    after = replace(
        before, segments=[replace(s, name=given.get(s.number, s.name)) for s in before.segments]
    )
    every = run.json(GIVEN)
    own = {str(s.label): given[s.number] for s in before.segments if s.number in given}
    every[after.point] = every.get(after.point, {}) | own
    tables = _named_tables(run)
    rules = run.file(RULES).read_text(encoding="utf-8") if run.has(RULES) else ""
    members = run.columns(MEMBERS)
    found, where = np.unique(members["segment"], return_inverse=True)
    names = {str(segment.number): segment.name for segment in after.segments}
    members["name"] = np.array([names.get(str(n), "") for n in found], dtype=object)[where]
    with run.amend() as out:
        for name, rows in tables.items():
            new = [{**row, "name": names.get(row["segment"], row["name"])} for row in rows]
            out.write_table(name, new)
        if rules:
            out.write_text(RULES, _renamed_rules(rules, before, after))
        out.write_columns(MEMBERS, members)
        out.write_json(GIVEN, every)
        out.write_json(SEGMENTS, after.to_json())
    return after


def _named_tables(run: FinishedRun) -> dict[str, list[dict[str, str]]]:
    """Return the tables that have a column of names."""
    files = [name for name in run.files if name.startswith(f"{FOLDER}/") and name.endswith(".csv")]
    tables = {name: run.table(name) for name in files}
    return {
        name: rows for name, rows in tables.items() if rows and {"segment", "name"} <= {*rows[0]}
    }


def _renamed_rules(text: str, before: Segments, after: Segments) -> str:
    new = {
        heading(a.number, a.name): heading(b.number, b.name)
        for a, b in zip(before.segments, after.segments, strict=True)
    }
    return "\n".join(new.get(line, line) for line in text.splitlines()) + "\n"
