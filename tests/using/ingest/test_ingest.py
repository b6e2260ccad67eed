"""Batches into the state of a run: features of one read, segments of the model, moves."""

import shutil
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from segrun.errors import ConfigError, DataError, KnownBatchError, StoreError
from segrun.features import define
from segrun.using.apply import ApplyOptions, apply
from segrun.using.ingest import StateOptions, opened
from segrun.using.ingest.batches import Move
from segrun.using.ingest.reading import batch
from segrun.using.ingest.since import write_outputs


def ingest(run, files, **options):
    with opened(run) as ledger:
        return [ledger.ingest(file, **options) for file in files]


def features_of(run):
    """The bytes of the features of everybody."""
    with opened(run) as ledger:
        return Path(write_outputs(ledger)[0]).read_bytes()


def segments_of(run):
    with opened(run) as ledger:
        return ledger.segments()


def write(path, rows, header="InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,"
          "CustomerID,Country"):  # fmt: skip
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("late", [False, True])
def test_batches_in_any_order_give_the_bytes_of_one_run(run, whole_run, batches, late):
    found = ingest(run, batches[::-1] if late else batches)
    assert features_of(run) == (whole_run.path / "features_all.parquet").read_bytes()
    assert sum(batch.n_new for batch in found) > 0
    assert all(batch.n_customers > 5 for batch in found)
    # The run is what it was.
    for name in run.files:
        run.file(name)


def test_customers_touched_get_the_segment_that_apply_gives_them(run, sales, batches):
    ingest(run, batches[:-1])
    before = segments_of(run)
    [last] = ingest(run, batches[-1:])
    after = segments_of(run)
    found = apply(run, ApplyOptions(sales["whole"]))
    wanted = dict(zip(found.new.customers.ids, found.placed.segment, strict=True))
    touched = set(pl.read_csv(batches[-1], infer_schema=False).drop_nulls()["CustomerID"])
    assert {i: after[i] for i in touched} == {i: wanted[i] for i in touched}
    assert {i: s for i, s in after.items() if i not in touched} == {
        i: s for i, s in before.items() if i not in touched
    }
    moved = Counter(
        Move(i not in before, before.get(i), after[i])
        for i in touched
        if i not in before or before[i] != after[i]
    )
    assert last.moves == moved
    assert last.n_moved == sum(n for move, n in moved.items() if not move.is_new)


def test_refresh_gives_everybody_the_segment_that_apply_gives_them(run, sales, batches, tmp_path):
    ingest(run, batches)
    # A year later everybody else has not bought for long.
    line = "1,A,B,2,12/09/2012 10:15,1.5,late,EIRE"
    ingest(run, [write(tmp_path / "later.csv", [line])])
    stale = segments_of(run)
    with opened(run) as ledger:
        refreshed = ledger.refresh()
        after = ledger.segments()
    whole = tmp_path / "whole.csv"
    whole.write_text(Path(sales["whole"]).read_text(encoding="utf-8") + line + "\n", "utf-8")
    found = apply(run, ApplyOptions(str(whole)))
    assert after == dict(zip(found.new.customers.ids, found.placed.segment, strict=True))
    assert refreshed.n_moved == sum(after[i] != stale[i] for i in after) > 0


def test_the_first_state_is_where_the_run_put_everybody(run, first_run, batches):
    with opened(run) as ledger:
        rows = ledger.connection.execute("SELECT id, label FROM customers").fetchall()
    stored = first_run.labels(first_run.points[0])
    wanted = dict.fromkeys(first_run.all_customers.ids) | dict(
        zip(first_run.customers.ids, stored.tolist(), strict=True)
    )
    assert dict(rows) == wanted


def test_a_batch_seen_twice_is_refused_and_counts_again_if_forced(run, sales, batches):
    ingest(run, batches[:1])
    once = features_of(run)
    with pytest.raises(KnownBatchError, match="ingested as"):
        ingest(run, batches[:1])
    with pytest.raises(KnownBatchError, match="the run's own input"):
        ingest(run, [sales["first"]])
    assert features_of(run) == once
    [again] = ingest(run, batches[:1], force=True)
    assert again.n_new == 0
    assert features_of(run) != once


