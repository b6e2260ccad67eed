"""Files that cannot be read or give nothing to cluster: refused, each in words of its own."""

import gzip
import io
import json
import sys
import zipfile
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
import xlsxwriter
import yaml

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def lines(n_customers=12, date="12/{day}/2010 8:26", description="LANTERN"):
    """Lines in the UCI form: every customer has one to five of them."""
    return [
        f"{536365 + i},A{n},{description},{n + 1},{date.format(day=1 + (5 * i + n) % 28)},"
        f"{1.5 + i * n},{17850 + i},France"
        for i in range(n_customers)
        for n in range(1 + i % 5)
    ]


def text(rows=None, header=COLUMNS):
    return "\n".join([header, *(lines() if rows is None else rows), ""])


GOOD = text()


def typed(**changes):
    """The good lines as a frame with types."""
    frame = pl.read_csv(io.StringIO(GOOD)).with_columns(
        pl.col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M")
    )
    return frame.with_columns(**changes)


def parquet(frame=None):
    file = io.BytesIO()
    (typed() if frame is None else frame).write_parquet(file)
    return file.getvalue()


def excel(rows=None, sheet="Lines", first=None):
    """A workbook of these rows; `first` is the name of an empty sheet in front."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        if first is not None:
            workbook.add_worksheet(first)
        page = workbook.add_worksheet(sheet)
        cells = [row.split(",") for row in GOOD.splitlines()] if rows is None else rows
        for i, row in enumerate(cells):
            page.write_row(i, 0, row)
    return file.getvalue()


def flipped_sheet():
    """A workbook whose sheet has other bytes than its checksum says."""
    content = bytearray(excel())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
        start = part.header_offset + 30 + len(part.filename) + part.compress_size // 2
    for place in range(start, start + 20):
        content[place] ^= 0xFF
    return bytes(content)


def spoilt(place, content):
    """Return content with sixteen bytes turned around, counted from the end if negative."""
    changed = bytearray(content)
    place %= len(changed)
    changed[place : place + 16] = bytes(b ^ 0xFF for b in changed[place : place + 16])
    return bytes(changed)


@dataclass(frozen=True)
class Case:
    """A file that is refused.

    Attributes
    ----------
    content : bytes or str or None
        What stands in it; None makes no file.
    words : list of str
        What the message must say.
    dataset, rest : mapping
        Settings of the dataset, and others.
    name : str
        Name of the file.
    columns : mapping or None
        Columns of dataset=transactions; None is dataset=online_retail.
    """

    content: Any
    words: list[str]
    dataset: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    name: str = "lines.csv"
    columns: dict[str, Any] | None = None


AMOUNTS = "Account,Booked,Value\n" + "".join(
    f"K{i % 7},2024-01-{1 + i % 28:02},{10 + i * i}\n" for i in range(40)
)
MAPPED = {"customer": "Account", "date": "Booked", "amount": "Value"}


def changed(number, old, new, content=GOOD):
    """Return content with something else in the line of this number."""
    rows = content.splitlines(keepends=True)
    assert old in rows[number - 1]
    rows[number - 1] = rows[number - 1].replace(old, new, 1)
    return "".join(rows)


CASES = {
    "missing_file": Case(None, ["lines.csv: there is no such file", "relative to the current"]),
    "empty_file": Case("", ["lines.csv is empty"]),
    "blank_lines_only": Case("\n\n", ["no header", "blank lines"]),
    "header_only": Case(COLUMNS + "\n", ["has a header and no line below it"]),
    "missing_column": Case(
        GOOD.replace("UnitPrice", "Cost"),
        ["lacks the column UnitPrice", "dataset.columns={", "Cost"],
    ),
    "mapped_column_mistyped": Case(
        AMOUNTS, ["dataset.columns.amount=Valeu: not there", "Did you mean 'Value'"],
        columns={**MAPPED, "amount": "Valeu"},
    ),
    "mapped_column_twice": Case(
        AMOUNTS.replace("Booked,", "Account,"),
        ["dataset.columns.customer=Account: more than once"],
        columns={"customer": "Account", "date": "Value", "amount": None},
    ),
    "no_column_said": Case(
        AMOUNTS, ["dataset.columns does not say", "customer, date, amount", "Perhaps:"], columns={}
    ),
    "unparsable_date": Case(
        changed(4, "12/7/2010 8:26", "soon"), ["line 4", "InvoiceDate", "'soon'", "bad_lines=skip"]
    ),
    "no_date_at_all": Case(
        text(lines(date="day {day}")), ["InvoiceDate", "'day ", "dataset.date_format"]
    ),
    "mapped_unparsable_date": Case(
        changed(5, "2024-01-04", "2024-13-04", AMOUNTS), ["line 5", "Booked", "'2024-13-04'"],
        columns=MAPPED,
    ),
    "date_format_of_another_file": Case(
        GOOD, ["dataset.date_format='%Y-%m-%d'", "(line 2)"], {"date_format": "%Y-%m-%d"}
    ),
    "ambiguous_dates": Case(
        text(lines(date="3/4/2010 8:26")), ["(line 2)", "dataset.date_order"]
    ),
    "text_in_quantity": Case(changed(7, ",3,", ",three,"), ["line 7: Quantity is 'three'"]),
    "text_in_price": Case(changed(3, "1.5,", "free,"), ["line 3: UnitPrice is 'free'", "2.55"]),
    "text_in_mapped_amount": Case(
        changed(3, ",11", ",lots", AMOUNTS), ["line 3: Value is 'lots'"], columns=MAPPED
    ),
    "cp1252_in_auto": Case(
        text(lines(description="\x80\x93")).encode("latin-1"),
        ["not UTF-8", "line 2", "dataset.encoding=cp1252"],
    ),
    "latin1_read_as_utf8": Case(
        text(lines(description="CAF\xe9")).encode("latin-1"),
        ["line 2", "byte 0xe9", "utf-8"], {"encoding": "utf-8"},
    ),
    "truncated_gzip": Case(
        gzip.compress(GOOD.encode())[:-40], ["damaged gzip file", "download it again"],
        name="lines.csv.gz",
    ),
    "gzip_with_wrong_checksum": Case(
        spoilt(-8, gzip.compress(GOOD.encode()))[:-8], ["damaged gzip file"], name="lines.csv.gz"
    ),
    "truncated_zstd": Case(
        zstd.compress(GOOD.encode())[:-40], ["damaged Zstandard file"], name="lines.csv.zst"
    ),
    "spoilt_zstd": Case(
        spoilt(60, zstd.compress(GOOD.encode())), ["damaged Zstandard file"], name="lines.csv.zst"
    ),
    "text_named_gz": Case("x" * 50, ["lacks the column"], name="lines.csv.gz"),
    "truncated_xlsx": Case(excel()[:-900], ["lines.xlsx is damaged", "again"], name="lines.xlsx"),
    "flipped_xlsx": Case(flipped_sheet(), ["lines.xlsx is damaged", "again"], name="lines.xlsx"),
    "text_named_xlsx": Case(GOOD, ["lines.xlsx is damaged", "again"], name="lines.xlsx"),
    "unknown_sheet": Case(
        excel(), ["dataset.sheet=Line: ", "Did you mean 'Lines'", "Its sheets: Lines"],
        {"sheet": "Line"}, name="lines.xlsx",
    ),
    "empty_first_sheet": Case(
        excel(first="Cover"), ["the sheet 'Cover' is empty", "Its sheets: Cover, Lines"],
        name="lines.xlsx",
    ),
    "merged_header_over_the_header": Case(
        excel([["Sales 2010"], *[row.split(",") for row in GOOD.splitlines()]]),
        ["lacks the column InvoiceNo"], name="lines.xlsx",
    ),
    "truncated_parquet": Case(parquet()[:-300], ["lines.parquet is damaged"], name="lines.parquet"),
    "spoilt_parquet_footer": Case(
        spoilt(-120, parquet()), ["lines.parquet is damaged"], name="lines.parquet"
    ),
    "spoilt_parquet_length": Case(
        spoilt(-20, parquet()), ["lines.parquet is damaged"], name="lines.parquet"
    ),
    "spoilt_parquet_pages": Case(
        spoilt(40, parquet()), ["lines.parquet is damaged"], name="lines.parquet"
    ),
    "text_named_parquet": Case(GOOD, ["lines.parquet is damaged"], name="lines.parquet"),
    "parquet_named_csv": Case(
        parquet(typed()[:0]), ["has a header and no line below it"], name="lines.csv"
    ),
    "infinite_prices_in_parquet": Case(
        parquet(typed(UnitPrice=pl.when(pl.col("CustomerID") == 17852).then(float("inf"))
                .otherwise("UnitPrice"))),
        ["row 4: UnitPrice is 'inf'", "bad_lines"], name="lines.parquet",
    ),
    "only_nan_prices_in_parquet": Case(
        parquet(typed(UnitPrice=pl.lit(float("nan")))),
        ["no line remains", "features.drop_missing=", "dropped 33"], name="lines.parquet",
    ),
    "nested_columns_in_parquet": Case(
        parquet(typed(Quantity=pl.concat_list("Quantity"))), ["Quantity"], name="lines.parquet"
    ),
    "dates_that_are_numbers": Case(
        parquet(typed(InvoiceDate=pl.lit(40513.3))), ["InvoiceDate"], name="lines.parquet"
    ),
    "dates_beyond_the_calendar": Case(
        parquet(typed(InvoiceDate=pl.col("InvoiceDate").dt.offset_by("250000y"))),
        ["InvoiceDate"], name="lines.parquet",
    ),
    "zip_archive": Case(b"PK\x03\x04" + b"x" * 60, ["zip archive", "unpack"], name="lines.zip"),
    "customers_all_missing": Case(
        "\n".join([COLUMNS, *(row.replace(row.split(",")[6], "") for row in lines()), ""]),
        ["no line remains of 33", "features.drop_missing=", "dropped 33"],
    ),
    "all_after_the_reference_date": Case(
        GOOD, ["no line remains of 33", "features.reference_date=2009-01-01 dropped 33"],
        rest={"features": {"reference_date": "2009-01-01"}},
    ),
    "most_lines_bad_though_skipped": Case(
        text([*lines(date="12/17/2010 8:26")[:3], *(["garbage"] * 9)]),
        ["9 of 12 lines", "no accident"], {"bad_lines": "skip"},
    ),
    "most_dates_bad_though_skipped": Case(
        text([*lines()[:3], *(row.replace("12/", "x/") for row in lines())]),
        ["InvoiceDate", "x/"], {"bad_lines": "skip"},
    ),
    "one_customer": Case(
        text([row.replace(row.split(",")[6], "1") for row in lines()]),
        ["every feature is constant over the 1 customers"],
    ),
    "one_column": Case("a\n1\n2\n", ["lacks the column", "Its columns: a"]),
    "nul_bytes_in_a_price": Case(changed(3, "1.5,", "1.\x005,"), ["line 3: UnitPrice is"]),
    "nul_bytes_in_the_header": Case(
        GOOD.encode("utf-16-le"), ["no text", "dataset.encoding=utf-16-le"]
    ),
    "one_long_line": Case("x" * 5_000_000, ["lacks the column"]),
    "row_cut_off": Case(GOOD[:-20], ["line 34", "fields"]),
    "huge_amounts": Case(
        changed(3, "1.5,", "1e300,"), ["customer 17851", "too large"],
    ),
    "returns_in_the_logarithm": Case(
        changed(3, ",1,", ",-100,"), ["log(1 + Amount) is undefined", "transform.log1p"],
        rest={"transform": {"log1p": ["Amount"]}},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the command said of one file."""

    messages: list[str]
    directory: Any
    manifest: dict[str, Any]


