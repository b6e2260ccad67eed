"""Tables and queries of databases: the rows that a file would give, and nothing is written."""

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import duckdb
import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrun import features
from segrun.cli.apply import apply_command
from segrun.cli.export import export_command
from segrun.config import BadLines
from segrun.data.datasets import check, load
from segrun.data.datasets.opening import open_table
from segrun.data.datasets.sql.result import RowsDigest
from segrun.errors import ConfigError, DataError, StoreError
from segrun.sweep.freeze import file_sha256

N_ROWS = 400
COLUMNS = {"customer": "who", "date": "booked", "price": "price", "quantity": "n",
           "invoice": "invoice", "item": "item"}  # fmt: skip
NAMES = ["who", "invoice", "item", "booked", "n", "price"]
#: Awkward ones: zeros in front, NA as an item, no customer, a cancellation, a quote, two lines.
ROWS = [
    (
        None if i % 23 == 0 else f"{i * 7 % 31:04d}",
        f"{'C' if i % 19 == 0 else ''}{1000 + i // 3}",
        ["it's", 'say "a"', "two\nlines", "NA", "plain; £"][i % 5],
        dt.datetime(2010, 12, 1, 8, 0) + dt.timedelta(hours=17 * i, seconds=i % 3),
        -1 if i % 19 == 0 else i % 9 + 1,
        f"{(i * 37 % 1999) / 100:.2f}",
    )
    for i in range(N_ROWS)
]
DDL = "who TEXT, invoice TEXT, item TEXT, booked TIMESTAMP, n INTEGER, price NUMERIC(12, 2)"


def frame(rows):
    texts = [(*row[:3], row[3].isoformat(" "), str(row[4]), row[5]) for row in rows]
    return pl.DataFrame(texts, dict.fromkeys(NAMES, pl.String), orient="row")


def typed(rows):
    return frame(rows).with_columns(
        booked=pl.col("booked").str.to_datetime("%Y-%m-%d %H:%M:%S"),
        n=pl.col("n").cast(pl.Int64),
        price=pl.col("price").cast(pl.Float64),
    )


def as_sqlite(row):
    """SQLite has no dates of its own."""
    return tuple(v.isoformat(" ") if isinstance(v, dt.datetime) else v for v in row)


@pytest.fixture
def table(request, tmp_path):
    """Address of a new table with rows: table(kind, rows, name, ddl)."""

    def made(kind, rows=ROWS, name="sales", ddl=DDL):
        file = tmp_path / f"shop.{kind}"
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        if kind == "postgresql":
            url = request.getfixturevalue("postgres")
            with psycopg.connect(url) as connection:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
                connection.execute(f"CREATE TABLE {name} ({ddl})")
                connection.cursor().executemany(
                    f"INSERT INTO {name} VALUES ({marks.replace('?', '%s')})", rows
                )
            return url
        if kind == "duckdb":
            with closing(duckdb.connect(str(file))) as connection:
                connection.execute(f"CREATE TABLE {name} ({ddl})")
                if rows:
                    # One statement: DuckDB takes a millisecond for each.
                    values = [value for row in rows for value in row]
                    all_marks = ", ".join([f"({marks})"] * len(rows))
                    connection.execute(f"INSERT INTO {name} VALUES {all_marks}", values)
            return f"duckdb:///{file}"
        plain = [
            [v.isoformat(" ") if isinstance(v, dt.datetime) else v for v in row] for row in rows
        ]
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"CREATE TABLE {name} ({ddl})")
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", plain)
            connection.commit()
        return f"sqlite:///{file}"

    return made


KINDS = ["sqlite", "duckdb", "postgresql"]


@pytest.fixture
def opened(settings_of, cache):
    """What a source delivers: opened(path, query)."""

    def found(path, query=None, columns=COLUMNS, **changes):
        config = settings_of(path, columns, query=query, missing=[], **changes)
        check(config)
        return load(config, 0, cache)

    return found


