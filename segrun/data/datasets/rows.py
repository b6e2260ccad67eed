"""The rows that every dataset delivers and every feature set starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import narwhals as nw

from segrun.config import ColumnKind

#: The customer id's column in transactions, whatever the input calls it.
ID_COLUMN = "CustomerID"

#: What the columns of transactions hold, besides the customer id.
TRANSACTION_KINDS = {
    "InvoiceNo": ColumnKind.text,
    "StockCode": ColumnKind.text,
    "Description": ColumnKind.text,
    "Quantity": ColumnKind.number,
    "InvoiceDate": ColumnKind.date,
    "UnitPrice": ColumnKind.number,
    "Country": ColumnKind.text,
}


@dataclass(frozen=True)
class Rows:
    """Rows about customers or other entities as a lazy frame.

    Attributes
    ----------
    frame : narwhals.LazyFrame
        The id (text) and the columns of `kinds`: text, float64 (int64 where all are whole) or
        datetime. Missing values are null.
    key : str
        The id's column in the frame.
    id_column : str
        What results call the id: its name in the input.
    kinds : mapping of str to ColumnKind
        The other columns.
    fingerprint : mapping
        What identifies the input: source, and sha256 and size in bytes of the content.
    facts : mapping
        How the input was read, and what it looks like.
    quarantine : Path or None
        Lines that could not be read, if they are to be kept; removed when the dataset is closed.
    files : tuple of Path
        Parquet files that hold just these rows, for engines that open files themselves; removed,
        or removable, when the dataset is closed.
    from_cache : bool
        Whether the rows were read by an earlier run.
    by_polars : narwhals.LazyFrame or None
        The same rows by polars, where another engine has opened `frame`.
    """

    frame: nw.LazyFrame[Any]
    key: str
    id_column: str
    kinds: Mapping[str, ColumnKind]
    fingerprint: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    quarantine: Path | None = None
    files: tuple[Path, ...] = ()
    from_cache: bool = False
    by_polars: nw.LazyFrame[Any] | None = None

    @property
    def in_polars(self) -> nw.LazyFrame[Any]:
        """The rows by polars: for the few steps that not every engine can do."""
        return self.frame if self.by_polars is None else self.by_polars

    def filter(self, condition: nw.Expr) -> Rows:
        """Return the rows that fulfil a condition."""
        other = self.by_polars
        return replace(
            self, frame=self.frame.filter(condition), files=(),
            by_polars=None if other is None else other.filter(condition),
        )  # fmt: skip


def invoice_lines(
    frame: nw.LazyFrame[Any],
    id_column: str,
    fingerprint: Mapping[str, Any],
    facts: Mapping[str, Any] | None = None,
    **more: Any,
) -> Rows:
    """Return invoice lines as rows about customers.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Columns ``CustomerID`` (text), ``InvoiceDate`` (datetime), ``Quantity`` (int64) and
        ``UnitPrice`` (float64); ``InvoiceNo, StockCode, Description, Country`` (text) where the
        input has them.
    id_column : str
        What results call the customer id.
    fingerprint, facts, **more
        As of `Rows`.
    """
    names = frame.collect_schema().names()
    return Rows(
        frame, ID_COLUMN, id_column, transaction_kinds(names), fingerprint, facts or {}, **more
    )


def transaction_kinds(names: Sequence[str]) -> dict[str, ColumnKind]:
    """Return what those of these columns hold that transactions have."""
    return {name: kind for name, kind in TRANSACTION_KINDS.items() if name in names}


def own_names(facts: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Return what the input calls columns of its rows; those that it has none for are left out."""
    names: Mapping[str, str] = facts.get("names", {name: name for name in columns})
    return [names[column] for column in columns if column in names]
