"""One frozen job, run in this process: its log, its records, and how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.utils import configure_log, setup_globals
from omegaconf import DictConfig, OmegaConf

from segrun import config, interrupt
from segrun.algorithms.foreign import told
from segrun.data.cache.shelf import Shelf
from segrun.errors import ClaimError, ConfigError, SegrunError
from segrun.runner.prepare import Desk, Part
from segrun.sweep.callbacks import around, ended
from segrun.sweep.job import Ended, Job
from segrun.sweep.threads import share

log = logging.getLogger("segrun")


@dataclass(frozen=True)
class Performer:
    """What every job of a sweep is run with; goes to worker processes as it is.

    Attributes
    ----------
    directory : Path
        The sweep directory, absolute.
    hydra : mapping
        The sweep's ``hydra`` node, unresolved.
    n_parallel : int
        Jobs that can run side by side on one machine.
    shelf : Shelf or None
        Where processes leave prepared data for each other, where there are several.
    """

    directory: Path
    hydra: Mapping[str, Any]
    n_parallel: int = 1
    shelf: Shelf | None = None
    _desk: Desk = field(default_factory=Desk)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the data on the desk: every process has its own."""
        return {**self.__dict__, "_desk": Desk()}

    def __call__(self, job: Job) -> Ended:
        """Run a job to its end; nothing but Ctrl-C comes out of it."""
        began = time.perf_counter()
        share(self.n_parallel)
        directory = self.directory / job.folder
        node = self._node(job)
        setup_globals()
        configure_log(node.hydra.job_logging, node.hydra.verbose)
        with around(job, node, self) as returned:
            status, reason, code = self._run(job, directory, node)
            ended(returned, reason, code)
        return Ended(job, status, reason, time.perf_counter() - began, exit_code=code)

    def _run(self, job: Job, directory: Path, node: DictConfig) -> tuple[str, str, int]:
        from segrun.jobs import run_job

        part = Part(
            again=True,
            input_sha256=job.input_sha256,
            n_parallel=self.n_parallel,
            desk=self._desk,
            shelf=self.shelf,
        )
        try:
            experiment = config.from_plain(job.experiment)
            result = run_job(experiment, directory, records(job, node), part)
        except ClaimError as error:
            return "refused", str(error), 1
        except SegrunError as error:
            log.debug("the run failed", exc_info=True)
            return "failed", str(error), 2 if isinstance(error, ConfigError) else 1
        except (Exception, SystemExit) as error:
            # A Ctrl-C stops the sweep, even if some library made another error of it.
            interrupt.check()
            log.debug("the run failed", exc_info=True)
            status = "oom" if isinstance(error, MemoryError) else "failed"
            place = directory / "segrun.log"
            text = f"{told(error)} (unforeseen; see the traceback in {place})"
            return status, text, 1
        return result.status, result.reason or result.undescribed, result.exit_code

    def _node(self, job: Job) -> DictConfig:
        node = OmegaConf.create({"hydra": self.hydra})
        for key, value in job.hydra.items():
            OmegaConf.update(node, key, value, force_add=True)
        # Where it is now: a sweep can be moved before it goes on.
        node.hydra.runtime.output_dir = str(self.directory / job.folder)
        return node


def records(job: Job, node: DictConfig) -> dict[str, str]:
    """Return what Hydra would write into .hydra."""
    return {
        ".hydra/config.yaml": OmegaConf.to_yaml(OmegaConf.create(dict(job.config))),
        ".hydra/hydra.yaml": OmegaConf.to_yaml(node),
        ".hydra/overrides.yaml": OmegaConf.to_yaml(OmegaConf.create(list(job.overrides))),
    }