@pytest.fixture
def lines(opened):
    """The lines of a source, sorted: a table has no order."""

    def rows(path, query=None, **settings):
        with opened(path, query, **settings) as found:
            frame = found.frame.collect("polars").to_native()
        return frame.sort(frame.columns)

    return rows


def as_files(how, folder):
    """Write the rows as files, return what names them."""
    cuts = [0, 90, 91, N_ROWS]
    folder.mkdir()
    if how == "one CSV":
        frame(ROWS).write_csv(folder / "a.csv")
        return folder / "a.csv"
    for place in range(3):
        part = ROWS[cuts[place] : cuts[place + 1]]
        if how == "CSVs":
            frame(part).write_csv(folder / f"{place}.csv")
        elif how == "Parquet":
            typed(part).write_parquet(folder / f"{place}.parquet")
        else:
            (folder / f"part={place}").mkdir()
            typed(part).drop("n").write_parquet(folder / f"part={place}" / "x.parquet")
    return folder


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["CSVs", "Parquet", *KINDS])
def test_features_are_those_of_one_csv(how, opened, table, tmp_path, composed):
    config = composed("features=rfm_calendar").features
    path = table(how) if how in KINDS else as_files(how, tmp_path / "in")
    built = []
    for place, query in ((as_files("one CSV", tmp_path / "one"), None),
                         (path, "sales" if how in KINDS else None)):  # fmt: skip
        with opened(place, query) as found:
            customers = features.build(found, config).all_customers
        built.append(pl.DataFrame({"id": customers.ids, **customers.columns}))
    assert built[1].equals(built[0])
    assert built[0].height == 31


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_a_digest_is_of_the_rows_in_any_order(kind, opened, table):
    def identity(query):
        with opened(url, query) as found:
            return dict(found.fingerprint)

    url = table(kind)
    first = identity("SELECT * FROM sales ORDER BY booked")
    second = identity("SELECT * FROM sales ORDER BY price, who -- the other way")
    assert first["sha256"] == second["sha256"]
    assert first["n_rows"] == N_ROWS
    assert first["path"] == url
    assert first["query"].endswith("BY booked")
    fewer = identity("SELECT * FROM sales WHERE booked > '2010-12-02'")
    twice = identity("SELECT * FROM sales UNION ALL SELECT * FROM sales")
    other = identity(f"SELECT {', '.join(NAMES[:-1])}, price * 2 AS price FROM sales")
    assert len({first["sha256"], fewer["sha256"], twice["sha256"], other["sha256"]}) == 4


@given(rows=st.lists(st.binary(max_size=3), max_size=6), data=st.data())
def test_a_sum_of_digests_knows_rows_not_their_order(rows, data):
    def of(*batches):
        digest = RowsDigest()
        for batch in batches:
            digest.add(batch)
        return digest.sha256(["a"])

    mixed = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    assert of(mixed[:cut], mixed[cut:]) == of(rows)
    other = data.draw(st.lists(st.binary(max_size=3), max_size=6))
    assert (of(other) == of(rows)) == (sorted(other) == sorted(rows))


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_bytes", [1, 3000])
def test_the_size_of_batches_changes_nothing(kind, batch_bytes, lines, table):
    url = table(kind)
    assert lines(url, "sales", batch_bytes=batch_bytes).equals(lines(url, "sales"))


LETTERS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
VALUES = st.tuples(
    st.none() | st.text(LETTERS, max_size=6),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)),
)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(VALUES, min_size=1, max_size=12))
def test_any_values_arrive_as_they_are(kind, rows, table, settings_of, cache, tmp_path):
    (tmp_path / "shop.duckdb").unlink(missing_ok=True)
    (tmp_path / "shop.sqlite").unlink(missing_ok=True)
    ddl = "t TEXT, i BIGINT, x DOUBLE PRECISION, d TIMESTAMP"
    url = table(kind, rows, "odd", ddl)
    with open_table(settings_of(url, {}, query="odd", batch_bytes=40), cache) as (found, _):
        got = found.frame().collect().rows()
    # A row without any value is none.
    whole = [row for row in rows if any(value is not None for value in row)]
    expected = [as_sqlite(row) if kind == "sqlite" else row for row in whole]
    assert got == expected


