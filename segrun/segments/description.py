"""What is written of a run's segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from segrun.rundir.directory import RunDirectory
from segrun.segments.segment import SEGMENTS, Segments

FOLDER = "segments"
MEMBERS = f"{FOLDER}/members.parquet"
RULES = f"{FOLDER}/rules.txt"
SETTINGS = f"{FOLDER}/settings.json"
TABLES = (
    "profile",
    "facts",
    "criteria",
    "stability",
    "separability",
    "confusion",
    "distinctive",
    "inertia",
)


@dataclass(frozen=True)
class Description:
    """Everything that is known of a run's segments.

    Attributes
    ----------
    segments : Segments
        The segments.
    tables : mapping of str to sequence of mapping
        Rows by name of the table, such as ``profile``.
    rules : str
        The rules of the tree; empty without one.
    members : mapping of str to ndarray
        Columns of ``members.parquet``.
    settings : mapping
        How they were described.
    """

    segments: Segments
    tables: Mapping[str, Sequence[Mapping[str, object]]]
    rules: str
    members: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any]


def discard(out: RunDirectory) -> None:
    """Remove what there is of a description that was not written to its end, or is an old one."""
    tables = [f"{FOLDER}/{name}.csv" for name in TABLES]
    for name in (SEGMENTS, SETTINGS, MEMBERS, RULES, *tables):
        out.remove(name)


def write(out: RunDirectory, found: Description) -> None:
    """Write a description into a run directory; what an earlier one has left goes."""
    for name in TABLES:
        rows = found.tables.get(name, [])
        file = f"{FOLDER}/{name}.csv"
        if rows:
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
