"""What is in a file of transactions: how many rows, customers and invoices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segrun.errors import ConfigError, DataError

_COLUMNS = ["InvoiceNo", "CustomerID"]


@dataclass(frozen=True)
class Content:
    """What a file of transactions holds: rows, and different CustomerID and InvoiceNo."""

    n_rows: int
    n_customers: int
    n_invoices: int

    def differences(self, expected: Content) -> str:
        """Name each figure that is not the expected one; empty if all are."""
        pairs = zip(asdict(self).items(), asdict(expected).values(), strict=True)
        return ", ".join(
            f"{found:,} {name.removeprefix('n_')} instead of {wanted:,}"
            for (name, found), wanted in pairs
            if found != wanted
        )


def count_content(path: Path) -> Content:
    """Count rows, customers and invoices of a workbook or a CSV file.

    Which of the two it is, its first bytes say: the name may be a temporary one.

    Raises
    ------
    DataError
        If it is neither, or lacks a column.
    ConfigError
        If it is a workbook and fastexcel is not installed.
    """
    with path.open("rb") as file:
        is_workbook = file.read(4) == b"PK\x03\x04"
    frame = _workbook(path) if is_workbook else _csv(path)
    return Content(frame.height, _n_distinct(frame["CustomerID"]), _n_distinct(frame["InvoiceNo"]))


def _n_distinct(ids: Any) -> int:
    # A workbook knows only floating-point numbers: 17850 may read as 17850.0.
    texts = ids.str.strip_chars().str.replace(r"\.0+$", "")
    return int(texts.filter(texts != "").n_unique())


def _workbook(path: Path) -> Any:
    try:
        import fastexcel
    except ImportError as error:
        raise ConfigError(
            "reading a workbook needs fastexcel, which is not installed: pip install fastexcel, "
            "then give the same command again"
        ) from error
    try:
        # As text: a column of numbers would lose cancellations, whose number begins with C.
        sheet = fastexcel.read_excel(path).load_sheet(0, use_columns=_COLUMNS, dtypes="string")
        return sheet.to_polars()
    except fastexcel.FastExcelError as error:
        raise DataError(f"the workbook cannot be read: {_first_line(error)}") from error


def _csv(path: Path) -> Any:
    import polars as pl

    try:
        # As text for the same reason; the ids are ASCII, whatever the descriptions are in.
        return pl.read_csv(path, columns=_COLUMNS, infer_schema=False, encoding="utf8-lossy")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"the CSV file cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