@pytest.mark.heavy
def test_numbers_of_decimals_keep_their_digits(lines, table):
    # As texts, 1.234 may be a thousand and more, and no float holds the id.
    rows = [("90071992547409931", "1.234"), ("90071992547409932", "2.500"), (None, "0.1")]
    ddl = "id NUMERIC(20), price NUMERIC(12, 3)"
    columns = {"customer": "id", "amount": "price", "date": "booked"}
    for kind in ("duckdb", "postgresql"):
        url = table(kind, rows, "exact", ddl)
        asked = "SELECT *, DATE '2011-01-01' AS booked FROM exact"
        found = lines(url, asked, columns=columns).sort("UnitPrice")
        assert found["UnitPrice"].to_list() == [0.1, 1.234, 2.5]
        assert found["CustomerID"].to_list() == [None, "90071992547409931", "90071992547409932"]


@pytest.mark.heavy
def test_types_of_postgres(opened, table):
    ddl = (
        "id UUID, mood MOOD, at TIMESTAMPTZ, yes BOOLEAN, day DATE, tags TEXT[], doc JSONB, f REAL"
    )
    url = table("postgresql", [])
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS kinds; DROP TYPE IF EXISTS mood")
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        connection.execute(f"CREATE TABLE kinds ({ddl})")
        connection.execute(
            "INSERT INTO kinds VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'glad', "
            "'2011-06-30 23:30:00+00', true, '2011-06-30', '{a,b}', '{}', 2.55)"
        )
    columns = {"customer": "id", "item": "mood", "date": "at", "amount": "f", "country": "yes"}
    with opened(f"{url}&options=-ctimezone%3DEurope/Berlin", "kinds", columns=columns) as found:
        row = found.frame.collect("polars").to_native().row(0, named=True)
        assert found.fingerprint["time_zone"] == "Europe/Berlin"
    assert row == {
        "CustomerID": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "StockCode": "glad",
        # What the clock said in Berlin, and what was meant by 32 bits.
        "InvoiceDate": dt.datetime(2011, 7, 1, 1, 30), "UnitPrice": 2.55, "Quantity": 1,
        "Country": "true",
    }  # fmt: skip
    for column, said in (("tags", r"text\[\]"), ("doc", "jsonb")):
        with pytest.raises(DataError, match=rf"the column {column} holds {said}, not text"):
            opened(url, "kinds", columns=columns | {"item": column}).__enter__()


@pytest.mark.heavy
def test_a_date_that_is_none_is_a_bad_line(opened, table):
    rows = [("a", "2011-01-01"), ("b", "infinity"), ("c", "2011-01-03")]
    url = table("postgresql", rows, "endless", "who TEXT, day DATE")
    columns = {"customer": "who", "date": "day", "amount": "one"}
    with pytest.raises(DataError, match=r"row 2: day is 'infinity', not a date"):
        opened(url, "SELECT *, 1 AS one FROM endless", columns=columns).__enter__()
    skipping = opened(
        url, "SELECT *, 1 AS one FROM endless", columns=columns, bad_lines=BadLines.skip
    )
    with skipping as found:
        assert found.frame.collect("polars").to_native().height == 2


