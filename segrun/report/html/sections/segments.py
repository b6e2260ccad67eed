"""The segments: a card each, how they differ from all customers, and their distinctive items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segrun.formats import as_float, number, percent
from segrun.report.html.page import Picture, Section, picture
from segrun.report.html.reported import ReportedRun, Rows
from segrun.report.pictures.segments import DIVERGING, FULL, draw_profiles, draw_sizes

#: Of more segments than these less is shown of each: facts, items.
_MANY = 9
_MOST_FACTS, _FEW_FACTS = 5, 3
_MOST_ITEMS, _FEW_ITEMS = 10, 6
#: Rows of the profiles: those in which segments differ most.
_MOST_COLUMNS, _MOST_SHARES = 48, 15

#: Row of ``profile.csv`` by number of the segment.
Cells = Mapping[str, Mapping[str, str]]


def cards(subject: ReportedRun) -> Section | None:
    """Return a card for each segment and the picture of sizes."""
    if subject.segments is None or subject.numbers is None:
        return None
    every, shown = subject.segments.segments, subject.shown
    facts = subject.table("facts")
    most = _FEW_FACTS if len(shown) > _MANY else _MOST_FACTS
    sizes = "; ".join(f"{s.name}: {s.size:,} ({s.share:.1%})" for s in shown)
    drawn = draw_sizes(shown, subject.rows_are)
    return Section(
        "segments",
        "Segments",
        {
            "cards": [(s, [row["text"] for row in _of_segment(facts, s.number)[:most]])
                      for s in shown],
            "many": len(shown) > _MANY,
            "n_left": len(every) - len(shown),
            "size_left": sum(segment.size for segment in every[len(shown) :]),
            "n_outside": int((~np.isin(subject.numbers, [s.number for s in every])).sum()),
            "n_rows": len(subject.run.customers),
            "rows_are": subject.rows_are,
        },
        [picture("sizes", drawn, f"Customers per segment. {sizes}")],
    )  # fmt: skip


def items(subject: ReportedRun) -> Section | None:
    """Return the items of ratings that set each segment apart."""
    rows = subject.table("distinctive")
    most = _FEW_ITEMS if len(subject.shown) > _MANY else _MOST_ITEMS
    found = [(s, own[:most]) for s in subject.shown if (own := _of_segment(rows, s.number))]
    return Section("items", "Distinctive items", {"found": found}) if rows else None


def _of_segment(rows: Rows, own: int) -> Rows:
    return [row for row in rows if row["segment"] == str(own)]


def profiles(subject: ReportedRun) -> Section | None:
    """Return the heat map and the tables of means and shares."""
    rows = subject.table("profile")
    if not rows:
        return None
    numeric, shares = _by_column(rows, "numeric"), _by_column(rows, "share")
    furthest = sorted(numeric, key=lambda name: -_furthest(numeric[name]))[:_MOST_COLUMNS]
    spread = sorted(shares, key=lambda name: -_spread(shares[name]))[:_MOST_SHARES]
    # In the order of the columns.
    shown = {name: cells for name, cells in numeric.items() if name in furthest}
    numbers = [str(segment.number) for segment in subject.shown]
    return Section(
        "profiles",
        "Profiles",
        {
            "segments": subject.shown,
            "n_columns": len(numeric),
            "heat": [
                {**_mean_row(cells, numbers), "column": subject.titles.get(name, name)}
                for name, cells in shown.items()
            ],
            "shares": [{**_share_row(shares[name], numbers), "column": name} for name in spread],
            "n_shares": len(shares),
        },
        [_profiles_picture(subject, shown, numbers)] if shown else [],
    )


def _by_column(rows: Rows, kind: str) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        if row["kind"] == kind:
            found.setdefault(row["column"], {})[row["segment"]] = row
    return found


def _furthest(cells: Cells) -> float:
    return max(abs(as_float(row["z"]) or 0.0) for row in cells.values())


def _spread(cells: Cells) -> float:
    return float(np.ptp([as_float(row["mean"]) or 0.0 for row in cells.values()]))


def _mean_row(cells: Cells, numbers: Sequence[str]) -> dict[str, Any]:
    first = next(iter(cells.values()))
    return {
        "clustered": first["clustered"] == "true",
        "overall": first["overall_mean"],
        "cells": [_mean_cell(cells.get(own)) for own in numbers],
    }


def _mean_cell(row: Mapping[str, str] | None) -> dict[str, Any]:
    if row is None:
        return {"z": None, "mean": "", "colour": colour(None), "hover": ""}
    z = as_float(row["z"])
    hover = (
        f"mean {number(row['mean'])}, median {number(row['median'])}, "
        f"5 % to 95 %: {number(row['q05'])} to {number(row['q95'])}; "
        f"all customers: mean {number(row['overall_mean'])}"
    )
    return {"z": z, "mean": row["mean"], "colour": colour(z), "hover": hover}


def _share_row(cells: Cells, numbers: Sequence[str]) -> dict[str, Any]:
    overall = next(iter(cells.values()))["overall_mean"]
    shares = [as_float(cells[own]["mean"]) if own in cells else None for own in numbers]
    of_all = as_float(overall) or 0.0
    return {
        "overall": percent(overall),
        "cells": [
            {"share": percent(s), "colour": colour(None if s is None else 4 * (s - of_all))}
            for s in shares
        ],
    }


def colour(z: float | None) -> str:
    """Return the colour of a cell `z` standard deviations from the mean."""
    low, white, high = DIVERGING
    if z is None:
        return white
    strength, end = min(abs(z) / FULL, 1.0), high if z > 0 else low
    parts = [round(255 + (part - 255) * strength) for part in bytes.fromhex(end[1:])]
    return "#" + bytes(parts).hex().upper()


def _profiles_picture(
    subject: ReportedRun, numeric: Mapping[str, Cells], numbers: Sequence[str]
) -> Picture:
    z = np.array(
        [
            [as_float(cells[own]["z"]) if own in cells else None for own in numbers]
            for cells in numeric.values()
        ],
        dtype=np.float64,
    )
    columns = [subject.titles.get(name, name) for name in numeric]
    drawn = draw_profiles(columns, [segment.name for segment in subject.shown], z)
    return picture("profiles", drawn, "Profiles as coloured cells", shown=False)
