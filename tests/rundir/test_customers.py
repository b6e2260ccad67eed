"""The customer table: as a matrix, without its features, its ids as the input writes them."""

import sqlite3

import numpy as np
import pandas as pd
import polars as pl
import pytest

from segrun.cli.apply import apply_command
from segrun.cli.export import export_command
from segrun.rundir import customers
from segrun.rundir.customers import Customers, IdType, id_type

#: Ids as they stand in a file, and as results have them.
WRITTEN = {
    "plain": ([f"{17850 + i}" for i in range(9)], pl.Int64, int),
    "dotted": ([f"{17850 + i}.0" for i in range(9)], pl.Float64, float),
    "both": ([f"{17850 + i}{'.0' * (i % 2)}" for i in range(9)], pl.Float64, float),
    "zeros": ([f"00{i}" for i in range(9)], pl.String, str),
    "letters": ([f"C{i}" for i in range(9)], pl.String, str),
    "one letter": ([*map(str, range(8)), "x8"], pl.String, str),
    "long": ([f"1234567890123456789{i}" for i in range(9)], pl.String, str),
}


@pytest.fixture(params=[1, 3, 250])
def table(request):
    rng = np.random.default_rng(1)
    n = request.param
    return Customers(
        "id",
        np.array([f"c{i}" for i in range(n)], dtype=object),
        {"whole": rng.integers(0, 9, n), "real": rng.normal(size=n), "last": np.arange(n)},
    )


def test_the_matrix_has_every_column_as_it_is(table, monkeypatch):
    # Several blocks of rows, the last one not full.
    monkeypatch.setattr(customers, "_BLOCK_ROWS", 64)
    X = table.X()
    assert X.dtype == np.float64
    assert X.flags.c_contiguous
    assert np.array_equal(X, np.column_stack(list(table.columns.values())))


def test_the_ids_alone_write_the_same_labels(table):
    bare = table.bare()
    assert (bare.feature_names, bare.ids.tolist()) == ([], table.ids.tolist())
    assert len(bare) == len(table)


def lines_of(ids):
    """Three payments of each id, amounts all different."""
    days = [f"2011-0{1 + i % 9}-1{i % 7}" for i in range(27)]
    return pl.DataFrame(
        {"Account": [i for i in ids for _ in range(3)], "Booked": days,
         "Value": [float(n**2 + 1) for n in range(27)]}
    )  # fmt: skip


def settled(run_of, folder, *source):
    return run_of(
        folder, "dataset=transactions",
        "dataset.columns={customer: Account, date: Booked, amount: Value}", *source,
        "features=rfm", "segments=full", "algo.grid.n_clusters=[2]", "algo.params.tol=1e-4",
    )  # fmt: skip


def ids_in(run):
    """The ids of every file of a run and of its exports, in order of the table's name."""
    found = {
        file.relative_to(run.path).as_posix(): pl.read_parquet(file)
        for file in run.path.rglob("*.parquet")
    }
    assert len(found) == 5
    for more in ([], ["--customers"]):
        out = run.path.parent / "out.parquet"
        assert export_command([str(run.path), "--to", str(out), "--replace", *more]) == 0
        found[f"export {more}"] = pl.read_parquet(out)
    return {name: table["Account"] for name, table in found.items()}


@pytest.mark.parametrize("writing", WRITTEN)
def test_a_csv_files_ids_have_the_type_that_its_readers_give_them(run_of, tmp_path, writing):
    ids, dtype, value = WRITTEN[writing]
    lines_of(ids).write_csv(tmp_path / "in.csv")
    run = settled(run_of, tmp_path / "run", f"dataset.path={tmp_path / 'in.csv'}")
    for name, column in ids_in(run).items():
        assert column.dtype == dtype, name
        assert set(column) == {value(text) for text in ids}, name
    if writing not in ("zeros", "long"):
        theirs = pd.read_csv(tmp_path / "in.csv")
        point = run.points[0]
        ours = pl.read_parquet(run.path / "predictions" / f"{point}.parquet")
        joined = theirs.merge(pd.DataFrame(ours.to_dict(as_series=False)), on="Account")
        assert len(joined) == 27
    # Inside and in what reads them again they are the text that they were before.
    assert list(run.customers.ids) == sorted(text.removesuffix(".0") for text in ids)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Int32, pl.UInt64, pl.Float64, pl.String])
def test_a_typed_files_ids_keep_their_type(run_of, tmp_path, dtype):
    ids = pl.Series(range(17850, 17859)).cast(dtype).to_list()
    lines_of(ids).with_columns(pl.col("Account").cast(dtype)).write_parquet(tmp_path / "in.parquet")
    run = settled(run_of, tmp_path / "run", f"dataset.path={tmp_path / 'in.parquet'}")
    source = pl.read_parquet(tmp_path / "in.parquet")
    for name, column in ids_in(run).items():
        assert column.dtype == dtype, name
        # polars joins columns of one type only.
        assert source.join(pl.DataFrame({"Account": column.unique()}), on="Account").height == 27


@pytest.mark.parametrize("kind", ["INTEGER", "REAL", "TEXT", "TEXT as float"])
def test_a_result_joins_with_the_table_that_was_read(run_of, tmp_path, kind):
    cast = {"INTEGER": int, "REAL": float, "TEXT": str, "TEXT as float": lambda i: f"{i}.0"}[kind]
    rows = lines_of([cast(i) for i in range(17850, 17859)]).rows()
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute(f"CREATE TABLE sales (Account {kind.split()[0]}, Booked TEXT, Value REAL)")
        shop.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    run = settled(run_of, tmp_path / "run", f"dataset.path={url}", "dataset.query=sales")
    to = ["--to", url, "--table", "segments", "--customers"]
    assert export_command([str(run.path), *to]) == 0
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        joined = "SELECT count(*) FROM sales JOIN segments USING (Account)"
        assert shop.execute(joined).fetchone() == (27,)
        assert shop.execute("SELECT count(*) FROM sales").fetchone() == (27,)


def test_new_customers_have_the_ids_of_their_own_file(run_of, tmp_path):
    lines_of(WRITTEN["plain"][0]).write_csv(tmp_path / "in.csv")
    run = settled(run_of, tmp_path / "run", f"dataset.path={tmp_path / 'in.csv'}")
    for ids, dtype, value in WRITTEN.values():
        lines_of(ids).write_csv(tmp_path / "new.csv")
        for more in ([], ["--rows"]):
            out = ["--output", str(tmp_path / "out.parquet"), "--force", *more]
            assert apply_command([str(run.path), str(tmp_path / "new.csv"), *out]) == 0
            found = pl.read_parquet(tmp_path / "out.parquet")
            assert found.schema["Account"] == dtype
            assert set(found["Account"]) == {value(text) for text in ids}
            assert found["segment"].null_count() == 0


@pytest.mark.parametrize("writing", WRITTEN)
def test_ids_are_read_back_as_they_were(writing):
    ids = WRITTEN[writing][0]
    inside = pl.Series([text.removesuffix(".0") for text in ids]).to_numpy()
    for kind in (id_type({"id_type": None}, inside), IdType(suffix=".0"), IdType("Int64")):
        assert list(kind.read(kind.written(inside).to_numpy())) == list(inside)
