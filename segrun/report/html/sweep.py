"""The page of a sweep: every point of every job in one table, backends side by side."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from segrun.atomic import write_bytes, write_text
from segrun.errors import StoreError
from segrun.report.html.formats import as_float, counted, number, place
from segrun.report.html.page import render
from segrun.report.html.section import Page, Picture, Section
from segrun.store import read_csv, read_json
from segrun.sweep.directory import MULTIRUN, SWEEP

_REPORT = "report.html"
_ENDED_WELL = ("done", "cached")
#: Points that the table has, at most: a browser is slow with more.
_MOST_POINTS = 3000
#: Columns that tables of points leave out: they say the same elsewhere.
_LEFT_OUT = ("overrides", "selected", "silhouette_rows", "name")

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
        _points(rows),
        _jobs(path, jobs),
        _foot(path),
    ]
    return Page(
        f"Sweep {rows[0].get('name') or path.name}" if rows else f"Sweep {path.name}",
        _lead(rows, jobs),
        _warnings(rows, jobs),
        [section for section in made if section is not None],
    )


def _table(path: Path, name: str) -> Rows:
    return read_csv(path / name) if (path / name).is_file() else []


def _lead(rows: Rows, jobs: Rows) -> str:
    points = [row for row in rows if row["point"]]
    statuses = Counter(row["status"] for row in points)
    told = ", ".join(f"{n:,} {status}" for status, n in statuses.items())
    same = [f"{name} {values.pop()}" for name in ("dataset", "features", "algo", "backend")
            if len(values := {row.get(name, "") for row in rows} - {""}) == 1]  # fmt: skip
    n_jobs = len(jobs) or len({row["job"] for row in rows})
    lead = f"{counted(n_jobs, 'job')}, {counted(len(points), 'point')}: {told or 'none'}."
    return f"{lead} The same everywhere: {', '.join(same)}." if same else lead


def _warnings(rows: Rows, jobs: Rows) -> list[str]:
    found = [
        f"Job {job['job']} is {job['status']}: {job['reason']}"
        for job in jobs
        if job["status"] not in _ENDED_WELL
    ]
    if not any(row.get("selected") == "true" for row in rows):
        found.append("No job has a point within the limits.")
    return found


def _best(rows: Rows) -> Section | None:
    """Return the selected point of every job, the best silhouette first."""
    chosen = [row for row in rows if row.get("selected") == "true"]
    if not chosen:
        return None
    chosen.sort(key=lambda row: -_silhouette(row))
    return Section("best", "Best points", {"rows": chosen, "n_jobs": len(chosen)})


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


def _points(rows: Rows) -> Section:
    drawn = _picture(rows)
    best = max((r for r in rows if r.get("selected") == "true"),
               key=_silhouette, default=None)  # fmt: skip
    shown = rows
    if len(rows) > _MOST_POINTS:
        shown = sorted(rows, key=lambda row: -_silhouette(row))[:_MOST_POINTS]
    return Section(
        "points",
        "All points",
        {
            "columns": _columns(rows),
            "rows": shown,
            "n_rows": len(rows),
            "chosen": lambda row: row is best,
        },
        [drawn] if drawn else [],
        pictures_first=True,
    )


def _silhouette(row: dict[str, str]) -> float:
    found = as_float(row.get("silhouette"))
    # Below all others.
    return -2.0 if found is None else found


def _columns(rows: Rows) -> list[str]:
    """Return the columns that tell points apart, job and point first."""
    several = len(rows) > 1
    told = [
        name
        for name in (rows[0] if rows else {})
        if name not in (*_LEFT_OUT, "job", "point")
        and any(row[name] for row in rows)
        and (not several or len({row[name] for row in rows}) > 1)
    ]
    if "param_n_clusters" in told and all(
        row["param_n_clusters"] in ("", row["n_clusters"]) for row in rows
    ):
        told.remove("param_n_clusters")
    # Long and rare.
    told.sort(key=lambda name: name == "reason")
    return ["job", "point", *told]


def _picture(rows: Rows) -> Picture | None:
    from segrun.report.pictures.canvas import png
    from segrun.report.pictures.points import Series, draw

    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        x, y = as_float(row.get("n_clusters")), as_float(row.get("silhouette"))
        if x is not None and y is not None:
            found.setdefault(row["job"], []).append((x, y))
    if sum(map(len, found.values())) < 2:
        return None
    drawn = draw([Series(job, points) for job, points in found.items()])
    return Picture("points", png(drawn), "Silhouette over number of clusters, every point",
                   "Every point that has a silhouette, by job.")  # fmt: skip


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
    facts = [(str(name), number(version)) for name, version in versions.items()]
    return Section(
        "again",
        "Once more",
        {
            "command": shlex.join(command),
            "again": shlex.join(["segrun", "reproduce", place(path)]),
            "facts": facts,
            "best": best,
        },
    )
