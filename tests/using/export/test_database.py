"""Tables in SQLite and in a real PostgreSQL server: whole, or as they were."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrun.cli.export import export_command
from segrun.data.datasets.synthetic_retail import generate
from segrun.errors import ConfigError, DataError, StoreError
from segrun.using.export import database as db

TEXTS = ["plain", "", None, 'quo"ted', "\\.", "two\nlines", "tab\there", "=1+1", "'; DROP TABLE t"]


N_TEXTS = len(TEXTS)


def frame(n_rows=N_TEXTS):
    texts = (TEXTS * (n_rows // len(TEXTS) + 1))[:n_rows]
    return pl.DataFrame(
        {
            "id": [f"{i:05d}" for i in range(n_rows)],
            'Odd % name: "it\'s"': pl.Series(texts, dtype=pl.String),
            "n": pl.Series([None, *range(1, n_rows)], dtype=pl.Int64),
            "x": pl.Series([0.1, None, *[float(i) / 3 for i in range(2, n_rows)]]),
            "when": pl.Series(
                [None, *[dt.datetime(2011, 12, 9, 12, 50, 0, i) for i in range(1, n_rows)]],
                dtype=pl.Datetime("us"),
            ),
            "yes": pl.Series([True, False, None] * n_rows)[:n_rows],
        }
    )


def write(table, url, name="segments", replace=False):
    db.write_table(table, db.target(url, name), replace=replace)


def test_what_is_read_back_is_what_was_written(database, query):
    rows = frame()
    write(rows, database)
    found = query(database, "SELECT * FROM segments ORDER BY id")
    expected = rows.rows()
    if database.startswith("sqlite"):
        found = [
            (*r[:4], r[4] and dt.datetime.fromisoformat(r[4]), r[5] if r[5] is None else bool(r[5]))
            for r in found
        ]
    assert found == expected


# PostgreSQL has no text with the letter 0, and no text anywhere half a pair of surrogates.
LETTERS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
ROWS = st.lists(
    st.tuples(
        st.none() | st.text(LETTERS, max_size=8),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)),
    ),
    min_size=1, max_size=20,
)  # fmt: skip


@pytest.mark.heavy
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_any_values_come_back(database, query, rows):
    schema = {"t": pl.String, "n": pl.Int64, "x": pl.Float64, "d": pl.Datetime("us")}
    write(pl.DataFrame(rows, schema, orient="row"), database, replace=True)
    found = query(database, "SELECT * FROM segments")
    if database.startswith("sqlite"):
        found = [(*r[:3], r[3] and dt.datetime.fromisoformat(r[3])) for r in found]
    assert found == rows


def test_an_existing_table_is_refused_and_replaced_on_request(database, query):
    write(frame(), database)
    for refuse in (lambda: write(frame(4), database),
                   lambda: db.refuse_existing(db.target(database, "segments"))):  # fmt: skip
        with pytest.raises(StoreError, match=r"table segments exists: .*--replace"):
            refuse()
    assert query(database, "SELECT count(*) FROM segments") == [(len(TEXTS),)]
    write(frame(4), database, replace=True)
    assert query(database, "SELECT count(*) FROM segments") == [(4,)]


def tables(database, query):
    of = {
        "sqlite": "SELECT name FROM sqlite_master",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    }
    return query(database, of[database.partition(":")[0]])


# The last batch holds what a database cannot.
TOO_LARGE = pl.Series([1, 2, 3, 2**64 - 1], dtype=pl.UInt64)


@pytest.mark.parametrize("replace", [True, False])
def test_a_failure_in_a_later_batch_leaves_everything_as_it_was(
    database, query, monkeypatch, replace
):
    """The first batch is in the database by then: the transaction takes it back."""
    monkeypatch.setattr(db, "_BATCH", 2)
    if replace:
        write(frame(), database)
    before = tables(database, query)
    with pytest.raises(StoreError, match="What was there is as it was"):
        write(pl.DataFrame({"n": TOO_LARGE}), database, replace=replace)
    assert tables(database, query) == before == ([("segments",)] if replace else [])
    if replace:
        assert query(database, "SELECT count(*) FROM segments") == [(len(TEXTS),)]


def test_a_letter_that_postgresql_has_not_takes_everything_back(postgres, query, monkeypatch):
    monkeypatch.setattr(db, "_BATCH", 2)
    write(frame(), postgres, name="letters", replace=True)
    with pytest.raises(StoreError, match=r"table letters cannot be written.*0x00"):
        write(pl.DataFrame({"a": ["x", "y", "\x00"]}), postgres, name="letters", replace=True)
    assert query(postgres, "SELECT count(*) FROM letters") == [(len(TEXTS),)]


def test_a_view_of_the_old_table_is_not_broken(postgres, query):
    write(frame(), postgres, name="viewed", replace=True)
    query(postgres, "CREATE VIEW seen AS SELECT id FROM viewed")
    with pytest.raises(StoreError, match="depend"):
        write(frame(4), postgres, name="viewed", replace=True)
    assert query(postgres, "SELECT count(*) FROM seen") == [(len(TEXTS),)]
    query(postgres, "DROP VIEW seen")


def test_a_connection_that_is_cut_leaves_the_old_table(postgres, query, monkeypatch):
    write(frame(), postgres, name="cut", replace=True)
    slices = pl.DataFrame.iter_slices

    def cutting(self, n_rows):
        for number, batch in enumerate(slices(self, n_rows)):
            if number == 1:
                query(postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                "WHERE query LIKE 'COPY%' AND pid <> pg_backend_pid()")  # fmt: skip
                time.sleep(0.2)
            yield batch

    monkeypatch.setattr(db, "_BATCH", 100)
    monkeypatch.setattr(pl.DataFrame, "iter_slices", cutting)
    with pytest.raises(StoreError, match="table cut cannot be written"):
        write(frame(100_000), postgres, name="cut", replace=True)
    monkeypatch.undo()
    assert query(postgres, "SELECT count(*) FROM cut") == [(len(TEXTS),)]
    assert ("segrun_new",) not in [(n[:10],) for (n,) in tables(postgres, query)]


KILLED = """
import os, signal, sys
import polars as pl
from segrun.using.export import database as db

