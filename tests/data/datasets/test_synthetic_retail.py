from datetime import datetime

import numpy as np
import polars as pl
import pytest

from segrun.config import SyntheticRetailConfig, check_ranges
from segrun.data.datasets import load
from segrun.data.datasets.synthetic_retail import TYPES, generate
from segrun.errors import ConfigError


@pytest.fixture(scope="module")
def retailer():
    """The embedded default, with the true types."""
    return generate(4300, 0)


@pytest.fixture(scope="module")
def lines(retailer):
    return retailer[0]


def fingerprint(n_customers, seed, folder):
    with load(SyntheticRetailConfig("synthetic_retail", n_customers), seed, folder) as transactions:
        return transactions.fingerprint


@pytest.mark.heavy
def test_the_form_is_that_of_the_uci_data(lines):
    assert dict(lines.schema) == {
        "InvoiceNo": pl.String, "StockCode": pl.String, "Description": pl.String,
        "Quantity": pl.Int64, "InvoiceDate": pl.Datetime("us"), "UnitPrice": pl.Float64,
        "CustomerID": pl.String, "Country": pl.String,
    }  # fmt: skip
    assert 300_000 < len(lines) < 500_000
    assert lines["InvoiceDate"].is_sorted()
    assert lines["InvoiceDate"].min() >= datetime(2010, 12, 1)
    assert lines["InvoiceDate"].max() < datetime(2011, 12, 10)


def test_every_customer_has_a_complete_line(retailer):
    lines, truth = retailer
    complete = lines.drop_nulls()["CustomerID"].unique()
    assert truth["CustomerID"].n_unique() == 4300
    assert sorted(complete) == sorted(truth["CustomerID"])


def test_missing_values_are_as_in_the_uci_data(lines):
    missing = lines["CustomerID"].is_null()
    assert 0.24 < missing.mean() < 0.26
    untitled = lines["Description"].is_null()
    assert 0 < untitled.sum() < missing.sum() / 20
    assert missing.filter(untitled).all()
    assert lines.drop("CustomerID", "Description").null_count().sum_horizontal().item() == 0


def test_cancellations_alone_have_negative_quantities(lines):
    cancelled = lines["InvoiceNo"].str.starts_with("C")
    assert 0.005 < cancelled.mean() < 0.05
    assert ((lines["Quantity"] < 0) == cancelled).all()
    assert (lines["Quantity"] != 0).all()


def test_an_invoice_has_one_customer_and_one_moment(lines):
    invoices = lines.group_by("InvoiceNo").agg(
        pl.col("CustomerID", "InvoiceDate").n_unique(), n=pl.len()
    )
    assert (invoices["CustomerID"] == 1).all()
    assert (invoices["InvoiceDate"] == 1).all()
    assert invoices["n"].mean() > 5


def test_prices_have_two_decimals(lines):
    pence = lines["UnitPrice"] * 100
    assert ((pence - pence.round()).abs() < 1e-6).all()
    assert (lines["UnitPrice"] >= 0).all()


def test_nothing_is_sold_on_saturdays_and_most_in_autumn(lines):
    assert (lines["InvoiceDate"].dt.weekday() != 6).all()
    months = lines["InvoiceDate"].dt.month()
    per_month = [int((months == m).sum()) for m in range(1, 13)]
    assert np.argmax(per_month) + 1 in (10, 11)
    assert max(per_month) > 2 * per_month[1]


def test_spending_is_skewed(lines):
    spent = (
        lines.drop_nulls()
        .group_by("CustomerID")
        .agg((pl.col("Quantity") * pl.col("UnitPrice")).sum().alias("spent"))["spent"]
        .sort(descending=True)
    )
    assert spent.head(430).sum() > 0.5 * spent.sum()


def test_planted_types_are_there_in_their_shares(retailer):
    counts = dict(retailer[1]["type"].value_counts().iter_rows())
    assert counts == {t.name: pytest.approx(t.share * 4300, abs=1) for t in TYPES}


@pytest.mark.heavy
def test_planted_types_behave_as_they_are_called(retailer):
    lines, truth = retailer
    bought = lines.filter(pl.col("Quantity") > 0).join(truth, on="CustomerID")
    per_type = {name: frame for (name,), frame in bought.group_by("type")}
    orders = {
        name: frame.group_by("CustomerID").agg(pl.col("InvoiceNo").n_unique())["InvoiceNo"]
        for name, frame in per_type.items()
    }
    assert (orders["one_timer"] == 1).all()
    assert orders["wholesaler"].mean() > 2 * orders["regular"].mean() > 4
    assert set(per_type["gift_season"]["InvoiceDate"].dt.month().unique()) == {10, 11, 12}
    assert per_type["lapsed"]["InvoiceDate"].max() < datetime(2011, 5, 1)
    assert (
        per_type["wholesaler"]["Quantity"].median() > 3 * per_type["regular"]["Quantity"].median()
    )


@pytest.mark.parametrize("n_customers", [2, 3, 20])
def test_few_customers_are_enough(n_customers):
    lines, truth = generate(n_customers, 1)
    assert lines.drop_nulls()["CustomerID"].n_unique() == len(truth) == n_customers


def test_every_type_is_among_twenty_customers():
    assert set(generate(20, 5)[1]["type"]) == {t.name for t in TYPES}


@pytest.mark.heavy
def test_a_seed_repeats_the_content_and_another_differs(tmp_path):
    first, again, other = (fingerprint(50, seed, tmp_path) for seed in (3, 3, 4))
    assert first == again
    assert first["sha256"] != other["sha256"]
    assert first["n_lines"] == len(generate(50, 3)[0])
    assert list(tmp_path.iterdir()) == []


def test_fewer_than_two_customers_are_refused():
    with pytest.raises(ConfigError, match=r"dataset\.n_customers must be at least 2. Got 1"):
        check_ranges(SyntheticRetailConfig("synthetic_retail", 1), "dataset")
