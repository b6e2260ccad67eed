"""What every stage of a grid will take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.dbscan import Dbscan
from segrun.runner.preflight.evaluate import evaluate_cost
from segrun.runner.preflight.fit import fit_cost
from segrun.runner.preflight.machine import Machine
from segrun.runner.preflight.stored import store_cost
from segrun.runner.preflight.task import Task


def assess(task: Task, machine: Machine) -> list[Cost]:
    """Return what the stages fit, evaluate and store take, in this order."""
    # The neighbours are counted once.
    grid = Dbscan(task) if task.estimator == "DBSCAN" else None
    # Labels of all points stay until they are scored.
    labels = 8 * task.n_samples * task.n_points
    costs = [
        _known("fit", lambda: fit_cost(task, machine, grid)),
        evaluate_cost(task, machine),
        _known("store", lambda: store_cost(task, machine, grid)),
    ]
    return [_with(cost, labels) for cost in costs]


def _known(stage: str, judge: Callable[[], Cost]) -> Cost:
    try:
        return judge()
    except (ValueError, TypeError, ArithmeticError):
        # Values that no fit can have, such as eps=-1: the fit will say so, at its own point.
        return Cost(stage, None, None, "not known of these parameters")


def _with(cost: Cost, n_bytes: int) -> Cost:
    if cost.extra_bytes is None:
        return cost
    return replace(cost, extra_bytes=cost.extra_bytes + n_bytes)