def dying(self, n_rows):
    yield self[:5]
    os.kill(os.getpid(), signal.SIGKILL)

pl.DataFrame.iter_slices = dying
table = pl.DataFrame({"n": range(10)})
db.write_table(table, db.target(sys.argv[1], "segments"), replace=True)
"""


@pytest.mark.heavy
def test_a_killed_process_leaves_the_old_table(database, query):
    write(frame(), database)
    done = subprocess.run([sys.executable, "-c", KILLED, database], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert query(database, "SELECT count(*) FROM segments") == [(len(TEXTS),)]
    write(frame(4), database, replace=True)
    assert query(database, "SELECT count(*) FROM segments") == [(4,)]


def test_a_first_export_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(StoreError):
        write(pl.DataFrame({"n": TOO_LARGE}), f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["100 %", 'a "quoted" one', "it's; DROP TABLE segments", "Ä"])
def test_a_table_may_be_called_anything(database, query, name):
    for n_rows in (3, 4):
        write(frame(n_rows), database, name=name, replace=True)
    assert tables(database, query) == [(name,)]


def test_lists_are_refused(database):
    with pytest.raises(DataError, match=r"the column a holds List"):
        write(pl.DataFrame({"a": [[1], [2]]}), database)


def test_the_command_writes_the_input_with_its_segments(database, query, run_of, tmp_path, capsys):
    run = run_of(tmp_path / "run", "dataset.n_customers=60",
                 "algo.params={n_clusters: 3, tol: 1e-4}")  # fmt: skip
    arguments = [str(run.path), "--point", run.points[0], "--to", database]
    assert export_command(arguments) == 0
    label = dict(zip(run.customers.ids, run.labels(run.points[0]).tolist(), strict=True))
    lines = generate(60, 0)[0]
    expected = [(i, label.get(i)) for i in lines["CustomerID"]]
    found = query(database, 'SELECT "CustomerID", segment FROM segments')
    assert sorted(found, key=str) == sorted(expected, key=str)
    with pytest.raises(StoreError, match="table segments exists"):
        export_command(arguments)
    assert export_command([*arguments, "--replace", "--customers", "--table", "segments"]) == 0
    said = capsys.readouterr().out
    assert f"table segments: {len(lines)} rows" in said
    assert query(database, "SELECT count(*) FROM segments") == [(len(run.all_customers),)]


def test_a_schema_of_postgresql_can_be_named(postgres, query):
    query(postgres, "CREATE SCHEMA analytics")
    for _ in range(2):
        write(frame(4), postgres, name="analytics.customers", replace=True)
    assert query(postgres, "SELECT count(*) FROM analytics.customers") == [(4,)]
    query(postgres, "DROP SCHEMA analytics CASCADE")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:geheim@h/db", "'mysql' were never tried"),
        ("postgresql://u:geheim@h:port/db", "no address of a database"),
        ("sqlite://", "name a file"),
        ("postgresql:///db?host=/nowhere&password=geheim", "cannot be written"),
        ("postgresql://u:geheim@127.0.0.1:1/db", "cannot be written"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
    ],
)
def test_addresses_that_lead_nowhere_are_refused_without_the_password(url, said):
    with pytest.raises((ConfigError, StoreError), match=said) as error:
        write(frame(2), url)
    assert "geheim" not in str(error.value)


def test_a_wrong_password_is_not_told(postgres):
    secret = "geheim-" + "x" * 9
    url = postgres.replace("postgres@", f"nobody-at-all:{secret}@")
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(StoreError) as error:
        write(frame(2), url)
    assert secret not in str(error.value)
    assert "nobody-at-all" in str(error.value)
