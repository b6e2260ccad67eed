"""The page of a sweep: every point of every job in one table, backends side by side."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from segrun.errors import StoreError
from segrun.formats import as_float, counted
from segrun.report.html import points
from segrun.report.html.page import render
from segrun.report.html.section import Page, Picture, Section, reproduce_command
from segrun.rundir.atomic import write_bytes, write_text
from segrun.rundir.claim import MULTIRUN, SWEEP
from segrun.rundir.store import read_csv, read_json

_REPORT = "report.html"
_ENDED_WELL = ("done", "cached")
#: Experiments that a title names.
_MOST_NAMES = 3
#: Jobs that are warned of one by one.
_MOST_WARNINGS = 10
#: What the lead tells where all jobs have it in common.
_TOLD = ("dataset", "input", "features", "transform", "seed", "algo", "backend")

Rows = list[dict[str, str]]


def is_sweep(path: Path) -> bool:
    """Tell whether a directory is a sweep's, not one run's."""
    return (path / SWEEP).is_file() or (path / MULTIRUN).is_file()


def write_sweep(path: Path) -> Path:
    """Write the page of a sweep and its pictures.

    Raises
    ------
    StoreError
        If the sweep has no table of its points yet, or the page cannot be written.
    """
    page = sweep_page(path)
    html = render(page)
    for picture in page.pictures:
        if picture.name != "growth":
            write_bytes(path / picture.file, picture.png)
    write_text(path / _REPORT, html)
    return path / _REPORT


def sweep_page(path: Path) -> Page:
    """Return what the page of a sweep shows.

    Raises
    ------
    StoreError
        If it has no table of its points.
    """
    if not (path / "scores.csv").is_file():
        raise StoreError(
            f"{path} has no scores.csv: the sweep is still going on or was killed. "
            f"Wait for its end, or go on with it: segrun resume {path}"
        )
    rows, jobs = _table(path, "scores.csv"), _table(path, "jobs.csv")
    made = [
        _best(rows),
        _backends(_table(path, "speedup.csv")),
        _growth(path),
        points.section(rows),
        _jobs(path, jobs),
        _foot(path),
    ]
    return Page(
        f"Sweep {_names(rows) or path.name}",
        _lead(rows, jobs),
        _warnings(rows, jobs),
        [section for section in made if section is not None],
    )


def _names(rows: Rows) -> str:
    """Return the names of the experiments, as far as a title can hold them."""
    names = list(dict.fromkeys(row["name"] for row in rows if row.get("name")))
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown}, ..." if len(names) > _MOST_NAMES else shown


def _table(path: Path, name: str) -> Rows:
    return read_csv(path / name) if (path / name).is_file() else []


def _lead(rows: Rows, jobs: Rows) -> str:
    found = [row for row in rows if row["point"]]
    statuses = Counter(row["status"] for row in found)
    told = ", ".join(f"{n:,} {status}" for status, n in statuses.items())
    values = {name: {row.get(name, "") for row in rows} - {""} for name in (*_TOLD, "matrix")}
    if len(values["input"]) > 1:
        # How files are read is nothing that they have in common.
        values.pop("dataset")
    same = [f"{name} {next(iter(values[name]))}" for name in _TOLD
            if len(values.get(name, ())) == 1]  # fmt: skip
    n_jobs = len(jobs) or len({row["job"] for row in rows})
    lead = f"{counted(n_jobs, 'job')}, {counted(len(found), 'point')}: {told or 'none'}."
    if same:
        lead += f" The same everywhere: {', '.join(same)}."
    n_inputs, n_matrices = len(values["input"]), len(values["matrix"])
    if n_matrices > 1:
        of = f" of {n_inputs:,} inputs" if n_inputs > 1 else ""
        lead += f" {n_matrices:,} matrices{of}: scores are compared within each."
    return lead


def _warnings(rows: Rows, jobs: Rows) -> list[str]:
    failed = [
        f"Job {job['job']} is {job['status']}: {job['reason']}"
        for job in jobs
        if job["status"] not in _ENDED_WELL
    ]
    found = failed[:_MOST_WARNINGS]
    if len(failed) > len(found):
        found.append(f"{counted(len(failed) - len(found), 'job')} more failed; jobs.csv says why.")
    found += _cautions(rows)
    if not any(row.get("selected") == "true" for row in rows):
        found.append("No job has a point within the limits.")
    return found


def _cautions(rows: Rows) -> list[str]:
    """Return what is odd about selected points, one sentence each."""
    odd = [row for row in rows if row.get("caution")]
    found = [f"Job {row['job']} selects {row['point']}: {row['caution']}"
             for row in odd[:_MOST_WARNINGS]]  # fmt: skip
    if len(odd) > len(found):
        more = counted(len(odd) - len(found), "job")
        found.append(f"{more} more with such a point; column caution of scores.csv says why.")
    return found


def _best(rows: Rows) -> Section | None:
    """Return the selected point of every job by matrix, the best silhouette first."""
    by_matrix = points.selected(rows)
    if not by_matrix:
        return None
    groups = [{"title": _matrix(own[0]), "rows": own} for own in by_matrix.values()]
    return Section("best", "Best points", {"groups": groups})


def _matrix(row: dict[str, str]) -> str:
    """Say what a matrix is of."""
    names = ("input", "features", "augmentation", "transform", "seed")
    said = [row.get("input") or row.get("dataset", "")]
    said += [f"{name} {row[name]}" for name in names[1:] if row.get(name) not in (None, "")]
    if n_rows := as_float(row.get("rows")):
        said.append(f"{n_rows:,.0f} rows")
    return ", ".join(part for part in [*said, f"matrix {row.get('matrix', '')}"] if part)


def _backends(rows: Rows) -> Section | None:
    whole = [row for row in rows if not row["point"]]
    return Section("backends", "Backends side by side", {"rows": whole}) if whole else None


def _growth(path: Path) -> Section | None:
    rows, file = _table(path, "growth.csv"), path / "growth.png"
    if not rows or not file.is_file():
        return None
    drawn = Picture("growth", file.read_bytes(), "Seconds and memory over rows")
    return Section(
        "growth",
        "Growth with the rows",
        {"rows": rows},
        [drawn],
    )


def _jobs(path: Path, jobs: Rows) -> Section | None:
    if not jobs:
        return None
    # A link is relative, so that the sweep can be moved; a page that is not there is no link.
    rows: list[dict[str, Any]] = [
        {**job, "link": f"{quote(job['job'])}/{_REPORT}"
         if (path / job["job"] / _REPORT).is_file() else ""}
        for job in jobs
    ]  # fmt: skip
    return Section("jobs", "Jobs", {"rows": rows})


def _foot(path: Path) -> Section | None:
    header = read_json(path / SWEEP)
    if not header:
        return None
    command = ["segrun", *map(str, header.get("command", [])[1:])]
    versions = header.get("versions", {})
    best = sorted(file.name for file in path.glob("best*.yaml"))
    facts = [(str(name), str(version)) for name, version in versions.items() if version]
    return Section(
        "again",
        "Once more",
        {
            "command": shlex.join(command),
            "again": reproduce_command(path),
            "facts": facts,
            "best": best,
        },
    )
