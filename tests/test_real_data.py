"""The main job on the real UCI file, and the reference kit's larger sizes."""

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.cluster import DBSCAN
from sklearn.preprocessing import StandardScaler

from segrun.rundir.store import read_csv, read_manifest

N_CUSTOMERS = 4256  # of 4,372, after the kit's outlier rule


def fits(run):
    return [row for row in read_csv(run / "timings.csv") if row["stage"] == "fit"]


def accelerated(run):
    pytest.importorskip("sklearnex", reason="scikit-learn-intelex has no wheel here")
    return {(row["backend_asked"], row["backend_ran"], row["reason"]) for row in fits(run)} == {
        ("onedal", "onedal", "")
    }


@pytest.fixture(scope="module")
def sweep(segrun, online_retail, tmp_path_factory):
    """Two runs of the main job on the real file, in folders a and b."""
    folder = tmp_path_factory.mktemp("real")
    for name in "ab":
        done = segrun("-m", "dataset=online_retail", f"dataset.path={online_retail}",
                      "algo=kmeans,dbscan", f"hydra.sweep.dir={name}", cwd=folder)  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


def test_all_points_are_done_and_the_customers_are_those_of_the_kit(sweep):
    rows = read_csv(sweep / "a" / "scores.csv")
    assert [row["job"] for row in rows] == ["0-kmeans"] * 27 + ["1-dbscan"] * 9
    assert {row["status"] for row in rows} == {"done"}
    facts = read_manifest(sweep / "a" / "0-kmeans")["features"]
    assert (facts["customers"], facts["clustered"]) == (4372, N_CUSTOMERS)


def test_every_fit_ran_on_onedal(sweep):
    assert accelerated(sweep / "a" / "0-kmeans")
    assert accelerated(sweep / "a" / "1-dbscan")


def test_dbscan_labels_are_scikit_learns_at_every_point(sweep):
    run = sweep / "a" / "1-dbscan"
    X = pl.read_parquet(run / "features.parquet").drop("CustomerID").to_numpy()
    Z = StandardScaler().fit_transform(X)
    for row in read_csv(run / "scores.csv"):
        expected = DBSCAN(
            eps=float(row["param_eps"]), min_samples=int(row["param_min_samples"])
        ).fit_predict(Z)
        stored = pl.read_parquet(run / "predictions" / f"{row['point']}.parquet")["label"]
        assert np.array_equal(stored, expected)
        model = joblib.load(run / "models" / f"{row['point']}.joblib")
        assert np.array_equal(model[-1].labels_, expected)


def test_kmeans_models_predict_the_stored_labels(sweep):
    run = sweep / "a" / "0-kmeans"
    X = pl.read_parquet(run / "features.parquet").drop("CustomerID")
    for file in (run / "models").iterdir():
        stored = pl.read_parquet(run / "predictions" / f"{file.stem}.parquet")["label"]
        assert np.array_equal(joblib.load(file).predict(X), stored)


def test_a_second_run_gives_the_same_bytes(sweep):
    files = [p.relative_to(sweep / "a") for p in (sweep / "a").rglob("*.parquet")]
    assert len(files) == 2 * 2 + 27 + 9
    for file in [*files, "0-kmeans/scores.csv", "1-dbscan/scores.csv", "scores.csv"]:
        assert (sweep / "a" / file).read_bytes() == (sweep / "b" / file).read_bytes()


@pytest.mark.slow
def test_stock_scikit_learn_repeats_itself_too(segrun, online_retail, tmp_path):
    for name in "ab":
        segrun("dataset=online_retail", f"dataset.path={online_retail}", "backend=sklearn",
               f"hydra.run.dir={name}", cwd=tmp_path)  # fmt: skip
    assert {row["backend_ran"] for row in fits(tmp_path / "a")} == {"sklearn"}
    for file in (tmp_path / "a" / "predictions").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / "predictions" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("algo", "size", "n_rows"),
    [
        ("kmeans", "x10", 42_560),
        pytest.param("dbscan", "x10", 42_560, marks=pytest.mark.slow),
        pytest.param("kmeans", "x100", 425_600, marks=pytest.mark.slow),
        pytest.param("dbscan", "x15", 63_840, marks=pytest.mark.slow),
    ],
)
def test_every_fit_runs_on_onedal_at_the_kits_sizes(
    segrun, online_retail, tmp_path, algo, size, n_rows
):
    done = segrun("dataset=online_retail", f"dataset.path={online_retail}", f"algo={algo}",
                  f"augmentation={size}", "hydra.run.dir=run", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert accelerated(tmp_path / "run")
    assert (
        pl.scan_parquet(tmp_path / "run" / "features.parquet").select(pl.len()).collect().item()
        == n_rows
    )
