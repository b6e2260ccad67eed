"""What a worker sends back after every job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """How a job ended that did not take its worker along.

    Attributes
    ----------
    status : {"returned", "raised", "oom", "interrupted"}
        How it ended.
    value : bytes
        What the task returned, pickled; empty unless it did.
    reason : str
        What happened; empty if the task returned.
    wall_seconds : float
        What it took.
    peak_rss_bytes : int or None
        Highest resident memory of the worker meanwhile.
    """

    status: str
    value: bytes
    reason: str
    wall_seconds: float
    peak_rss_bytes: int | None


def describe(error: BaseException) -> str:
    """Return an error as one line."""
    return f"{type(error).__name__}: {error}"
