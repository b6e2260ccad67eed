"""The pre-flight of a run: estimate, tell, and warn, sample or refuse as configured."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrun.config import EvaluationConfig, Experiment, PreflightAction
from segrun.errors import PreflightError
from segrun.formats import in_bytes, in_seconds
from segrun.rundir.timings import Timing, Timings
from segrun.runner.preflight.assess import assess
from segrun.runner.preflight.cost import Cost
from segrun.runner.preflight.evaluate import is_exact
from segrun.runner.preflight.limits import excesses, too_slow, total_seconds
from segrun.runner.preflight.machine import Machine, measure
from segrun.runner.preflight.task import Task, task

log = logging.getLogger("segrun.runner.preflight")


@dataclass(frozen=True)
class Flight:
    """What the pre-flight came to.

    Attributes
    ----------
    costs : sequence of Cost
        Every stage; empty where none was wanted.
    resident_bytes : int
        Memory that the process held before.
    evaluation : EvaluationConfig
        What is scored: as configured, or sampled instead.
    n_before : int
        Timings that are of earlier stages.
    sampled : bool
        Whether the silhouette is sampled though it was to be exact.
    """

    costs: Sequence[Cost]
    resident_bytes: int
    evaluation: EvaluationConfig
    n_before: int
    sampled: bool = False

    def table(self, timings: Timings) -> list[dict[str, Any]]:
        """Return the rows of ``preflight.csv``: estimates, and beside them what happened so far."""
        return [self._row(cost, timings.rows[self.n_before :]) for cost in self.costs]

    def _row(self, cost: Cost, rows: Sequence[Timing]) -> dict[str, Any]:
        own = [row for row in rows if row.stage == cost.stage]
        peaks = [row.peak_rss_bytes for row in own if row.peak_rss_bytes is not None]
        known = cost.extra_bytes is not None
        return {
            "stage": cost.stage,
            "about_seconds": cost.seconds,
            "wall_seconds": sum(row.wall_seconds for row in own) if own else None,
            "about_peak_bytes": self.resident_bytes + (cost.extra_bytes or 0) if known else None,
            "peak_rss_bytes": max(peaks, default=None),
            "about_disk_bytes": cost.disk_bytes,
            "basis": cost.basis,
        }


def preflight(
    experiment: Experiment,
    X: NDArray[np.float64],
    points: Sequence[dict[str, Any]],
    timings: Timings,
    directory: Path,
) -> Flight:
    """Estimate what the stages left will take; tell it, and do what `preflight.action` says.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    X : ndarray of float64, shape (n_samples, n_features)
        The rows that are clustered.
    points : sequence of dict
        Parameters of the points left to fit.
    timings : Timings
        The stages so far: they tell the load of other processes.
    directory : Path
        Where the results go.

    Raises
    ------
    PreflightError
        If something is too much and the action is refuse.
    """
    config, n_before = experiment.preflight, len(timings.rows)
    if config.action is PreflightAction.none:
        return Flight([], 0, experiment.evaluation, n_before)
    loads = [row.other_load for row in timings.rows if row.other_load is not None]
    machine = measure(directory, timings.n_parallel, loads[-1] if loads else None)
    work = task(experiment, points, (len(X), X.shape[1]), X)
    flight = Flight(assess(work, machine), machine.resident_bytes, experiment.evaluation, n_before)
    if config.action is PreflightAction.sample and too_slow(flight.costs, config):
        flight = _sampled(flight, work, machine)
    _tell(flight)
    wrong = excesses(flight.costs, machine, config)
    if wrong and config.action is PreflightAction.refuse:
        raise PreflightError(
            f"{'. '.join(wrong)}. These are estimates; preflight.action=warn runs it all the same"
        )
    for text in wrong:
        log.warning("%s", text)
    return flight


def _sampled(flight: Flight, work: Task, machine: Machine) -> Flight:
    """Return the flight with a sampled silhouette, where it was to be exact."""
    if not is_exact(work):
        return flight
    silhouette = replace(work.silhouette, max_exact_rows=work.silhouette.sample_rows)
    exact = next(cost for cost in flight.costs if cost.stage == "evaluate")
    costs = assess(replace(work, silhouette=silhouette), machine)
    log.warning(
        "the silhouette is sampled, %d of %d rows: exact, scoring takes about %s "
        "(preflight.action=sample, preflight.max_seconds)",
        silhouette.sample_rows, work.n_samples, in_seconds(exact.seconds or 0.0),
    )  # fmt: skip
    evaluation = replace(flight.evaluation, silhouette=silhouette)
    return replace(flight, costs=costs, evaluation=evaluation, sampled=True)


def _tell(flight: Flight) -> None:
    known = [cost for cost in flight.costs if cost.seconds is not None]
    unknown = [cost.stage for cost in flight.costs if cost.seconds is None]
    extra = max((cost.extra_bytes for cost in flight.costs if cost.extra_bytes), default=0)
    log.info(
        "about %s (%s%s), %s of memory",
        in_seconds(total_seconds(flight.costs)),
        ", ".join(f"{cost.stage} {in_seconds(cost.seconds or 0.0)}" for cost in known),
        f"; {', '.join(unknown)} not known" if unknown else "",
        in_bytes(flight.resident_bytes + extra),
    )
