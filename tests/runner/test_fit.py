"""The fits of a grid, with real estimators that misbehave in one way each."""

import logging
import time
import warnings
from dataclasses import replace
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans

from segrun.algorithms.backend import Backend
from segrun.algorithms.base import Algorithm
from segrun.algorithms.grid import Point
from segrun.config import ModelsKept
from segrun.errors import StoreError
from segrun.features.transform import Transformed
from segrun.rundir.directory import RunDirectory
from segrun.rundir.store import read_csv
from segrun.rundir.timings import Timings
from segrun.runner.fit import GridFitter, converged, known_outcomes, note


class Halves(ClusterMixin, BaseEstimator):
    """Two clusters: the first rows and the others; each subclass spoils one thing."""

    def __init__(self, k=2):
        self.k = k

    def fit(self, X):
        self.labels_ = np.arange(len(X)) * self.k // len(X)
        return self


class Short(Halves):
    def fit(self, X):
        self.labels_ = np.zeros(len(X) - 1, dtype=int)
        return self


class Fickle(Halves):
    n_fits = 0

    def fit(self, X):
        type(self).n_fits += 1
        self.labels_ = np.full(len(X), type(self).n_fits)
        return self


class FailsLater(Halves):
    n_fits = 0

    def fit(self, X):
        type(self).n_fits += 1
        if type(self).n_fits > 1:
            raise MemoryError("no memory left")
        return super().fit(X)


class Unpicklable(Halves):
    def fit(self, X):
        self.stream = (row for row in X)
        return super().fit(X)


class Warns(Halves):
    def fit(self, X):
        warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
        return super().fit(X)


class Raises(Halves):
    def fit(self, X):
        raise ValueError("no such thing")


class Floats(Halves):
    def fit(self, X):
        self.labels_ = np.linspace(0, 1, len(X))
        return self


class Below(Halves):
    def fit(self, X):
        self.labels_ = np.full(len(X), -2)
        return self


class Prints(Halves):
    def fit(self, X):
        print("iteration 1")  # noqa: T201
        return super().fit(X)


class PanicException(BaseException):
    """As pyo3 raises where Rust panics."""


class Panics(Halves):
    def fit(self, X):
        raise PanicException("index out of bounds")


class PanicsLater(Halves):
    def __getstate__(self):
        raise PanicException("index out of bounds")


class Exits(Halves):
    def fit(self, X):
        raise SystemExit(0)


def fitter(folder, customers, make, models=ModelsKept.all, road=None, share=True):
    Z = customers.X()
    algorithm = Algorithm("halves", lambda backend, **params: make(**params), "segrun.conf", road)
    return GridFitter(
        algorithm, Backend("sklearn"), customers, Transformed(Z, []), RunDirectory(folder),
        Timings(), models, "plug 1.0", share,
    )  # fmt: skip


def grid(*values):
    return [Point(f"k={k}", {"k": k}, {"k": k}) for k in values]


def fit_rows(grid_fitter):
    return [row for row in grid_fitter.timings.rows if row.stage == "fit"]


@pytest.mark.heavy
def test_inertia_and_iterations_are_those_of_the_saved_model(tmp_path, customers):
    def make(k):
        return KMeans(k, n_init=1, random_state=0)

    outcomes = fitter(tmp_path, customers, make).fit_grid(grid(2, 3), repeats=1)
    for outcome in outcomes:
        model = joblib.load(tmp_path / "models" / f"{outcome.point.slug}.joblib")[-1]
        assert (outcome.inertia, outcome.n_iter) == (model.inertia_, model.n_iter_)


def test_a_fit_is_timed_alone_and_its_backend_is_named(tmp_path, customers):
    grid_fitter = fitter(tmp_path, customers, Halves)
    grid_fitter.fit_grid(grid(2), repeats=1)
    (row,) = fit_rows(grid_fitter)
    assert (row.backend_asked, row.backend_ran) == ("sklearn", "sklearn")
    assert 0 < row.wall_seconds < 0.1
    assert [r["stage"] for r in read_csv(tmp_path / "timings.csv")] == ["fit", "store"]


