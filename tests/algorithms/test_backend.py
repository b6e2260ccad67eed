import ctypes
import logging
import os
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import sklearn.cluster
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning

from segrun.algorithms.backend import Backend, available, make_backend
from segrun.algorithms.evidence import to_stock, who_ran
from segrun.algorithms.labels import checked_labels
from segrun.config import BackendConfig, BackendName
from segrun.errors import BackendError, ConfigError

pytestmark = pytest.mark.heavy

try:
    import sklearnex.cluster
except ImportError as error:
    sklearnex, missing = None, str(error)
else:
    missing = ""

onedal = pytest.mark.skipif(bool(missing), reason=f"scikit-learn-intelex: {missing}")


@pytest.fixture(scope="module")
def X():
    """Four thousand rows of skewed counts and amounts, standardised, read-only."""
    rng = np.random.default_rng(3)
    counts = rng.negative_binomial(1, 0.1, size=(4000, 5)) * (rng.random((4000, 5)) < 0.4)
    X = np.column_stack([counts, rng.lognormal(3, 1, size=(4000, 2))])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    X.setflags(write=False)
    return X


def fit(backend, estimator, X, require=False, **params):
    backend = Backend(backend, require)
    return backend.fit(backend.make(estimator, **params), X)


FALLBACKS = [
    ("DBSCAN", {"algorithm": "kd_tree"}, "'kd_tree' algorithm is not supported"),
    ("DBSCAN", {"metric": "cosine"}, "'cosine' (p=None) metric is not supported"),
    ("KMeans", {"n_clusters": 1}, "n_clusters=1 is not supported"),
]


@onedal
@pytest.mark.parametrize(
    ("estimator", "params"), [("KMeans", {"n_clusters": 3, "random_state": 0}), ("DBSCAN", {})]
)
def test_log_and_attribute_agree_that_onedal_ran(X, estimator, params):
    backend = Backend("onedal")
    unfitted = backend.make(estimator, **params)
    result = backend.fit(unfitted, X)
    assert hasattr(unfitted, "_onedal_estimator")
    assert (result.asked, result.ran, result.reason) == ("onedal", "onedal", "")


@onedal
@pytest.mark.parametrize(("estimator", "params", "reason"), FALLBACKS)
def test_log_and_attribute_agree_on_a_fall_back(X, estimator, params, reason):
    backend = Backend("onedal")
    unfitted = backend.make(estimator, **params)
    result = backend.fit(unfitted, X)
    assert not hasattr(unfitted, "_onedal_estimator")
    assert result.ran == "sklearn"
    assert reason in result.reason
    assert "not proven" not in result.reason


@onedal
@pytest.mark.parametrize(("estimator", "params", "reason"), FALLBACKS)
def test_a_fall_back_is_an_error_where_the_backend_is_required(X, estimator, params, reason):
    with pytest.raises(BackendError) as caught:
        fit("onedal", estimator, X, require=True, **params)
    for part in ("backend.require", estimator, reason):
        assert part in str(caught.value)


@onedal
def test_log_against_attribute_counts_as_sklearn_and_says_so():
    model = sklearnex.cluster.KMeans(2, random_state=0).fit([[0.0], [1.0], [2.0]])
    ran, reason = who_ran(model, [])
    assert ran == "sklearn"
    assert "log says nothing" in reason
    assert "holds a oneDAL model" in reason
    del model._onedal_estimator
    ran, reason = who_ran(model, ["sklearn.cluster.KMeans.fit: running accelerated version on CPU"])
    assert ran == "sklearn"
    assert "lacks a oneDAL model" in reason


@onedal
def test_only_the_estimators_own_fit_counts():
    model = sklearnex.cluster.KMeans(2, random_state=0).fit([[0.0], [1.0], [2.0]])
    lines = [
        "sklearn.cluster.KMeans.predict: fallback to original Scikit-learn",
        "sklearn.cluster.DBSCAN.fit: fallback to original Scikit-learn",
        "sklearn.cluster.KMeans.fit: running accelerated version on CPU",
    ]
    assert who_ran(model, lines) == ("onedal", "")


@onedal
def test_elkan_becomes_lloyd_and_the_reason_says_so(X):
    result = fit("onedal", "KMeans", X, require=True, n_clusters=3, algorithm="elkan")
    assert result.ran == "onedal"
    assert "'elkan'" in result.reason
    assert "'lloyd'" in result.reason


@onedal
def test_an_estimator_that_onedal_lacks_runs_stock(X):
    result = fit("onedal", "sklearn.cluster.Birch", X)
    assert (result.ran, result.reason) == ("sklearn", "scikit-learn-intelex has no Birch")


@onedal
def test_an_import_path_gives_the_accelerated_class_too(X):
    assert fit("onedal", "sklearn.cluster.DBSCAN", X).ran == "onedal"


@onedal
def test_a_plugin_that_goes_around_make_is_found_out(X):
    result = Backend("onedal").fit(sklearn.cluster.DBSCAN(), X)
    assert result.ran == "sklearn"
    assert "not through backend.make" in result.reason
    result = Backend("sklearn").fit(sklearnex.cluster.DBSCAN(), X)
    assert result.ran == "onedal"
    assert "itself" in result.reason


