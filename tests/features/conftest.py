"""Small tables of transactions."""

from datetime import datetime

import narwhals as nw
import polars as pl
import pytest

from segrun.config import (
    Amount,
    Cancellations,
    DropMissing,
    Orders,
    OutlierConfig,
    OutlierRule,
    RfmCalendarConfig,
    RfmConfig,
    Weekdays,
)
from segrun.data.datasets import invoice_lines
from segrun.features import build, check

SCHEMA = {
    "InvoiceNo": pl.String, "StockCode": pl.String, "Description": pl.String,
    "Quantity": pl.Int64, "InvoiceDate": pl.Datetime("us"), "UnitPrice": pl.Float64,
    "CustomerID": pl.String, "Country": pl.String,
}  # fmt: skip


def rules(*, calendar=True, outliers=None, **changes):
    """The kit's rules with changes; `outliers` changes those of the outlier rule."""
    aside = {
        "rule": OutlierRule.quantile,
        "low": 0.05, "high": 0.95, "factor": 1.5,
        "columns": ["Amount", "Recency", "NumberOfOrders"],
    } | (outliers or {})  # fmt: skip
    values = {
        "name": "rfm_calendar" if calendar else "rfm",
        "drop_missing": DropMissing.any_column,
        "cancellations": Cancellations.keep,
        "orders": Orders.lines,
        "amount": Amount.mean_per_line,
        "reference_date": None,
        "outliers": OutlierConfig(**aside),
    } | changes
    if not calendar:
        return RfmConfig(**values)
    return RfmCalendarConfig(**{"weekdays": Weekdays.kit} | values)


@pytest.fixture(scope="session")
def kit():
    """The kit's rules."""
    return rules()


@pytest.fixture
def settings():
    """The kit's rules with changes: settings(orders=Orders.invoices)."""
    return rules


@pytest.fixture
def line():
    """One line; keywords change its values, dates are ISO text."""

    def made(customer, date, quantity=1, price=1.0, invoice="1", **changes):
        values = {
            "InvoiceNo": invoice, "StockCode": "A", "Description": "LANTERN",
            "Quantity": quantity, "InvoiceDate": date and datetime.fromisoformat(date),
            "UnitPrice": price, "CustomerID": customer, "Country": "EIRE",
        }  # fmt: skip
        return values | changes

    return made


@pytest.fixture
def transactions():
    """Lines as transactions."""

    def made(lines):
        frame = pl.DataFrame(lines, schema=SCHEMA, orient="row")
        return invoice_lines(nw.from_native(frame.lazy()), "CustomerID", {})

    return made


@pytest.fixture
def features(transactions):
    """Build features of lines without outlier rule, by changes of the kit's rules."""

    def built(lines, **changes):
        config = rules(**{"outliers": {"rule": OutlierRule.none}} | changes)
        check(config)
        return build(transactions(lines), config)

    return built


@pytest.fixture
def total_rules():
    """Amount in all, only lines dropped that lack something needed, every customer kept."""
    return rules(
        calendar=False,
        amount=Amount.total,
        drop_missing=DropMissing.needed_columns,
        outliers={"rule": OutlierRule.none},
    )


@pytest.fixture(scope="session")
def declaring():
    """Rows and declared columns in few words: see declaring.py."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location(
        "declaring", Path(__file__).with_name("declaring.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
