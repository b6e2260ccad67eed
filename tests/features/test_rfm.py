import logging
import math

import numpy as np
import pytest

from segrun.config import Amount, Cancellations, DropMissing, Orders
from segrun.errors import DataError


@pytest.fixture
def shop(line):
    """Ann buys twice in three lines and returns one; Bob buys once; a guest buys."""
    return [
        line("ann", "2011-03-01T10:00", 2, 2.50, "1"),
        line("ann", "2011-03-01T10:00", 1, 0.10, "1"),
        line("bob", "2011-03-05T09:00", 10, 1.25, "2"),
        line("ann", "2011-03-06T08:00", 3, 2.50, "3"),
        line("ann", "2011-03-07T11:00", -1, 2.50, "C4"),
        line(None, "2011-03-08T10:00", 5, 9.99, "5"),
        line("bob", "2011-03-09T09:59", 1, 4.00, "6", Description=None),
    ]


def table(built):
    customers = built.all_customers
    return {c: dict(zip(customers.columns, row, strict=True)) for c, row in zip(
        customers.ids, zip(*(v.tolist() for v in customers.columns.values()), strict=True),
        strict=True,
    )}  # fmt: skip


def test_the_kits_rules_by_hand(features, shop):
    built = features(shop, calendar=False)
    assert table(built) == {
        # (5 + 0.1 + 7.5 - 2.5) / 4; the last complete line is Ann's own.
        "ann": {"Amount": 2.525, "NumberOfOrders": 4, "Recency": 0},
        # 7 March 11:00 is 2 days and 2 hours later.
        "bob": {"Amount": 12.5, "NumberOfOrders": 1, "Recency": 2},
    }
    assert built.facts["n_lines"] == 7
    assert built.facts["dropped"] == {"features.drop_missing=any_column": 2}
    assert built.facts["first_line"] == "2011-03-01T10:00:00"
    assert built.facts["last_line"] == built.facts["reference_date"] == "2011-03-07T11:00:00"
    assert built.facts["customers"] == built.facts["clustered"] == 2


def test_only_needed_columns_must_be_there(features, shop):
    built = features(shop, calendar=False, drop_missing=DropMissing.needed_columns)
    # Bob's line without description counts: (12.5 + 4) / 2, and it is the latest.
    assert table(built)["bob"] == {"Amount": 8.25, "NumberOfOrders": 2, "Recency": 0}
    assert table(built)["ann"]["Recency"] == 1
    assert built.facts["dropped"] == {"features.drop_missing=needed_columns": 1}


@pytest.mark.parametrize("column", ["Quantity", "UnitPrice", "InvoiceDate", "CustomerID"])
def test_a_line_without_a_needed_column_is_dropped(features, shop, column):
    shop[0][column] = None
    built = features(shop, calendar=False, drop_missing=DropMissing.needed_columns)
    assert built.facts["dropped"] == {"features.drop_missing=needed_columns": 2}


def test_the_invoice_number_is_needed_only_where_it_is_used(features, shop):
    shop[0]["InvoiceNo"] = None
    dropped = [
        features(shop, drop_missing=DropMissing.needed_columns, **more).facts["dropped"][
            "features.drop_missing=needed_columns"
        ]
        for more in ({}, {"orders": Orders.invoices}, {"cancellations": Cancellations.remove})
    ]
    assert dropped == [1, 2, 2]


def test_cancellations_can_be_removed(features, shop):
    built = features(shop, calendar=False, cancellations=Cancellations.remove)
    assert table(built)["ann"] == {"Amount": 4.2, "NumberOfOrders": 3, "Recency": 0}
    assert built.facts["dropped"] == {
        "features.drop_missing=any_column": 2,
        "features.cancellations=remove": 1,
    }
    assert built.facts["last_line"] == "2011-03-06T08:00:00"


def test_orders_can_be_invoices(features, shop):
    built = features(shop, calendar=False, orders=Orders.invoices)
    assert table(built)["ann"] == {"Amount": 2.525, "NumberOfOrders": 3, "Recency": 0}
    assert table(built)["bob"]["NumberOfOrders"] == 1


def test_the_amount_can_be_the_total(features, shop):
    built = features(shop, calendar=False, amount=Amount.total)
    assert [row["Amount"] for row in table(built).values()] == [10.1, 12.5]


@pytest.mark.parametrize(
    ("date", "recency", "late"),
    [
        ("2011-03-06T08:00", [0, None], 1),
        ("2011-03-06", [0, None], 1),
        ("2011-03-06T07:59", [4, None], 2),
        ("2011-03-05", [4, None], 2),
        ("2011-12-31", [299, None], 0),
    ],
)
def test_recency_counts_back_from_the_reference_date(features, shop, date, recency, late):
    built = features(shop, calendar=False, reference_date=date)
    assert table(built)["ann"]["Recency"] == recency[0]
    assert built.facts["dropped"][f"features.reference_date={date}"] == late


