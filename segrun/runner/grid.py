"""The grid of one run: its algorithm, backend and points, and the stage that fits them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from segrun import algorithms, config
from segrun.algorithms.backend import Backend, make_backend
from segrun.algorithms.base import Algorithm
from segrun.algorithms.grid import Point
from segrun.config import Experiment
from segrun.rundir.directory import RunDirectory
from segrun.rundir.environment import describe_environment
from segrun.rundir.timings import Timings
from segrun.runner.centres import shared
from segrun.runner.fit import GridFitter, Outcome, known_outcomes
from segrun.runner.keys import job_key, kind_key, libraries, point_key
from segrun.runner.preflight.flight import Flight, TimeLimit, preflight
from segrun.runner.prepare import Prepared

log = logging.getLogger("segrun.runner.run")


@dataclass(frozen=True)
class Grid:
    """What is fitted, and by whom."""

    algorithm: Algorithm
    backend: Backend
    points: Sequence[Point]


@dataclass(frozen=True)
class Fitted:
    """The grid once it is fitted."""

    outcomes: Sequence[Outcome]
    flight: Flight
    limit: TimeLimit
    keys: Mapping[str, str]
    centres: Mapping[str, str]


def open_grid(experiment: Experiment, out: RunDirectory) -> Grid:
    """Return the grid of an experiment, and record the environment that it is fitted in."""
    algo, seed = experiment.algo, experiment.seed
    backend = make_backend(experiment.backend)
    algorithms.check(algo, backend, seed)
    grid = Grid(algorithms.resolve(algo, seed), backend, algorithms.points(algo))
    out.write_json("environment.json", describe_environment(seed))
    return grid


def fit_stage(
    experiment: Experiment, grid: Grid, ready: Prepared, out: RunDirectory, timings: Timings
) -> Fitted:
    """Fit every point that no earlier attempt has finished; models and labels are stored."""
    algo, points = experiment.algo, grid.points
    values, sha256 = config.plain(experiment), ready.input_sha256
    versions = libraries(algorithms.identity(algo))
    # The keys are of the points as declared: the centres follow from the seed and the data.
    keys = {point.slug: point_key(values, point, sha256, versions) for point in points}
    known = known_outcomes(out, points, keys, experiment.store.models)
    if known:
        log.info("%d of %d points were finished by an earlier attempt", len(known), len(points))
    left = [point.params for point in points if point.slug not in known]
    flight = preflight(experiment, ready.transformed.Z, left, timings, out.path)
    if flight.costs:
        out.write_table("preflight.csv", flight.table(timings))
    limit, cheaper = TimeLimit(experiment.preflight), flight.cheaper("fit")
    fitter = GridFitter(
        grid.algorithm, grid.backend, ready.customers, ready.transformed, out, timings,
        experiment.store.models, algorithms.origin(algo), experiment.timing.share, keys, known,
        partial(limit.reach, "the fits", cheaper=cheaper),
    )  # fmt: skip
    centres: Mapping[str, str] = {}
    if algo.shared_centres:
        with timings.stage("centres"):
            points, centres = shared(points, ready.transformed.Z, experiment.seed)
    outcomes = fitter.fit_grid(points, experiment.timing.repeats)
    of_job = {"key": job_key(values, sha256, versions), "kind": kind_key(values, sha256)}
    return Fitted(outcomes, flight, limit, of_job, centres)
