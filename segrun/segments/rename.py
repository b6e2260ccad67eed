"""Names given by hand, in every file that has a name in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from segrun.rundir.finished import FinishedRun
from segrun.segments.description import FOLDER, MEMBERS, RULES
from segrun.segments.handnames import GIVEN, with_names
from segrun.segments.names import check_names
from segrun.segments.rules import heading
from segrun.segments.segment import SEGMENTS, Segments, read_segments


def rename(run: FinishedRun, given: Mapping[int, str]) -> Segments:
    """Give segments names and return the segments as they are then.

    Parameters
    ----------
    run : FinishedRun
        A described run.
    given : mapping of int to str
        New names by number.

    Raises
    ------
    DataError
        If there is no such segment, or a name is empty, too long or another segment's.
    StoreError
        If the run was not described yet.
    """
    segments = read_segments(run)
    check_names(given, {segment.number: segment.name for segment in segments.segments})
    labels = {segment.number: segment.label for segment in segments.segments}
    renamed = replace(
        segments,
        segments=[
            replace(segment, name=given.get(segment.number, segment.name))
            for segment in segments.segments
        ],
    )
    kept = with_names(run, segments.point, {labels[n]: name for n, name in given.items()})
    tables = {name: run.table(name) for name in _tables(run)}
    rules = run.file(RULES).read_text(encoding="utf-8") if run.has(RULES) else ""
    members = run.columns(MEMBERS)
    names = {str(segment.number): segment.name for segment in renamed.segments}
    members["name"] = _names_of(members["segment"], renamed)
    with run.amend() as out:
        for name, rows in tables.items():
            new = [{**row, "name": names.get(row["segment"], row["name"])} for row in rows]
            out.write_table(name, new)
        if rules:
            out.write_text(RULES, _renamed_rules(rules, segments, renamed))
        out.write_columns(MEMBERS, members)
        out.write_json(GIVEN, kept)
        out.write_json(SEGMENTS, renamed.to_json())
    return renamed


def _tables(run: FinishedRun) -> list[str]:
    """Return the tables that have a column of names."""
    tables = [name for name in run.files if name.startswith(f"{FOLDER}/") and name.endswith(".csv")]
    return [name for name in tables if {"segment", "name"} <= set(next(iter(run.table(name)), {}))]


def _names_of(numbers: np.ndarray, segments: Segments) -> np.ndarray:
    found, where = np.unique(numbers, return_inverse=True)
    return np.array([segments.name(int(number)) for number in found], dtype=object)[where]


def _renamed_rules(text: str, before: Segments, after: Segments) -> str:
    lines = text.splitlines()
    new = {
        heading(a.number, a.name): heading(b.number, b.name)
        for a, b in zip(before.segments, after.segments, strict=True)
    }
    return "\n".join(new.get(line, line) for line in lines) + "\n"
