"""What the terminal shows of a benchmark: one table per grid, faster and different in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segrun.formats import number, table
from segrun.report.samples import DIRTY_CORES
from segrun.report.speedup import Grid

_HEADER = ("backend", "ran", "cold s", "warm s", "spread", "counted", "speed-up", "spread",
           "ARI", "inertia ratio", "same labels", "peak MB")  # fmt: skip

_NOTES = {
    "dirty": f"* no clean sample: other processes kept more than {DIRTY_CORES} cores busy, or jobs "
    "ran side by side",
    "cold": "** cold: there is no warm sample; take more rounds (timing.round=0,1,2,3)",
}
#: Distributions whose versions times depend on.
_FITTERS = ("segrun", "scikit-learn", "scikit-learn-intelex")
_MARKS = {"clean": "", "dirty": " *", "cold": " **", "": ""}


def page(grids: Sequence[Grid]) -> str:
    """Return the tables as text.

    Parameters
    ----------
    grids : sequence of Grid
        What was compared; one that has no sample is left out.
    """
    parts, qualities = [], set()
    for grid in grids:
        rows = list(grid.whole())
        if rows:
            qualities |= {row[name] for row in rows for name in ("quality", "pairs_quality")}
            parts.append(f"{_title(grid)}\n{table([_HEADER, *map(_line, rows)])}")
    notes = [note for quality, note in _NOTES.items() if quality in qualities]
    return "\n".join(["\n\n".join(parts), *notes, *([_where(grids[0])] if parts else [])])


def _where(grid: Grid) -> str:
    found = grid.runs[grid.baseline][0].run.environment
    versions = [f"{name} {version}" for name, version in found.get("versions", {}).items()
                if name in _FITTERS]  # fmt: skip
    return f"on {found.get('cpu')}, {found.get('usable_cores')} cores, {', '.join(versions)}"


def _title(grid: Grid) -> str:
    algo = grid.experiment["algo"]
    centres = ", shared starting centres" if algo.get("shared_centres") else ""
    where = f" ({grid.overrides})" if grid.overrides else ""
    return f"{algo['name']}: {len(grid.points)} points over {grid.n_rows:,} rows{centres}{where}"


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    baseline = row["backend"] == row["baseline"]
    return (
        row["backend"],
        row["backend_ran"],
        number(row["cold_seconds"], 3),
        number(row["median_seconds"], 3) + _MARKS[row["quality"]],
        f"{number(row['min_seconds'], 3)} - {number(row['max_seconds'], 3)}",
        f"{row['n_counted']}, {row['n_dirty']} of {row['n_warm']} dirty",
        *(("baseline", "", "", "", "", _memory(row)) if baseline else _compared(row)),
    )


def _compared(row: Mapping[str, Any]) -> tuple[str, ...]:
    fast = row["speedup"] is not None
    return (
        f"{row['speedup']:.2f}x{_MARKS[row['pairs_quality']]}" if fast else "no pair",
        f"{row['speedup_min']:.2f} - {row['speedup_max']:.2f}" if fast else "",
        f"{row['ari']:.4f}",
        "" if row["inertia_ratio"] is None else f"{row['inertia_ratio']:.6f}",
        f"{row['n_identical']} of {row['n_points']}",
        _memory(row),
    )


def _memory(row: Mapping[str, Any]) -> str:
    peak = row["peak_rss_bytes"]
    return "" if peak is None else f"{peak / 1e6:.0f}"
