"""Profiles: how far each segment is from the whole, in every column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from segrun.formats import as_float, number, percent
from segrun.report.html.section import Picture, Section
from segrun.report.html.subject import Subject
from segrun.report.pictures.heatmap import DIVERGING, FULL, draw

#: Rows that are shown: those in which segments differ most.
_MOST_COLUMNS, _MOST_SHARES = 48, 15

Rows = dict[str, dict[str, dict[str, str]]]


def section(subject: Subject) -> Section | None:
    """Return the heat map and the tables of means and shares."""
    rows = subject.run.table("segments/profile.csv")
    if subject.segments is None or not rows:
        return None
    every, shares = _by_column(rows, "numeric"), _by_column(rows, "share")
    numeric = dict(sorted(every.items(), key=lambda item: -_furthest(item[1]))[:_MOST_COLUMNS])
    # In the order of the columns.
    numeric = {name: cells for name, cells in every.items() if name in numeric}
    segments = subject.shown
    numbers = [str(segment.number) for segment in segments]
    chosen = sorted(shares, key=lambda name: -_spread(shares[name]))[:_MOST_SHARES]
    return Section(
        "profiles",
        "Profiles",
        {
            "segments": segments,
            "n_columns": len(every),
            "heat": [
                {**_row(cells, numbers), "column": subject.titles.get(name, name)}
                for name, cells in numeric.items()
            ],
            "shares": [_share_row(name, shares[name], numbers) for name in chosen],
            "n_shares": len(shares),
        },
        [_picture(subject, numeric, numbers)] if numeric else [],
    )


def _by_column(rows: list[dict[str, str]], kind: str) -> Rows:
    found: Rows = {}
    for row in rows:
        if row["kind"] == kind:
            found.setdefault(row["column"], {})[row["segment"]] = row
    return found


def _row(cells: dict[str, dict[str, str]], numbers: list[str]) -> dict[str, Any]:
    first = next(iter(cells.values()))
    return {
        "clustered": first["clustered"] == "true",
        "overall": first["overall_mean"],
        "cells": [_cell(cells.get(number_)) for number_ in numbers],
    }


def _cell(row: dict[str, str] | None) -> dict[str, Any]:
    if row is None:
        return {"z": None, "mean": "", "colour": "#FFFFFF", "hover": ""}
    z = as_float(row["z"])
    return {
        "z": z,
        "mean": row["mean"],
        "colour": colour(z),
        "hover": f"mean {number(row['mean'])}, median {number(row['median'])}, "
        f"5 % to 95 %: {number(row['q05'])} to {number(row['q95'])}; "
        f"all customers: mean {number(row['overall_mean'])}",
    }


def _share_row(name: str, cells: dict[str, dict[str, str]], numbers: list[str]) -> dict[str, Any]:
    first = next(iter(cells.values()))
    found = []
    for own in numbers:
        share = as_float(cells[own]["mean"]) if own in cells else None
        overall = as_float(first["overall_mean"]) or 0.0
        more = None if share is None else (share - overall) * 4
        found.append({"share": percent(share), "colour": colour(more)})
    return {"column": name, "overall": percent(first["overall_mean"]), "cells": found}


def _furthest(cells: dict[str, dict[str, str]]) -> float:
    return max(abs(as_float(row["z"]) or 0.0) for row in cells.values())


def _spread(cells: dict[str, dict[str, str]]) -> float:
    shares = [as_float(row["mean"]) or 0.0 for row in cells.values()]
    return max(shares) - min(shares)


def colour(z: float | None) -> str:
    """Return the colour of a cell `z` standard deviations from the mean."""
    if z is None or math.isnan(z):
        return DIVERGING[1]
    strength = min(abs(z) / FULL, 1.0)
    end = DIVERGING[2] if z > 0 else DIVERGING[0]
    parts = [round(255 + (int(end[place : place + 2], 16) - 255) * strength) for place in (1, 3, 5)]
    return "#" + "".join(f"{part:02X}" for part in parts)


def _picture(subject: Subject, numeric: Rows, numbers: list[str]) -> Picture:
    from segrun.report.pictures.canvas import png

    z = np.array(
        [
            [as_float(cells[own]["z"]) if own in cells else None for own in numbers]
            for cells in numeric.values()
        ],
        dtype=np.float64,
    )
    columns = [subject.titles.get(name, name) for name in numeric]
    drawn = draw(columns, [segment.name for segment in subject.shown], z)
    return Picture("profiles", png(drawn), "Profiles as coloured cells", shown=False)
