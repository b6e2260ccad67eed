"""Several files are one table: the same rows give the same lines however they are cut."""

import csv
import gzip
import shutil
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrun.config import BadLines, ColumnKind, RecordsConfig
from segrun.data.datasets import load
from segrun.data.datasets.source import find
from segrun.errors import DataError

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
ROWS = [
    f"{536365 + i // 3},8512{i % 7}A,L\xc2NTERN {i},{i % 9 + 1},"
    f"{i % 12 + 1:02d}/{i % 28 + 1:02d}/2011 08:{i % 60:02d},"
    f"{i / 100:.2f},{'' if i % 11 == 0 else 12346 + i % 17},United Kingdom\r\n"
    for i in range(60)
]
TYPED = {
    "InvoiceDate": pl.col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M"),
    "Quantity": pl.col("Quantity").cast(pl.Int64),
    "UnitPrice": pl.col("UnitPrice").cast(pl.Float64),
    "CustomerID": pl.col("CustomerID").cast(pl.Int64),
}


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def typed(rows):
    text = (HEADER + "".join(rows)).encode()
    return pl.read_csv(text, infer_schema=False).with_columns(**TYPED)


@pytest.fixture
def rows_of(settings_of, cache):
    """The lines of a folder or glob: rows_of(path)."""

    def rows(path, columns=None, **changes):
        with load(settings_of(path, columns, **changes), 0, cache) as found:
            return found.frame.collect("polars").to_native()

    return rows


@pytest.fixture
def whole(rows_of, tmp_path):
    """The lines of the one file that has all rows."""
    return rows_of(write(tmp_path / "whole.csv", HEADER + "".join(ROWS)))


def other_order(rows):
    frame = pl.read_csv((HEADER + "".join(rows)).encode(), infer_schema=False)
    return frame.select(reversed(frame.columns)).write_csv(separator=";")


@pytest.mark.heavy
def test_files_of_other_encodings_packing_separators_and_orders(rows_of, whole, tmp_path):
    write(tmp_path / "f/1.csv", (HEADER + "".join(ROWS[:20])).encode("iso-8859-1"))
    write(tmp_path / "f/2.csv.gz", gzip.compress((HEADER + "".join(ROWS[20:45])).encode()))
    write(tmp_path / "f/deep/3.csv", other_order(ROWS[45:]))
    # Neither is data.
    write(tmp_path / "f/_SUCCESS", "")
    write(tmp_path / "f/.1.csv.crc", b"crc\0")
    write(tmp_path / "f/deep/4.csv.tmp", "half")
    assert rows_of(tmp_path / "f").equals(whole)
    assert rows_of(tmp_path / "f" / "**").equals(whole)
    assert rows_of(tmp_path / "f" / "[1-3]*").equals(whole[:45])


@pytest.mark.heavy
def test_a_folder_of_excel_sheets(rows_of, whole, tmp_path):
    (tmp_path / "f").mkdir()
    for name, rows in (("a", ROWS[:30]), ("b", ROWS[30:])):
        typed(rows).write_excel(tmp_path / "f" / f"{name}.xlsx")
    assert rows_of(tmp_path / "f").equals(whole)


def test_parquet_files_whose_types_and_orders_differ(rows_of, whole, tmp_path):
    (tmp_path / "f").mkdir()
    # As pandas writes a column of ids: with one missing it has fractions.
    parts = [
        typed(ROWS[:11]).with_columns(pl.col("CustomerID").cast(pl.Float64)),
        typed(ROWS[11:20]).with_columns(pl.col("Quantity").cast(pl.Int16)),
        typed(ROWS[20:]).select(reversed(HEADER.strip().split(","))),
    ]
    for place, part in enumerate(parts):
        part.write_parquet(tmp_path / "f" / f"{place}.parquet")
    assert rows_of(tmp_path / "f").equals(whole)


