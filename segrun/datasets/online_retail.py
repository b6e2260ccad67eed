"""The UCI Online Retail export: CSV or CSV.gz with its eight columns.

Chen, D. (2015). Online Retail. UCI Machine Learning Repository.
https://doi.org/10.24432/C5BW33
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import narwhals as nw
import polars as pl

from segrun.config import OnlineRetailConfig
from segrun.datasets.dates import find_format, parse
from segrun.datasets.textfile import as_utf8
from segrun.datasets.transactions import ID_COLUMN, Transactions
from segrun.errors import ConfigError, DataError

COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", ID_COLUMN,
    "Country",
)  # fmt: skip

#: All else is text: typed by a guess, cancellations (C536379) would become nulls.
_NUMBERS = {"Quantity": pl.Int64, "UnitPrice": pl.Float64}

#: Some malformed quotes make polars panic, which is no Exception.
_POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def check(config: OnlineRetailConfig) -> None:
    """Refuse settings that no file can satisfy.

    Raises
    ------
    ConfigError
        If Python does not know the encoding, the date format is none, or the dates would have
        a time zone.
    """
    if not config.path.strip():
        raise ConfigError("dataset.path is empty: name the CSV or CSV.gz file, dataset.path=FILE")
    if config.encoding != "auto":
        try:
            "x".encode(config.encoding)
        except (LookupError, ValueError):
            raise ConfigError(
                f"dataset.encoding={config.encoding!r} is unknown: use auto, utf-8, iso-8859-1, "
                "cp1252 or another of Python's names"
            ) from None
    if config.date_format is not None:
        _check_date_format(config.date_format)


def _check_date_format(date_format: str) -> None:
    if re.search(r"%[:#]*[zZ+]", date_format):
        raise ConfigError(
            f"dataset.date_format={date_format!r} reads a time zone, but weekdays and "
            "months are those of the shop: give dates in its local time"
        )
    try:
        parse(pl.Series(["12/1/2010 8:26"]), date_format)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"dataset.date_format={date_format!r} is no format: {str(error).splitlines()[0]}. "
            "Write it as '%m/%d/%Y %H:%M'; null lets segrun find it"
        ) from error


@contextmanager
def transactions(config: OnlineRetailConfig, cache: Path) -> Iterator[Transactions]:
    """Open the file; a copy in UTF-8, where one is needed, lasts as long as the context.

    Parameters
    ----------
    config : OnlineRetailConfig
        The file and how its letters and dates are read.
    cache : Path
        Folder for the copy.

    Raises
    ------
    DataError
        If the file cannot be read as the UCI data.
    StoreError
        If the copy cannot be written.
    """
    with as_utf8(_path(config.path), config.encoding, cache) as file:
        fingerprint = {
            "source": "online_retail",
            "path": config.path,
            "n_bytes": file.n_bytes,
            "sha256": file.sha256,
            "encoding": file.encoding,
        }
        _check_header(file.path, config.path)
        texts = _check_lines(file.path, config.path)
        lines = _lines(file.path, _date_format(texts, config))
        yield Transactions(nw.from_native(lines), ID_COLUMN, fingerprint)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise DataError(f"dataset.path={text}: {error}. Write the folder out") from error


def _check_header(utf8: Path, name: str) -> None:
    try:
        header = _scan(utf8).collect_schema().names()
    except _POLARS_ERRORS as error:
        raise DataError(f"dataset.path={name} has no header: {error}") from error
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise DataError(
            f"dataset.path={name} lacks the column {', '.join(missing)}. "
            f"Its first line has: {', '.join(header)}. Needed, separated by commas: "
            f"{', '.join(COLUMNS)}"
        )
    twice = [c for c in COLUMNS if any(re.fullmatch(rf"{c}_duplicated_\d+", h) for h in header)]
    if twice:
        raise DataError(
            f"dataset.path={name} has the column {', '.join(twice)} more than once: remove or "
            "rename all but the right one"
        )


def _scan(utf8: Path, types: Mapping[str, type[pl.DataType]] | None = None) -> pl.LazyFrame:
    """Open the rows, as text but for the types given; `[` and `*` belong to the file's name."""
    return pl.scan_csv(utf8, infer_schema=False, schema_overrides=types, glob=False)


