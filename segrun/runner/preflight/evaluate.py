"""What the scores take: every scored row against all rows, whatever the number of points."""

from __future__ import annotations

from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.machine import Machine
from segrun.runner.preflight.task import Task

#: From how many distances on segrun.evaluation compiles or loads a kernel (COMPILED_DISTANCES of
#: segrun.evaluation.silhouette, which is not imported: it brings scipy).
COMPILED_DISTANCES = 300_000_000
#: What loading that kernel takes, from the machine code that is kept. Compiling for the first time
#: takes some 10 s.
_KERNEL_NANOSECONDS, _KERNEL_BYTES = 0.8e9, 150_000_000
#: Before the first distance.
_LEAST_NANOSECONDS, _LEAST_BYTES = 20e6, 20_000_000


def scored_rows(task: Task) -> int:
    """Return how many rows have their silhouette computed."""
    most = max(task.silhouette.max_exact_rows, task.silhouette.sample_rows)
    return task.n_samples if task.n_samples <= most else task.silhouette.sample_rows


def is_exact(task: Task) -> bool:
    """Tell whether all rows have, though a sample of them would be fewer."""
    return scored_rows(task) == task.n_samples > task.silhouette.sample_rows


def evaluate_cost(task: Task, machine: Machine) -> Cost:
    """Return what scoring all points takes."""
    rows, n_samples = scored_rows(task), task.n_samples
    distances = rows * n_samples
    compiled = distances >= COMPILED_DISTANCES
    # Per distance, 0.7 to 1.7 with 9 label sets and 0.8 to 1.3 with 27 by the kernel, 6 and 12 by
    # products (21 features; by the kernel 0.3 to 0.5 with 3): the more label sets, the more groups
    # of rows that share all labels.
    if compiled:
        each = 0.2 + 0.035 * task.n_features + 0.012 * task.n_points
    else:
        each = 2.5 + 0.04 * task.n_features + 0.3 * task.n_points
    # Per row and label set for the scores from centroids: 150 with 21 features, 75 with 3.
    centroids = n_samples * task.n_points * (65 + 4 * task.n_features)
    once = _KERNEL_NANOSECONDS if compiled else _LEAST_NANOSECONDS
    # Rows sorted by group in double and single precision; codes of every label set.
    extra = n_samples * (12 * task.n_features + 4 * task.n_points + 100)
    extra += _KERNEL_BYTES if compiled else _LEAST_BYTES
    how = "all" if rows == n_samples else f"{rows:,} sampled"
    return Cost(
        "evaluate",
        machine.seconds(distances * each + centroids + once),
        extra,
        f"{how} of {n_samples:,} rows against all, {task.n_points} label sets at the most",
        cheaper=_cheaper(task),
    )


def _cheaper(task: Task) -> tuple[str, ...]:
    sample = task.silhouette.sample_rows
    if is_exact(task):
        return (
            f"a sampled silhouette: evaluation.silhouette.max_exact_rows={sample} "
            "(preflight.action=sample does so by itself)",
        )
    if scored_rows(task) < task.n_samples:
        return (f"fewer sampled rows: evaluation.silhouette.sample_rows={max(1, sample // 4)}",)
    return ()
