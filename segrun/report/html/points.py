"""All points of a sweep in one table and one picture."""

from __future__ import annotations

from segrun.report.html.formats import as_float
from segrun.report.html.section import Picture, Section

#: Points that the table has, at most: a browser is slow with more.
_MOST_POINTS = 3000
#: Columns that the table leaves out: they say the same elsewhere.
_LEFT_OUT = ("overrides", "selected", "silhouette_rows")

Rows = list[dict[str, str]]


def section(rows: Rows) -> Section:
    """Return the table of points, sortable and filterable, and the picture of them."""
    drawn = _picture(rows)
    best = max((r for r in rows if r.get("selected") == "true"),
               key=silhouette, default=None)  # fmt: skip
    shown = rows
    if len(rows) > _MOST_POINTS:
        shown = sorted(rows, key=lambda row: -silhouette(row))[:_MOST_POINTS]
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
                   "Every point that has a silhouette, by job.")  # fmt: skip