def _check_lines(utf8: Path, name: str) -> pl.Series:
    """Return the distinct dates as texts, once every number of the file has been read."""
    try:
        found = (
            _scan(utf8, _NUMBERS)
            .select(
                # polars sees a field too many only where it reads every column.
                pl.all().count().name.prefix("count of "),
                n_lines=pl.len(),
                n_last=pl.last().count(),
                n_infinite=(~pl.col("UnitPrice").is_finite()).sum(),
                dates=_given("InvoiceDate").unique().drop_nulls().implode(),
            )
            .collect(engine="streaming")
        )
    except _POLARS_ERRORS as error:
        raise DataError(_wrong_number(utf8, name) or _no_csv(utf8, name, error)) from error
    if not found["n_lines"].item():
        raise DataError(f"dataset.path={name} has a header and no line below it")
    if found["n_infinite"].item():
        raise DataError(_wrong_number(utf8, name))
    # To polars, fields that a row lacks are merely missing: the last one always is.
    if found["n_last"].item() < found["n_lines"].item() and _wrong_fields(utf8):
        raise DataError(_no_csv(utf8, name))
    return found["dates"].explode().drop_nulls().sort()


def _wrong_number(utf8: Path, name: str) -> str:
    """Describe the first text that is no number, empty if there is none."""
    rows = _scan(utf8).with_row_index("row", offset=1)
    for column, kind in _NUMBERS.items():
        number = pl.col(column).str.strip_chars_start().cast(kind, strict=False)
        wrong = number.is_null() | ~number.is_finite()
        try:
            bad = rows.filter(_given(column).is_not_null() & wrong).head(1).collect()
        except _POLARS_ERRORS:
            return ""
        if len(bad):
            want = "a whole number" if kind is pl.Int64 else "a number"
            return (
                f"dataset.path={name}, row {bad[0, 'row']} below the header: {column} is "
                f"{bad[0, column]!r}, not {want} such as {'6' if kind is pl.Int64 else '2.55'}. "
                "Mend or remove the row"
            )
    return ""


def _wrong_fields(utf8: Path) -> str:
    """Describe the first row that has not the header's number of fields, empty if none."""
    with utf8.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        line = 1
        try:
            # A blank line is no row: nothing is lost with it.
            n_fields = next(len(row) for row in rows if row)
            line = rows.line_num + 1
            for row in rows:
                if row and len(row) != n_fields:
                    return f"line {line} has {len(row)} fields, the header {n_fields}"
                line = rows.line_num + 1
        except csv.Error as error:
            return f"quotes are wrong in the row that begins in line {line} ({error})"
    return ""


def _no_csv(utf8: Path, name: str, error: BaseException | None = None) -> str:
    found = _wrong_fields(utf8) or str(error).splitlines()[0]
    return (
        f"dataset.path={name} is not a CSV file with as many fields in each row as in the header, "
        f'separated by commas, quoted with " (doubled inside): {found}. Mend it or export it again'
    )


def _date_format(texts: pl.Series, config: OnlineRetailConfig) -> str:
    where = f"dataset.path={config.path}, InvoiceDate"
    if config.date_format is None:
        return find_format(texts, config.date_order, where)
    unread = texts.filter(parse(texts, config.date_format).is_null())
    if len(unread):
        raise DataError(
            f"{where}: {len(unread)} of {len(texts)} different dates do not fit "
            f"dataset.date_format={config.date_format!r}, such as "
            f"{', '.join(map(repr, unread.head(3)))}. null lets segrun find the format"
        )
    return config.date_format


def _lines(utf8: Path, date_format: str) -> pl.LazyFrame:
    dates = _given("InvoiceDate").str.to_datetime(date_format, time_unit="us")
    return (
        _scan(utf8, _NUMBERS)
        .select(COLUMNS)
        .with_columns(_given(ID_COLUMN), dates)
        # A text that is quoted and empty is missing, too.
        .with_columns(
            pl.when(pl.col(c) != "").then(pl.col(c))
            for c in ("InvoiceNo", "StockCode", "Description", "Country")
        )
    )


def _given(column: str) -> pl.Expr:
    """Return the column with blank texts as missing values."""
    return pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column))
