"""Exact sums of any numbers, against decimals and fractions; what cannot be held is told."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from segrun.config import Amount
from segrun.errors import DataError
from segrun.features.sums import (
    ERROR,
    LARGEST_LONG,
    LARGEST_SUM,
    MOST_PLACES,
    USUAL_PLACES,
    Measure,
    Sums,
    check_size,
    clear,
    exact_units,
    finer_sums,
    held,
    integers,
    largest,
    needed_places,
    sums,
    units,
    usual_sums,
)

START = datetime(2010, 12, 1)

bought = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["17850", "ünïcode", "東京", "a b", "A"]),
        "date": st.integers(0, 374 * 86_400).map(lambda s: START + timedelta(seconds=s)),
        "quantity": st.one_of(st.integers(-100, 100), st.integers(-80_995, 80_995)),
        # 3 to 6 decimals, up to 38,970 as in the UCI file.
        "price": st.integers(3, 6).flatmap(
            lambda n: st.decimals(-100, 38_970, places=n, allow_nan=False)
        ),
    }
)


@pytest.mark.heavy
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(bought, min_size=1, max_size=40), seed=st.integers(0, 99))
def test_amounts_are_exact_and_the_order_of_lines_is_of_no_account(features, line, lines, seed):
    # Another customer keeps the table from being constant.
    made = [line("other", "2011-06-01", 7, 7.0)] * 50
    made += [
        line(x["customer"], x["date"].isoformat(), x["quantity"], float(x["price"])) for x in lines
    ]
    shuffled = [made[i] for i in np.random.default_rng(seed).permutation(len(made))]
    mean, again = (features(m).all_customers for m in (made, shuffled))
    total = features(made, amount=Amount.total).all_customers
    assert mean.X().tobytes() == again.X().tobytes()
    assert mean.ids.tolist() == again.ids.tolist()
    for i, customer in enumerate(total.ids):
        if customer != "other":
            own = [x for x in lines if x["customer"] == customer]
            amount = sum(x["quantity"] * Fraction(x["price"]) for x in own)
            assert total.columns["Amount"][i] == pytest.approx(float(amount), rel=1e-9, abs=0)
            assert mean.columns["Amount"][i] == pytest.approx(
                float(amount / len(own)), rel=1e-9, abs=0
            )


# Up to 15 letters of digits, which float64 holds.
fine = st.integers(0, 22).flatmap(
    lambda places: st.integers(-(10**15) + 1, 10**15 - 1).map(lambda n: Decimal(n).scaleb(-places))
)


@pytest.mark.heavy
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(fine, st.integers(-1000, 1000)), min_size=1, max_size=20))
def test_amounts_of_any_decimals_are_those_of_the_digits(features, line, lines):
    size = sum(abs(price * n) for price, n in lines)
    made = [line("a", "2011-03-01", n, float(price)) for price, n in lines]
    made.append(line("b", "2011-03-02", 3, 0.1))
    if size * 10**22 > 2**126:
        return
    built = features(made, amount=Amount.total).all_customers
    exact = sum(Fraction(price) * n for price, n in lines)
    assert built.columns["Amount"].tolist() == [float(exact), 0.3]


@pytest.mark.parametrize("odd", [0.01, 0.1234567, 1.23456789012345, 9_876_543_210.12])
def test_what_other_lines_say_changes_no_customer(features, line, odd):
    prices = [1.1, 0.0123456789, 1_234_567.89, 7e-9]
    lines = [line(str(i), "2011-03-01", 7 * i + 1, price) for i, price in enumerate(prices)]
    built = features([*lines, line("odd", "2011-03-02", 1, odd)], amount=Amount.total)
    expected = [float((7 * i + 1) * Fraction(str(price))) for i, price in enumerate(prices)]
    assert built.all_customers.columns["Amount"].tolist() == [*expected, odd]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("price", "size", "said"),
    [
        (1.25e-22, 1.0, "have over 22 decimal places, .* each is rounded to 22"),
        (1e-30, 4.0e12, "have over 22 decimal places"),
    ],
)
def test_digits_that_cannot_be_held_are_told(features, line, caplog, price, size, said):
    lines = [line("a", "2011-03-01", 1, price), line("b", "2011-03-02", 1, size)]
    built = features(lines, amount=Amount.total).all_customers
    assert built.columns["Amount"][1] == size
    assert built.columns["Amount"][0] == pytest.approx(price, abs=1e-22)
    (told,) = [r.getMessage() for r in caplog.records if "rounded" in r.getMessage()]
    assert re.search(said, told)


# Rupiah, dong and rial: prices up to a thousand billion, in pieces up to a million.
large = st.tuples(
    st.integers(0, 4).flatmap(
        lambda places: st.integers(-(10**14), 10**14).map(lambda n: Decimal(n).scaleb(-places))
    ),
    st.integers(-(10**6), 10**6),
)


@pytest.mark.heavy
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(large, min_size=1, max_size=20))
def test_totals_beyond_64_bits_are_those_of_the_digits(features, line, lines):
    made = [line("a", "2011-03-01", n, float(price)) for price, n in lines]
    made += [line("b", "2011-03-02", 3, 0.1), *[line("c", "2011-03-02", 1, 999_999_999.99)] * 7000]
    built = features(made, amount=Amount.total).all_customers
    exact = sum(price * n for price, n in lines)
    assert built.columns["Amount"].tolist() == [float(exact), 0.3, 6_999_999_999_930.0]


def test_an_overflow_of_128_bits_names_customer_and_columns(features, line):
    lines = [line("ann", "2011-03-01"), line("bob", "2011-03-01", 2**50, 2.0**90)]
    with pytest.raises(DataError, match=r"bob are too large.*wrong Quantity or UnitPrice"):
        features(lines)


def test_amounts_that_cancel_out_come_to_nothing(features, line):
    # The sum is 0, the partial sums are beyond 64 bits.
    lines = [line("ann", "2011-03-01", q, 10.0**9) for q in (9000, -9000)]
    built = features([*lines, line("bob", "2011-03-02")], amount=Amount.total).all_customers
    assert built.columns["Amount"].tolist() == [0.0, 1.0]


def test_lines_that_are_dropped_may_hold_any_amount(features, line):
    lines = [line("a", "2011-03-01"), line("b", "2011-03-02", 2)]
    wild = line(None, "2011-03-01", 2**62, 1e300)
    assert features([*lines, wild]).all_customers.columns["Amount"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("price", [1 / 3, 0.1 + 0.2, 2**0.5 * 1e-6, 1e9 / 7])
def test_results_of_floats_keep_fifteen_digits(features, line, price):
    lines = [line("a", "2011-03-01", 7, price), line("b", "2011-03-02")]
    built = features(lines, amount=Amount.total).all_customers
    assert built.columns["Amount"][0] == pytest.approx(7 * price, rel=1e-15, abs=0)


def of(expression, *prices):
    """What an expression gives for prices."""
    frame = pl.DataFrame({"price": pl.Series(prices, dtype=pl.Float64)})
    return nw.from_native(frame).select(found=expression)["found"].to_list()


PRICE = nw.col("price")


def test_the_limits_are_those_of_64_and_128_bits_and_of_float64():
    assert LARGEST_SUM * 2 == 2**63
    assert LARGEST_LONG * 2 == 2**127
    assert np.finfo(float).eps == ERROR
    assert (USUAL_PLACES, MOST_PLACES) == (6, 22)
    # The last power of ten that float64 holds.
    assert Fraction(10.0**MOST_PLACES) == 10**MOST_PLACES
    assert Fraction(1e23) != 10**23


def test_prices_become_whole_units_and_stay_within_64_bits():
    assert of(units(PRICE, 2), 1.5, 0.014, 0.016, -2.25, None) == [150, 1, 2, -225, None]
    assert of(units(PRICE, 6), 1e30, -1e30) == [2**62, -(2**62)]


@pytest.mark.heavy
def test_the_places_needed_are_those_of_the_digits():
    prices = [5.0, 0.5, 1.25, 1_234_567.891, 1e-22, 1e-23, None, 0.0]
    assert of(needed_places(PRICE), *prices) == [0, 1, 2, 3, 22, 23, 0, 0]
    # A product of 0.1 and 0.1 is not quite 0.01, though as good as with its roundings.
    assert of(needed_places(PRICE, 2.0**-50), 0.1 * 0.1, 0.5) == [2, 1]


@pytest.mark.heavy
@given(digits=st.integers(-(10**12), 10**12), places=st.integers(0, 8), more=st.integers(0, 6))
def test_exact_units_are_those_of_the_decimal(digits, places, more):
    price = Decimal(digits).scaleb(-places)
    (found,) = of(exact_units(PRICE, places + more).cast(nw.String), float(price))
    assert int(found) == digits * 10**more


def test_a_price_is_held_up_to_the_size_and_the_error_that_are_given():
    assert of(held(PRICE, 2, 150.0), 1.5, 1.51, -1.5, -1.51, 0.015) == [True, False] * 2 + [False]
    assert of(held(PRICE, 0, 10.0, error=0.05), 5.2, 5.4, 4.8) == [True, False, True]
    assert clear(ERROR) == 1e15
    assert clear(4 * ERROR) == 2.5e14


def test_sums_are_divided_once_and_exactly():
    few = Sums(np.array([1_000_000, -2_500_000, 0]), 6)
    assert few.over(np.array([3, 1, 7])).tolist() == [1 / 3, -2.5, 0.0]
    # Beyond 2**53 numpy would round first.
    large = 3 * (2**53 + 1)
    for held_as in (np.array([large]), [large]):
        assert Sums(held_as, 0).over(np.array([3])).tolist() == [float(2**53 + 1)]
        found = Sums(held_as, 1).over(np.array([7])).tolist()
        assert found == [float(Fraction(large, 70))]
    assert Sums(np.array([], dtype=np.int64), 6).over(np.array([], dtype=np.int64)).size == 0
    edge = np.array([-(2**53) - 1])
    assert Sums(edge, 2).over(np.array([1])).tolist() == [float(Fraction(-(2**53) - 1, 100))]


def test_shares_are_exact_whatever_the_places():
    part, whole = Sums([1, 5, 0, 7], 2), Sums([3000, 0, 50, -7], 6)
    found = part.ratio(whole).tolist()
    assert found[0] == float(Fraction(1, 100) / Fraction(3000, 10**6))
    assert np.isnan(found[1])
    assert found[2:] == [0.0, -(10.0**4)]


def summed(prices, times=None, **settings):
    """The table of one measure over rows of one id each, and the measure and rows."""
    frame = pl.DataFrame(
        {"id": [text for text, _ in prices], "price": [float(p) for _, p in prices]}
    ).with_columns(n=pl.Series(times or [1] * len(prices), dtype=pl.Int64))
    rows = nw.from_native(frame.lazy())
    measure = Measure("S", PRICE, nw.col("n") if times else None, **settings)
    lines = rows.select(nw.col("id"), **measure.columns())
    table = lines.group_by("id").agg(nw.col(*measure.columns()).sum()).sort("id").collect()
    return measure, table, rows


def test_usual_numbers_need_one_pass():
    measure, table, rows = summed([("a", 0.1), ("a", 0.2), ("b", -1.5)])
    assert integers(table, "S").tolist() == [300_000, -1_500_000]
    assert integers(table, "S").dtype == np.int64
    assert integers(table, "S finer").tolist() == [0, 0]
    assert largest(measure, table) == 1_500_000
    assert finer_sums(measure, table, rows, "id") is None
    found = sums(measure, table, rows, "id")
    assert found.places == usual_sums(measure, table).places == 6
    assert found.over(np.ones(2, dtype=np.int64)).tolist() == [0.3, -1.5]


@pytest.mark.parametrize("guard", ["S size", "S finer"])
def test_what_was_looked_at_before_needs_no_guard(guard):
    measure, table, rows = summed([("a", 1e-9)])
    assert finer_sums(measure, table, rows, "id").places == 9
    assert finer_sums(measure, table.drop(guard), rows, "id") is None


def test_products_are_whole_numbers_times_units():
    prices = [("a", 0.1), ("a", 1e-8), ("b", 2.5)]
    measure, table, rows = summed(prices, [3, -4, 2])
    assert integers(table, "S finer").tolist() == [1, 0]
    found = sums(measure, table, rows, "id")
    assert (found.units, found.places) == ([3 * 10**7 - 4, 5 * 10**8], 8)


def test_what_is_too_much_for_64_bits_counts_as_nothing_until_the_second_pass():
    measure, table, rows = summed([("a", 10.0**9), ("b", 1.0)], [2**40, 3])
    assert integers(table, "S").tolist() == [0, 3_000_000]
    assert largest(measure, table) == pytest.approx(2.0**40 * 1e15)
    found = sums(measure, table, rows, "id")
    assert (found.units, found.places) == ([2**40 * 10**9, 3], 0)


def test_sums_of_absolute_values_up_to_the_largest_need_no_second_pass():
    for more, second in ((0, False), (2**20, True)):
        measure, table, rows = summed([("a", float(2**56 + more) / 10**6)], [64])
        table = table.with_columns(nw.lit(0).alias("S finer"))
        assert (finer_sums(measure, table, rows, "id") is not None) is second


def test_places_are_given_up_as_far_as_128_bits_ask_for_it(caplog):
    measure, table, rows = summed([("a", 1e-20), ("b", 2.0**66)])
    found = sums(measure, table, rows, "id")
    # 2**66 * 10**18 is below 2**126, ten times as much is not.
    assert found.places == 18
    assert found.units == [0, 2**66 * 10**18]
    assert [m for m in caplog.messages if "rounded" in m] == [
        "amounts have 20 decimal places, more than can be summed exactly: each is rounded to 18"
    ]


def test_a_sum_that_128_bits_hold_is_taken_and_a_larger_one_is_refused():
    measure, table, _ = summed([("a", 1.0), ("b", 2.0**125)])
    check_size(measure, table)
    measure, table, _ = summed([("a", 1.0), ("b", 2.0**127)], what="sizes", where="column")
    with pytest.raises(DataError, match=r"the sizes of customer b .*look for a wrong column"):
        check_size(measure, table)
