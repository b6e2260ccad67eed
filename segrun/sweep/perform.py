"""One frozen job, run in this process: its log, its records, and how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, configure_log, env_override, setup_globals
from omegaconf import DictConfig, OmegaConf

from segrun import config, interrupt
from segrun.algorithms.foreign import told
from segrun.data.cache.shared import JobCache
from segrun.errors import ClaimError, ConfigError, SegrunError
from segrun.runner.prepare import JobContext
from segrun.sweep.job import Ended, Job
from segrun.sweep.pool.serve import set_threads

log = logging.getLogger("segrun")


@dataclass(frozen=True)
class Performer:
    """What every job of a sweep is run with; goes to worker processes as it is.

    `hydra` is the sweep's node, unresolved; `n_parallel` how many jobs can run side by side on one
    machine; `cache` where jobs leave prepared data for each other.
    """

    directory: Path
    hydra: Mapping[str, Any]
    n_parallel: int = 1
    cache: JobCache = field(default_factory=JobCache)

    def __call__(self, job: Job) -> Ended:
        """Run a job to its end; nothing but Ctrl-C comes out of it."""
        began = time.perf_counter()
        _share_cores(self.n_parallel)
        node = self._node(job)
        setup_globals()
        configure_log(node.hydra.job_logging, node.hydra.verbose)
        with _callbacks_told(job, node, self) as returned:
            status, reason, code = self._run(job, node)
            returned.status = JobStatus.FAILED if code else JobStatus.COMPLETED
            returned.return_value = SegrunError(reason) if code else None
        return Ended(job, status, reason, time.perf_counter() - began, exit_code=code)

    def _run(self, job: Job, node: DictConfig) -> tuple[str, str, int]:
        from segrun.jobs import run_job

        directory = self.directory / job.folder
        part = JobContext(
            again=True,
            input_sha256=job.input_sha256,
            n_parallel=self.n_parallel,
            cache=self.cache,
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
            where = directory / "segrun.log"
            return status, f"{told(error)} (unforeseen; see the traceback in {where})", 1
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


@cache
def _share_cores(n_parallel: int) -> None:
    """Limit this process to its share of the cores, where jobs run side by side.

    Variables reach what is loaded later (OpenMP, polars, numba), threadpoolctl what is loaded
    already, and oneDAL asks threadpoolctl.
    """
    if n_parallel <= 1:
        return
    import threadpoolctl

    from segrun.rundir.environment import usable_cores

    n_threads = max(1, usable_cores() // n_parallel)
    set_threads(n_threads)
    threadpoolctl.threadpool_limits(n_threads)


@contextmanager
def _callbacks_told(job: Job, node: DictConfig, task: Callable[..., Any]) -> Iterator[JobReturn]:
    """Set the job's environment, and tell Hydra's callbacks as Hydra tells them of its own jobs."""
    callbacks = Callbacks(node)
    found = JobReturn(list(job.overrides), None, node, str(Path.cwd()), "segrun")
    with env_override(dict(node.hydra.job.env_set)):
        if not callbacks.callbacks:
            yield found
            return
        found.cfg = OmegaConf.create(dict(job.config))
        config = OmegaConf.create({**job.config, "hydra": node.hydra})
        before = HydraConfig.instance().cfg
        # What ${hydra:...} looks into.
        HydraConfig.instance().cfg = config  # type: ignore[assignment]
        try:
            callbacks.on_job_start(config=config, task_function=task)
            yield found
            callbacks.on_job_end(config=config, job_return=found)
        finally:
            HydraConfig.instance().cfg = before
