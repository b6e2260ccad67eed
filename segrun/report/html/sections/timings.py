"""Where the time went."""

from __future__ import annotations

from collections import Counter
from typing import Any

from segrun.formats import as_float
from segrun.report.html.section import Section
from segrun.report.html.subject import Subject


def section(subject: Subject) -> Section | None:
    """Return seconds and memory by stage."""
    rows = subject.run.timings
    if not rows:
        return None
    stages = [_stage(stage, rows) for stage in dict.fromkeys(row["stage"] for row in rows)]
    longest = max(stage["wall"] for stage in stages) or 1.0
    return Section("timings", "Timings", {"stages": stages, "longest": longest})


def _stage(stage: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    own = [row for row in rows if row["stage"] == stage]
    memory = [found for row in own if (found := as_float(row["peak_rss_bytes"])) is not None]
    ran = Counter(row["backend_ran"] for row in own if row["backend_ran"])
    reasons = dict.fromkeys(row["reason"] for row in own if row["reason"])
    return {
        "stage": stage,
        "n": len(own),
        "wall": sum(as_float(row["wall_seconds"]) or 0.0 for row in own),
        "cpu": sum(as_float(row["cpu_seconds"]) or 0.0 for row in own),
        "memory": max(memory, default=None),
        "ran": ", ".join(f"{name} {n}" if n > 1 else name for name, n in ran.items()),
        "reasons": list(reasons),
    }
