"""The transactions: what every dataset delivers and every feature set starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import narwhals as nw

#: The customer id's column in the frame, whatever the input calls it.
ID_COLUMN = "CustomerID"


@dataclass(frozen=True)
class Transactions:
    """Invoice lines as a lazy frame.

    Attributes
    ----------
    frame : narwhals.LazyFrame
        Columns ``CustomerID`` (text), ``InvoiceDate`` (datetime), ``Quantity`` (int64) and
        ``UnitPrice`` (float64); ``InvoiceNo, StockCode, Description, Country`` (text) where the
        input has them. Missing values are null.
    id_column : str
        What results call the customer id: its name in the input.
    fingerprint : mapping
        What identifies the input: source, and sha256 and size in bytes of the content.
    facts : mapping
        How the input was read, and what it looks like.
    quarantine : Path or None
        Lines that could not be read, if they are to be kept; goes when the dataset is closed.
    files : tuple of Path
        Parquet files that hold just the rows of `frame`, for engines that open files themselves;
        empty where there are none. They go, or may go, when the dataset is closed.
    from_cache : bool
        Whether the rows were read by an earlier run.
    by_polars : narwhals.LazyFrame or None
        The same rows by polars, where another engine has opened `frame`.
    """

    frame: nw.LazyFrame[Any]
    id_column: str
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

    def filter(self, condition: nw.Expr) -> Transactions:
        """Return the rows that fulfil a condition."""
        other = self.by_polars
        return replace(
            self, frame=self.frame.filter(condition), files=(),
            by_polars=None if other is None else other.filter(condition),
        )  # fmt: skip


def own_names(facts: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Return what the input calls columns of its rows; those that it has none for are left out.

    Parameters
    ----------
    facts : mapping
        How the input was read.
    columns : sequence of str
        Columns as the rows have them.
    """
    names: Mapping[str, str] = facts.get("names", {name: name for name in columns})
    return [names[column] for column in columns if column in names]
