"""All points of a sweep in one table and one picture."""

from __future__ import annotations

import math

from segrun.formats import as_float
from segrun.report.html.section import Picture, Section

#: Points that the table has, at most: a browser is slow with more.
_MOST_POINTS = 3000
#: Columns that the table leaves out: they say the same elsewhere.
_LEFT_OUT = ("overrides", "selected", "silhouette_rows")

Rows = list[dict[str, str]]


def section(rows: Rows) -> Section:
    """Return the table of points, sortable and filterable, and the picture of them."""
    drawn = _picture(rows)
    # Of each matrix: scores of two cannot be compared.
    best = {matrix: found[0] for matrix, found in selected(rows).items()}
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
        [drawn] if drawn else [],
        pictures_first=True,
    )


def selected(rows: Rows) -> dict[str, Rows]:
    """Return the selected points by matrix, the best silhouette first."""
    found: dict[str, Rows] = {}
    for row in rows:
        if row.get("selected") == "true":
            found.setdefault(row.get("matrix", ""), []).append(row)
    return {matrix: sorted(own, key=lambda row: -silhouette(row)) for matrix, own in found.items()}


def silhouette(row: dict[str, str]) -> float:
    """Return the silhouette of a row, below all others where it has none."""
    found = as_float(row.get("silhouette"))
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
                   _caption(rows))  # fmt: skip


def _caption(rows: Rows) -> str:
    n_matrices = len({row.get("matrix", "") for row in rows} - {""})
    told = "Every point that has a silhouette, by job."
    if n_matrices < 2:
        return told
    return (
        f"{told} The jobs clustered {n_matrices} matrices: silhouettes of jobs that differ in "
        "matrix cannot be compared."
    )