def test_ids_that_would_lose_digits_are_refused(rows_of, tmp_path):
    (tmp_path / "f").mkdir()
    frame = typed(ROWS[1:5])
    frame.with_columns(CustomerID=pl.lit(2**53 + 1)).write_parquet(tmp_path / "f/a.parquet")
    frame.with_columns(CustomerID=pl.lit(1.5)).write_parquet(tmp_path / "f/b.parquet")
    with pytest.raises(DataError, match=r"CustomerID has whole .* 9007199254740993 in a"):
        rows_of(tmp_path / "f")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_that_folders_name(rows_of, tmp_path, kind):
    folder = tmp_path / "kept=1" / "f"
    for year, month, rows in (("2011", "03", ROWS[:9]), ("2011", "10", ROWS[9:20]),
                              ("__HIVE_DEFAULT_PARTITION__", "N%20A", ROWS[20:25])):  # fmt: skip
        at = folder / f"Jahr={year}" / f"month={month}"
        at.mkdir(parents=True)
        if kind == "csv":
            write(at / "p.csv", HEADER + "".join(rows))
        else:
            typed(rows).write_parquet(at / "p.parquet")
    found = rows_of(folder, {"customer": "CustomerID", "date": "InvoiceDate", "amount": "UnitPrice",
                             "invoice": "Jahr", "country": "month"})  # fmt: skip
    # Zeros in front stay: what is in a path is text.
    assert found["Country"].to_list() == ["03"] * 9 + ["10"] * 11 + ["N A"] * 5
    assert found["InvoiceNo"].to_list() == ["2011"] * 20 + [None] * 5


def test_columns_that_folders_name_are_read_as_declared(settings_of, cache, tmp_path):
    for month in ("03", "10"):
        write(tmp_path / f"f/month={month}/day=2011-{month}-01/a.csv", "who,n\na,1\nb,2\n")
    values = vars(settings_of(tmp_path / "f")) | {
        "name": "records", "kind": "records", "id": "who", "rename": {}, "one_per_id": False,
        "columns": {"month": ColumnKind.number, "day": ColumnKind.date},
    }  # fmt: skip
    with load(RecordsConfig(**values), 0, cache) as found:
        rows = found.frame.collect("polars").to_native().rows()
    days = [datetime(2011, 3, 1), datetime(2011, 10, 1)]
    assert rows == [(who, n, day) for n, day in zip((3.0, 10.0), days, strict=True) for who in "ab"]


def test_folders_that_name_other_columns_are_refused(rows_of, tmp_path):
    write(tmp_path / "f/year=2011/a.csv", HEADER + ROWS[0])
    write(tmp_path / "f/b.csv", HEADER + ROWS[1])
    with pytest.raises(DataError, match=r"folders of b\.csv name the columns none, .* year"):
        rows_of(tmp_path / "f")


@pytest.mark.heavy
def test_a_bad_line_is_named_by_its_file(rows_of, tmp_path, settings_of, cache):
    write(tmp_path / "f/a.csv", HEADER + "".join(ROWS[:5]))
    write(tmp_path / "f/b.csv", HEADER + ROWS[5] + ROWS[6].replace("United Kingdom", "UK,more"))
    with pytest.raises(DataError, match=r"dataset\.path=\S*/f/b\.csv .*line 3: 9 fields"):
        rows_of(tmp_path / "f")
    bad = ROWS[6].split(",")
    bad[3] = "many"
    write(tmp_path / "f/b.csv", HEADER + ROWS[5] + ",".join(bad))
    with pytest.raises(DataError, match=r"lines cannot be read: b\.csv line 3: Quantity is 'many'"):
        rows_of(tmp_path / "f")
    config = settings_of(tmp_path / "f", bad_lines=BadLines.quarantine)
    with load(config, 0, cache) as found:
        assert found.frame.collect("polars").shape[0] == 6
        kept = list(csv.reader(found.quarantine.read_text().splitlines()))
    assert kept[0] == ["file", "line", "reason", "text"]
    assert kept[1][:2] == ["b.csv", "3"]
    assert kept[1][3] == ",".join(bad).strip()


def test_a_row_of_parquet_is_named_by_its_file(rows_of, tmp_path):
    (tmp_path / "f").mkdir()
    text = typed(ROWS).with_columns(pl.col("Quantity").cast(pl.String))
    text[:7].write_parquet(tmp_path / "f/a.parquet")
    bad = text[7:].with_columns(Quantity=pl.when(pl.int_range(pl.len()) == 4)
                                .then(pl.lit("many")).otherwise("Quantity"))  # fmt: skip
    bad.write_parquet(tmp_path / "f/b.parquet")
    with pytest.raises(DataError, match=r"b\.parquet row 5: Quantity is 'many'"):
        rows_of(tmp_path / "f")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_that_lacks_a_column_is_named(rows_of, tmp_path, suffix):
    (tmp_path / "f").mkdir()
    other = typed(ROWS[5:]).rename({"Country": "Land"})
    for name, frame in (("a", typed(ROWS[:5])), ("b", other)):
        getattr(frame, f"write_{suffix}")(tmp_path / "f" / f"{name}.{suffix}")
    with pytest.raises(DataError, match=rf"b\.{suffix} lacks the column Country, which a\."):
        rows_of(tmp_path / "f")