def test_no_file_counts_twice_by_way_of_a_folder(run, batches, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, path in zip("ab", batches[:2], strict=True):
        shutil.copy(path, folder / f"{name}.csv")
    ingest(run, batches[:1])
    once = features_of(run)
    # Not known as a whole, so that --skip-known does not pass over the new one of it.
    with pytest.raises(DataError, match=r"of its 2 files 1 have .* a\.csv") as error:
        ingest(run, [str(folder)])
    assert not isinstance(error.value, KnownBatchError)
    assert features_of(run) == once
    ingest(run, batches[1:2])
    with pytest.raises(KnownBatchError):
        ingest(run, [str(folder)])
    ingest(run, [str(folder / "*.csv")], force=True)
    (folder / "b.csv").unlink()
    with pytest.raises(KnownBatchError):
        ingest(run, [str(folder)])


def test_a_file_of_a_folder_that_is_in_is_known(run, batches, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in batches[:2]:
        shutil.copy(path, folder)
    ingest(run, [str(folder)])
    with pytest.raises(KnownBatchError):
        ingest(run, batches[1:2])


def test_another_currency_is_told(run, tmp_path):
    lines = ["1,A,B,2,04/03/2011 10:15,{}1.5,x,EIRE"]
    files = [write(tmp_path / f"{i}.csv", [lines[0].format(sign)]) for i, sign in enumerate("££$")]
    told = [" ".join(batch.told) for batch in ingest(run, files, force=True)]
    assert told[:2] == ["", ""]
    assert "several currencies" in told[2]


def test_dates_are_read_as_the_run_read_its_own(run, tmp_path):
    # Alone, 3 April or 4 March: the run has months first.
    minute = write(tmp_path / "a.csv", ["1,A,B,2,04/03/2031 10:15,1.5,new,EIRE"])
    iso = write(tmp_path / "b.csv", ["2,A,B,2,2031-04-03 10:16:00,1.5,new,EIRE"])
    ingest(run, [minute, iso])
    with opened(run) as ledger:
        totals = ledger.aggregates.totals
        customers = ledger.aggregates.customers()
    assert totals["last_line"] == "2031-04-03T10:16:00"
    row = customers.ids.tolist().index("new")
    assert customers.columns["April"][row] == 2
    assert customers.columns["Recency"][row] == 0
    # 13 is no month: not guessed to be a day, although this file alone would say so.
    other = write(tmp_path / "c.csv", ["3,A,B,2,13/03/2031 10:15,1.5,new,EIRE"])
    with pytest.raises(DataError, match=r"13/03/2031"):
        ingest(run, [other])


def test_what_counts_for_nothing_is_ingested_all_the_same(run, tmp_path):
    before = features_of(run)
    nobody = write(tmp_path / "a.csv", ["1,A,B,2,04/03/2031 10:15,1.5,,EIRE"])
    [found] = ingest(run, [nobody])
    assert (found.n_customers, found.n_new, found.moves) == (0, 0, {})
    assert features_of(run) == before
    cancelled = write(tmp_path / "b.csv", ["C2,A,B,-2,04/03/2011 10:15,1.5,x,EIRE"])
    [found] = ingest(run, [cancelled])
    assert (found.n_customers, found.n_new) == (1, 1)
    with pytest.raises(DataError, match="no line"):
        ingest(run, [write(tmp_path / "c.csv", [])])


def test_a_batch_that_cannot_be_read_leaves_the_state_as_it_was(run, batches, tmp_path):
    ingest(run, batches[:1])
    before = features_of(run)
    bad = write(tmp_path / "bad.csv", ["1,A,B,two,04/03/2011 10:15,1.5,x,EIRE"])
    with pytest.raises(DataError, match="two"):
        ingest(run, [bad])
    lacking = write(
        tmp_path / "lacking.csv", ["1,2,04/03/2011 10:15,1.5,x"],
        "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID",
    )  # fmt: skip
    with pytest.raises(DataError, match="StockCode"):
        ingest(run, [lacking])
    assert features_of(run) == before


def test_another_input_than_the_run_has_read_makes_no_state(run_of, sales, tmp_path):
    path = tmp_path / "own.csv"
    text = Path(sales["first"]).read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    run = run_of(
        tmp_path / "run", "dataset=online_retail", f"dataset.path={path}", "algo=kmeans",
        "dataset.date_order=month_first", "algo.grid.n_clusters=[2]", "algo.params.tol=1e-4",
    )  # fmt: skip
    path.write_text(text.replace("United Kingdom", "EIRE"), encoding="utf-8")
    with pytest.raises(DataError, match="sha256"):
        ingest(run, [])
    path.unlink()
    with pytest.raises(DataError, match=r"no such file.*--input FILE"):
        ingest(run, [])
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text(text, encoding="utf-8")
    with opened(run, StateOptions(input=str(elsewhere))) as ledger:
        assert ledger.aggregates.totals["n_lines"] == text.count("\n") - 1


def test_a_run_can_make_its_state_itself(run_of, sales, batches, whole_run, tmp_path):
    path = tmp_path / "own.csv"
    path.write_bytes(Path(sales["first"]).read_bytes())
    values = ("dataset=online_retail", f"dataset.path={path}", "dataset.date_order=month_first",
              "algo=kmeans", "algo.grid.n_clusters=[2]", "algo.params.tol=1e-4")  # fmt: skip
    run = run_of(tmp_path / "run", *values, "store.state=true")
    assert not any(name.startswith("ingest") for name in run.files)
    path.unlink()
    ingest(run, batches)
    assert features_of(run) == (whole_run.path / "features_all.parquet").read_bytes()
    with pytest.raises(ConfigError, match="no model"):
        run_of(tmp_path / "wrong", *values, "store.state=true", "store.models=none")


def test_features_that_are_no_sums_over_rows_cannot_be_merged(declaring):
    with pytest.raises(ConfigError, match="cannot be merged"):
        define(None, declaring.table(), None)


def test_a_damaged_state_is_told(run, batches):
    ingest(run, batches[:1])
    state = run.path / "ingest" / "state.sqlite"
    content = state.read_bytes()
    state.write_bytes(content[:3000] + b"\0" * (len(content) - 3000))
    with pytest.raises(StoreError, match=r"state\.sqlite"):
        ingest(run, batches[1:2])
    state.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"state\.sqlite"):
        ingest(run, batches[1:2])


def test_a_full_disk_leaves_the_state_as_it_was(run, batches, tmp_path):
    ingest(run, batches[:1])
    before = features_of(run)
    many = [f"1,A,B,2,12/09/2011 10:15,1.5,new {i},EIRE" for i in range(2000)]
    large = write(tmp_path / "large.csv", many)

    def ingest_into_little():
        with opened(run) as ledger:
            ledger.connection.execute("PRAGMA max_page_count=20")
            ledger.ingest(large)

    with pytest.raises(StoreError, match="full"):
        ingest_into_little()
    assert features_of(run) == before
    [found] = ingest(run, [large])
    assert found.n_new == 2000


def test_a_customer_who_is_gone_from_the_state_is_missed(run, batches):
    ingest(run, batches[:1])
    with opened(run) as ledger:
        ledger.connection.execute("DELETE FROM customers WHERE number = 3")
        with pytest.raises(StoreError, match="damaged"):
            ledger.aggregates.customers()


def test_no_statement_of_a_batch_goes_through_the_history(run, batches):
    ingest(run, batches[:2])
    seen = set()
    with opened(run) as ledger:
        ledger.connection.set_trace_callback(seen.add)
        ledger.ingest(batches[2])
        ledger.connection.set_trace_callback(None)
        plans = [
            (sql, row[3])
            for sql in seen
            if sql.split(" ", 1)[0] in ("SELECT", "INSERT", "UPDATE", "REPLACE")
            for row in ledger.connection.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]
    assert len(plans) > 10
    # What belongs to the batch may be gone through.
    through = [plan for plan in plans if plan[1].startswith("SCAN")]
    assert {plan[1] for plan in through} <= {"SCAN t", "SCAN p", "SCAN CONSTANT ROW"}, through


def test_a_file_that_is_still_written_is_refused(run, batches, tmp_path):
    path = tmp_path / "now.csv"
    shutil.copy(batches[0], path)
    with pytest.raises(DataError, match="changed while it was read"), batch(run, str(path), []):
        path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
