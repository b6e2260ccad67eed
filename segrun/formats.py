"""Numbers, shares, bytes, durations and tables as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def as_float(cell: Any) -> float | None:
    """Return the number in a cell of a table, None where there is none."""
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def number(cell: Any, digits: int | None = None) -> str:
    """Return a number with 3 or 4 digits that count, or `digits`; any other text as it is."""
    value = as_float(cell)
    if value is None:
        return "" if cell is None else str(cell)
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.{digits or (3 if abs(value) < 1 else 4)}g}"


def in_text(value: float) -> str:
    """Return a number for a sentence: 1,234, 12.3, 1.23, 0.12, 0.012."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"


def times(ratio: float) -> str:
    """Return a multiple: 6.1, 12, 1,234."""
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def signed(cell: Any) -> str:
    """Return a number with its sign and one decimal; empty where there is none."""
    value = as_float(cell)
    if value is None:
        return ""
    # Not -0.0.
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"


def counted(n: int, what: str) -> str:
    """Return a number of things: 1 point, 2 points."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(cell: Any) -> str:
    """Return a share, 0 to 1, for a table: 12.3%; empty where there is none."""
    value = as_float(cell)
    return "" if value is None else f"{value:.1%}"


def percent_in_text(share: float) -> str:
    """Return a share for a sentence: 12 %; some but not all is never called 0 % or 100 %."""
    if 0 < share <= 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def seconds(cell: Any) -> str:
    """Return measured seconds: 4.2 ms, 0.34 s, 1,234 s; empty where there are none."""
    value = as_float(cell)
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f} s"
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def in_seconds(value: float) -> str:
    """Return estimated seconds to two digits: 0.34 s, 12 s, 1,300 s."""
    return f"{float(f'{value:.2g}'):,.12g} s"


def in_bytes(n_bytes: float, digits: int = 2) -> str:
    """Return bytes, to two digits as an estimate has them: 640 MB, 1.2 GB."""
    units = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    unit, name = next((known for known in units if n_bytes >= known[0]), (1, "B"))
    return f"{float(f'{n_bytes / unit:.{digits}g}'):,.12g} {name}"


def megabytes(cell: Any) -> str:
    """Return bytes as megabytes, for a column; empty where there are none."""
    value = as_float(cell)
    return "" if value is None else f"{value / 1e6:,.0f} MB"


def gibibytes(n_bytes: int) -> str:
    """Return the memory of a machine, which is told in powers of 2."""
    return f"{n_bytes / 2**30:.1f} GiB"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines with columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
