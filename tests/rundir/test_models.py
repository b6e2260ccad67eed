"""A stored model knows the names of its columns: another order is refused, never placed wrongly."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest

SMALL = ["dataset.n_customers=60", "store.models=all"]
CLUSTERERS = [
    "kmeans", "minibatch_kmeans", "bisecting_kmeans", "gaussian_mixture", "birch", "dbscan",
    "hdbscan", "agglomerative",
]  # fmt: skip
TRANSFORMS = ["none", "standard", "robust", "log_standard", "pca", "pca_10"]
EVERY = [(algo, "standard") for algo in CLUSTERERS]
EVERY += [("kmeans", transform) for transform in TRANSFORMS if transform != "standard"]


def features_of(run):
    return pl.read_parquet(run.path / "features.parquet").drop("CustomerID")


@pytest.fixture(scope="module", params=EVERY, ids="-".join)
def run(request, run_of, tmp_path_factory):
    """A small run with one of the algorithms and one of the transforms."""
    algo, transform = request.param
    more = ["features.cancellations=remove"] if transform == "log_standard" else []
    folder = tmp_path_factory.mktemp("run") / "run"
    return run_of(folder, *SMALL, f"algo={algo}", f"transform={transform}", *more)


def test_a_model_knows_the_names_and_refuses_another_order(run):
    table = features_of(run)
    for point in run.points:
        model = joblib.load(run.path / "models" / f"{point}.joblib")
        assert list(model.feature_names_in_) == table.columns
        assert model.n_features_in_ == table.width
        # What cannot predict still has its transform.
        road = model.predict if hasattr(model, "predict") else model[:-1].transform
        turned = table.select(reversed(table.columns)).to_dict(as_series=False)
        with pytest.raises(ValueError, match="feature names should match"):
            road(pd.DataFrame(turned))


def test_tables_of_pandas_and_polars_get_the_stored_labels_without_a_warning(run):
    table = features_of(run)
    for point in run.points:
        model = joblib.load(run.path / "models" / f"{point}.joblib")
        if not hasattr(model, "predict"):
            continue
        for given in (table, pd.DataFrame(table.to_dict(as_series=False))):
            assert np.array_equal(model.predict(given), run.model(point).predict(table.to_numpy()))
        if run.experiment["algo"]["name"] == "kmeans":
            assert np.array_equal(model.predict(table), run.labels(point))


def test_ratings_have_no_names_of_columns(run_of, tmp_path):
    run = run_of(
        tmp_path / "run", "dataset=synthetic_ratings", "dataset.n_users=80", "features=ratings",
        "transform=svd_10", "algo=kmeans", "algo.grid.n_clusters=[3]", "algo.params.tol=1e-4",
    )  # fmt: skip
    (point,) = run.points
    model = joblib.load(run.path / "models" / f"{point}.joblib")
    assert np.array_equal(model.predict(run.customers.matrix()), run.labels(point))
