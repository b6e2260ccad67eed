"""``segrun ingest`` as a command: options, messages, one at a time."""

import sqlite3
from pathlib import Path

import polars as pl
import pytest

from segrun.cli.ingest import ingest_command
from segrun.errors import ClaimError, ConfigError, DataError, KnownBatchError
from segrun.rundir.claim import locked
from segrun.rundir.environment import own_code
from segrun.using.ingest import ledger


def command(*arguments):
    return ingest_command([str(argument) for argument in arguments])


def n_batches(run):
    connection = sqlite3.connect(run.path / "ingest" / "state.sqlite")
    [found] = connection.execute("SELECT count(*) FROM batches WHERE kind = 'batch'").fetchone()
    connection.close()
    return found


def test_a_command_tells_lines_customers_and_moves(run, batches, capsys):
    assert command(run.path, *batches) == 0
    said = capsys.readouterr().out
    n_lines = len(pl.read_csv(batches[0], infer_schema=False))
    assert f"{batches[0]}: {n_lines} lines (" in said
    assert "from" in said
    assert "(new)" in said
    command(run.path)
    said = capsys.readouterr().out
    assert "6 batches" in said
    assert "placed by n_clusters=3" in said


def test_nothing_is_made_where_nothing_is_asked(run, capsys):
    assert command(run.path) == 0
    assert "nothing was ingested yet" in capsys.readouterr().out
    assert not (run.path / "ingest").exists()


def test_files_in_front_of_a_bad_one_stay_and_the_message_says_so(run, batches, tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv.*the 2 in front of it are") as error:
        command(run.path, batches[0], batches[1], tmp_path / "gone.csv", batches[2])
    assert not isinstance(error.value, KnownBatchError)
    assert n_batches(run) == 2
    with pytest.raises(KnownBatchError, match="Nothing of it is ingested"):
        command(run.path, batches[0])
    assert command(run.path, *batches[:3], "--skip-known") == 0
    assert n_batches(run) == 3


def test_features_and_segments_as_files(run, batches, capsys):
    command(run.path, batches[0], "--features", "--quiet")
    assert capsys.readouterr().out == ""
    features = pl.read_parquet(run.path / "ingest" / "features_all.parquet")
    segments = pl.read_csv(run.path / "ingest" / "segments.csv")
    assert features["CustomerID"].to_list() == segments["CustomerID"].to_list()
    assert segments["name"].null_count() == segments["segment"].null_count() < len(segments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--force", "--skip-known"], "contradict"),
        (["--nonsense"], "nonsense"),
        (["dataset.nonsense=1", "FILE"], "dataset.nonsense"),
        (["sqlite:///shop.db"], "dataset.query="),
    ],
)
def test_wrong_arguments_are_refused(run, batches, arguments, said):
    with pytest.raises(ConfigError, match=said):
        command(run.path, *(batches[0] if a == "FILE" else a for a in arguments))


def test_no_message_repeats_a_password(run):
    with pytest.raises(ConfigError, match="password") as error:
        command(run.path, "postgresql://me:geheim@localhost/shop", "dataset.query=sales")
    assert "geheim" not in str(error.value)
    assert not (run.path / "ingest").exists()


def test_a_setting_says_how_a_batch_is_written(run, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(
        "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n"
        "1;A;B;2;03.04.2031 10:15;1,5;new;EIRE\n", encoding="utf-8"
    )  # fmt: skip
    with pytest.raises(DataError, match=r"03\.04\.2031"):
        command(run.path, path)
    command(run.path, path, "dataset.date_format=%d.%m.%Y %H:%M", "dataset.decimal=comma")
    quoted = "dataset.date_format='%d.%m.%Y %H:%M'"
    with pytest.raises(KnownBatchError):
        command(run.path, path, quoted, "dataset.decimal=comma")
    command(run.path, "--features")
    found = pl.read_parquet(run.path / "ingest" / "features_all.parquet")
    new = found.filter(pl.col("CustomerID") == "new")
    assert new.select("Amount", "April", "Recency").row(0) == (3.0, 1, 0)


def test_an_order_of_dates_that_is_given_counts_more_than_the_format_of_the_run(run, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "1,A,B,2,03/04/2031 10:15,1.5,new,EIRE\n", encoding="utf-8"
    )  # fmt: skip
    command(run.path, path, "dataset.date_order=day_first", "--features")
    found = pl.read_parquet(run.path / "ingest" / "features_all.parquet")
    assert found.filter(pl.col("CustomerID") == "new")["April"].item() == 1


def test_one_process_at_a_time(run, batches, monkeypatch):
    monkeypatch.setattr(ledger, "_WAIT_SECONDS", 0.05)
    lock = locked(run.path / "ingest", 1, "")
    with pytest.raises(ClaimError, match="another process is ingesting"):
        command(run.path, batches[0])
    lock.release()
    assert command(run.path, batches[0]) == 0


def test_another_point_than_that_of_the_state_is_refused(run, batches):
    command(run.path, batches[0])
    with pytest.raises(Exception, match="n_clusters=4"):
        command(run.path, batches[1], "--point", "n_clusters=4")


def test_a_state_of_another_run_is_refused(run, whole_run, batches, tmp_path):
    command(run.path, batches[0])
    state = run.path / "ingest" / "state.sqlite"
    connection = sqlite3.connect(state)
    connection.execute("UPDATE facts SET value = '\"another\"' WHERE name = 'run'")
    connection.commit()
    connection.close()
    with pytest.raises(Exception, match="state of another run"):
        command(run.path, batches[1])


def test_bad_lines_are_kept_beside_the_state(run, batches, tmp_path, capsys):
    path = tmp_path / "bad.csv"
    good = Path(batches[0]).read_text(encoding="utf-8")
    path.write_text(good + "1,A,B,two,04/03/2011 10:15,1.5,x,EIRE\n", encoding="utf-8")
    command(run.path, path, "dataset.bad_lines=quarantine")
    assert "1 bad lines kept in" in capsys.readouterr().out
    [kept] = (run.path / "ingest").glob("quarantine-*.csv")
    assert "two" in kept.read_text(encoding="utf-8")


def test_a_state_of_other_code_goes_on_and_says_so_once(run, batches, caplog):
    command(run.path, batches[0])
    assert "other code" not in caplog.text
    connection = sqlite3.connect(run.path / "ingest" / "state.sqlite")
    with connection:
        connection.execute("DELETE FROM facts WHERE name = 'code'")
    connection.close()
    command(run.path, batches[1])
    assert f"other code of segrun (not known then, {own_code()} now)" in caplog.text
    assert n_batches(run) == 2
    caplog.clear()
    command(run.path, batches[2])
    assert "other code" not in caplog.text
