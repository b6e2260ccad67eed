"""What rfm tells of customers besides their features, against pandas."""

import numpy as np
import pandas as pd
import pytest

from segrun.config import Amount, Orders, Weekdays
from segrun.data.datasets import load
from segrun.features import build


@pytest.fixture(scope="module")
def retailer(composed):
    return composed("dataset.n_customers=150").dataset


@pytest.fixture(scope="module")
def lines(retailer):
    with load(retailer, 0) as transactions:
        found = pd.DataFrame(transactions.frame.collect("polars").to_dict(as_series=False))
    return found.dropna()


@pytest.fixture
def told(retailer, settings):
    def built(*, about=True, **changes):
        with load(retailer, 0) as transactions:
            return build(transactions, settings(**changes), about=about)

    return built


@pytest.mark.heavy
def test_each_column_is_what_pandas_says(told, lines):
    built = told(calendar=False)
    about, by = built.about.columns, lines.groupby("CustomerID")
    assert built.about.ids.tolist() == built.all_customers.ids.tolist()
    assert about["Invoices"].tolist() == by["InvoiceNo"].nunique().tolist()
    total = by.apply(lambda bought: (bought["Quantity"] * bought["UnitPrice"]).sum())
    assert np.allclose(about["TotalSpent"], total)
    days = (lines["InvoiceDate"].max() - by["InvoiceDate"].min()).dt.days
    assert about["FirstPurchase"].tolist() == days.tolist()
    country = by["Country"].agg(lambda texts: texts.mode().sort_values().iloc[0])
    assert about["Country"].tolist() == country.tolist()
    dates = pd.DataFrame({"id": lines["CustomerID"], "day": lines["InvoiceDate"].dt.day_name(),
                          "month": lines["InvoiceDate"].dt.month_name()})  # fmt: skip
    for part in ("day", "month"):
        counts = pd.crosstab(dates["id"], dates[part])
        for name in counts:
            assert about[name].tolist() == counts[name].tolist()


@pytest.mark.heavy
def test_what_is_clustered_on_is_not_told_again(told):
    plain = told(calendar=False, amount=Amount.total, orders=Orders.invoices)
    assert {"Invoices", "TotalSpent"} & set(plain.about.columns) == set()
    calendar = told(weekdays=Weekdays.kit).about.columns
    assert set(calendar) == {"Country", "FirstPurchase", "Invoices", "TotalSpent", "Saturday"}
    assert "Saturday" not in told(weekdays=Weekdays.all).about.columns


@pytest.mark.heavy
def test_nothing_is_told_and_no_feature_differs_unless_asked(told):
    assert told(about=False).about is None
    assert told(about=False).customers.X().tobytes() == told().customers.X().tobytes()
