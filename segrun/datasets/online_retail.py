"""The UCI Online Retail export: CSV or CSV.gz with its eight columns.

Chen, D. (2015). Online Retail. UCI Machine Learning Repository.
https://doi.org/10.24432/C5BW33
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import narwhals as nw
import polars as pl

from segrun.config import OnlineRetailConfig
from segrun.datasets.dates import find_format, parse
from segrun.datasets.textfile import as_utf8, inspect, open_bytes
from segrun.datasets.transactions import ID_COLUMN, Transactions
from segrun.errors import ConfigError, DataError

#: Read as text throughout: typed reading turns cancellations (C536379) into nulls, and dates
#: and numbers are converted with a message of our own where they do not fit.
COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", ID_COLUMN,
    "Country",
)  # fmt: skip


def check(config: OnlineRetailConfig) -> None:
    """Refuse an encoding that Python does not know.

    Raises
    ------
    ConfigError
        Naming the encoding.
    """
    if config.encoding != "auto":
        try:
            codecs.lookup(config.encoding)
        except LookupError:
            raise ConfigError(
                f"dataset.encoding={config.encoding!r} is unknown: use auto, utf-8, iso-8859-1, "
                "cp1252 or another of Python's names"
            ) from None


@contextmanager
def transactions(config: OnlineRetailConfig, cache: Path) -> Iterator[Transactions]:
    """Open the file; a copy in UTF-8, where one is needed, lasts as long as the context.

    Raises
    ------
    DataError
        If the file cannot be read as the UCI data.
    """
    file = inspect(Path(config.path).expanduser(), config.encoding)
    fingerprint = {
        "source": "online_retail",
        "path": config.path,
        "n_bytes": file.n_bytes,
        "sha256": file.sha256,
        "encoding": file.encoding,
    }
    with as_utf8(file, cache) as utf8:
        lines = _typed(_scan(utf8, config.path), config)
        yield Transactions(nw.from_native(lines), ID_COLUMN, fingerprint)


def _scan(utf8: Path, name: str) -> pl.LazyFrame:
    header = _header(utf8)
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise DataError(
            f"dataset.path={name} lacks the column {', '.join(missing)}. "
            f"Its first line has: {', '.join(header)}"
        )
    lines = pl.scan_csv(utf8, schema=dict.fromkeys(header, pl.String)).select(COLUMNS)
    # Blank cells are missing cells, with or without quotes.
    lines = lines.with_columns(
        pl.when(pl.col(c).str.strip_chars() != "").then(pl.col(c)) for c in COLUMNS
    )
    try:
        if lines.head(1).collect().is_empty():
            raise DataError(f"dataset.path={name} has a header and no line below it")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"dataset.path={name} is no CSV of these columns: {error}") from error
    return lines


def _header(utf8: Path) -> list[str]:
    with open_bytes(utf8) as file:
        first = file.readline().decode("utf-8-sig")
    return [cell.strip().strip('"') for cell in first.rstrip("\r\n").split(",")]


def _typed(lines: pl.LazyFrame, config: OnlineRetailConfig) -> pl.LazyFrame:
    """Convert dates and numbers, refusing a column with a text that does not fit."""
    where = f"{config.path}, InvoiceDate"
    try:
        texts = lines.select(pl.col("InvoiceDate").unique().sort()).collect(engine="streaming")
        dates = texts["InvoiceDate"].drop_nulls()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"dataset.path={config.path} cannot be read: {error}") from error
    date_format = config.date_format or find_format(dates, config.date_order, where)
    read = parse(dates, date_format)
    if read.null_count():
        bad = ", ".join(repr(t) for t in dates.filter(read.is_null()).head(3))
        raise DataError(
            f"{where}: {read.null_count()} different dates do not fit "
            f"dataset.date_format={date_format!r}, such as {bad}"
        )
    _check_numbers(lines, config.path)
    # Joining the few distinct dates costs more than reading every line's own.
    has_time = "%H" in date_format
    date = pl.col("InvoiceDate").str
    return lines.with_columns(
        pl.col("Quantity").cast(pl.Int64),
        pl.col("UnitPrice").cast(pl.Float64),
        InvoiceDate=date.to_datetime(date_format, time_unit="us")
        if has_time
        else date.to_date(date_format).cast(pl.Datetime("us")),
    )


def _check_numbers(lines: pl.LazyFrame, name: str) -> None:
    kinds = {"Quantity": pl.Int64, "UnitPrice": pl.Float64}
    rows = lines.select(*kinds).with_row_index("line", offset=2)
    for column, kind in kinds.items():
        number = pl.col(column).cast(kind, strict=False)
        wrong = number.is_null() | ~number.cast(pl.Float64).is_finite()
        bad = rows.filter(pl.col(column).is_not_null() & wrong).head(1).collect(engine="streaming")
        if len(bad):
            want = "a whole number" if kind is pl.Int64 else "a number"
            raise DataError(
                f"dataset.path={name}, line {bad[0, 'line']}: {column} is {bad[0, column]!r}, "
                f"not {want}. Mend the line"
            )
