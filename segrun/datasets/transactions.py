"""The transactions: what every dataset delivers and every feature set starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

#: The customer id's column in the UCI data and in the generated data.
ID_COLUMN = "CustomerID"


@dataclass(frozen=True)
class Transactions:
    """Invoice lines as a lazy frame.

    Attributes
    ----------
    frame : narwhals.LazyFrame
        Columns ``InvoiceNo, StockCode, Description, <id_column>, Country`` (text),
        ``Quantity`` (int64), ``UnitPrice`` (float64) and ``InvoiceDate`` (datetime), missing
        values null.
    id_column : str
        Name of the customer id column, as in the input.
    fingerprint : mapping
        What identifies the input: source, and sha256 and size in bytes of the content.
    """

    frame: nw.LazyFrame[Any]
    id_column: str
    fingerprint: Mapping[str, Any]
