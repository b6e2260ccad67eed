"""Batches in any order come to the features of one read, bit for bit."""

import itertools
from datetime import datetime, timedelta
from decimal import Decimal

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from segrun.config import (
    Amount,
    Cancellations,
    DropMissing,
    Orders,
    OutlierConfig,
    OutlierRule,
    RfmCalendarConfig,
    Unknown,
    Weekdays,
)
from segrun.data.datasets import invoice_lines
from segrun.errors import DataError
from segrun.features import build
from segrun.using.ingest.database import transaction

pytestmark = pytest.mark.heavy

#: Shrinking takes minutes.
UNSHRUNK = [Phase.reuse, Phase.generate]
DAY = datetime(2024, 3, 1)
#: A missing value now and then: a row with one often counts for nothing.
maybe = lambda values: st.one_of(values, values, values, values, values, st.none())  # noqa: E731
moments = st.integers(0, 2_000_000_000).map(lambda us: DAY + timedelta(microseconds=us * 700))
#: Cents; up to 7 decimals; any float; a zero below zero.
prices = st.one_of(
    st.integers(-500, 5000).map(lambda cents: cents / 100),
    st.integers(-(10**9), 10**9).map(lambda units: units / 10**7),
    st.floats(-1e6, 1e6, allow_nan=False, width=64),
    st.sampled_from([-0.0, 0.0, 1 / 3, 1e-9 / 3, 4e9, 2.55]),
)

ROWS = {
    "id": pl.String, "group": pl.String, "place": pl.String, "n": pl.Float64, "price": pl.Float64,
    "when": pl.Datetime("us"),
}  # fmt: skip
rows = st.lists(
    st.tuples(
        maybe(st.sampled_from(["a", "b", "ä", "01"])),
        maybe(st.sampled_from(["p", "q", "r"])),
        maybe(st.sampled_from(["x y", "é", "q"])),
        maybe(st.integers(-9, 9).map(float)),
        maybe(prices),
        maybe(moments),
    ),
    min_size=1,
    max_size=25,
)

ASKED = [
    ("count", None), ("count", "price"), ("distinct", "place"), ("distinct", "price"),
    ("distinct", "when"), ("sum", "n"), ("sum", "price"), ("sum", "n * price"), ("mean", "price"),
    ("mean", "n * price"), ("share", None), ("share", "price"), ("min", "price"), ("max", "price"),
    ("first", "place"), ("last", "place"), ("first", "price"), ("last", "price"),
    ("days_since", None), ("days_since_first", None),
]  # fmt: skip


def batches_of(data, frame):
    """The rows of a frame in any order, in batches of any size, some without a row."""
    order = data.draw(st.permutations(range(len(frame))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frame)), max_size=4)))
    edges = [0, *cuts, len(frame)]
    return [
        frame[list(order[a:b])] if b > a else frame.clear() for a, b in itertools.pairwise(edges)
    ]


def check_functions(declaring, merged, same, drawn):
    found, asked, where, per, reference, data = drawn
    # One row that counts: without any, neither road has features.
    frame = pl.DataFrame([*found, ("a", "p", "q", 3.0, 1.5, DAY)], schema=ROWS, orient="row")
    usual = {"missing": -1.5, "where": where, "per": "group" if per else None}
    columns = {}
    for i, (function, of) in enumerate(asked):
        own = dict(usual)
        if function in ("first", "last") and of == "place":
            own |= {"missing": "none", "unknown": Unknown.ignore, "categories": ["é", "q"]}
        if function == "share" and not per:
            own["where"] = "n <= 3"
        columns[f"c{i}"] = declaring.column(function, of, **own)
    config = declaring.aggregate(columns, reference_date=reference)
    whole = build(declaring.rows_of(frame), config, cluster=False)
    parts = [declaring.rows_of(batch) for batch in batches_of(data, frame)]
    state = merged(parts, config, whole.facts["fitted"])
    same(state.customers(), whole.all_customers)
    for name in ("n_lines", "dropped", "first_line", "last_line"):
        assert state.totals.get(name) == whole.facts.get(name)


drawn = st.tuples(
    rows,
    st.lists(st.sampled_from(ASKED), min_size=1, max_size=4, unique=True),
    st.sampled_from([None, "n > 2", "place == 'q' or price >= 1.5"]),
    st.booleans(),
    st.sampled_from([None, "2024-03-08"]),
    st.data(),
)


@settings(deadline=None, max_examples=8, phases=UNSHRUNK)
@given(drawn=drawn)
def test_declared_columns(declaring, merged, same, drawn):
    check_functions(declaring, merged, same, drawn)


@pytest.mark.slow
@settings(deadline=None, max_examples=300, phases=UNSHRUNK)
@given(drawn=drawn)
def test_declared_columns_often(declaring, merged, same, drawn):
    check_functions(declaring, merged, same, drawn)


LINES = {
    "InvoiceNo": pl.String, "Country": pl.String, "Quantity": pl.Int64,
    "InvoiceDate": pl.Datetime("us"), "UnitPrice": pl.Float64, "CustomerID": pl.String,
}  # fmt: skip
lines = st.lists(
    st.tuples(
        maybe(st.sampled_from(["1", "2", "3", "C4"])),
        maybe(st.sampled_from(["EIRE", "é"])),
        maybe(st.integers(-50, 50)),
        maybe(moments),
        maybe(prices),
        maybe(st.sampled_from(["17850", "12345", "ä"])),
    ),
    min_size=1,
    max_size=25,
)
ASIDE = OutlierConfig(OutlierRule.none, 0.05, 0.95, 1.5, [])