def test_labels_of_the_wrong_length_fail_the_point(tmp_path, customers):
    (outcome,) = fitter(tmp_path, customers, Short).fit_grid(grid(2), repeats=1)
    assert outcome.status == "failed"
    assert "(6,) for 7 rows" in outcome.reason
    assert not list(tmp_path.rglob("*.parquet"))


def test_other_labels_in_a_repeat_are_a_warning(tmp_path, customers, caplog):
    (outcome,) = fitter(tmp_path, customers, Fickle).fit_grid(grid(2), repeats=2)
    assert outcome.status == "done"
    assert set(outcome.labels) == {1}
    assert "repeat 1 gave other labels" in caplog.text


@pytest.mark.heavy
def test_a_repeat_that_fails_leaves_the_first_fit_standing(tmp_path, customers, caplog):
    grid_fitter = fitter(tmp_path, customers, FailsLater)
    (outcome,) = grid_fitter.fit_grid(grid(2), repeats=2)
    assert (outcome.status, outcome.reason) == ("done", "")
    assert "repeat 1 failed: MemoryError" in caplog.text
    assert "no memory left" in fit_rows(grid_fitter)[1].reason


def test_a_model_that_cannot_be_saved_fails_its_point_only(tmp_path, customers):
    def make(k):
        return Unpicklable(k) if k == 2 else Halves(k)

    bad, good = fitter(tmp_path, customers, make).fit_grid(grid(2, 3), repeats=1)
    assert (bad.status, bad.labels, good.status) == ("failed", None, "done")
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["k=3.joblib"]


def test_a_failed_point_is_fitted_once_and_its_reason_recorded(tmp_path, customers, caplog):
    grid_fitter = fitter(tmp_path, customers, Raises)
    outcomes = grid_fitter.fit_grid(grid(2, 3), repeats=3)
    assert [o.reason for o in outcomes] == ["ValueError: no such thing"] * 2
    assert [row.reason for row in fit_rows(grid_fitter)] == ["ValueError: no such thing"] * 2
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1


def test_warnings_of_a_fit_reach_the_log(tmp_path, customers, caplog):
    fitter(tmp_path, customers, Warns).fit_grid(grid(2), repeats=1)
    assert "halves k=2: RuntimeWarning: did not converge" in caplog.text


def test_where_nothing_can_be_written_nothing_more_is_fitted(tmp_path, customers):
    grid_fitter = fitter(tmp_path, customers, Halves)
    (tmp_path / "predictions").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="predictions"):
        grid_fitter.fit_grid(grid(2, 3), repeats=1)
    assert len(fit_rows(grid_fitter)) == 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Floats, "ValueError: labels of type float64"),
        (Below, "ValueError: a label of -2"),
        (Exits, "SystemExit: 0"),
        (Panics, "RuntimeError: PanicException: index out of bounds"),
        (PanicsLater, "RuntimeError: PanicException: index out of bounds"),
    ],
)
def test_what_are_no_labels_fails_the_point_naming_the_plugin(
    tmp_path, customers, caplog, make, said
):
    (outcome,) = fitter(tmp_path, customers, make).fit_grid(grid(2), repeats=1)
    assert outcome.reason.startswith(said)
    assert f"halves (plug 1.0) k=2 failed: {said}" in caplog.text
    assert not list(tmp_path.rglob("*.parquet"))


def test_what_a_fit_prints_goes_to_the_log_and_not_to_stdout(tmp_path, customers, caplog, capsys):
    with caplog.at_level(logging.INFO):
        fitter(tmp_path, customers, Prints).fit_grid(grid(2), repeats=1)
    assert "halves (plug 1.0) k=2 printed: iteration 1" in caplog.text
    assert capsys.readouterr().out == ""


def shared(backend, X, points):
    """One loop for all points, slow for the first of them."""
    time.sleep(0.05)
    for point in points:
        yield Halves(**point).fit(X)


