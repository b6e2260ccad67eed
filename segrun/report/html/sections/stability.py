"""Stability: what is left of each segment when the algorithm sees other customers."""

from __future__ import annotations

from segrun.report.html.section import Section
from segrun.report.html.subject import Subject


def section(subject: Subject) -> Section | None:
    """Return the table of stability."""
    rows = subject.run.table("segments/stability.csv")
    if subject.segments is None or not rows:
        return None
    colours = {str(segment.number): segment.colour for segment in subject.segments.segments}
    own = [row for row in rows if row["segment"] != ""]
    overall = next((row for row in rows if row["segment"] == ""), None)
    return Section(
        "stability",
        "Stability",
        {"rows": own[: len(subject.shown)], "overall": overall, "colours": colours},
    )
