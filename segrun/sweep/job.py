"""A job of a sweep, frozen: everything that it needs, written down before any job begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: A job in one of these states need not be run again.
FINISHED = ("done", "cached")


@dataclass(frozen=True)
class Job:
    """One job, as composed before the first began.

    Attributes
    ----------
    number : int
        From 0, in the order of the sweep.
    folder : str
        Its run directory, below the sweep directory.
    overrides : sequence of str
        What the command line asked for.
    experiment : mapping
        The experiment as plain values, all resolved.
    config : mapping
        The configuration as composed, interpolations as they stand.
    hydra : mapping
        What differs from the sweep's own ``hydra`` node: by full key.
    key : str
        Content key.
    input_sha256 : str or None
        Digest of the input file, None where the data are generated.
    """

    number: int
    folder: str
    overrides: Sequence[str]
    experiment: Mapping[str, Any]
    config: Mapping[str, Any]
    hydra: Mapping[str, Any]
    key: str
    input_sha256: str | None

    def plain(self) -> dict[str, Any]:
        """Return the job as JSON can hold it."""
        return asdict(self)

    @property
    def about(self) -> dict[str, Any]:
        """What a manifest says of the experiment, where the run cannot say it itself."""
        return {"name": self.experiment["name"], "algo": self.experiment["algo"]["name"]}


@dataclass(frozen=True)
class Ended:
    """What one attempt at a job came to.

    Attributes
    ----------
    job : Job
        The job.
    status : str
        done, incomplete (some points failed), failed, oom (out of memory), crashed, timeout,
        interrupted, cached (taken over from an earlier sweep).
    reason : str
        Why, empty where it is done.
    wall_seconds : float
        From handing the job out to its end.
    peak_rss_bytes : int or None
        Highest resident memory of the worker meanwhile; None where nobody looked.
    exit_code : int
        0, 1, or 2 where the configuration is wrong.
    """

    job: Job
    status: str
    reason: str = ""
    wall_seconds: float = 0.0
    peak_rss_bytes: int | None = None
    exit_code: int = field(default=0)

    @property
    def finished(self) -> bool:
        """Whether nothing of the job is left to do."""
        return self.status in FINISHED
