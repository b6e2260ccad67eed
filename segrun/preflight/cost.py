"""What one stage will take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What one stage will take, about.

    Attributes
    ----------
    stage : {"fit", "evaluate", "store"}
        The stage, as in ``timings.csv``.
    seconds : float or None
        Wall seconds; None where nothing tells.
    extra_bytes : int or None
        Memory on top of what the process held before; None where nothing tells.
    disk_bytes : int
        Size of the files it leaves.
    basis : str
        What it was judged by.
    cheaper : tuple of str
        What would take less.
    """

    stage: str
    seconds: float | None
    extra_bytes: int | None
    basis: str
    disk_bytes: int = 0
    cheaper: tuple[str, ...] = ()


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
