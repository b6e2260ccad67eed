"""Numbers, bytes and tables as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines with columns of equal width."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def in_seconds(seconds: float) -> str:
    """Return seconds to two digits: 0.34 s, 12 s, 1,300 s."""
    return f"{_rounded(seconds):,.12g} s"


def in_bytes(n_bytes: float) -> str:
    """Return bytes to two digits: 640 MB, 1.2 GB."""
    unit, name = (1e9, "GB") if n_bytes >= 1e9 else (1e6, "MB")
    return f"{_rounded(n_bytes / unit):,.12g} {name}"


def _rounded(value: float) -> float:
    # An estimate has no more digits to give.
    return float(f"{value:.2g}")
