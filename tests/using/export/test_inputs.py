"""A table that a run has read is never replaced, by whatever name or address; others are."""

import shutil
import sqlite3
from urllib.parse import quote

import psycopg
import pytest

from segrun.cli.export import export_command
from segrun.cli.reproduce import reproduce_command
from segrun.errors import ConfigError, StoreError
from segrun.rundir.finished import open_run

ROWS = [
    (100 + i % 9, f"2011-0{1 + i % 9}-1{i % 7} 00:00:00", i * i + 1.5, "w" if i % 2 else "e")
    for i in range(27)
]
COLUMNS = "account BIGINT, booked {0}, value NUMERIC(12, 3), region TEXT"


def run_on(run_of, folder, url, query):
    return run_of(
        folder, "dataset=transactions", f"dataset.path='{url}'", f"dataset.query='{query}'",
        "dataset.columns={customer: account, date: booked, amount: value}", "features=rfm",
        "algo.grid.n_clusters=[2]", "algo.params.tol=1e-4",
    )  # fmt: skip


def export(run, url, table, *more):
    arguments = ["--point", run.points[0], "--to", url, "--table", table, "--customers", *more]
    return export_command([str(run.path), *arguments])


@pytest.fixture(scope="module")
def server(postgres):
    """The server with a schema of sales: a table, one of partitions, views of them."""
    with psycopg.connect(postgres) as connection:
        run = connection.execute
        run("DROP SCHEMA IF EXISTS shop CASCADE")
        run("CREATE SCHEMA shop")
        run("SET search_path = shop")
        run(f"CREATE TABLE sales ({COLUMNS.format('TIMESTAMP')})")
        run(f"CREATE TABLE parted ({COLUMNS.format('TIMESTAMP')}) PARTITION BY LIST (region)")
        run("CREATE TABLE parted_w PARTITION OF parted FOR VALUES IN ('w')")
        run("CREATE TABLE parted_e PARTITION OF parted FOR VALUES IN ('e')")
        run("CREATE VIEW recent AS SELECT * FROM sales WHERE value >= 0")
        run("CREATE VIEW latest AS SELECT * FROM recent")
        run('CREATE TABLE "Other Sales" (a INT)')
        for table in ("sales", "parted"):
            with connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s)", ROWS)
    yield postgres
    with psycopg.connect(postgres) as connection:
        connection.execute("DROP SCHEMA shop CASCADE")


def with_path(url, path="shop"):
    return f"{url}&options={quote(f'-csearch_path={path}')}"


@pytest.fixture(scope="module")
def runs(run_of, server, tmp_path_factory):
    """Runs that read the same lines in several ways, by name."""
    queries = {
        "table": (server, "shop.sales"),
        "by path": (with_path(server), "sales"),
        "view": (server, "shop.latest"),
        "select": (server, "WITH s AS (SELECT * FROM shop.sales) SELECT * FROM s -- all"),
        "nowhere": (server, "SELECT p.* FROM shop.parted_w p LEFT JOIN shop.sales s ON false"),
        "parted": (server, "shop.parted"),
    }
    folder = tmp_path_factory.mktemp("runs")
    return {n: run_on(run_of, folder / n, *asked) for n, asked in queries.items()}


def content(url, table):
    with psycopg.connect(url) as connection:
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        types = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid"
        return rows, connection.execute(f"{types} = '{table}'::regclass").fetchall()


@pytest.mark.parametrize(
    ("run", "table"),
    [
        ("table", "shop.sales"), ("by path", "shop.sales"), ("view", "shop.sales"),
        ("view", "shop.recent"), ("view", "shop.latest"), ("select", "shop.sales"),
        ("nowhere", "shop.sales"), ("nowhere", "shop.parted_w"), ("nowhere", "shop.parted"),
        ("parted", "shop.parted"), ("parted", "shop.parted_e"),
    ],
)  # fmt: skip
def test_a_table_of_postgresql_that_was_read_stays(server, runs, run, table):
    before = content(server, table)
    # Other addresses of the same database.
    same = server.replace("postgresql://postgres@/postgres?", "postgres:///postgres?user=postgres&")
    for url, name in [(server, table), (same, table), (with_path(server), table.split(".")[1])]:
        with pytest.raises(StoreError, match=r"is read by the run's dataset\.query.*--table"):
            export(runs[run], url, name, "--replace")
        with pytest.raises(StoreError, match="exists: choose another --table"):
            export(runs[run], url, name)
    assert content(server, table) == before