def test_the_shared_road_gives_what_fitting_alone_gives_in_equal_shares_of_its_time(
    tmp_path, customers
):
    roads = {}
    for name, share in (("shared", True), ("alone", False)):
        grid_fitter = fitter(tmp_path / name, customers, Halves, road=shared, share=share)
        outcomes = grid_fitter.fit_grid(grid(2, 3, 4), repeats=2)
        roads[name] = outcomes, fit_rows(grid_fitter)
    for one, other in zip(roads["shared"][0], roads["alone"][0], strict=True):
        assert np.array_equal(one.labels, other.labels)
    rows = roads["shared"][1]
    assert [(row.point, row.repeat) for row in rows] == [
        (f"k={k}", repeat) for repeat in (0, 1) for k in (2, 3, 4)
    ]
    assert all(row.shared for row in rows)
    assert {row.backend_ran for row in rows} == {"sklearn"}
    for repeat in (0, 1):
        seconds = [row.wall_seconds for row in rows if row.repeat == repeat]
        assert len(set(seconds)) == 1
        assert 0.05 < sum(seconds) < 0.5
    assert not any(row.shared for row in roads["alone"][1])
    assert sum(row.wall_seconds for row in roads["alone"][1]) < 0.05


@pytest.mark.parametrize("n_given", [0, 1])
@pytest.mark.parametrize("ends", ["raises", "exits", "panics", "stops", "gives floats"])
def test_a_shared_road_that_fails_leaves_the_other_points_to_be_fitted_alone(
    tmp_path, customers, caplog, n_given, ends
):
    def road(backend, X, points):
        for point in points[:n_given]:
            yield Halves(**point).fit(X)
        if ends == "raises":
            raise RuntimeError("lost the way")
        if ends == "exits":
            raise SystemExit(0)
        if ends == "panics":
            raise PanicException("index out of bounds")
        if ends == "gives floats":
            yield Floats().fit(X)

    grid_fitter = fitter(tmp_path, customers, Halves, road=road)
    outcomes = grid_fitter.fit_grid(grid(2, 3), repeats=1)
    for outcome in outcomes:
        assert np.array_equal(outcome.labels, Halves(outcome.point.params["k"]).fit(
            customers.X()).labels_)  # fmt: skip
    rows = fit_rows(grid_fitter)
    assert [(row.point, row.shared) for row in rows] == [("k=2", n_given == 1), ("k=3", False)]
    assert "shared road of halves (plug 1.0) failed" in caplog.text


def kmeans_road(backend, X, points):
    for point in points:
        yield backend.make("KMeans", n_init=1, random_state=0, **point).fit(X)


@pytest.mark.heavy
def test_a_point_that_falls_back_on_the_shared_road_casts_no_doubt_on_the_next(customers):
    backend = Backend("onedal")
    if backend.refusal(backend.make("KMeans")):
        pytest.skip("scikit-learn-intelex is not installed")
    points = [{"n_clusters": k} for k in (2, 1, 3)]
    fits = list(backend.fit_grid(kmeans_road, customers.X(), points))
    assert [fit.ran for fit in fits] == ["onedal", "sklearn", "onedal"]
    assert [fit.reason for fit in fits] == ["", "n_clusters=1 is not supported", ""]


def test_a_point_done_before_is_known_again_while_all_that_it_left_is_there(tmp_path, customers):
    first = fitter(tmp_path, customers, Halves)
    keyed = replace(first, keys={f"k={k}": f"key {k}" for k in (2, 3, 4, 5)})
    outcomes = keyed.fit_grid(grid(2, 3, 4, 5), repeats=1)
    now = dict(keyed.keys) | {"k=3": "another key"}
    (tmp_path / "models" / "k=4.joblib").unlink()
    (tmp_path / "predictions" / "k=5.parquet").unlink()
    asked = keyed.directory, grid(2, 3, 4, 5, 6), now | {"k=6": "never fitted"}
    found = known_outcomes(*asked, ModelsKept.all)
    assert list(found) == ["k=2"]
    assert np.array_equal(found["k=2"].labels, outcomes[0].labels)
    assert note(found["k=2"], "key 2") == keyed.directory.points()["k=2"]
    for models in (ModelsKept.best, ModelsKept.none):
        assert list(known_outcomes(*asked, models)) == ["k=2", "k=4"]


