"""Where settings or data leave the ordinary: an answer in words, or the exact number."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from segrun.config import Amount, OutlierConfig, OutlierRule
from segrun.errors import ConfigError, DataError
from segrun.features import check
from segrun.features.built import set_aside
from segrun.rundir.customers import Customers

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


def test_a_rule_that_leaves_nobody_is_an_error_with_its_column():
    table = Customers("id", np.array(["a", "b"], dtype=object), {"Amount": np.array([1.0, 2.0])})
    config = OutlierConfig(OutlierRule.quantile, 0.45, 0.55, 0.0, ["Amount"])
    with pytest.raises(DataError, match=r"the last 2 by Amount.*features\.outliers\.factor"):
        set_aside(table, config)


def test_an_infinite_factor_is_refused(settings):
    with pytest.raises(ConfigError, match=r"factor=inf: .*features\.outliers\.rule=none"):
        check(settings(outliers={"factor": float("inf")}))


def test_a_line_at_the_reference_moment_counts_and_one_after_does_not(features, line):
    moments = ("2011-03-05T23:59:59.999999", "2011-03-06T00:00")
    lines = [line(c, m) for c, m in zip("ab", moments, strict=True)] + [line("a", "2011-03-01", 3)]
    built = features([*lines, line("c", "2011-03-01")], reference_date="2011-03-05")
    assert built.all_customers.ids.tolist() == ["a", "c"]
    assert built.all_customers.columns["Recency"].tolist() == [0, 4]
    midnight = features([*lines, line("c", "2011-03-01")], reference_date="2011-03-06T00:00")
    assert midnight.all_customers.columns["Recency"].tolist() == [0, 0, 5]
    assert midnight.facts["dropped"]["features.reference_date=2011-03-06T00:00"] == 0


def test_the_latest_line_counts_back_only_where_it_is_complete(features, line):
    lines = [line("a", "2011-03-01"), line("b", "2011-03-02"), line(None, "2011-04-01")]
    built = features(lines)
    assert built.facts["reference_date"] == "2011-03-02T00:00:00"
    assert built.all_customers.columns["Recency"].tolist() == [1, 0]


@pytest.mark.parametrize("price", [1 / 3, 0.1 + 0.2, 2**0.5 * 1e-6, 1e9 / 7])
def test_results_of_floats_keep_fifteen_digits(features, line, price):
    lines = [line("a", "2011-03-01", 7, price), line("b", "2011-03-02")]
    built = features(lines, amount=Amount.total).all_customers
    assert built.columns["Amount"][0] == pytest.approx(7 * price, rel=1e-15, abs=0)
