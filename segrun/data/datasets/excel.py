"""Excel sheets: cells as text, numbers and dates among them such as cannot be misread."""

from __future__ import annotations

import logging
import re
import zipfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import Decimal, FileConfig
from segrun.data.datasets.dates import n_plausible, said_format, to_moment
from segrun.data.datasets.parquet import FrameTable, damaged
from segrun.data.datasets.quoting import clipped, listed
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import POLARS_ERRORS
from segrun.errors import DataError
from segrun.formats import in_bytes
from segrun.nearest import did_you_mean

#: A thousand and more, or a fraction.
_GROUPED = r"^[+-]?\d{1,3}(\.\d{3})+$"

#: A sheet of some hundred thousand rows.
_MANY_BYTES = 5_000_000

log = logging.getLogger("segrun.data.datasets")


class ExcelTable(FrameTable):
    """A sheet whose cells are text, those of numbers included."""

    def __init__(
        self, path: Path, sheet: str, texts: pl.DataFrame, floats: pl.DataFrame, name: str
    ) -> None:
        # Empty rows and the header are above.
        n_above = floats.height - texts.height
        facts = {"format": "excel", "sheet": sheet}
        super().__init__(texts.lazy(), name, n_above + 1, True, facts)
        self._path, self._sheet = path, sheet
        self._texts, self._floats = texts, floats[n_above:]

    def hold(self, numbers: Collection[str], dates: Collection[str], config: FileConfig) -> None:
        """Write numbers and dates of such cells so that no text can be taken for them."""
        held = {column: self._number(column, config.decimal, config.missing) for column in numbers}
        held |= {column: self._date(column, config.missing) for column in dates}
        self._rows = self._texts.lazy().with_columns(*held.values())

    def _number(self, column: str, decimal: Decimal, missing: list[str]) -> pl.Series:
        place = self.names.index(column)
        cells = pl.DataFrame({"text": self._texts[column], "number": self._floats.to_series(place)})
        if _may_mislead(cells, decimal, missing):
            number = pl.when(self._are_numbers(place)).then(pl.col("number"))
            cells = cells.with_columns(number=number)
        return _unmistakable(cells, missing).alias(column)

    def _date(self, column: str, missing: list[str]) -> pl.Series:
        system = _date_system(self._path)
        found = _as_dates(self._texts[column], missing, system)
        if found is None:
            return self._texts[column]
        said = said_format(system)
        log.info("%s: bare numbers in %s are read as %s", self._name, clipped(column), said)
        return found

    def type_of(self, column: str) -> str | None:  # noqa: ARG002
        """Return nothing: cells are text."""
        return None

    def _are_numbers(self, place: int) -> pl.Series:
        """Tell which cells of a column are numbers: texts are no truth values."""
        import fastexcel

        book = fastexcel.read_excel(self._path)
        sheet = book.load_sheet(self._sheet, use_columns=[place], dtypes="boolean")
        found: pl.Series = sheet.to_polars().to_series().is_not_null()
        return found


def _may_mislead(cells: pl.DataFrame, decimal: Decimal, missing: list[str]) -> bool:
    """Tell whether a text such as 1.234, which is a number as well, may be 1234."""
    text = pl.when(~pl.col("text").is_in(missing)).then(pl.col("text"))
    marked, number = text.str.contains(r"[.,]"), pl.col("number").is_not_null()
    found = cells.select(
        marked=marked.any(),
        loose=(marked & ~number).any(),
        clear=(marked & number & ~text.str.contains(_GROUPED)).any(),
    ).row(0, named=True)
    return decimal is Decimal.comma or found["loose"] or (found["marked"] and not found["clear"])


def _unmistakable(cells: pl.DataFrame, missing: list[str]) -> pl.Series:
    """Return texts, fractions of number cells as whole numbers with an exponent: 1234e-3."""
    text, number = pl.col("text"), pl.col("number")
    shown = number.cast(pl.String)
    letters = shown.str.replace(r"e.*$", "")
    n_places = letters.str.extract(r"\.(\d+)$").str.len_chars().cast(pl.Int64).fill_null(0)
    exponent = shown.str.extract(r"e([+-]?\d+)$").cast(pl.Int64).fill_null(0) - n_places
    written = pl.concat_str(
        letters.str.replace(".", "", literal=True), pl.lit("e"), exponent.cast(pl.String)
    )
    # A text has at most nine places of the number in its cell.
    fraction = (number != number.round()) & ~text.is_in(missing)
    return cells.select(pl.when(fraction).then(written).otherwise(text)).to_series()


