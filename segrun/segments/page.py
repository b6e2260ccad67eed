"""The segments of a run as the terminal shows them."""

from __future__ import annotations

from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import Segments

_FACTS = "segments/facts.csv"
_SHOWN = 30


def page(run: FinishedRun, segments: Segments) -> str:
    """Return number, name, size and the strongest fact of every segment, a line each.

    Parameters
    ----------
    run : FinishedRun
        The run as it is now: described.
    segments : Segments
        Its segments; of very many the first ones are shown.
    """
    # Late: commands that show no table need none of it.
    from segrun.formats import counted, percent, table
    from segrun.segments.left_out import left_out

    rows = [("segment", "name", "customers", "share", "known by")]
    first = {row["segment"]: row["text"] for row in reversed(run.table(_FACTS))}
    for segment in segments.segments[:_SHOWN]:
        told = first.get(str(segment.number), "")
        share = percent(segment.share)
        rows.append((str(segment.number), segment.name, f"{segment.size:,}", share, told))
    count = len(segments.segments)
    more = [f"... and {count - _SHOWN} more"] if count > _SHOWN else []
    balance = left_out(run.manifest)
    lines = [f"{segments.point}, {counted(count, 'segment')}", table(rows), *more, balance]
    return "\n".join(line for line in lines if line)
