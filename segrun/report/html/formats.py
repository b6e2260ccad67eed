"""Numbers as people read them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any


def as_float(cell: Any) -> float | None:
    """Return the number in a cell of a table, None where there is none."""
    if cell is None or cell == "":
        return None
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def number(cell: Any) -> str:
    """Return a number with three or four digits that count; any other text as it is."""
    value = as_float(cell)
    if value is None:
        return "" if cell is None else str(cell)
    if value == int(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.4g}"


def counted(n: int, what: str) -> str:
    """Return a number of things: 1 point, 2 points."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(cell: Any) -> str:
    """Return a share, 0 to 1, as per cent; empty where there is none."""
    value = as_float(cell)
    return "" if value is None else f"{value:.1%}"


def signed(cell: Any) -> str:
    """Return a number with its sign and one decimal; empty where there is none."""
    value = as_float(cell)
    if value is None:
        return ""
    # Not -0.0.
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"


def seconds(cell: Any) -> str:
    """Return seconds with a unit."""
    value = as_float(cell)
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f} s"
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def place(path: Path) -> str:
    """Return a directory as a command can name it where outputs/ is, or else its name."""
    parts = path.absolute().parts
    if "outputs" in parts:
        return "/".join(parts[len(parts) - 1 - parts[::-1].index("outputs") :])
    return path.absolute().name


def megabytes(cell: Any) -> str:
    """Return bytes as megabytes."""
    value = as_float(cell)
    return "" if value is None else f"{value / 1e6:,.0f} MB"