def _date_system(path: Path) -> str:
    """Return which days a workbook counts: excel_1904 where it says so, as on old Macs."""
    try:
        with zipfile.ZipFile(path) as book:
            about = book.read("xl/workbook.xml")
    except (zipfile.BadZipFile, KeyError):
        about = b""
    told = re.search(rb"<(?:\w+:)?workbookPr\b[^>]*\bdate1904=[\"'](?:1|true)[\"']", about)
    return "excel_1904" if told else "excel_1900"


def _as_dates(texts: pl.Series, missing: Sequence[str], system: str) -> pl.Series | None:
    """Return a column with its serial numbers as ISO dates, as Excel's own dates stand in it."""
    text = texts.alias("text").str.strip_chars()
    number = text.cast(pl.Float64, strict=False).is_not_null() & ~text.is_in(list(missing))
    numbers = text.filter(number)
    if numbers.is_empty() or n_plausible(numbers, system) < len(numbers):
        return None
    # Excel rounds to milliseconds.
    date = to_moment(pl.col("text"), system).dt.strftime("%Y-%m-%d %H:%M:%S%.3f")
    date = date.str.replace(r"\.000$", "")
    given = pl.DataFrame({"text": text, "given": texts, "number": number})
    found = given.select(pl.when("number").then(date).otherwise("given"))
    return found.to_series().alias(texts.name)


def open_excel(source: Source, name: str, sheet: str | None) -> ExcelTable:
    """Open one sheet of an Excel file, every cell as text."""
    # Late: only Excel files need it.
    import fastexcel

    if source.n_bytes > _MANY_BYTES:
        log.info("reading %s, %s: that takes some seconds", name, in_bytes(source.n_bytes))
    try:
        workbook = fastexcel.read_excel(source.path)
        sheets = workbook.sheet_names
        wanted = sheet if sheet is not None else sheets[0]
        if wanted not in sheets:
            raise DataError(
                f"dataset.sheet={wanted}: {name} has no such sheet.{did_you_mean(wanted, sheets)} "
                f"Its sheets: {', '.join(sheets)}"
            )
        with ThreadPoolExecutor(1) as pool:
            floats = pool.submit(_as_floats, source.path, wanted)
            rows = workbook.load_sheet(wanted, dtypes="string").to_polars()
            numbers = floats.result()
    except (fastexcel.FastExcelError, *POLARS_ERRORS) as error:
        raise damaged(name, error) from error
    if not rows.columns:
        others = f" Its sheets: {', '.join(sheets)}" if len(sheets) > 1 else ""
        raise DataError(f"dataset.path={name}: the sheet {wanted!r} is empty.{others}")
    rows = rows.rename({column: column.strip() for column in rows.columns})
    _check_names(rows.columns, workbook, wanted, name)
    return ExcelTable(source.path, wanted, rows, numbers, name)


def _as_floats(path: Path, sheet: str) -> pl.DataFrame:
    """Return every row of a sheet from the first as numbers, null where a cell is none."""
    import fastexcel

    found: pl.DataFrame = (
        fastexcel.read_excel(path)
        .load_sheet(sheet, header_row=None, skip_rows=0, dtypes="float")
        .to_polars()
    )
    return found


def _check_names(names: list[str], workbook: Any, sheet: str, file: str) -> None:
    """Refuse a column that is there twice: the reader renames the second one, X to X_1."""
    if not any(re.fullmatch(r".+_\d+", n) and n.rpartition("_")[0] in names for n in names):
        return
    first = workbook.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string").to_polars()
    header = [str(cell).strip() for cell in first.row(0) if cell is not None]
    twice = sorted({cell for cell in header if header.count(cell) > 1})
    if twice:
        raise DataError(
            f"dataset.path={file}: the sheet {sheet!r} has the column {listed(twice)} more than "
            "once: remove or rename all but the right one"
        )
