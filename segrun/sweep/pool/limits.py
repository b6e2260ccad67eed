"""The limits of workers, as the caller sets them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What workers may use.

    Attributes
    ----------
    n_jobs : int, default=1
        Worker processes side by side.
    max_rss_bytes : int, optional
        Ceiling of the resident memory of one worker with its children.
    time_limit_seconds : float, optional
        Wall seconds of one job.
    grace_seconds : float, default=10.0
        How long a worker may take to stop after a Ctrl-C before it is killed.
    """

    n_jobs: int = 1
    max_rss_bytes: int | None = None
    time_limit_seconds: float | None = None
    grace_seconds: float = 10.0
