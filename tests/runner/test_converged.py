"""Fits that were cut off are told apart, and are not selected unless that is allowed."""

import numpy as np
import pytest

from segrun.algorithms.backend import Backend
from segrun.rundir.store import read_csv, read_manifest
from segrun.runner.fit import converged
from segrun.segments.segment import read_segments

pytestmark = pytest.mark.heavy

X = np.random.default_rng(3).normal(size=(400, 3))
CUT_OFF = ["algo=gaussian_mixture", "algo.grid.n_components=[2,3]", "features=rfm",
           "algo.params.covariance_type=diag", "dataset.n_customers=200", "algo.params.max_iter=1",
           "segments.stability.refits=0"]  # fmt: skip


def told(name, backend="sklearn", X=X, **params):
    made = Backend(backend)
    fit = made.fit(made.make(name, **params), X)
    return converged(fit.model, fit.warnings)


@pytest.mark.parametrize("backend", ["sklearn", "native", "onedal"])
def test_k_means_at_its_last_iteration_did_not_converge_whoever_fits(backend):
    settings = {"n_clusters": 6, "random_state": 0, "n_init": 1, "tol": 1e-4}
    assert told("KMeans", backend, max_iter=2, **settings) is False
    assert told("KMeans", backend, max_iter=300, **settings) is True


@pytest.mark.parametrize("backend", ["sklearn", "native"])
def test_rows_that_are_copies_of_each_other_are_no_want_of_convergence(backend):
    twice = np.repeat(X[:3], 20, axis=0)
    assert told("KMeans", backend, twice, n_clusters=5, random_state=0, n_init=1) is True


def test_each_algorithm_says_it_in_its_own_way_or_not_at_all():
    assert told("GaussianMixture", n_components=3, random_state=0, max_iter=1) is False
    assert told("GaussianMixture", n_components=2, random_state=0, max_iter=900) is True
    assert told("AffinityPropagation", random_state=0, max_iter=3) is False
    assert told("MeanShift", bandwidth=1.0, max_iter=1) is False
    assert told("DBSCAN", eps=0.5) is None
    assert told("Birch", n_clusters=3) is None
    # It warns of fewer subclusters than clusters, by the same category.
    assert told("Birch", n_clusters=300, threshold=2.0) is None


def test_who_says_it_by_a_warning_alone_is_heard():
    class Silent:
        pass

    assert converged(Silent(), ["ConvergenceWarning: Maximum number of iteration reached"]) is False
    assert converged(Silent(), ["UserWarning: slow"]) is None


def test_a_point_that_did_not_converge_is_told_and_not_selected(run_of, tmp_path):
    run = run_of(tmp_path / "run", *CUT_OFF)
    rows = read_csv(run.path / "scores.csv")
    assert [row["converged"] for row in rows] == ["false", "false"]
    assert all("did not converge" in row["limit"] for row in rows)
    assert run.selected is None
    warned = " ".join(read_manifest(run.path)["warnings"])
    assert "2 of 2 points did not converge and are not selected" in warned
    assert "evaluation.allow_unconverged=true" in warned


def test_where_it_is_allowed_it_is_a_caution_of_the_run_and_of_its_segments(run_of, tmp_path):
    run = run_of(tmp_path / "run", *CUT_OFF, "evaluation.allow_unconverged=true", "segments=full")
    assert run.selected is not None
    manifest = read_manifest(run.path)
    assert "did not converge" in manifest["cautions"][0]
    kinds = [warning["kind"] for warning in read_segments(run).warnings]
    assert "not_converged" in kinds
    assert manifest["warnings"].count(manifest["cautions"][0]) == 1


def test_an_algorithm_without_iterations_is_selected_as_ever(run_of, tmp_path):
    run = run_of(tmp_path / "run", "algo=birch", "algo.grid.n_clusters=[3]", "features=rfm",
                 "algo.params.threshold=0.5", "dataset.n_customers=200")  # fmt: skip
    assert [row["converged"] for row in read_csv(run.path / "scores.csv")] == [""]
    assert run.selected == run.points[0]