def test_a_column_of_sqlite_that_holds_several_types(lines, table):
    rows = [("a", 1), ("b", 2.5), ("c", "3"), ("d", None)]
    url = table("sqlite", rows, "loose", "who, amount")
    columns = {"customer": "who", "date": "day", "amount": "amount"}
    asked = "SELECT *, '2011-01-02' AS day FROM loose"
    found = lines(url, asked, columns=columns)
    assert found.sort("CustomerID")["UnitPrice"].to_list() == [1.0, 2.5, 3.0, None]


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nothing", "nothing"),
        ("SELECT * FROM sales WHERE", "syntax|incomplete"),
        ("SELECT who FROM sales; DROP TABLE sales", "one SELECT|multiple|one statement"),
        ("SELECT who) TO STDOUT; DROP TABLE sales; --", "syntax"),
        ("SELECT who) TO 'x.csv'; DROP TABLE sales; --", "syntax|unrecognized"),
        ("DROP TABLE sales", "no columns|one SELECT|not authorized"),
        ("DELETE FROM sales RETURNING who", "one SELECT|read-only|not authorized|readonly"),
        ("SELECT who, who FROM sales", "the column who more than once"),
        ("SELECT * FROM sales WHERE n > 100", "gives no rows"),
        ("SET TRANSACTION READ WRITE", "no columns|one SELECT|syntax"),
        ("ATTACH 'other.db' AS o", "no columns|one SELECT|not authorized|syntax"),
        ("PRAGMA user_version = 3", "one SELECT|not authorized|syntax"),
    ],
)
def test_what_a_database_refuses_is_told_and_changes_nothing(kind, query, said, opened, table):
    url = table(kind, ROWS[:5])
    with pytest.raises(DataError, match=rf"(?s)^dataset\.query.*(?:{said})") as caught:
        opened(url, query).__enter__()
    assert "\n" not in str(caught.value)
    with opened(url, "sales") as found:
        assert found.fingerprint["n_rows"] == 5


def test_what_cannot_be_reached_is_told(opened, tmp_path):
    for kind in ("sqlite", "duckdb"):
        with pytest.raises(DataError, match=r"none\.db: there is no such file"):
            opened(f"{kind}:///{tmp_path}/none.db", "t").__enter__()
        (tmp_path / "text.db").write_text("no database " * 100)
        with pytest.raises(DataError, match=r"not a (?:valid DuckDB )?database"):
            opened(f"{kind}:///{tmp_path}/text.db", "t").__enter__()
    assert [file.name for file in tmp_path.glob("*.db")] == ["text.db"]
    with pytest.raises(DataError, match=r"dataset\.path=postgresql://u@localhost:1/x: no "):
        opened("postgresql://u@localhost:1/x", "t").__enter__()


@pytest.mark.heavy
def test_what_the_server_denies_is_told(opened, table):
    url = table("postgresql")
    with psycopg.connect(url) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(DataError, match="permission denied for table sales"):
        opened(url.replace("postgres@", "guest@"), "sales").__enter__()
    with pytest.raises(DataError, match=r'no connection: .*database "nowhere" does not exist'):
        opened(url.replace("/postgres?", "/nowhere?"), "sales").__enter__()
    with psycopg.connect(url) as connection:
        connection.execute("DROP ROLE guest")


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("postgresql://host/shop", None, "say which rows by dataset.query"),
        ("postgresql://host/shop", "  ", "say which rows by dataset.query"),
        ("sales.csv", "SELECT 1", "dataset.query is for databases"),
        ("mysql://host/shop", "t", "segrun reads files and folders, and databases by"),
        ("s3://bucket/sales.parquet", None, "segrun reads files and folders"),
        ("sqlite://sales.db", "t", "name the file of the database, sqlite:///FILE"),
        ("duckdb:///:memory:", "t", "name the file of the database"),
        ("postgresql://me:geheim@host/shop", "t", "holds a password"),
        ("postgresql://host/shop?user=me&password=geheim", "t", "holds a password"),
        ("mysql://me:geheim@host/shop", "t", "holds a password"),
    ],
)
def test_addresses_are_checked_without_a_connection(settings_of, path, query, said):
    with pytest.raises(ConfigError, match=said) as caught:
        check(settings_of(path, COLUMNS, query=query))
    assert "geheim" not in str(caught.value)


ADDRESS = "postgresql://me:geheim@localhost:1/shop"


