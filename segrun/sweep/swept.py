"""What the jobs of a sweep differ in, key by key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from segrun.sweep.job import Job


def swept(jobs: Sequence[Job]) -> dict[int, dict[str, Any]]:
    """Return the value of every key that overrides of jobs differ in, by number of the job.

    A choice of a group is its option; a value is that of the experiment, so that jobs have it
    that did not name the key, and empty where the experiment has no such key.
    """
    counts = Counter(text for job in jobs for text in set(job.overrides))
    keys = {_key(text): None for job in jobs for text in job.overrides if counts[text] < len(jobs)}
    return {job.number: {key: _value(job, key) for key in keys} for job in jobs}


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def _value(job: Job, key: str) -> Any:
    found: Any = job.experiment
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is not None and not isinstance(found, Mapping):
        return found
    told = [text for text in job.overrides if _key(text) == key]
    return told[-1].partition("=")[2] if told else None
