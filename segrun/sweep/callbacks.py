"""Hydra's callbacks, told of a job of a sweep as Hydra tells them of a job of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, env_override
from omegaconf import DictConfig, OmegaConf

from segrun.errors import SegrunError
from segrun.sweep.job import Job


@contextmanager
def around(job: Job, node: DictConfig, task: Callable[..., Any]) -> Iterator[JobReturn]:
    """Set the job's environment, and call ``on_job_start`` and ``on_job_end``.

    Parameters
    ----------
    job : Job
        The job.
    node : DictConfig
        Its ``hydra`` node.
    task : callable
        What runs it.

    Yields
    ------
    JobReturn
        For `ended`: what ``on_job_end`` is told.
    """
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


def ended(found: JobReturn, reason: str, code: int) -> None:
    """Say in what ``on_job_end`` is told how the job ended."""
    found.status = JobStatus.FAILED if code else JobStatus.COMPLETED
    found.return_value = SegrunError(reason) if code else None