def test_the_stock_backend_runs_stock(X):
    result = fit("sklearn", "KMeans", X, require=True, n_clusters=3)
    assert (result.asked, result.ran, result.reason) == ("sklearn", "sklearn", "")
    assert type(result.model) is sklearn.cluster.KMeans


@onedal
@pytest.mark.parametrize("n_clusters", [1, 2, 10, 30])
def test_the_stock_model_predicts_what_the_accelerated_one_does(X, n_clusters):
    backend = Backend("onedal")
    accelerated = backend.make("KMeans", n_clusters=n_clusters, random_state=0)
    result = backend.fit(accelerated, X)
    assert type(result.model) is sklearn.cluster.KMeans
    assert not [name for name in vars(result.model) if name.startswith("_onedal")]
    assert result.model.get_params()["n_clusters"] == n_clusters
    assert np.array_equal(result.model.predict(X), accelerated.predict(X))
    assert np.array_equal(result.model.predict(X), result.labels)


@onedal
def test_what_is_stock_already_stays_the_same_object():
    model = sklearn.cluster.KMeans(2)
    assert to_stock(model) is model


PREDICT = """
import sys
sys.modules["sklearnex"] = sys.modules["onedal"] = sys.modules["daal4py"] = None
import joblib
import numpy as np
for name in ("KMeans", "DBSCAN"):
    model = joblib.load(f"{name}.joblib")
    assert type(model).__module__.startswith("sklearn."), type(model)
    X, labels = np.load("X.npy"), np.load(f"{name}.npy")
    assert np.array_equal(model.labels_, labels)
    if name == "KMeans":
        assert np.array_equal(model.predict(X), labels)
    else:
        assert np.array_equal(model.components_, X[model.core_sample_indices_])
"""


