"""What fewer columns cost: inertia on the reduced against the full matrix."""

from __future__ import annotations

import math

from segrun.formats import as_float
from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject
from segrun.report.pictures.lines import Line, Panel, draw

_LINES = {
    "share_reduced": "reduced matrix",
    "share_reduced_in_full": "the same segments on the full matrix",
    "share_full": "k-means on the full matrix",
}


def section(subject: Subject) -> Section | None:
    """Return inertia as a share of that of a single segment, over the number of clusters."""
    from segrun.report.pictures.canvas import png

    rows = sorted(
        subject.run.table("segments/inertia.csv"), key=lambda row: as_float(row["n_clusters"]) or 0
    )
    if not rows:
        return None
    x = [float(row["n_clusters"]) for row in rows]
    found = {name: _values(rows, column) for column, name in _LINES.items()}
    lines = [Line(x, values, name) for name, values in found.items() if not _empty(values)]
    panel = Panel("n_clusters", "inertia, share of that of one segment", lines, whole_x=True)
    return Section(
        "reduction",
        "Reduced against full",
        {"rows": rows},
        [Picture("reduction", png(draw([panel])), "Inertia over the number of clusters")],
    )


def _values(rows: list[dict[str, str]], column: str) -> list[float]:
    found = [as_float(row[column]) for row in rows]
    return [math.nan if value is None else value for value in found]


def _empty(values: list[float]) -> bool:
    return all(math.isnan(value) for value in values)
