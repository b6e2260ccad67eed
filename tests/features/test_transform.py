import io
import shlex

import joblib
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from segrun.cli.compose import compose_experiment
from segrun.config import Scale, TransformConfig
from segrun.errors import ConfigError, DataError
from segrun.features.transform import check, fit_transform


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