@pytest.fixture(scope="module")
def sweep(segrun, tmp_path_factory):
    """One job for each case, all in one command: starting it takes longer than all of them."""
    folder, cache = tmp_path_factory.mktemp("cases"), tmp_path_factory.mktemp("cache")
    (folder / "conf" / "experiment").mkdir(parents=True)
    for name, case in CASES.items():
        path = folder / "data" / name / case.name
        path.parent.mkdir(parents=True)
        if case.content is not None:
            is_text = isinstance(case.content, str)
            path.write_bytes(case.content.encode() if is_text else case.content)
        columns = {} if case.columns is None else {"columns": case.columns}
        group = "online_retail" if case.columns is None else "transactions"
        settings = {
            "defaults": [{"override /dataset": group}],
            "name": name,
            "dataset": {"path": path.relative_to(folder).as_posix(), **columns, **case.dataset},
            **case.rest,
        }
        file = folder / "conf" / "experiment" / f"{name}.yaml"
        file.write_text(f"# @package _global_\n{yaml.safe_dump(settings)}")
    done = segrun(
        "-m", f"experiment={','.join(CASES)}", "hydra.sweep.dir=sweep",
        "hydra.sweep.subdir=${name}", "algo.params.n_clusters=2", "algo.params.tol=1e-4",
        cwd=folder, SEGRUN_CACHE=str(cache),
    )  # fmt: skip
    return done, folder, cache


#: What is refused, but not yet in clear words.
@pytest.mark.parametrize("name", list(CASES))
def test_a_file_that_gives_nothing_to_cluster_is_one_clear_message(sweep, name):
    done, folder, _ = sweep
    start = f"segrun: {name} failed: "
    said = [line for line in done.stderr.splitlines() if line.startswith(start)]
    assert len(said) == 1, done.stderr
    for word in CASES[name].words:
        assert word in said[0]
    assert len(said[0]) < 3000
    assert "unforeseen" not in said[0]
    run = folder / "sweep" / name
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "failed"
    assert said[0].removeprefix(start) in manifest["reason"]
    assert not (run / "scores.csv").exists()


def test_bad_files_leave_no_trace_of_a_fault_and_nothing_that_looks_whole(
    sweep, assert_clear, assert_nothing_whole
):
    done, folder, cache = sweep
    assert done.returncode == 1
    assert_clear(done.stderr)
    assert_nothing_whole(folder, cache)
