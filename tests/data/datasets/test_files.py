import gzip
import hashlib
from datetime import datetime

import polars as pl
import pytest

from segrun.config import DatasetConfig
from segrun.data.datasets import check, load
from segrun.errors import ConfigError, DataError, StoreError
from segrun.rundir.store import read_csv

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GOOD = "536365,85123A,LANTERN,6,12/13/2010 8:26,2.55,17850,United Kingdom\n"


@pytest.mark.heavy
def test_columns_have_the_types_of_the_contract(read):
    frame = read(HEADER + GOOD)
    assert dict(frame.schema) == {
        "InvoiceNo": pl.String, "StockCode": pl.String, "Description": pl.String,
        "Quantity": pl.Int64, "InvoiceDate": pl.Datetime("us"), "UnitPrice": pl.Float64,
        "CustomerID": pl.String, "Country": pl.String,
    }  # fmt: skip
    assert frame.row(0) == (
        "536365", "85123A", "LANTERN", 6, datetime(2010, 12, 13, 8, 26), 2.55, "17850",
        "United Kingdom",
    )  # fmt: skip


@pytest.mark.heavy
def test_cancellations_and_leading_zeros_survive(read):
    rows = GOOD * 2000 + GOOD.replace("536365", "C536365").replace("17850", "00123")
    last = read(HEADER + rows).row(-1, named=True)
    assert (last["InvoiceNo"], last["CustomerID"]) == ("C536365", "00123")


@pytest.mark.heavy
def test_columns_come_in_any_order_and_further_ones_are_left_out(read):
    header = (
        "Extra,CustomerID,Country,InvoiceDate,UnitPrice,Quantity,Description,StockCode,InvoiceNo"
    )
    frame = read(f"{header}\nx,17850,EIRE,12/13/2010,2.5,6,LANTERN,85123A,536365\n")
    assert frame.columns == HEADER.strip().split(",")
    assert frame["Quantity"].to_list() == [6]


@pytest.mark.heavy
@pytest.mark.parametrize("blank", ["", "  ", '""', '" "'])
def test_a_blank_id_is_missing(read, blank):
    assert read(HEADER + GOOD.replace("17850", blank))["CustomerID"].to_list() == [None]


@pytest.mark.heavy
def test_an_empty_description_is_missing_but_blanks_are_text(read):
    rows = [GOOD.replace("LANTERN", text) for text in ("", '""', " ")]
    assert read(HEADER + "".join(rows))["Description"].to_list() == [None, None, " "]


@pytest.mark.heavy
def test_line_breaks_and_quotes_inside_a_field_are_read(read):
    frame = read(HEADER + GOOD.replace("LANTERN", '"A ""BIG""\nLANTERN"') + GOOD)
    assert frame["Description"].to_list() == ['A "BIG"\nLANTERN', "LANTERN"]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",6,", ",six,", r"line 3: Quantity is 'six', not a whole number"),
        (",6,", ",6.5,", r"line 3: Quantity is '6.5'"),
        (",6,", ",99999999999999999999,", r"line 3: Quantity is '9{20}'"),
        (",2.55,", ',"2,55",', r"line 3: UnitPrice is '2,55', not a number"),
        (",2.55,", ",abc,", r"line 3: UnitPrice is 'abc'"),
        (",2.55,", ",inf,", r"line 3: UnitPrice is 'inf'"),
    ],
)
def test_a_text_that_is_no_number_is_named_with_row_and_column(read, old, new, said):
    with pytest.raises(DataError, match=said):
        read(HEADER + GOOD + GOOD.replace(old, new) + GOOD)


def test_a_line_with_too_many_fields_is_refused(read):
    with pytest.raises(DataError, match=r"lines\.csv is not a CSV file"):
        read(HEADER + GOOD + GOOD.replace("\n", ",more\n"))


def test_missing_columns_are_named_with_those_found(read):
    with pytest.raises(DataError, match=r"lacks the column CustomerID, Country\. .*Quantity"):
        read(HEADER.replace(",CustomerID,Country", "") + "1,2,3,4,12/13/2010,6\n")


@pytest.mark.heavy
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_file_with_another_separator_is_read(read, separator):
    text = (HEADER + GOOD).replace(",", separator)
    assert read(text).equals(read(HEADER + GOOD))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty: 0 bytes"),
        (HEADER, "header and no line"),
        (gzip.compress(b"", mtime=0), "no header"),
    ],
)
def test_a_file_without_lines_is_refused(read, content, said):
    with pytest.raises(DataError, match=said):
        read(content)