def test_a_date_alone_counts_until_its_end(features, line):
    dates = {"a": "2011-03-05T23:59", "b": "2011-03-06T00:00", "c": "2011-03-06T23:59"}
    lines = [line(customer, date) for customer, date in dates.items()]
    built = features(lines, calendar=False, reference_date="2011-03-06")
    assert built.all_customers.columns["Recency"].tolist() == [1, 0, 0]


def test_nothing_left_is_an_error_that_counts_what_each_rule_dropped(features, shop):
    with pytest.raises(DataError) as error:
        features(shop, cancellations=Cancellations.remove, reference_date="2011-02-28")
    assert str(error.value).startswith(
        "no line remains of 7: features.drop_missing=any_column dropped 2, "
        "features.cancellations=remove dropped 1, features.reference_date=2011-02-28 dropped 4"
    )


def test_rows_are_ordered_by_id_as_text_and_types_are_those_promised(features, line):
    lines = [line(c, f"2011-03-0{i}", i) for i, c in enumerate(["9", "10", "é", "Z", "a"], 1)]
    customers = features(lines).all_customers
    assert customers.ids.tolist() == ["10", "9", "Z", "a", "é"]
    assert customers.ids.dtype == object
    kinds = {name: str(values.dtype) for name, values in customers.columns.items()}
    assert kinds.pop("Amount") == "float64"
    assert set(kinds.values()) == {"int64"}


def test_sums_are_exact_where_floats_are_not(features, line):
    lines = [line("a", "2011-03-01", 1, 0.1) for _ in range(10)] + [line("b", "2011-03-02")]
    built = features(lines, amount=Amount.total)
    assert sum([0.1] * 10) != 1.0
    assert built.all_customers.columns["Amount"].tolist() == [1.0, 1.0]


@pytest.mark.heavy
def test_prices_below_a_millionth_count(features, line):
    # 2.01 * 1e6 is a bit less than 2010000.
    prices = {"a": 0.0000014, "b": 1e-22, "c": 2.01, "d": -5.5}
    lines = [line(customer, "2011-03-01", 3, price) for customer, price in prices.items()]
    built = features(lines, amount=Amount.total)
    assert built.all_customers.columns["Amount"].tolist() == [4.2e-6, 3e-22, 6.03, -16.5]


@pytest.mark.parametrize(
    ("quantity", "price", "n_lines"),
    [(2**62, 2.0**65, 1), (1, 1e300, 1), (1, math.inf, 1), (10**6, 5e31, 2), (-(10**6), 5e31, 2)],
)
def test_a_sum_that_integers_cannot_hold_is_an_error(features, line, quantity, price, n_lines):
    lines = [line("ann", "2011-03-01", quantity, price) for _ in range(n_lines)]
    with pytest.raises(DataError, match="customer ann are too large"):
        features([*lines, line("bob", "2011-03-02")])


@pytest.mark.parametrize("n_lines", [4, 5, 9, 10, 40])
def test_amounts_on_both_sides_of_64_bits_are_exact(features, line, n_lines):
    lines = [line("ann", "2011-03-01", 10**6, 1e6) for _ in range(n_lines)]
    built = features([*lines, line("bob", "2011-03-02", 1, 0.5)], amount=Amount.total)
    assert built.all_customers.columns["Amount"].tolist() == [n_lines * 1e12, 0.5]


def test_constant_columns_are_named_in_a_warning(features, line, caplog):
    features([line("a", "2011-03-01", 1), line("b", "2011-03-01", 2)], calendar=False)
    (warning,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert warning.name == "segrun.features"
    assert warning.getMessage().endswith(": NumberOfOrders, Recency")


def test_only_constant_columns_are_an_error(features, line):
    with pytest.raises(DataError, match="every feature is constant over the 2 customers"):
        features([line("a", "2011-03-01"), line("b", "2011-03-01")])


@pytest.mark.heavy
def test_the_same_lines_give_the_same_bytes(features, line):
    rng = np.random.default_rng(0)
    prices = rng.lognormal(1, 1, 20_000).round(2)
    lines = [line(str(i % 97), f"2011-03-{i % 28 + 1:02}", i % 13, p) for i, p in enumerate(prices)]
    first, again = (features(lines).all_customers for _ in range(2))
    assert first.X().tobytes() == again.X().tobytes()
    assert first.ids.tolist() == again.ids.tolist()
