"""Which point: what every criterion picks, all points with their scores, and curves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

from segrun.formats import as_float
from segrun.report.html.page import Picture, Section, picture
from segrun.report.html.reported import ReportedRun, Rows
from segrun.report.pictures.lines import Line, Mark, Panel, draw_lines

#: Parameters that are the number of clusters.
_COUNTS = ("param_n_clusters", "param_n_components")
#: More curves than these cannot be told apart: then the best value of each place is shown.
_MOST_LINES = 5


def criteria(subject: ReportedRun) -> Section | None:
    """Return the criteria side by side, with the point that each would pick."""
    rows = subject.run.table("segments/criteria.csv")
    if not rows:
        return None
    picking = [row for row in rows if row["point"]]
    votes = {row["n_clusters"] for row in picking if row["n_clusters"]}
    return Section(
        "criteria",
        "How many segments",
        {
            "rows": picking,
            "silent": [row["criterion"] for row in rows if not row["point"]],
            "point": subject.point,
            "votes": sorted(votes, key=float),
        },
    )


def grid(subject: ReportedRun) -> Section | None:
    """Return the table of points, and scores over the parameter that matters."""
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
        and not (name in _COUNTS and all(row[name] == row["n_clusters"] for row in rows))
    ]
    # Long and rare.
    return ["point", *sorted(told, key=lambda name: name == "reason")]


def _picture(subject: ReportedRun, rows: Rows) -> Picture | None:
    x = _axis(rows)
    if x is None:
        return None
    return _elbow(subject, rows, x) if x in _COUNTS else _curves(subject, rows, x)


def _axis(rows: Rows) -> str | None:
    """Return the parameter that curves run over, None where there is none."""
    lengths = {
        name: len({row[name] for row in rows})
        for name in (rows[0] if rows else {})
        if name.startswith("param_") and all(as_float(row[name]) is not None for row in rows)
    }
    several = [name for name, length in lengths.items() if length > 1]
    # Of equally long ones the last: grids name their finest parameter last.
    several.sort(key=lambda name: (name in _COUNTS, lengths[name]))
    return several[-1] if several else None


def _elbow(subject: ReportedRun, rows: Rows, x: str) -> Picture:
    """Draw inertia with its knee and the silhouette, the best of each number of clusters."""
    name = x.removeprefix("param_")
    chosen = _chosen(subject, rows, x)
    panels = [Panel(name, "silhouette", [_best(rows, x, "silhouette", max)], chosen, whole_x=True)]
    if any(row["inertia"] for row in rows):
        inertia = _best(rows, x, "inertia", min)
        panels.insert(0, Panel(name, "inertia", [inertia], _knee(subject), whole_x=True))
    caption = "The best value of each number of clusters over the other parameters."
    return picture("elbow", draw_lines(panels), f"Inertia and silhouette over {name}", caption)


def _curves(subject: ReportedRun, rows: Rows, x: str) -> Picture:
    """Draw silhouette and noise over a parameter, one curve per setting of the others."""
    name = x.removeprefix("param_")
    others = [other for other in rows[0] if other.startswith("param_") and other != x]
    settings: dict[str, Rows] = {}
    for row in rows:
        settings.setdefault(", ".join(row[other] for other in others), []).append(row)
    panels = []
    for score in ("silhouette", "noise_share", "n_clusters"):
        if score != "silhouette" and len({row[score] for row in rows}) == 1:
            continue
        lines = [_best(rows, x, score, max)]
        if len(settings) <= _MOST_LINES:
            lines = [_line(own, x, score, setting) for setting, own in settings.items()]
        marks = _chosen(subject, rows, x) if score == "silhouette" else []
        panels.append(Panel(name, score, lines, marks, whole_y=score == "n_clusters"))
    legend = ", ".join(other.removeprefix("param_") for other in others)
    return picture("scores", draw_lines(panels, legend), f"Scores over {name}")


def _line(rows: Rows, x: str, y: str, name: str) -> Line:
    ordered = sorted(rows, key=lambda row: float(row[x]))
    values = [as_float(row[y]) for row in ordered]
    return Line(
        [float(row[x]) for row in ordered],
        [math.nan if value is None else value for value in values],
        name,
    )


def _best(rows: Rows, x: str, y: str, best: Callable[[Iterable[float]], float]) -> Line:
    found = defaultdict(list)
    for row in rows:
        if (value := as_float(row[y])) is not None:
            found[float(row[x])].append(value)
    return Line(sorted(found), [best(found[place]) for place in sorted(found)])


def _knee(subject: ReportedRun) -> list[Mark]:
    rows = subject.run.table("segments/criteria.csv")
    knees = [as_float(row["n_clusters"]) for row in rows if row["criterion"] == "elbow"]
    return [Mark(f"knee: {knee:g}", x=knee) for knee in knees[:1] if knee is not None]


def _chosen(subject: ReportedRun, rows: Rows, x: str) -> list[Mark]:
    values = [float(row[x]) for row in rows if row["point"] == subject.point]
    return [Mark(f"shown: {value:g}", x=value) for value in values]