@pytest.mark.parametrize("how", ["command line", "file"])
def test_a_password_is_written_nowhere(segrun, tmp_path, how):
    columns = "columns={customer: a, date: b, amount: c}"
    arguments = ["-m", "dataset=transactions", f"dataset.path={ADDRESS}", "dataset.query=sales",
                 f"dataset.{columns}"]  # fmt: skip
    if how == "file":
        folder = tmp_path / "conf" / "experiment"
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_text(
            "# @package _global_\ndefaults:\n  - override /dataset: transactions\n"
            f"dataset:\n  path: {ADDRESS}\n  query: sales\n  {columns.replace('=', ': ')}\n"
        )
        arguments = ["experiment=mine"]
    done = segrun(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "holds a password" in done.stderr
    assert "geheim" not in done.stdout + done.stderr
    for file in tmp_path.rglob("*"):
        if file.is_file() and "conf" not in file.parts:
            assert b"geheim" not in file.read_bytes()


ENDLESS = {
    "postgresql": "SELECT i::text AS who, now() AS booked, 1 AS n FROM generate_series(1, {}) AS i",
    "duckdb": "SELECT i::text AS who, now() AS booked, 1 AS n FROM range({}) AS t(i)",
    "sqlite": "WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < {}) "
    "SELECT count(*) AS who, 1 AS booked, 1 AS n FROM t",
}


@pytest.mark.heavy
@pytest.mark.parametrize(
    "kind", ["postgresql", *(pytest.param(k, marks=pytest.mark.slow) for k in ("duckdb", "sqlite"))]
)
def test_ctrl_c_ends_the_query_and_leaves_nothing(kind, table, tmp_path):
    url, cache = table(kind), tmp_path / "cache"
    query = ENDLESS[kind].format(10**10)
    command = [
        sys.executable, "-m", "segrun", "dataset=transactions", f"dataset.path='{url}'",
        f'dataset.query="{query}"', "dataset.columns={customer: who, date: booked, amount: n}",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "SEGRUN_CACHE": str(cache)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: any(cache.glob("reading-*")) and running(kind, url))
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert not list(cache.glob("reading-*"))
    if kind == "postgresql":
        until(lambda: not running(kind, url))


def until(what):
    for _ in range(300):
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def running(kind, url):
    """Whether the server works for segrun."""
    if kind != "postgresql":
        return True
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'segrun'"
    with psycopg.connect(url) as connection:
        return connection.execute(f"{asked} AND state = 'active'").fetchone()[0] > 0


def test_a_sweep_is_planned_without_its_database():
    # A plan and the start of a sweep ask for digests.
    assert file_sha256("sqlite:///none.db") is None


def test_a_query_is_run_exported_and_applied(run_of, table, tmp_path):
    url = table("sqlite")
    run = run_of(
        tmp_path / "run", "dataset=transactions", f"dataset.path={url}", "dataset.query=sales",
        "dataset.columns={customer: who, date: booked, amount: price}", "features=rfm",
        "algo.params={n_clusters: 3, tol: 1e-3}",
    )  # fmt: skip
    options = [str(run.path), "--point", run.points[0]]
    assert export_command([*options, "--to", str(tmp_path / "rows.csv")]) == 0
    assert pl.read_csv(tmp_path / "rows.csv").height == N_ROWS
    assert apply_command([*options, url, "--output", str(tmp_path / "a.csv")]) == 0
    # A file is no query's, whose text is that of the run.
    frame(ROWS).write_csv(tmp_path / "same.csv")
    assert (
        apply_command([*options, str(tmp_path / "same.csv"), "--output", str(tmp_path / "b.csv")])
        == 0
    )
    placed = [pl.read_csv(tmp_path / f"{name}.csv") for name in "ab"]
    assert placed[0].equals(placed[1])
    with pytest.raises(StoreError, match=r"table sales is read by the run's dataset\.query"):
        export_command([*options, "--to", url, "--table", "sales", "--replace"])
    assert export_command([*options, "--to", url, "--table", "segments"]) == 0
    with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
        connection.execute("DELETE FROM sales WHERE n = 3")
        connection.commit()
    with pytest.raises(StoreError, match="gives other rows than those"):
        export_command([*options, "--to", str(tmp_path / "again.csv")])
