"""The plan: every job of a multirun with its differences, before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from segrun.config import (
    Experiment,
    from_plain,
)
from segrun.formats import in_bytes, table
from segrun.report.sweep import JobResult
from segrun.sweep.history import History, JobEstimate
from segrun.sweep.job import Job

#: What a process holds once data are prepared, besides them: 480 to 650 MB, most of it libraries.
_PREPARED_BYTES = 570_000_000
#: Of a row besides its features: id, number of the copy, label.
_ROW_BYTES = 40


def page(jobs: Sequence[Job], sweep: Path, *, estimate: bool) -> str:
    """Return the plan as text.

    What is finished in the directory `sweep` is done, what is finished elsewhere below the same
    folder is cached. With `estimate` time and memory are told, judged by finished runs; without
    any, memory by the size of the data where that is known.
    """
    history = History(sweep.parent)
    statuses = [_status(job, sweep, history) for job in jobs]
    estimates = [_estimate(job, history) for job in jobs] if estimate else []
    header = ["job", "what differs", "status"] + ["seconds", "memory", "judged by"] * estimate
    counts = Counter(text for job in jobs for text in set(job.overrides))
    rows = [header]
    for number, job in enumerate(jobs):
        own = [text for text in job.overrides if counts[text] < len(jobs) or len(jobs) == 1]
        judged = _judged(estimates[number]) if estimate else []
        rows.append([job.folder, " ".join(own), statuses[number], *judged])
    states = ", ".join(f"{n} {name}" for name, n in Counter(statuses).items()) or "none"
    lines = [table(rows), "", f"{len(jobs)} jobs: {states}"]
    if estimate:
        lines.append(_total(estimates))
    return "\n".join(lines) + "\n"


def _status(job: Job, sweep: Path, history: History) -> str:
    here = JobResult(sweep / job.folder).manifest()
    if here["status"] == "done" and here.get("key") == job.key:
        return "done"
    return "cached" if history.cached(job) is not None else "missing"


def _judged(estimate: JobEstimate) -> list[str]:
    seconds, n_bytes = estimate.wall_seconds, estimate.peak_rss_bytes
    return [
        "?" if seconds is None else f"{seconds:.1f}",
        "?" if n_bytes is None else in_bytes(n_bytes),
        estimate.basis,
    ]


def _total(estimates: Sequence[JobEstimate]) -> str:
    seconds = [e.wall_seconds for e in estimates if e.wall_seconds is not None]
    memory = [e.peak_rss_bytes for e in estimates if e.peak_rss_bytes is not None]
    told = "time: no finished run to judge by"
    if seconds:
        told = f"about {sum(seconds):.0f} s one after the other"
        untimed = len(estimates) - len(seconds)
        told += f", without {untimed} jobs that no finished run tells of" if untimed else ""
    if not memory:
        return f"{told}, memory not known"
    untold = len(estimates) - len(memory)
    rest = f", {untold} not known" if untold else ""
    return f"{told}, memory at most {in_bytes(max(memory))} each{rest}"


def _estimate(job: Job, history: History) -> JobEstimate:
    return history.estimate(job) or _by_size(job, history)


def _by_size(job: Job, history: History) -> JobEstimate:
    """Judge the memory of a job by the size of its data."""
    experiment = from_plain(job.experiment)
    n_samples, n_features = _n_samples(job, experiment, history), _n_features(experiment)
    if n_samples is None or n_features is None:
        return JobEstimate(None, None, "no finished run of this kind")
    peak, basis = _peak_bytes(experiment, n_samples, n_features)
    return JobEstimate(None, peak, f"no finished run; by size: {basis}")


def _peak_bytes(experiment: Experiment, n_samples: int, n_features: int) -> tuple[int | None, str]:
    """Return the memory of a run, None where nothing tells, and what it is judged by."""
    from segrun.algorithms.grid import points
    from segrun.runner.preflight.cost import Task, assess

    grid = [point.params for point in points(experiment.algo)]
    costs = assess(Task(experiment, grid, n_samples, n_features))
    extra = [cost.extra_bytes for cost in costs]
    known = [n_bytes for n_bytes in extra if n_bytes is not None]
    if len(known) < len(extra):
        return None, costs[0].basis
    matrix = 8 * n_samples * n_features
    # Prepared, the columns, the matrix of them and the scaled one are there together.
    whole = _PREPARED_BYTES + _ROW_BYTES * n_samples + max(3 * matrix, matrix + max(known))
    return whole, costs[0].basis


def _n_samples(job: Job, experiment: Experiment, history: History) -> int | None:
    augmentation, dataset = experiment.augmentation, experiment.dataset
    if augmentation.rows is not None:
        return augmentation.rows
    # Late: imports polars.
    from segrun.data.datasets import dataset_of

    size = dataset_of(dataset).size
    n_customers = getattr(dataset, size) if size else history.n_customers(job)
    return None if n_customers is None else n_customers * (augmentation.factor or 1)


def _n_features(experiment: Experiment) -> int | None:
    from segrun.features import feature_names

    pca, svd = experiment.transform.pca, experiment.transform.svd
    if svd or (pca and pca >= 1):
        return int(svd or pca or 0)
    # A share of variance: at most all of them.
    names = feature_names(experiment.features, experiment.dataset)
    return None if names is None else len(names)
