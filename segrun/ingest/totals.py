"""What is known of all rows of a state together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from segrun.features.partial import Asked
from segrun.ingest.part import Part


def totals_of(part: Part, asked: Asked) -> dict[str, Any]:
    """Return the totals of a part: its facts, and how many values have finer units than usual."""
    finer = {m.name: int(part.table[f"{m.name} finer"].sum() or 0) for m in asked.measures}
    return {**part.facts, "finer": finer}


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of both."""
    found: dict[str, Any] = {"n_lines": one["n_lines"] + other["n_lines"]}
    for name in ("dropped", "finer"):
        keys = [*one[name], *(key for key in other[name] if key not in one[name])]
        counts = Counter(one[name]) + Counter(other[name])
        found[name] = {key: counts[key] for key in keys}
    for name, best in (("first_line", min), ("last_line", max)):
        dates = [datetime.fromisoformat(part[name]) for part in (one, other) if name in part]
        if dates:
            found[name] = best(dates).isoformat()
    return found


def n_dropped(totals: Mapping[str, Any]) -> int:
    """Return how many rows the rules dropped."""
    return sum(totals["dropped"].values())
