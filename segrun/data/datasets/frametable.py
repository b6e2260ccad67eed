"""Tables whose rows have fields by themselves: Parquet files and Excel sheets."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from segrun.config import Decimal
from segrun.data.datasets.epochs import said_format
from segrun.data.datasets.quoting import clipped, listed
from segrun.data.datasets.serials import system_of, with_dates
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import LINE, POLARS_ERRORS
from segrun.errors import DataError
from segrun.formats import in_bytes
from segrun.nearest import did_you_mean

#: A thousand and more, or a fraction.
_GROUPED = r"^[+-]?\d{1,3}(\.\d{3})+$"

#: A sheet of some hundred thousand rows.
_MANY_BYTES = 5_000_000

log = logging.getLogger("segrun.data.datasets")


class FrameTable:
    """A table that polars has as a frame.

    Parameters
    ----------
    rows : LazyFrame
        The rows.
    name : str
        The file as the user named it, for messages.
    first : int
        Number of the first row.
    small : bool
        Whether the rows may be kept in memory.
    facts : mapping
        How it was read.
    """

    place = "row"

    def __init__(
        self, rows: pl.LazyFrame, name: str, first: int, small: bool, facts: Mapping[str, Any]
    ) -> None:
        self.small = small
        self._name, self._first, self.facts = name, first, facts
        self.names = rows.collect_schema().names()
        self._rows = self._shown = rows
        self._empty = pl.all_horizontal(pl.all().is_null())

    def frame(self) -> pl.LazyFrame:
        """Return every row that has a value."""
        return self._rows.filter(~self._empty)

    def numbered(self) -> pl.LazyFrame:
        """Return the same rows with their numbers."""
        return self._numbered(self._rows)

    def _numbered(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        numbered = rows.with_row_index(LINE, self._first)
        empty = pl.all_horizontal(pl.exclude(LINE).is_null())
        return numbered.filter(~empty).with_columns(pl.col(LINE).cast(pl.Int64))

    def faults(self) -> Mapping[int, str]:
        """Return nothing: every row has all fields."""
        return {}

    def texts(self, numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Yield rows as lines of CSV."""
        wanted = pl.col(LINE).is_in(list(numbers))
        for number, *values in self._numbered(self._shown).filter(wanted).collect().iter_rows():
            text = io.StringIO()
            csv.writer(text, lineterminator="").writerow(values)
            yield number, text.getvalue()

    def spot(self, number: int) -> tuple[str, int]:
        """Return the number of the row."""
        return "", number

    def hold_numbers(self, columns: Collection[str], decimal: Decimal, missing: list[str]) -> None:
        """Do nothing: numbers have their type."""

    def hold_dates(self, columns: Collection[str], missing: list[str]) -> None:
        """Do nothing: dates have their type."""

    def check_used(self, columns: Collection[str]) -> None:
        """Do nothing: what a file holds tells its schema."""

    def type_of(self, column: str) -> str | None:
        """Return the type of a column; that of a decimal number is as good as none."""
        found = self._rows.collect_schema()[column]
        if found.is_decimal():
            return None
        return str(found.base_type()) if found.is_numeric() else "String"

    def check_rows(self) -> None:
        """Do nothing: every row has all fields."""

    def explain(self, error: BaseException | None) -> DataError:
        """Say that the file is damaged."""
        return damaged(self._name, error)


class ExcelTable(FrameTable):
    """A sheet whose cells are text, those of numbers included.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str
        The sheet.
    texts, floats : DataFrame
        The rows as text, and as numbers from the sheet's first row on.
    name : str
        The file as the user named it.
    """

    def __init__(
        self, path: Path, sheet: str, texts: pl.DataFrame, floats: pl.DataFrame, name: str
    ) -> None:
        # Empty rows and the header are above.
        n_above = floats.height - texts.height
        facts = {"format": "excel", "sheet": sheet}
        super().__init__(texts.lazy(), name, n_above + 1, True, facts)
        self._path, self._sheet = path, sheet
        self._texts, self._floats = texts, floats[n_above:]

    def hold_numbers(self, columns: Collection[str], decimal: Decimal, missing: list[str]) -> None:
        """Write the numbers of number cells so that no decimal comma or point misreads them.

        Parameters
        ----------
        columns : collection of str
            The columns of numbers.
        decimal : Decimal
            How the texts among them are to be read.
        missing : list of str
            What stands for a missing value.
        """
        frame = self._texts
        for column in columns:
            place = self.names.index(column)
            cells = pl.DataFrame({"text": frame[column], "number": self._floats.to_series(place)})
            if _may_mislead(cells, decimal, missing):
                number = pl.when(self._are_numbers(place)).then(pl.col("number"))
                cells = cells.with_columns(number=number)
            frame = frame.with_columns(_unmistakable(cells, missing).alias(column))
        self._rows = frame.lazy()

    def hold_dates(self, columns: Collection[str], missing: list[str]) -> None:
        """Write serial numbers as the dates that they stand for, where all of a column do.

        Parameters
        ----------
        columns : collection of str
            The columns of dates.
        missing : list of str
            What stands for a missing value.
        """
        for column in columns:
            system = system_of(self._path)
            found = with_dates(self._texts[column], missing, system)
            if found is not None:
                self._rows = self._rows.with_columns(found)
                log.info(
                    "%s: bare numbers in %s are read as %s",
                    self._name, clipped(column), said_format(system),
                )  # fmt: skip

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


def damaged(name: str, error: BaseException | None) -> DataError:
    """Return what to say of a file that its reader refuses."""
    first = str(error).splitlines()[0]
    return DataError(
        f"dataset.path={name} is damaged, or not what its name or its first bytes say ({first}): "
        "copy or export it again"
    )


def open_excel(source: Source, name: str, sheet: str | None) -> ExcelTable:
    """Open one sheet of an Excel file, every cell as text.

    Typed by a guess, numbers of cancelled invoices (C536379) among plain ones become nulls.

    Raises
    ------
    DataError
        If the file is damaged, or has no such sheet.
    """
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