def test_a_known_fit_is_not_done_again_but_its_repeats_are(tmp_path, customers):
    first = fitter(tmp_path / "a", customers, Halves)
    (known,) = first.fit_grid(grid(2), repeats=2)
    shares = []
    rows = read_csv(tmp_path / "a" / "timings.csv")
    second = replace(
        fitter(tmp_path / "b", customers, Halves), known={"k=2": known}, keys={"k=2": "key"},
        timings=Timings(rows), reached=shares.append,
    )  # fmt: skip
    second.fit_grid(grid(2, 3), repeats=3)
    assert [(r.point, r.repeat) for r in fit_rows(second)] == [
        ("k=3", 0), ("k=3", 1), ("k=2", 2), ("k=3", 2),
    ]  # fmt: skip
    assert set(second.directory.points()) == {"k=2", "k=3"}
    assert second.directory.points()["k=2"]["key"] == "key"
    # Of what there is to do; what was known when a repeat began is no part of it.
    assert shares == [1 / 5, 2 / 4, 3 / 4, 4 / 4]


def test_only_points_that_share_take_the_shared_road(tmp_path, customers):
    one = fitter(tmp_path, customers, Halves, road=shared)
    algorithm = replace(one.algorithm, shares=lambda model: model.k > 2)
    sharing = replace(one, algorithm=algorithm)
    sharing.fit_grid(grid(2, 3, 4), repeats=1)
    told = {row.point: row.shared for row in fit_rows(sharing)}
    assert told == {"k=2": False, "k=3": True, "k=4": True}


@pytest.mark.parametrize("n_points", [1, 3])
def test_the_times_of_a_shared_road_keep_their_sum(tmp_path, customers, n_points):
    one = fitter(tmp_path, customers, Halves, road=shared)
    began = time.perf_counter()
    one.fit_grid(grid(2, 3, 4)[:n_points], repeats=1)
    spent = time.perf_counter() - began
    rows = fit_rows(one)
    assert 0.05 <= sum(row.wall_seconds for row in rows) <= spent
    assert len({(row.wall_seconds, row.cpu_seconds, row.cold) for row in rows}) == 1


@pytest.mark.parametrize(("models", "n_models"), [("all", 1), ("best", 1), ("none", 0)])
def test_a_model_is_stored_unless_none_is_kept(tmp_path, customers, models, n_models):
    one = fitter(tmp_path, customers, Halves, ModelsKept(models))
    one.fit_grid(grid(2), repeats=1)
    assert len(list(tmp_path.rglob("*.joblib"))) == n_models


@pytest.mark.parametrize(
    ("told", "warned", "expected"),
    [
        ({"converged_": False}, (), False),
        ({"converged_": np.bool_(True)}, ("ConvergenceWarning: cut off",), True),
        ({"n_iter_": 4, "max_iter": 5}, (), True),
        ({"n_iter_": 5, "max_iter": 5}, (), False),
        ({"n_iter_": 5}, (), None),
        ({"max_iter": 5}, (), None),
        ({}, ("RuntimeWarning: cut off",), None),
        ({}, ("RuntimeWarning: no", "ConvergenceWarning: cut off"), False),
        ({}, ("ConvergenceWarning: Number of distinct clusters",), None),
    ],
)
def test_a_fit_converged_by_what_it_says_its_iterations_or_its_warnings(told, warned, expected):
    assert converged(SimpleNamespace(**told), warned) is expected


@pytest.mark.parametrize(
    ("told", "inertia", "n_iter"),
    [
        ({}, None, None),
        ({"inertia_": np.float32(2.5), "n_iter_": np.int64(3)}, 2.5, 3),
        ({"inertia_": "much", "n_iter_": [1, 2]}, None, None),
        ({"inertia_": 0, "n_iter_": 0}, 0.0, 0),
    ],
)
def test_inertia_and_iterations_are_told_where_they_are_numbers(
    tmp_path, customers, told, inertia, n_iter
):
    class Tells(Halves):
        def fit(self, X):
            vars(self).update(told)
            return super().fit(X)

    one = fitter(tmp_path, customers, Tells, ModelsKept.none)
    (outcome,) = one.fit_grid(grid(2), repeats=1)
    assert (outcome.inertia, outcome.n_iter) == (inertia, n_iter)
    noted = {"key": "", "inertia": inertia, "n_iter": n_iter, "converged": None}
    assert one.directory.points() == {"k=2": noted}
