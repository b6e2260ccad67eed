"""Distinctive items of each segment, for ratings."""

from __future__ import annotations

from segrun.report.html.section import Section
from segrun.report.html.subject import Subject

#: Items per segment; of many segments fewer.
_MOST_ITEMS, _FEW_ITEMS = 10, 6
_MANY = 9


def section(subject: Subject) -> Section | None:
    """Return the items that set each segment apart."""
    rows = subject.run.table("segments/distinctive.csv")
    if subject.segments is None or not rows:
        return None
    most = _MOST_ITEMS if len(subject.shown) <= _MANY else _FEW_ITEMS
    found = [
        (segment, [row for row in rows if row["segment"] == str(segment.number)][:most])
        for segment in subject.shown
    ]
    return Section("items", "Distinctive items", {"found": [pair for pair in found if pair[1]]})