def test_other_tables_of_that_server_are_written_and_replaced(server, runs):
    for table in ("shop.results", "shop.results", "shop.Other Sales"):
        assert export(runs["view"], server, table, "--replace") == 0
        with psycopg.connect(server) as connection:
            quoted = '"shop"."' + table.removeprefix("shop.") + '"'
            n_joined = f"SELECT count(*) FROM shop.sales JOIN {quoted} USING (account)"
            assert connection.execute(n_joined).fetchone() == (27,)


def test_a_table_of_that_name_in_another_database_is_not_the_one_that_was_read(server, runs):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS elsewhere")
        connection.execute("CREATE DATABASE elsewhere")
    other = server.replace("/postgres?", "/elsewhere?")
    with psycopg.connect(other) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE TABLE shop.sales (a INT)")
    assert export(runs["table"], other, "shop.sales", "--replace") == 0
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE elsewhere")


def test_what_cannot_be_told_is_refused(server, runs, tmp_path):
    # The database that the run has read is gone, for all that can be seen from here.
    shutil.copytree(runs["table"].path, tmp_path / "run")
    with psycopg.connect(server) as connection:
        connection.execute("ALTER TABLE shop.sales RENAME TO moved")
        connection.execute("CREATE TABLE shop.results_of_old (a INT)")
    try:
        with pytest.raises(StoreError, match=r"cannot be told.*shop\.sales.*another --table"):
            export(open_run(tmp_path / "run"), server, "shop.results_of_old", "--replace")
        assert export(open_run(tmp_path / "run"), server, "shop.fresh") == 0
    finally:
        with psycopg.connect(server) as connection:
            connection.execute("ALTER TABLE shop.moved RENAME TO sales")


@pytest.fixture
def shop(tmp_path):
    """A SQLite file of sales, and a view of them."""
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as connection:
        connection.execute(f"CREATE TABLE Sales ({COLUMNS.format('TEXT')})")
        connection.executemany("INSERT INTO Sales VALUES (?, ?, ?, ?)", ROWS)
        connection.execute("CREATE TABLE other (a INT)")
        connection.execute("CREATE VIEW recent AS SELECT * FROM sales WHERE value >= 0")
    return file


@pytest.mark.parametrize("query", ["sales", "recent", "SELECT * FROM main.SALES"])
def test_a_table_of_sqlite_that_was_read_stays_and_others_are_written(
    run_of, shop, tmp_path, query
):
    run = run_on(run_of, tmp_path / "run", f"sqlite:///{shop}", query)
    (tmp_path / "link.db").symlink_to(shop)
    (tmp_path / "hard.db").hardlink_to(shop)
    before = sqlite3.connect(shop).execute("SELECT * FROM sales").fetchall()
    for name in ("shop.db", "link.db", "hard.db", "../" + tmp_path.name + "/shop.db"):
        for table in ("sales", "SALES", "recent")[: 3 if query == "recent" else 2]:
            with pytest.raises(StoreError, match=r"is read by the run's dataset\.query"):
                export(run, f"sqlite:///{tmp_path / name}", table, "--replace")
        with pytest.raises(ConfigError, match="name a file and nothing behind it"):
            export(run, f"sqlite:///file:{tmp_path / name}?uri=true", "sales", "--replace")
    url = f"sqlite:///{shop}"
    assert export(run, url, "results") == 0
    with pytest.raises(StoreError, match="exists"):
        export(run, url, "results")
    for table in ("results", "other"):
        assert export(run, url, table, "--replace") == 0
    with sqlite3.connect(shop) as connection:
        joined = "SELECT count(*) FROM sales JOIN results USING (account)"
        assert connection.execute(joined).fetchone() == (27,)
        assert connection.execute("SELECT * FROM sales").fetchall() == before
    assert reproduce_command([str(run.path)]) == 0


def test_a_duckdb_file_that_was_read_stays(run_of, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE sales ({COLUMNS.format('TIMESTAMP')})")
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", ROWS)
    run = run_on(run_of, tmp_path / "run", f"duckdb:///{file}", "sales")
    before = file.read_bytes()
    with pytest.raises(StoreError, match="is the input"):
        export(run, f"sqlite:///{file}", "results", "--replace")
    assert file.read_bytes() == before
