"""How many segments: every criterion with the point that it would pick."""

from __future__ import annotations

from segrun.report.html.section import Section
from segrun.report.html.subject import Subject


def section(subject: Subject) -> Section | None:
    """Return the criteria side by side."""
    rows = subject.run.table("segments/criteria.csv")
    if not rows:
        return None
    silent = [row["criterion"] for row in rows if not row["point"]]
    rows = [row for row in rows if row["point"]]
    votes = {row["n_clusters"] for row in rows if row["n_clusters"]}
    return Section(
        "criteria",
        "How many segments",
        {
            "rows": rows,
            "silent": silent,
            "point": subject.point,
            "agree": len(votes) <= 1,
            "votes": sorted(votes, key=float),
        },
    )
