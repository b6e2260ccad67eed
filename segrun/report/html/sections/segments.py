"""The segments: a card each, sizes, and how long they last."""

from __future__ import annotations

from typing import Any

import numpy as np

from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject
from segrun.segments.segment import Segment

#: Facts on a card; on one of many fewer.
_MOST_FACTS, _FEW_FACTS = 5, 3
_MANY = 9


def section(subject: Subject) -> Section | None:
    """Return the cards and the picture of sizes."""
    if subject.segments is None:
        return None
    every = subject.segments.segments
    left = every[len(subject.shown) :]
    return Section(
        "segments",
        "Segments",
        {
            "cards": [_card(subject, segment) for segment in subject.shown],
            "many": len(subject.shown) > _MANY,
            "n_left": len(left),
            "size_left": sum(segment.size for segment in left),
            "point": subject.segments.point,
            "n_outside": _outside(subject),
            "n_rows": len(subject.run.customers),
            "rows_are": subject.rows_are,
        },
        [_sizes(subject)],
    )


def _card(subject: Subject, segment: Segment) -> dict[str, Any]:
    own = str(segment.number)
    facts = [
        row["text"] for row in subject.run.table("segments/facts.csv") if row["segment"] == own
    ]
    most = _MOST_FACTS if len(subject.shown) <= _MANY else _FEW_FACTS
    return {
        "segment": segment,
        "facts": facts[:most],
        "medoids": ", ".join(map(str, segment.medoids)),
    }


def _outside(subject: Subject) -> int:
    """Return the number of rows that are in no segment."""
    if subject.segments is None or subject.numbers is None:
        return 0
    own = [segment.number for segment in subject.segments.segments]
    return int((~np.isin(subject.numbers, own)).sum())


def _sizes(subject: Subject) -> Picture:
    from segrun.report.pictures.canvas import png
    from segrun.report.pictures.sizes import draw

    shown = subject.shown
    words = "; ".join(f"{s.name}: {s.size:,} ({s.share:.1%})" for s in shown)
    return Picture("sizes", png(draw(shown, subject.rows_are)), f"Customers per segment. {words}")
