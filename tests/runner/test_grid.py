"""The grid of one run: what is fitted under which keys, and what need not be fitted again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from segrun import algorithms
from segrun.config import PreflightAction, plain
from segrun.rundir.directory import RunDirectory
from segrun.rundir.store import read_csv
from segrun.rundir.timings import Timings
from segrun.runner.grid import fit_stage, open_grid
from segrun.runner.keys import job_key, kind_key, libraries, point_key
from segrun.runner.prepare import JobContext, prepare

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def experiment(composed):
    return composed(
        "dataset.n_customers=60", "backend=sklearn", "algo.grid.n_clusters=[2,3]",
        "algo.params.tol=1e-3", "preflight.action=none", "store.models=none",
    )  # fmt: skip


def fitted(experiment, folder, again=False):
    out, timings = RunDirectory(folder, again=again), Timings()
    grid = open_grid(experiment, out)
    ready = prepare(experiment, out, timings, JobContext())
    found = fit_stage(experiment, grid, ready, out, timings)
    fits = [row.point for row in timings.rows if row.stage == "fit"]
    stages = {row.stage for row in timings.rows}
    return grid, ready, found, fits, stages


def test_every_point_is_fitted_and_kept_under_its_key(experiment, tmp_path):
    grid, _, found, fits, stages = fitted(experiment, tmp_path)
    assert grid.backend.name == "sklearn"
    assert [point.params["n_clusters"] for point in grid.points] == [2, 3]
    assert [outcome.status for outcome in found.outcomes] == ["done"] * 2
    assert fits == [point.slug for point in grid.points]
    assert [len(np.unique(outcome.labels)) for outcome in found.outcomes] == [2, 3]
    values, versions = plain(experiment), libraries(algorithms.identity(experiment.algo))
    assert found.keys == {
        "key": job_key(values, None, versions), "kind": kind_key(values, None),
    }  # fmt: skip
    notes = json.loads((tmp_path / "points.json").read_text())
    assert {slug: note["key"] for slug, note in notes.items()} == {
        point.slug: point_key(values, point, None, versions) for point in grid.points
    }
    assert json.loads((tmp_path / "environment.json").read_text())["seed"] == experiment.seed
    assert not (tmp_path / "preflight.csv").exists()
    assert found.centres == {}
    assert "centres" not in stages


def test_a_point_that_an_earlier_attempt_finished_is_not_fitted_again(experiment, tmp_path):
    first = fitted(experiment, tmp_path)
    (tmp_path / "predictions" / f"{first[0].points[0].slug}.parquet").unlink()
    # The lock of the attempt before goes with its process.
    (tmp_path / ".lock").unlink(missing_ok=True)
    again = fitted(experiment, tmp_path, again=True)
    assert again[3] == [first[0].points[0].slug]
    for one, other in zip(first[2].outcomes, again[2].outcomes, strict=True):
        assert np.array_equal(one.labels, other.labels)


def test_what_it_takes_is_estimated_where_that_is_asked_for(experiment, tmp_path):
    asked = replace(experiment, preflight=replace(
        experiment.preflight, action=PreflightAction.warn))  # fmt: skip
    *_, found, _, _ = fitted(asked, tmp_path)
    assert [row["stage"] for row in read_csv(tmp_path / "preflight.csv")] == [
        cost.stage for cost in found.flight.costs
    ] == ["fit", "evaluate", "store"]  # fmt: skip


def test_points_that_share_their_centres_begin_there(experiment, tmp_path):
    sharing = replace(experiment, algo=replace(experiment.algo, shared_centres=True))
    *_, found, _, stages = fitted(sharing, tmp_path)
    assert set(found.centres) == {"2", "3"}
    assert "centres" in stages