def test_a_missing_file_is_named_with_key_and_cure(tmp_path, settings_of):
    source = load(settings_of(tmp_path / "none.csv"), 0, tmp_path)
    with pytest.raises(DataError, match=r"dataset\.path=.*none\.csv: there is no such file"):
        source.__enter__()


def test_an_empty_folder_is_refused(tmp_path, settings_of):
    source = load(settings_of(tmp_path), 0, tmp_path)
    with pytest.raises(DataError, match=r"is a folder without .*Name a folder or files of CSV"):
        source.__enter__()


@pytest.mark.parametrize("damage", [lambda z: z[: len(z) // 2], lambda z: z[:-9] + b"x" * 9])
def test_a_damaged_gzip_file_is_refused_and_leaves_no_copy(read, cache, damage):
    with pytest.raises(DataError, match="damaged gzip file"):
        read(damage(gzip.compress((HEADER + GOOD * 999).encode())))
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named_with_cure(tmp_path, settings_of):
    path = tmp_path / "lines.csv"
    path.write_bytes(gzip.compress((HEADER + GOOD).encode()))
    source = load(settings_of(path), 0, path / "below_a_file")
    with pytest.raises(StoreError, match=r"lines\.csv.*SEGRUN_CACHE=DIR"):
        source.__enter__()


@pytest.mark.heavy
def test_the_fingerprint_is_of_the_file_as_given(open_file, tmp_path):
    content = gzip.compress((HEADER + GOOD).encode("latin-1"))
    with open_file(content) as transactions:
        assert transactions.fingerprint == {
            "source": "online_retail",
            "path": str(tmp_path / "lines.csv"),
            "n_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "encoding": "utf-8",
        }


def test_the_home_folder_is_expanded(tmp_path, monkeypatch, settings_of):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "lines.csv").write_text(HEADER + GOOD)
    with load(settings_of("~/lines.csv"), 0, tmp_path) as transactions:
        assert transactions.id_column == "CustomerID"


def test_a_configuration_of_no_dataset_is_refused():
    with pytest.raises(ConfigError, match=r"dataset\.name='mine'.*synthetic_retail"):
        check(DatasetConfig("mine"))


def test_the_real_file_is_read_to_the_last_letter(online_retail, cache, settings_of):
    with load(settings_of(online_retail), 0, cache) as transactions:
        assert transactions.fingerprint["encoding"] == "iso-8859-1"
        lines = transactions.frame.collect("polars").to_native()
    assert len(lines) == 541_909
    assert lines["CustomerID"].null_count() == 135_080
    assert lines["Description"].null_count() == 1454
    assert lines["Description"].str.contains("£", literal=True).sum() == 32
    assert lines["InvoiceNo"].str.starts_with("C").sum() == 9288
    assert lines["Quantity"].sum() == 5_176_450
    assert (lines["Quantity"] * lines["UnitPrice"]).sum() == pytest.approx(9_747_747.934)
    assert list(cache.iterdir()) == []


def test_a_column_of_missing_dates_is_read_as_missing(read):
    assert read(HEADER + GOOD.replace("12/13/2010 8:26", " "))["InvoiceDate"].to_list() == [None]


@pytest.mark.heavy
@pytest.mark.parametrize("blank", ["\ufeff", "\u200b", "\u00a0", "\u3000", "\t"])
def test_letters_that_cannot_be_seen_around_an_id_do_not_make_another_customer(read, blank):
    rows = GOOD + GOOD.replace("17850", f"{blank}17850") + GOOD.replace("17850", f"17850{blank}")
    assert read(HEADER + rows)["CustomerID"].to_list() == ["17850"] * 3


def test_thousands_of_columns_are_no_matter_of_memory(segrun, tmp_path):
    n = 4000
    more = "".join(f",c{i}" for i in range(n))
    rows = "".join(
        f"{i},A,L,{1 + i % 3},12/{1 + i % 28}/2010 8:26,{1.5 + i},{i % 9},F{',x' * n}\n"
        for i in range(40)
    )
    (tmp_path / "wide.csv").write_text(HEADER.strip() + more + "\n" + rows)
    done = segrun("dataset=online_retail", "dataset.path=wide.csv", "hydra.run.dir=run",
                  "algo.grid.n_clusters=[2]", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = (r for r in read_csv(tmp_path / "run" / "timings.csv") if r["stage"] == "load")
    assert int(row["peak_rss_bytes"]) < 1_000_000_000
