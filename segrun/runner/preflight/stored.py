"""What a run leaves on disk: labels and models of every point."""

from __future__ import annotations

from segrun.config import ModelsKept
from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.dbscan import Dbscan, core_rows
from segrun.runner.preflight.machine import Machine
from segrun.runner.preflight.task import Task

#: Label files: ids of replicated rows repeat, labels have few values (0.3 to 1.5 bytes a row).
_LABEL_BYTES = 1.5
#: A point's files, however few its rows.
_POINT_BYTES, _POINT_NANOSECONDS = 8_000, 3e6
#: Per row and point, to compress and write labels and model.
_ROW_NANOSECONDS = 80
#: And per byte of the model.
_BYTE_NANOSECONDS = 2.0


def store_cost(task: Task, machine: Machine, grid: Dbscan | None = None) -> Cost:
    """Return what storing every point takes; models that are removed at the end count.

    Parameters
    ----------
    task : Task
        The work.
    machine : Machine
        What it runs on.
    grid : Dbscan, optional
        The same work, where its neighbours have been counted.
    """
    n_points = len(task.points)
    labels = n_points * (_LABEL_BYTES * task.n_samples + _POINT_BYTES)
    models, basis = 0.0, "labels"
    if task.models is not ModelsKept.none:
        found = _model_bytes(task, grid)
        basis = "labels; the size of the models is not known" if found is None else "labels, models"
        models = found or 0.0
    nanoseconds = n_points * (_POINT_NANOSECONDS + _ROW_NANOSECONDS * task.n_samples)
    return Cost(
        "store",
        machine.seconds(nanoseconds + _BYTE_NANOSECONDS * models, parallel=False),
        int((models + labels) / max(1, n_points)),
        f"{n_points} points: {basis}",
        int(labels + models),
        cheaper=("store.models=none",) if models > labels else (),
    )


def _model_bytes(task: Task, grid: Dbscan | None) -> float | None:
    """Return the size of all models."""
    n_points, n_samples = len(task.points), task.n_samples
    if task.estimator == "KMeans":
        return n_points * 4.0 * n_samples
    core = core_rows(grid) if grid is not None else None
    if task.estimator == "DBSCAN" and core is not None:
        # Core rows themselves and their numbers; labels.
        return core * (8 * task.n_features + 8) + 8.0 * n_points * n_samples
    return None
