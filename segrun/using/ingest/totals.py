"""What is known of all rows of a state together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of both."""
    found: dict[str, Any] = {"n_lines": one["n_lines"] + other["n_lines"]}
    keys = [*one["dropped"], *(key for key in other["dropped"] if key not in one["dropped"])]
    counts = Counter(one["dropped"]) + Counter(other["dropped"])
    found["dropped"] = {key: counts[key] for key in keys}
    for name, best in (("first_line", min), ("last_line", max)):
        dates = [datetime.fromisoformat(part[name]) for part in (one, other) if name in part]
        if dates:
            found[name] = best(dates).isoformat()
    return found


def n_dropped(totals: Mapping[str, Any]) -> int:
    """Return how many rows the rules dropped."""
    return sum(totals["dropped"].values())
