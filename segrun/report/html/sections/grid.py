"""The grid: every point with its scores, and scores over the parameter that matters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from segrun.formats import as_float
from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject
from segrun.report.pictures.lines import Line, Mark, Panel, draw

#: Parameters that are the number of clusters.
_COUNTS = ("n_clusters", "n_components")
#: More curves than these cannot be told apart: then the best value of each place is shown.
_MOST_LINES = 5

Rows = list[dict[str, str]]


def section(subject: Subject) -> Section | None:
    """Return the table of points and the curves."""
    rows = subject.run.scores
    if not rows:
        return None
    drawn = _picture(subject, [row for row in rows if row["status"] == "done"])
    return Section(
        "grid",
        "All points of the grid",
        {
            "columns": _columns(rows),
            "rows": rows,
            "chosen": lambda row: row["point"] == subject.point,
        },
        [drawn] if drawn else [],
        pictures_first=True,
    )


def _columns(rows: Rows) -> list[str]:
    """Return the columns that say something, the point and its state first."""
    told = [
        name
        for name in rows[0]
        if name not in ("selected", "silhouette_rows", "point")
        and any(row[name] not in ("", "0.0", "0", "done") for row in rows)
    ]
    for name in _COUNTS:
        own = f"param_{name}"
        if own in told and all(row[own] == row["n_clusters"] for row in rows):
            told.remove(own)
    # Long and rare.
    told.sort(key=lambda name: name == "reason")
    return ["point", *told]


def _picture(subject: Subject, rows: Rows) -> Picture | None:
    x = _axis(rows)
    if x is None:
        return None
    counts = x.removeprefix("param_") in _COUNTS
    return _elbow(subject, rows, x) if counts else _curves(subject, rows, x)


def _axis(rows: Rows) -> str | None:
    """Return the parameter that curves run over, None where there is none."""
    axes = {
        name: len({row[name] for row in rows})
        for name in (rows[0] if rows else {})
        if name.startswith("param_") and all(as_float(row[name]) is not None for row in rows)
    }
    for name in _COUNTS:
        if axes.get(f"param_{name}", 0) > 1:
            return f"param_{name}"
    # Of equally long ones the last: grids name their finest parameter last.
    longest = max(reversed(axes), key=axes.__getitem__, default=None)
    return longest if longest is not None and axes[longest] > 1 else None


def _elbow(subject: Subject, rows: Rows, x: str) -> Picture:
    """Draw inertia with its knee and the silhouette, the best of each number of clusters."""
    name = x.removeprefix("param_")
    panels = []
    if any(row["inertia"] for row in rows):
        marks = [Mark(f"knee: {knee:g}", x=knee)] if (knee := _knee(subject)) is not None else []
        panels.append(Panel(name, "inertia", [_best(rows, x, "inertia", min)], marks, whole_x=True))
    panels.append(
        Panel(name, "silhouette", [_best(rows, x, "silhouette", max)],
              _chosen(subject, rows, x), whole_x=True)
    )  # fmt: skip
    caption = "The best value of each number of clusters over the other parameters."
    return _drawn("elbow", panels, "", f"Inertia and silhouette over {name}", caption)


def _curves(subject: Subject, rows: Rows, x: str) -> Picture:
    """Draw silhouette and noise over a parameter, one curve per setting of the others."""
    others = [name for name in rows[0] if name.startswith("param_") and name != x]
    settings = list(dict.fromkeys(tuple(row[name] for name in others) for row in rows))
    legend = ", ".join(name.removeprefix("param_") for name in others)
    panels = []
    for score in ("silhouette", "noise_share", "n_clusters"):
        if score != "silhouette" and len({row[score] for row in rows}) == 1:
            continue
        lines = [_best(rows, x, score, max)]
        if len(settings) <= _MOST_LINES:
            lines = [
                _line([r for r in rows if tuple(r[o] for o in others) == setting], x, score,
                      ", ".join(setting))
                for setting in settings
            ]  # fmt: skip
        marks = _chosen(subject, rows, x) if score == "silhouette" else []
        whole = score == "n_clusters"
        panels.append(Panel(x.removeprefix("param_"), score, lines, marks, whole_y=whole))
    return _drawn("scores", panels, legend, f"Scores over {x.removeprefix('param_')}", "")


def _drawn(name: str, panels: Sequence[Panel], legend: str, alt: str, caption: str) -> Picture:
    from segrun.report.pictures.canvas import png

    return Picture(name, png(draw(panels, legend)), alt, caption)


def _line(rows: Rows, x: str, y: str, name: str) -> Line:
    ordered = sorted(rows, key=lambda row: float(row[x]))
    values = [as_float(row[y]) for row in ordered]
    return Line(
        [float(row[x]) for row in ordered],
        [math.nan if value is None else value for value in values],
        name,
    )


def _best(rows: Rows, x: str, y: str, best: object) -> Line:
    found: dict[float, list[float]] = {}
    for row in rows:
        value = as_float(row[y])
        if value is not None:
            found.setdefault(float(row[x]), []).append(value)
    places = sorted(found)
    choose = min if best is min else max
    return Line(places, [choose(found[place]) for place in places])


def _knee(subject: Subject) -> float | None:
    rows = subject.run.table("segments/criteria.csv")
    return next((as_float(row["n_clusters"]) for row in rows if row["criterion"] == "elbow"), None)


def _chosen(subject: Subject, rows: Rows, x: str) -> list[Mark]:
    row = next((row for row in rows if row["point"] == subject.point), None)
    return [Mark(f"shown: {float(row[x]):g}", x=float(row[x]))] if row else []