@onedal
def test_saved_models_load_and_predict_where_intelex_is_missing(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    for name, params in (("KMeans", {"n_clusters": 10, "random_state": 0}), ("DBSCAN", {})):
        result = fit("onedal", name, X, require=True, **params)
        joblib.dump(result.model, tmp_path / f"{name}.joblib")
        np.save(tmp_path / f"{name}.npy", result.labels)
    done = subprocess.run(
        [sys.executable, "-c", PREDICT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


BLOCKED = """
import sys
sys.modules[{blocked!r}] = None
import numpy as np
from segrun.algorithms.backend import Backend, available
backend = Backend("onedal")
X = np.array([[0.0], [0.1], [5.0]])
fit = backend.fit(backend.make("KMeans", n_clusters=2, random_state=0), X)
print(fit.ran, fit.reason, sep="|")
print(available())
"""


@pytest.mark.parametrize(
    ("blocked", "reason"),
    [
        ("sklearnex", "scikit-learn-intelex is not installed"),
        pytest.param("onedal", "scikit-learn-intelex cannot be imported", marks=onedal),
    ],
)
def test_without_a_whole_intelex_stock_runs_and_the_reason_is_told(blocked, reason):
    code = BLOCKED.format(blocked=blocked)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    first, second = done.stdout.splitlines()
    assert first.startswith(f"sklearn|{reason}")
    assert reason in second
    assert "'sklearn': ''" in second


@onedal
@pytest.mark.parametrize("eps", [0.3, 0.7])
@pytest.mark.parametrize("min_samples", [10, 50])
def test_dbscan_labels_equal_stock_scikit_learns(X, eps, min_samples):
    params = {"eps": eps, "min_samples": min_samples}
    result = fit("onedal", "DBSCAN", X, require=True, **params)
    assert np.array_equal(result.labels, sklearn.cluster.DBSCAN(**params).fit(X).labels_)


@pytest.mark.parametrize("name", ["sklearn", pytest.param("onedal", marks=onedal)])
def test_kmeans_repeats_exactly(X, name):
    params = {"n_clusters": 10, "random_state": 5}
    first, second = (fit(name, "KMeans", X, require=True, **params) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.model.cluster_centers_, second.model.cluster_centers_)


def test_labels_are_int64_of_every_row(X):
    for estimator in ("KMeans", "DBSCAN", "sklearn.mixture.GaussianMixture"):
        labels = fit("onedal", estimator, X).labels
        assert labels.dtype == np.int64
        assert labels.shape == (len(X),)


def state(logger):
    return (
        list(logger.handlers), logger.level, logger.propagate, logger.disabled,
        logger.manager.disable, logger.isEnabledFor(logging.DEBUG),
    )  # fmt: skip


@onedal
def test_the_logger_is_restored_and_nothing_is_printed(X, capfd):
    logger = logging.getLogger("sklearnex")
    before = state(logger)
    for _, params, _ in FALLBACKS[:2]:
        fit("onedal", "DBSCAN", X, **params)
    with pytest.raises(ValueError, match="NaN"):
        fit("onedal", "DBSCAN", np.full((9, 2), np.nan))
    assert state(logger) == before
    assert capfd.readouterr() == ("", "")


@onedal
def test_evidence_does_not_depend_on_how_logging_is_configured(X):
    logger = logging.getLogger("sklearnex")
    logging.disable(logging.CRITICAL)
    logger.disabled = True
    try:
        assert fit("onedal", "DBSCAN", X).ran == "onedal"
        assert fit("onedal", "DBSCAN", X, algorithm="kd_tree").reason
        assert logger.disabled
        assert logger.manager.disable == logging.CRITICAL
    finally:
        logging.disable(logging.NOTSET)
        logger.disabled = False


def test_warnings_are_recorded_once_each_and_not_shown(X, capfd):
    class Warner(ClusterMixin, BaseEstimator):
        def fit_predict(self, X, y=None):
            for _ in range(2):
                warnings.warn("gave up", ConvergenceWarning, stacklevel=1)
            return np.zeros(len(X), dtype=np.int32)

    result = Backend("sklearn").fit(Warner(), X)
    assert result.warnings == ("ConvergenceWarning: gave up",)
    assert capfd.readouterr() == ("", "")


class PanicException(BaseException):
    """As pyo3 raises where Rust panics."""


class Raiser(ClusterMixin, BaseEstimator):
    def __init__(self, error):
        self.error = error

    def fit_predict(self, X, y=None):
        raise self.error


def raising_road(backend, X, points):
    yield from (Raiser(**point).fit_predict(X) for point in points)


@pytest.mark.parametrize(
    ("error", "seen", "said"),
    [
        (PanicException("index out of bounds"), RuntimeError, "^PanicException: index out of"),
        (ValueError("no such k"), ValueError, "^no such k"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
        (SystemExit(0), SystemExit, "0"),
    ],
)
def test_what_is_no_exception_becomes_one_unless_it_asks_to_end(X, error, seen, said):
    backend = Backend("sklearn")
    with pytest.raises(seen, match=said):
        backend.fit(Raiser(error), X)
    with pytest.raises(seen, match=said):
        list(backend.fit_grid(raising_road, X, [{"error": error}]))


class Chatter(ClusterMixin, BaseEstimator):
    """Prints by Python, by the system and, where it can be had, by C."""

    def fit_predict(self, X, y=None):
        print("by Python")  # noqa: T201
        print("by its first stdout", file=sys.__stdout__)
        os.write(1, b"by the system\n")
        if os.name == "posix":
            ctypes.CDLL(None).printf(b"by C\n")
        return np.zeros(len(X), dtype=np.int64)


CHATTER = """
import sys
sys.path.insert(0, {folder!r})
from test_backend import Backend, Chatter
import numpy as np
print("before")
fit = Backend("sklearn").fit(Chatter(), np.ones((2, 1)))
print("after", fit.printed)
"""


@pytest.mark.parametrize("stderr", [subprocess.PIPE, subprocess.STDOUT, None])
def test_what_libraries_print_during_a_fit_goes_to_stderr(stderr):
    code = CHATTER.format(folder=os.path.dirname(__file__))  # noqa: PTH120
    if stderr is None:
        code = f"import os; os.close(2){code}"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=stderr, text=True, check=True
    )
    if stderr == subprocess.PIPE:
        assert done.stdout.split("\n") == ["before", "after by Python", "", ""]
        assert {"by its first stdout", "by the system"} < set(done.stderr.split("\n"))
        assert ("by C" in done.stderr) == (os.name == "posix")
    assert "after by Python" in done.stdout


def test_an_unsigned_label_is_not_taken_for_noise():
    assert checked_labels(np.array([0, 255], np.uint8), 2).tolist() == [0, 255]
    with pytest.raises(ValueError, match="a label of 18446744073709551615"):
        checked_labels(np.array([0, 2**64 - 1], np.uint64), 2)


def test_the_first_fit_of_a_class_is_cold(X):
    class Single(ClusterMixin, BaseEstimator):
        def fit_predict(self, X, y=None):
            return np.zeros(len(X), dtype=np.int64)

    backend = Backend("sklearn")
    assert [backend.fit(Single(), X).cold for _ in range(2)] == [True, False]


def test_times_are_those_of_the_fit(X):
    result = fit("sklearn", "DBSCAN", X)
    assert 0 < result.wall_seconds < 60
    assert result.cpu_seconds >= 0


def test_an_unknown_estimator_and_parameter_are_refused():
    backend = Backend("sklearn")
    with pytest.raises(ConfigError, match=r"no estimator 'KMean'.* Did you mean 'KMeans'\?"):
        backend.make("KMean")
    with pytest.raises(ConfigError, match=r"algo\.params\.tolx: KMeans has.*Did you mean 'tol'\?"):
        backend.make("KMeans", tolx=1)


def test_an_estimator_that_onedal_lacks_is_refused_before_the_fit_where_required():
    backend = make_backend(BackendConfig(BackendName.onedal, require=True))
    with pytest.raises(BackendError, match="Birch"):
        backend.demand(backend.make("Birch"))


def test_every_backend_that_is_available_is_proven():
    found = available()
    assert set(found) == {"onedal", "native", "sklearn"}
    assert found["sklearn"] == ""
    assert (found["onedal"] == "") == (not missing)
