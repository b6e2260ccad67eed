"""Rows about entities: what generic datasets deliver and declared columns start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import narwhals as nw

from segrun.config import ColumnKind
from segrun.data.datasets.transactions import ID_COLUMN, Transactions

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
    """Rows about entities as a lazy frame.

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
    fingerprint, facts : mapping
        What identifies the input, and how it was read.
    quarantine : Path or None
        Rows that could not be read, if they are to be kept; goes when the dataset is closed.
    files, from_cache, by_polars
        As of `Transactions`.
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


def as_rows(source: Transactions | Rows) -> Rows:
    """Return what a dataset delivers as rows: transactions are rows about customers."""
    if isinstance(source, Rows):
        return source
    names = source.frame.collect_schema().names()
    kinds = {name: kind for name, kind in TRANSACTION_KINDS.items() if name in names}
    return Rows(
        source.frame, ID_COLUMN, source.id_column, kinds, source.fingerprint, source.facts,
        source.quarantine, source.files, source.from_cache, source.by_polars,
    )  # fmt: skip
