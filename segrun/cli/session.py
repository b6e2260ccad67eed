"""The jobs of one command: run each, tell and record its failure, sum up at the end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from segrun import config, interrupt
from segrun.config.explain import explain
from segrun.errors import ClaimError, ConfigError, SegrunError
from segrun.report.sweep import JobResult
from segrun.rundir.claim import withdraw

if TYPE_CHECKING:
    from segrun.sweep.conduct import Conductor

log = logging.getLogger("segrun")


@dataclass(frozen=True)
class Planning:
    """Show what a multirun would do, and do nothing."""

    estimate: bool = False


@dataclass
class Session:
    """What one command came to."""

    jobs: list[JobResult] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    planning: Planning | None = None
    conductor: Conductor | None = None

    def run_job(
        self, composed: DictConfig, directory: Path, overrides: str, records: Mapping[str, str]
    ) -> None:
        """Run one job; its failure is told and recorded, and does not stop the others."""
        job = JobResult(directory, overrides=overrides)
        self.jobs.append(job)
        self.codes.append(0)
        try:
            self.codes[-1] = _run(composed, directory, records)
        except ClaimError as error:
            # The directory is another run's: nothing is written to it, not even to its log.
            self.jobs[-1] = JobResult(directory, refused=str(error), overrides=overrides)
            self._tell_failure(job, error)
        except (Exception, SystemExit) as error:
            # One job's failure must not stop the others, nor may a plugin's exit(0) stand for all;
            # but a Ctrl-C stops them, even if some library made another error of it.
            interrupt.check()
            self._tell_failure(job, error)
            log.debug("the run failed", exc_info=True)
            if isinstance(error, ConfigError):
                # The corrected command may want the directory.
                withdraw(directory)

    def _tell_failure(self, job: JobResult, error: Exception | SystemExit) -> None:
        self.codes[-1] = exit_code(error)
        message = str(error)
        if not isinstance(error, SegrunError):
            from segrun.algorithms.foreign import told

            place = job.directory / "segrun.log"
            message = f"{told(error)} (unforeseen; see the traceback in {place})"
        tell(message)

    def close(self) -> int:
        """Print the table of results to stdout, return the exit code."""
        # Late: a mistyped key needs none of it.
        from segrun.report.sweep import summary

        if self.conductor is not None:
            return self.conductor.close() if self.conductor.jobs else 0
        if not self.jobs:
            return 0
        if (self.jobs[0].directory / "scores.csv").exists():
            print(summary(self.jobs), end="\n\n")  # noqa: T201
        if described := _segments(self.jobs[0]):
            print(described, end="\n\n")  # noqa: T201
        where, here = self.jobs[0].directory.absolute(), Path.cwd()
        if where.is_dir():
            print(where.relative_to(here) if where.is_relative_to(here) else where)  # noqa: T201
        return max(self.codes)


def _run(composed: DictConfig, directory: Path, records: Mapping[str, str]) -> int:
    from segrun.jobs import run_job

    try:
        experiment = config.to_experiment(composed)
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    return run_job(experiment, directory, records).exit_code


def _segments(job: JobResult) -> str:
    """Return the table of a job's segments, empty where it was not described."""
    if job.manifest()["status"] not in ("done", "incomplete"):
        return ""
    from segrun.rundir.finished import open_run
    from segrun.segments.segment import is_described, page, read_segments

    run = open_run(job.directory)
    return page(run, read_segments(run)) if is_described(run) else ""


def exit_code(error: BaseException) -> int:
    """Return 2 where the configuration is wrong, otherwise 1."""
    return 2 if isinstance(error, ConfigError) else 1


def tell(message: str) -> None:
    """Print one message to stderr."""
    print(f"segrun: {message}", file=sys.stderr)  # noqa: T201
