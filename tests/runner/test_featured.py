"""Features of a large input are computed once; a cached stage says so."""

import time

import polars as pl
import pytest

from segrun.data.datasets import load
from segrun.errors import StoreError
from segrun.features import build
from segrun.jobs import run_job as run
from segrun.rundir.store import read_csv
from segrun.runner.featured import featured

pytestmark = pytest.mark.heavy

SALES = pl.DataFrame(
    {
        "User": [f"u{i % 40}" for i in range(400)],
        "Quantity": [1 + i * i % 7 for i in range(400)],
        "UnitPrice": [1.25 + i % 11 for i in range(400)],
    }
)


@pytest.fixture
def ran(tmp_path, composed, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    SALES.write_csv(tmp_path / "sales.csv")

    def running(name, *changes):
        experiment = composed(
            "experiment=dataflow_tiers", "dataset=records", f"dataset.path={tmp_path}/sales.csv",
            "dataset.id=User", "+dataset.columns={Quantity: number, UnitPrice: number}",
            "report=none", "segments=none", "backend=sklearn", *changes,
        )  # fmt: skip
        run(experiment, tmp_path / name)
        rows = {row["stage"]: row["reason"] for row in read_csv(tmp_path / name / "timings.csv")}
        return (tmp_path / name / "features_all.parquet").read_bytes(), rows

    return running


def test_features_from_the_cache_are_the_same_and_said_to_be(ran):
    plain, said = ran("plain")
    assert "cache" not in said["load"] + said["features"]
    first, said = ran("first", "cache.min_bytes=0")
    assert "cache" not in said["load"] + said["features"]
    again, said = ran("again", "cache.min_bytes=0")
    assert said["load"] == "table from the cache"
    assert said["features"] == "features from the cache"
    assert plain == first == again


def test_other_features_are_computed_from_the_table_that_is_kept(ran):
    ran("first", "cache.min_bytes=0")
    _, said = ran("other", "cache.min_bytes=0", "features.where='Quantity > 2'")
    assert said["load"] == "table from the cache"
    assert "cache" not in said["features"]


def test_a_kept_table_that_is_damaged_within_is_named_with_its_cure(ran, tmp_path):
    ran("first", "cache.min_bytes=0")
    (table,) = (tmp_path / "cache").glob("tables/*/rows.parquet")
    table.write_bytes(bytes(table.stat().st_size))
    with pytest.raises(StoreError, match=r"is damaged .*: segrun cache clear"):
        ran("other", "cache.min_bytes=0", "features.where='Quantity > 2'")


def test_features_of_a_file_that_changed_meanwhile_are_not_kept(
    tmp_path, composed, monkeypatch, caplog
):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "sales"
    folder.mkdir()
    SALES.write_csv(folder / "a.csv")
    experiment = composed(
        "experiment=dataflow_tiers", "dataset=records", f"dataset.path={folder}",
        "dataset.id=User", "+dataset.columns={Quantity: number, UnitPrice: number}",
        "cache.min_bytes=0",
    )  # fmt: skip
    began = time.time()
    with load(experiment.dataset, 0, settings=experiment.cache) as rows:
        SALES.reverse().write_csv(folder / "a.csv")
        featured(experiment, rows, lambda: build(rows, experiment.features), began)
    assert "was changed while it was read" in caplog.text
    assert not list((tmp_path / "cache").glob("features/*/entry.json"))


def test_nothing_is_kept_where_it_is_not_to_be(ran, tmp_path):
    ran("first", "cache.min_bytes=0", "cache.use=false")
    assert not list((tmp_path / "cache").glob("*/*/entry.json"))
