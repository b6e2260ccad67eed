import io
import shlex

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from segrun.cli.compose import compose_experiment
from segrun.config import Scale, TransformConfig
from segrun.errors import ConfigError, DataError
from segrun.features.transform import check, fit_transform
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns


def settings(log1p=(), scale=Scale.none, pca=None):
    return TransformConfig(list(log1p), scale, pca)


def test_standard_equals_scikit_learn(customers):
    result = fit_transform(customers, settings(scale=Scale.standard), seed=0)
    assert np.array_equal(result.Z, StandardScaler().fit_transform(customers.X()))


def test_robust_equals_scikit_learn(customers):
    result = fit_transform(customers, settings(scale=Scale.robust), seed=0)
    assert np.array_equal(result.Z, RobustScaler().fit_transform(customers.X()))


def test_none_leaves_the_features_as_they_are(customers):
    result = fit_transform(customers, settings(), seed=0)
    assert np.array_equal(result.Z, customers.X())
    assert result.steps == []


def test_log1p_changes_the_chosen_columns_and_keeps_the_order(customers):
    result = fit_transform(customers, settings(["Recency"]), seed=0)
    expected = customers.X()
    expected[:, 2] = np.log1p(expected[:, 2])
    assert np.allclose(result.Z, expected, atol=0, rtol=1e-15)


def test_logarithms_come_before_scaling(customers):
    result = fit_transform(customers, settings(["Recency"], Scale.standard), seed=0)
    logged = customers.X()
    logged[:, 2] = np.log1p(logged[:, 2])
    assert np.allclose(result.Z, StandardScaler().fit_transform(logged), atol=1e-12)


def test_star_takes_the_logarithm_of_every_column(customers):
    result = fit_transform(customers, settings(["*"]), seed=0)
    assert np.allclose(result.Z, np.log1p(customers.X()), atol=0, rtol=1e-15)


@pytest.mark.parametrize("components", [2, 0.8])
def test_pca_comes_last(customers, components):
    result = fit_transform(customers, settings(scale=Scale.standard, pca=components), seed=0)
    expected = PCA(components).fit_transform(StandardScaler().fit_transform(customers.X()))
    assert np.allclose(result.Z, expected)


def test_the_saved_steps_give_the_same_matrix_again(customers):
    steps = settings(["Recency"], Scale.standard, 2.0)
    result = fit_transform(customers, steps, seed=0)
    file = io.BytesIO()
    joblib.dump(Pipeline(list(result.steps)), file)
    file.seek(0)
    assert np.array_equal(joblib.load(file).transform(customers.X()), result.Z)
    assert b"segrun" not in file.getvalue()


def test_the_matrix_cannot_be_changed_by_a_fit(customers):
    Z = fit_transform(customers, settings(scale=Scale.standard), seed=0).Z
    with pytest.raises(ValueError, match="read-only"):
        Z[0, 0] = 1


@pytest.mark.heavy
def test_log_of_a_return_is_refused_with_a_setting_that_works(customers):
    customers.columns["Amount"][3] = -1.5
    with pytest.raises(DataError, match=r"log\(1 \+ Amount\) is undefined.* -1\.5") as error:
        fit_transform(customers, settings(["*"]), seed=0)
    (advice,) = [word for word in shlex.split(str(error.value)) if word.startswith("transform.")][
        1:
    ]
    config = compose_experiment(["features=rfm", advice.rstrip(",")]).transform
    assert config.log1p == ["NumberOfOrders", "Recency"]
    fit_transform(customers, config, seed=0)


def test_an_unknown_log_column_is_refused_naming_the_features(customers):
    with pytest.raises(ConfigError, match=r"Recncy.*Amount, NumberOfOrders, Recency"):
        check(settings(["Recncy"]), customers.feature_names)


def test_more_components_than_features_are_refused(customers):
    with pytest.raises(ConfigError, match=r"transform\.pca=4.*at most 3"):
        check(settings(pca=4), customers.feature_names)


def test_more_components_than_rows_are_refused(customers):
    with pytest.raises(ConfigError, match=r"transform\.pca=3.*at most 2"):
        fit_transform(customers.take(np.arange(2)), settings(pca=3), seed=0)


@pytest.mark.parametrize("pca", [0, -1, 1.5])
def test_an_impossible_pca_is_refused(pca):
    with pytest.raises(ConfigError, match=r"transform\.pca"):
        check(settings(pca=pca), ["Amount", "Recency"])


def rated(n_items=4, n_users=30):
    """Users by item, most values not stored."""
    rng = np.random.default_rng(5)
    matrix = csr_matrix(
        rng.integers(1, 6, (n_users, n_items)) * (rng.random((n_users, n_items)) < 0.6)
    )
    ids = np.array([f"i{i}" for i in range(n_items)], dtype=object)
    items = Items(ids, ids, np.full(n_items, n_users), np.full(n_items, 3.0))
    users = np.array([f"u{i}" for i in range(n_users)], dtype=object)
    return Customers("user", users, SparseColumns(matrix, items)), matrix.toarray()


@pytest.mark.parametrize(("pca", "solver"), [(2, "arpack"), (0.6, "covariance_eigh")])
def test_components_of_a_sparse_matrix_are_those_of_the_dense_one(pca, solver):
    users, dense = rated()
    result = fit_transform(users, settings(pca=pca), seed=0)
    assert np.allclose(np.abs(result.Z), np.abs(PCA(pca).fit_transform(dense)))
    assert result.steps[-1][1].svd_solver == solver
    assert not result.names


def test_a_sparse_matrix_is_scaled_and_logged_as_the_dense_one_without_centring():
    users, dense = rated()
    result = fit_transform(users, settings(["*"], Scale.standard), seed=0)
    logged = np.log1p(dense)
    assert np.allclose(result.Z, logged / logged.std(axis=0))


def test_a_share_and_all_components_of_a_dense_matrix_are_solved_as_scikit_learn_does(customers):
    result = fit_transform(customers, settings(pca=3), seed=0)
    assert result.Z.shape == (7, 3)
    assert result.steps[-1][1].svd_solver == "auto"


@pytest.mark.parametrize(
    ("steps", "n_items", "most"),
    [({"pca": 4}, 4, 3), ({"svd": 4}, 4, 3), ({"pca": 1}, 1, 0), ({"svd": 1}, 1, 0)],
)
def test_a_sparse_matrix_has_one_component_less_than_features(steps, n_items, most):
    users, _ = rated(n_items)
    config = TransformConfig([], Scale.none, steps.get("pca"), steps.get("svd"))
    with pytest.raises(ConfigError, match=f"than there are features: at most {most}$"):
        fit_transform(users, config, seed=0)


@pytest.mark.parametrize("svd", [3, 4])
def test_a_truncated_svd_of_dense_features_has_one_component_less(customers, svd):
    with pytest.raises(ConfigError, match=r"transform\.svd=.*at most 2$"):
        check(TransformConfig([], Scale.none, None, svd), customers.feature_names)
    result = fit_transform(customers, TransformConfig([], Scale.none, None, 2), seed=0)
    assert np.allclose(np.linalg.norm(result.Z, axis=0), np.linalg.svd(customers.X())[1][:2])


def test_pca_and_svd_exclude_each_other():
    with pytest.raises(ConfigError, match=r"transform\.pca=2 and transform\.svd=2 exclude"):
        check(TransformConfig([], Scale.none, 2, 2), None)
