"""A text that the first customer lacks is a text that is missing there, on every road."""

import csv
import sqlite3

import polars as pl
import pytest

from segrun.cli.export import export_command

ROWS = [
    ("a", 1, "", "2024-01-03"), ("b", 5, "young", "2024-02-01"), ("c", 7, "old", "2024-02-02"),
    ("d", 1, "old", "2024-03-01"), ("e", 6, "", "2024-03-02"),
]  # fmt: skip
SAID = {key: text or None for key, _, text, _ in ROWS}
USUAL = ["algo.params.n_clusters=2", "algo.params.tol=1e-4", "segments=full"]
READ = {
    "table": [
        "dataset=table", "dataset.id=id", "features=table",
        "+dataset.columns={x: number, age: text}", "+features.columns={age: {cluster: false}}",
    ],
    "aggregate": [
        "dataset=records", "dataset.id=id", "features=aggregate", "features.date=day",
        "+dataset.columns={x: number, age: text, day: date}",
        "+features.columns={x: {function: sum, of: x}, age: {function: first, of: age, "
        "cluster: false}}",
    ],
    "transactions": [
        "dataset=transactions", "features=rfm",
        "dataset.columns={customer: id, date: day, amount: x, country: age}",
        "features.drop_missing=needed_columns", "features.outliers.rule=none",
    ],
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "rows.csv"
    with found.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "x", "age", "day"), *ROWS])
    return found


def told(run, name):
    about = pl.read_parquet(run.path / "about.parquet")
    assert about.schema[name] == pl.String
    return dict(zip(about[about.columns[0]], about[name], strict=True))


@pytest.mark.parametrize(
    ("features", "engine"),
    [*((features, "polars") for features in READ), ("aggregate", "pandas"),
     ("aggregate", "duckdb"), ("transactions", "pandas"), ("transactions", "duckdb")],
)  # fmt: skip
def test_a_missing_first_text_is_null(run_of, path, tmp_path, features, engine, monkeypatch):
    monkeypatch.setenv("SEGRUN_CACHE", str(tmp_path / "cache"))
    name = "Country" if features == "transactions" else "age"
    settings = [
        f"dataset.path={path}", *READ[features], *USUAL, f"engine={engine}", "cache.min_bytes=1",
    ]  # fmt: skip
    assert told(run_of(tmp_path / "first", *settings), name) == SAID
    if engine != "polars":
        return
    # Once more from the features that the cache keeps.
    assert told(run_of(tmp_path / "second", *settings), name) == SAID
    kept = (tmp_path / "second" / "timings.csv").read_text()
    assert "features from the cache" in kept


@pytest.mark.parametrize("features", list(READ))
def test_it_leaves_as_null_in_every_form(run_of, path, tmp_path, features, capsys):
    name = "Country" if features == "transactions" else "age"
    run_of(tmp_path / "run", f"dataset.path={path}", *READ[features], *USUAL)
    for to in ("out.csv", "out.parquet", "out.xlsx"):
        target = str(tmp_path / to)
        assert export_command([str(tmp_path / "run"), "--to", target, "--customers"]) == 0
    address = f"sqlite:///{tmp_path / 'out.db'}"
    assert export_command([str(tmp_path / "run"), "--to", address, "--customers"]) == 0
    capsys.readouterr()
    frame = pl.read_parquet(tmp_path / "out.parquet")
    assert dict(zip(frame[frame.columns[0]], frame[name], strict=True)) == SAID
    with sqlite3.connect(tmp_path / "out.db") as connection:
        (table,) = connection.execute("SELECT name FROM sqlite_master").fetchone()
        rows = connection.execute(f'SELECT "{frame.columns[0]}", "{name}" FROM "{table}"')
        assert dict(rows.fetchall()) == SAID
    connection.close()
