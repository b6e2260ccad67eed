"""How one job ended, as the caller hears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

P = TypeVar("P")


@dataclass(frozen=True)
class Result(Generic[P]):
    """How one job ended.

    Attributes
    ----------
    payload : object
        What the job was.
    status : {"returned", "raised", "oom", "crashed", "timeout", "interrupted"}
        How it ended.
    value : object
        What the task returned; None unless it did.
    reason : str
        What happened, with figures; empty if the task returned.
    wall_seconds : float
        What it took, without the start of a worker.
    peak_rss_bytes : int or None
        Highest resident memory seen of the worker with its children.
    pid : int
        The worker.
    """

    payload: P
    status: str
    value: Any
    reason: str
    wall_seconds: float
    peak_rss_bytes: int | None
    pid: int
