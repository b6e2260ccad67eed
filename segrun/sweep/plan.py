"""The plan: every job of a multirun with its differences, before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from segrun.formats import in_bytes, table
from segrun.report.sweep import JobResult
from segrun.sweep.history import Estimate, History, totals
from segrun.sweep.job import Job


def page(jobs: Sequence[Job], sweep: Path, *, estimate: bool) -> str:
    """Return the plan as text.

    Parameters
    ----------
    jobs : sequence of Job
        All jobs.
    sweep : Path
        Where they would run: what is finished there is done, what is finished elsewhere below
        the same folder is cached.
    estimate : bool
        Whether time and memory are told, judged by finished runs; without one, by the size of
        the data where that is known.
    """
    history = History(sweep.parent)
    statuses = [status(job, sweep, history) for job in jobs]
    header = ["job", "what differs", "status"] + (["seconds", "memory", "judged by"] * estimate)
    rows = [header]
    differing = _differing(jobs)
    estimates = _estimates(jobs, sweep.parent, history) if estimate else [None] * len(jobs)
    for job, found, judged in zip(jobs, statuses, estimates, strict=True):
        own = " ".join(text for text in job.overrides if text in differing)
        rows.append([job.folder, own, found, *(_judged(judged) if estimate else [])])
    lines = [table(rows), "", f"{len(jobs)} jobs: {_counts(statuses)}"]
    if estimate:
        lines.append(_total(estimates))
    return "\n".join(lines) + "\n"


def _estimates(jobs: Sequence[Job], root: Path, history: History) -> list[Estimate | None]:
    from segrun.sweep.outlook import Outlook

    outlook = Outlook(root, history)
    return [history.estimate(job) or outlook.estimate(job) for job in jobs]


def status(job: Job, sweep: Path, history: History) -> str:
    """Return done, cached (a finished run with the same content key) or missing."""
    here = JobResult(sweep / job.folder).manifest()
    if here["status"] == "done" and here.get("key") == job.key:
        return "done"
    return "cached" if history.cached(job) is not None else "missing"


def _differing(jobs: Sequence[Job]) -> set[str]:
    """Return the overrides that not all jobs have."""
    counts = Counter(text for job in jobs for text in set(job.overrides))
    return {text for text, n in counts.items() if n < len(jobs) or len(jobs) == 1}


def _judged(estimate: Estimate | None) -> list[str]:
    if estimate is None:
        return ["?", "?", "no finished run of this kind"]
    n_bytes = estimate.peak_rss_bytes
    memory = "?" if n_bytes is None else in_bytes(n_bytes)
    return [f"{estimate.wall_seconds:.1f}", memory, estimate.basis]


def _total(estimates: Sequence[Estimate | None]) -> str:
    seconds, n_bytes, unknown = totals(estimates)
    if unknown == len(estimates):
        return "time and memory: no finished run to judge by"
    rest = f", and {unknown} jobs that cannot be judged" if unknown else ""
    some = [e for e in estimates if e is not None]
    untold = sum(e.peak_rss_bytes is None for e in some)
    memory = f"at most {in_bytes(n_bytes)} each"
    if untold:
        memory = "memory not known" if untold == len(some) else f"{memory}, {untold} not known"
    return f"about {seconds:.0f} s one after the other, {memory}{rest}"


def _counts(statuses: Sequence[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in Counter(statuses).items()) or "none"
