"""A job of a sweep, frozen: everything that it needs, written down before any job begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: A job in one of these states need not be run again.
FINISHED = ("done", "cached")


@dataclass(frozen=True)
class Job:
    """One job, as composed before the first began.

    `folder` is its run directory, below the sweep's. `experiment` is all resolved; `config` has
    interpolations as they stand; `hydra` what differs from the sweep's own node, by full key.
    `input_sha256` is None where the data are generated.
    """

    number: int
    folder: str
    overrides: Sequence[str]
    experiment: Mapping[str, Any]
    config: Mapping[str, Any]
    hydra: Mapping[str, Any]
    key: str
    input_sha256: str | None

    @property
    def about(self) -> dict[str, Any]:
        """What a manifest says of the experiment, where the run cannot say it itself."""
        return {"name": self.experiment["name"], "algo": self.experiment["algo"]["name"]}


@dataclass(frozen=True)
class Ended:
    """What one attempt at a job came to.

    `status` is done, incomplete (some points failed), failed, refused, oom (out of memory),
    crashed, timeout, interrupted or cached (taken over from an earlier sweep). The memory is the
    worker's highest, None where nobody looked; `exit_code` is 2 where the configuration is wrong.
    """

    job: Job
    status: str
    reason: str = ""
    wall_seconds: float = 0.0
    peak_rss_bytes: int | None = None
    exit_code: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing of the job is left to do."""
        return self.status in FINISHED
