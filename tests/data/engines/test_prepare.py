"""Engines on the whole road: what is recorded, what polars does instead, what is left behind."""

import csv
import logging
from contextlib import ExitStack

import pytest

from segrun.data.engines import ENGINES
from segrun.errors import EngineError

HERE = [name for name, engine in ENGINES.items() if not engine.starts]


def timings(run):
    with (run.path / "timings.csv").open(newline="") as file:
        return {row["stage"]: row for row in csv.DictReader(file)}


def features(run):
    return (run.path / "features_all.parquet").read_bytes()


@pytest.fixture(scope="module")
def runs(tmp_path_factory, run_of, installed):
    """A small run of each engine that needs no other process."""
    found = {}
    for name in HERE:
        installed(name)
        folder = tmp_path_factory.mktemp(name) / "run"
        small = ("dataset.n_customers=60", "algo.params.n_clusters=2", "algo.params.tol=0.001")
        found[name] = run_of(folder, f"engine={name}", *small)
    return found


def test_runs_by_all_engines_leave_the_same_bytes_and_say_who_computed_them(runs):
    for name, run in runs.items():
        assert features(run) == features(runs["polars"])
        row = timings(run)["features"]
        assert (row["backend_asked"], row["backend_ran"]) == (name, name)
        assert row["reason"] == ENGINES[name].version
        assert run.manifest["experiment"]["engine"] == name


def test_the_key_of_a_run_does_not_depend_on_its_engine(runs):
    assert len({run.manifest["key"] for run in runs.values()}) == 1


@pytest.mark.parametrize(
    "chosen",
    [
        ("features=ratings", "dataset=synthetic_ratings", "dataset.n_users=30",
         "dataset.n_items=40", "transform=none"),
        ("features=table", "dataset=table"),
    ],
    ids=["ratings", "table"],
)  # fmt: skip
def test_what_groups_no_rows_is_computed_by_polars_which_is_said(chosen, tmp_path, run_of, caplog):
    table = tmp_path / "table.csv"
    table.write_text("id,a,b\n" + "".join(f"{i},{i % 5},{i * i % 7}\n" for i in range(20)))
    if "dataset=table" in chosen:
        chosen += (f"dataset.path={table}", "dataset.id=id",
                   "+dataset.columns={a: number, b: number}")  # fmt: skip
    few = ("algo.params.n_clusters=2", "algo.params.tol=0.001", "engine=pandas")
    with caplog.at_level(logging.INFO, "segrun"):
        run = run_of(tmp_path / "run", *chosen, *few)
    row = timings(run)["features"]
    assert (row["backend_asked"], row["backend_ran"]) == ("pandas", "polars")
    assert "groups no rows" in row["reason"]
    assert "not by engine=pandas" in caplog.text


def test_the_rows_that_were_handed_over_are_gone_afterwards(opened, installed):
    with ExitStack() as stack:
        rows = opened(stack, installed("pandas"))
        assert list(opened.cache.glob("*/rows.parquet"))
        assert rows.by_polars is not None
    assert not list(opened.cache.iterdir())


@pytest.mark.heavy
def test_an_engine_that_fails_is_one_message(opened, installed, features):
    # 100 KB are less than DuckDB needs for anything.
    with (
        pytest.raises(EngineError, match=r"engine=duckdb failed: .*[Mm]emory.*engine=polars"),
        ExitStack() as stack,
    ):
        features(opened(stack, installed("duckdb", memory_gib=0.0001)), ("features=rfm",), {})
    assert not list(opened.cache.iterdir())
