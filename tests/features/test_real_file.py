"""The UCI file: features equal the kit's rules computed apart, in plain pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from segrun.config import DateOrder
from segrun.data.datasets import load
from segrun.features import build

COLUMNS = (
    "Amount NumberOfOrders Recency Friday Monday Sunday Thursday Tuesday Wednesday "
    "April August December February January July June March May November October September"
).split()


@pytest.fixture(scope="module")
def lines(online_retail):
    lines = pd.read_csv(
        online_retail, encoding="ISO-8859-1", keep_default_na=False, na_values=[""], dtype=str
    ).dropna()
    return lines.assign(
        Amount=lines["Quantity"].astype(int) * lines["UnitPrice"].astype(float),
        Date=pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M"),
    )


@pytest.fixture(scope="module")
def expected(lines):
    by_customer = lines.groupby("CustomerID")
    table = pd.DataFrame(
        {
            "Amount": by_customer["Amount"].mean(),
            "NumberOfOrders": by_customer.size(),
            "Recency": (lines["Date"].max() - by_customer["Date"].max()).dt.days,
        }
    )
    for name in (lines["Date"].dt.day_name(), lines["Date"].dt.month_name()):
        table = table.join(pd.crosstab(lines["CustomerID"], name))
    return table[COLUMNS].sort_index()


@pytest.fixture(scope="module")
def read(online_retail, kit, tmp_path_factory, settings_of):
    """Read the file and build its features, by settings of dataset.encoding and date_order."""

    def once(encoding, order):
        config = settings_of(online_retail, encoding=encoding, date_order=order)
        with load(config, 0, tmp_path_factory.mktemp("cache")) as transactions:
            return build(transactions, kit)

    return once


@pytest.fixture(scope="module")
def built(read):
    return read("auto", DateOrder.auto)


def assert_equal(customers, expected):
    assert customers.ids.tolist() == expected.index.tolist()
    assert customers.feature_names == COLUMNS
    for name in COLUMNS[1:]:
        assert customers.columns[name].dtype == np.int64
        assert (customers.columns[name] == expected[name].to_numpy()).all(), name
    amounts = customers.columns["Amount"] - expected["Amount"].to_numpy()
    assert np.abs(amounts).max() <= 1e-9


def test_every_customer_has_the_features_of_the_kit(built, expected):
    assert len(expected) == 4372
    assert_equal(built.all_customers, expected)


def test_the_customers_kept_are_those_of_the_kits_rule(built, expected):
    for column in ("Amount", "Recency", "NumberOfOrders"):
        low, high = expected[column].quantile([0.05, 0.95])
        margin = 1.5 * (high - low)
        expected = expected[expected[column].between(low - margin, high + margin)]
    assert len(expected) == 4256
    assert_equal(built.customers, expected)


def test_facts_count_every_line(built, lines):
    assert built.facts["n_lines"] == 541_909
    assert built.facts["dropped"] == {"features.drop_missing=any_column": 541_909 - len(lines)}
    assert built.facts["first_line"] == lines["Date"].min().isoformat()
    assert built.facts["reference_date"] == lines["Date"].max().isoformat()
    assert built.facts["set_aside"] == {"Amount": 87, "Recency": 0, "NumberOfOrders": 29}


def test_explicit_settings_read_the_same_bits(read, built):
    again = read("iso-8859-1", DateOrder.month_first)
    assert again.facts == built.facts
    assert again.all_customers.ids.tolist() == built.all_customers.ids.tolist()
    assert again.all_customers.X().tobytes() == built.all_customers.X().tobytes()
    assert again.customers.X().tobytes() == built.customers.X().tobytes()