def test_a_damaged_file_is_named(rows_of, tmp_path):
    (tmp_path / "f").mkdir()
    typed(ROWS).write_parquet(tmp_path / "f/a.parquet")
    good = (tmp_path / "f/a.parquet").read_bytes()
    write(tmp_path / "f/b.parquet", good[:-100])
    with pytest.raises(DataError, match=r"b\.parquet is damaged"):
        rows_of(tmp_path / "f")
    # The pages, not the footer that is read first.
    write(tmp_path / "f/b.parquet", good[:4] + b"\xff" * 300 + good[304:])
    with pytest.raises(DataError, match=r"b\.parquet is damaged"):
        rows_of(tmp_path / "f")


@pytest.mark.heavy
def test_a_folder_of_a_name_with_brackets_is_that_folder(rows_of, whole, tmp_path):
    write(tmp_path / "f[1]" / "a*.csv", HEADER + "".join(ROWS[:30]))
    write(tmp_path / "f[1]" / "ab.csv", HEADER + "".join(ROWS[30:]))
    write(tmp_path / "f1" / "a.csv", HEADER + ROWS[0])
    assert rows_of(tmp_path / "f[1]" / "*.csv").equals(whole)
    # So is a file.
    assert rows_of(tmp_path / "f[1]" / "a*.csv").equals(whole[:30])


def test_kinds_that_differ_are_refused(rows_of, tmp_path):
    write(tmp_path / "f/a.csv", HEADER + ROWS[0])
    typed(ROWS).write_parquet(tmp_path / "f/b.parquet")
    with pytest.raises(DataError, match=r"different kinds: 1 text \(a\.csv\), 1 parquet \(b\."):
        rows_of(tmp_path / "f")


def test_nothing_but_marks_is_no_data(rows_of, tmp_path):
    write(tmp_path / "f/_SUCCESS", "")
    with pytest.raises(DataError, match=r"folder without .*: _SUCCESS are left out"):
        rows_of(tmp_path / "f")
    with pytest.raises(DataError, match=r"x\*\.csv: no file is called so"):
        rows_of(tmp_path / "f" / "x*.csv")


def test_a_table_with_a_log_is_refused(rows_of, tmp_path):
    (tmp_path / "f/_delta_log").mkdir(parents=True)
    typed(ROWS).write_parquet(tmp_path / "f/b.parquet")
    with pytest.raises(DataError, match="is a Delta table"):
        rows_of(tmp_path / "f")


@pytest.mark.heavy
def test_results_below_the_folder_are_no_input(rows_of, whole, tmp_path):
    write(tmp_path / "f/a.csv", HEADER + "".join(ROWS))
    write(tmp_path / "f/outputs/x/experiment.yaml", "name: x")
    write(tmp_path / "f/outputs/x/manifest.json", "{}")
    write(tmp_path / "f/outputs/x/quarantine.csv", HEADER + ROWS[0])
    for path in ("f", "f/**/*.csv", "f/**", "*/**"):
        assert rows_of(tmp_path / path).equals(whole)


@pytest.mark.heavy
def test_a_link_that_leads_back_ends(rows_of, whole, tmp_path):
    write(tmp_path / "f/a.csv", HEADER + "".join(ROWS))
    (tmp_path / "f/again").symlink_to(tmp_path / "f")
    assert rows_of(tmp_path / "f").equals(whole)


def test_the_digest_is_of_names_and_contents_not_of_the_place(tmp_path):
    write(tmp_path / "f/a.csv", HEADER + ROWS[0])
    write(tmp_path / "f/b.csv", HEADER + ROWS[1])
    before = find(str(tmp_path / "f"))
    shutil.copytree(tmp_path / "f", tmp_path / "moved")
    assert find(str(tmp_path / "moved")).identity == before.identity
    assert before.identity["n_files"] == 2
    assert before.n_bytes == sum(p.stat().st_size for p in Path(tmp_path / "f").iterdir())
    write(tmp_path / "moved/b.csv", HEADER + ROWS[2])
    assert find(str(tmp_path / "moved")).sha256 != before.sha256


@pytest.mark.heavy
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, len(ROWS)), max_size=5), data=st.data())
def test_any_cut_gives_the_same_lines(rows_of, whole, tmp_path_factory, cuts, data):
    folder = tmp_path_factory.mktemp("cut")
    parquet = data.draw(st.booleans())
    bounds = [0, *sorted(cuts), len(ROWS)]
    for place, (start, end) in enumerate(pairwise(bounds)):
        if parquet:
            typed(ROWS[start:end]).write_parquet(folder / f"{place}.parquet")
        else:
            write(folder / f"{place}.csv", HEADER + "".join(ROWS[start:end]))
    assert rows_of(folder).equals(whole)