@settings(deadline=None, max_examples=8, phases=UNSHRUNK)
@given(
    found=lines,
    missing=st.sampled_from(DropMissing),
    cancellations=st.sampled_from(Cancellations),
    orders=st.sampled_from(Orders),
    amount=st.sampled_from(Amount),
    reference=st.sampled_from([None, "2024-03-08"]),
    data=st.data(),
)
def test_transactions(merged, same, found, missing, cancellations, orders, amount, reference, data):
    config = RfmCalendarConfig(
        name="rfm_calendar", drop_missing=missing, cancellations=cancellations, orders=orders,
        amount=amount, reference_date=reference, outliers=ASIDE, weekdays=Weekdays.all,
    )  # fmt: skip

    def transactions(frame):
        return invoice_lines(nw.from_native(frame.lazy()), "CustomerID", {})

    frame = pl.DataFrame([*found, ("1", "é", 2, DAY, 2.55, "ä")], schema=LINES, orient="row")
    whole = build(transactions(frame), config, cluster=False)
    state = merged([transactions(batch) for batch in batches_of(data, frame)], config)
    same(state.customers(), whole.all_customers)


def test_products_count_as_their_digits_whatever_other_batches_have(declaring, merged, same):
    # 1.1 * 3 is 3.3000000000000003 as float64.
    config = declaring.aggregate({"Total": declaring.column("sum", "n * price")})
    made = [
        pl.DataFrame({"id": ["a"] * 7, "n": [float(n) for n in range(7)], "price": [1.1] * 7}),
        pl.DataFrame({"id": ["b"], "n": [1.0], "price": [0.12345678901]}),
    ]
    whole = build(declaring.rows_of(pl.concat(made)), config, cluster=False)
    alone = build(declaring.rows_of(made[0]), config, cluster=False).all_customers
    assert whole.all_customers.columns["Total"].tolist() == [23.1, 0.12345678901]
    for order in (made, made[::-1]):
        state = merged([declaring.rows_of(frame) for frame in order], config, {"values": {}})
        same(state.customers(), whole.all_customers)
    same(merged([declaring.rows_of(made[0])], config, {"values": {}}).customers(), alone)


def test_a_customer_with_no_value_then_a_finer_one_then_a_usual_one(declaring, merged, same):
    asked = ["min", "max", "sum", "mean", "first", "last", "distinct"]
    columns = {name: declaring.column(name, "price") for name in asked}
    columns |= {name: declaring.column(name) for name in ("days_since", "days_since_first")}
    config = declaring.aggregate(columns)
    prices = [(None, None), (0.12345678, DAY + timedelta(days=3)), (2.5, DAY), (2.5, DAY)]
    made = [
        pl.DataFrame([("a", price, when), ("b", 1.0, DAY)], orient="row",
                     schema={name: ROWS[name] for name in ("id", "price", "when")})
        for price, when in prices
    ]  # fmt: skip
    whole = build(declaring.rows_of(pl.concat(made)), config, cluster=False)
    assert whole.all_customers.columns["sum"][0] == 5.12345678
    for i in range(4):
        order = made[i:] + made[:i]
        state = merged([declaring.rows_of(frame) for frame in order], config, {"values": {}})
        same(state.customers(), whole.all_customers)


#: Up to a thousand billion with cents, or whole billions: a few of them pass 64 bits of millionths.
amounts = st.one_of(
    st.integers(-(10**14), 10**14).map(lambda cents: Decimal(cents) / 100),
    st.integers(-999, 999).map(lambda n: Decimal(n) * 10**6),
    st.integers(10**17, 10**18).map(Decimal),
)


@settings(deadline=None, max_examples=15, phases=UNSHRUNK)
@given(
    found=st.lists(st.tuples(st.sampled_from("abc"), amounts), min_size=1, max_size=40),
    data=st.data(),
)
def test_totals_beyond_64_bits_are_those_of_decimals(declaring, merged, found, data):
    config = declaring.aggregate({"Total": declaring.column("sum", "price * n"),
                                  "Price": declaring.column("sum", "price")})  # fmt: skip
    rows = [(i, float(amount), 1.0) for i, amount in found]
    frame = pl.DataFrame(rows, orient="row", schema=["id", "price", "n"])
    state = merged(
        [declaring.rows_of(batch) for batch in batches_of(data, frame)], config, {"values": {}}
    )
    ids = sorted({i for i, _ in found})
    totals = [float(sum(amount for i, amount in found if i == own)) for own in ids]
    customers = state.customers()
    assert customers.ids.tolist() == ids
    assert customers.columns["Total"].tolist() == customers.columns["Price"].tolist() == totals


@pytest.mark.parametrize("price", [999_999_999.99, -999_999_999.99])
def test_small_values_that_pass_64_bits_only_together(declaring, merged, price):
    config = declaring.aggregate({"Total": declaring.column("sum", "price")})
    rows = declaring.rows_of(pl.DataFrame({"id": ["a"] * 2500 + ["b"], "price": [price] * 2501}))
    for n in (1, 2, 4, 5):
        total = Decimal(str(price)) * 2500 * n
        found = merged([rows] * n, config, {"values": {}}).customers().columns["Total"]
        assert found.tolist() == [float(total), float(total / 2500)]


def test_sums_too_large_only_together_are_refused_and_change_nothing(declaring, merged, same):
    config = declaring.aggregate({"Total": declaring.column("sum", "price")})
    rows = declaring.rows_of(pl.DataFrame({"id": ["a"], "price": [6e37]}))
    state = merged([rows], config, {"values": {}})
    before, part = state.customers(), state.part(rows)

    def merge():
        with transaction(state.connection):
            state.touch(part)
            state.merge(part)
            state.customers(touched=True)

    with pytest.raises(DataError, match="too large"):
        merge()
    same(state.customers(), before)
    assert state.customers().columns["Total"] == np.array([6e37])
