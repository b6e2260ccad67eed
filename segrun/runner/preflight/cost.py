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
