"""The page of a sweep: every point of every job in one table, backends side by side."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from segrun.errors import StoreError
from segrun.formats import as_float, counted
from segrun.report.html.page import (
    REPORT,
    Page,
    Picture,
    Section,
    picture,
    render,
    reproduce_command,
)
from segrun.report.pictures.lines import draw_points
from segrun.rundir.atomic import write_bytes, write_text
from segrun.rundir.claim import MULTIRUN, SWEEP
from segrun.rundir.store import read_csv, read_json

_ENDED_WELL = ("done", "cached")
#: Experiments that a title names, and jobs that are warned of one by one.
_MOST_NAMES, _MOST_WARNINGS = 3, 10
#: Points that the table has, at most: a browser is slow with more.
_MOST_POINTS = 3000
#: What the lead tells where all jobs have it in common.
_TOLD = ("dataset", "input", "features", "transform", "seed", "algo", "backend")
#: Columns that the table of points leaves out: they say the same elsewhere.
_LEFT_OUT = ("overrides", "selected", "silhouette_rows")

Rows = list[dict[str, str]]


def is_sweep(path: Path) -> bool:
    """Tell whether a directory is a sweep's, not one run's."""
    return (path / SWEEP).is_file() or (path / MULTIRUN).is_file()


def write_sweep(path: Path) -> Path:
    """Write the page of a sweep and its pictures."""
    page = sweep_page(path)
    html = render(page)
    for one in page.pictures:
        # That of the growth is there already.
        if one.name != "growth":
            write_bytes(path / one.file, one.png)
    write_text(path / REPORT, html)
    return path / REPORT


def sweep_page(path: Path) -> Page:
    """Return what the page of a sweep shows."""
    if not (path / "scores.csv").is_file():
        raise StoreError(
            f"{path} has no scores.csv: the sweep is still going on or was killed. "
            f"Wait for its end, or go on with it: segrun resume {path}"
        )
    rows, jobs = _table(path, "scores.csv"), _table(path, "jobs.csv")
    made = [_best(rows), _backends(path), _growth(path), _points(rows), _jobs(path, jobs),
            _foot(path)]  # fmt: skip
    return Page(
        f"Sweep {_names(rows) or path.name}",
        _lead(rows, jobs),
        _warnings(rows, jobs),
        [section for section in made if section],
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
    groups = [(_matrix(own[0]), own) for own in _selected(rows).values()]
    return Section("best", "Best points", {"groups": groups}) if groups else None


def _selected(rows: Rows) -> dict[str, Rows]:
    """Return the selected points by matrix, the best silhouette first."""
    found: dict[str, Rows] = {}
    for row in rows:
        if row.get("selected") == "true":
            found.setdefault(row.get("matrix", ""), []).append(row)
    return {matrix: sorted(own, key=_silhouette, reverse=True) for matrix, own in found.items()}


def _silhouette(row: dict[str, str]) -> float:
    """Return the silhouette of a row, below all others where it has none."""
    found = as_float(row.get("silhouette"))
    return -2.0 if found is None else found


def _matrix(row: dict[str, str]) -> str:
    """Say what a matrix is of."""
    said = [row.get("input") or row.get("dataset", "")]
    names = ("features", "augmentation", "transform", "seed")
    said += [f"{name} {row[name]}" for name in names if row.get(name)]
    if n_rows := as_float(row.get("rows")):
        said.append(f"{n_rows:,.0f} rows")
    return ", ".join(part for part in [*said, f"matrix {row.get('matrix', '')}"] if part)


def _backends(path: Path) -> Section | None:
    whole = [row for row in _table(path, "speedup.csv") if not row["point"]]
    return Section("backends", "Backends side by side", {"rows": whole}) if whole else None


def _growth(path: Path) -> Section | None:
    rows, file = _table(path, "growth.csv"), path / "growth.png"
    if not rows or not file.is_file():
        return None
    drawn = Picture("growth", file.read_bytes(), "Seconds and memory over rows")
    return Section("growth", "Growth with the rows", {"rows": rows}, [drawn])


def _points(rows: Rows) -> Section:
    """Return the table of points, sortable and filterable, and the picture of them."""
    # Of each matrix: scores of two cannot be compared.
    best = {matrix: own[0] for matrix, own in _selected(rows).items()}
    shown = rows
    if len(rows) > _MOST_POINTS:
        shown = sorted(rows, key=lambda row: as_float(row.get("rank")) or math.inf)[:_MOST_POINTS]
    return Section(
        "points",
        "All points",
        {
            "columns": _columns(rows),
            "rows": shown,
            "n_rows": len(rows),
            "chosen": lambda row: row is best.get(row.get("matrix", "")),
        },
        _points_picture(rows),
        pictures_first=True,
    )


def _columns(rows: Rows) -> list[str]:
    """Return the columns that tell points apart, job and point first."""
    values = {name: {row[name] for row in rows} for name in (rows[0] if rows else {})}
    told = [
        name
        for name, own in values.items()
        if name not in (*_LEFT_OUT, "job", "point")
        and (len(own) > 1 or (len(rows) == 1 and any(own)))
    ]
    if "param_n_clusters" in told and all(
        row["param_n_clusters"] in ("", row["n_clusters"]) for row in rows
    ):
        told.remove("param_n_clusters")
    # Long and rare.
    return ["job", "point", *sorted(told, key=lambda name: name == "reason")]


def _points_picture(rows: Rows) -> list[Picture]:
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        x, y = as_float(row.get("n_clusters")), as_float(row.get("silhouette"))
        if x is not None and y is not None:
            found.setdefault(row["job"], []).append((x, y))
    if sum(map(len, found.values())) < 2:
        return []
    told = "Every point that has a silhouette, by job."
    n_matrices = len({row.get("matrix", "") for row in rows} - {""})
    if n_matrices > 1:
        told += (
            f" The jobs clustered {n_matrices} matrices: silhouettes of jobs that differ in "
            "matrix cannot be compared."
        )
    alt = "Silhouette over number of clusters, every point"
    return [picture("points", draw_points(found), alt, told)]


def _jobs(path: Path, jobs: Rows) -> Section | None:
    # A link is relative, so that the sweep can be moved; a page that is not there is no link.
    links = [f"{quote(job['job'])}/{REPORT}" if (path / job["job"] / REPORT).is_file() else ""
             for job in jobs]  # fmt: skip
    rows = list(zip(jobs, links, strict=True))
    return Section("jobs", "Jobs", {"rows": rows}) if rows else None


def _foot(path: Path) -> Section | None:
    header = read_json(path / SWEEP)
    if not header:
        return None
    return Section(
        "again",
        "Once more",
        {
            "command": shlex.join(["segrun", *map(str, header.get("command", [])[1:])]),
            "again": reproduce_command(path),
            "facts": [(name, str(v)) for name, v in header.get("versions", {}).items() if v],
            "best": sorted(file.name for file in path.glob("best*.yaml")),
        },
    )
