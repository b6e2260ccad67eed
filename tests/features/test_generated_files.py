"""Any file of transactions: one clear error, or the features of a plain reference computation.

The files are generated: separators, quotes, encodings, column orders, missing values in several
spellings, copies, extreme numbers, letters of every script, Parquet and Excel.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrun.data.datasets import load
from segrun.errors import DataError
from segrun.features import build

MISSING = ["", "NA", "NULL", "  "]
COLUMNS = {"customer": "Who, exactly", "date": "Tag", "price": "Prix", "quantity": "N°"}

letters = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)
ids = st.one_of(
    st.sampled_from(["17850", "0017", "a", "Ä", "客户", "x;y", 'say "hi"', "p|q", "1,5", "O'Neil"]),
    letters.filter(lambda t: t.strip() and t not in ("NA", "NULL", "nan")),
)
prices = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda cents: Fraction(cents, 100)),
    st.sampled_from([Fraction(0), Fraction(10**9), Fraction(1, 1000), Fraction(-5, 100)]),
)
quantities = st.one_of(st.integers(-1000, 1000), st.sampled_from([0, 10**6, -(10**6)]))
lines_of_anybody = st.lists(
    st.tuples(
        st.one_of(st.none(), ids),
        st.integers(0, 500 * 1440).map(lambda m: datetime(2010, 12, 13) + timedelta(minutes=m)),
        st.one_of(st.none(), prices),
        st.one_of(st.none(), quantities),
    ),
    min_size=1,
    max_size=25,
)
forms = st.fixed_dictionaries(
    {
        "separator": st.sampled_from([",", ";", "\t", "|"]),
        "end": st.sampled_from(["\n", "\r\n"]),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        "date": st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d %b %Y %H:%M"]),
        "comma": st.booleans(),
        "grouped": st.booleans(),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "missing": st.sampled_from(MISSING),
        "copies": st.booleans(),
        "order": st.permutations(list(COLUMNS)),
    }
)


def price_text(price, form):
    text = f"{float(price):{',' if form['grouped'] else ''}.3f}"
    return text.translate(str.maketrans(",.", ".,")) if form["comma"] else text


def cells(line, form):
    customer, date, price, quantity = line
    return {
        "customer": form["missing"] if customer is None else customer,
        "date": date.strftime(form["date"]),
        "price": form["missing"] if price is None else price_text(price, form),
        "quantity": form["missing"] if quantity is None else str(quantity),
    }


def as_csv(lines, form):
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=form["separator"], lineterminator=form["end"], quoting=form["quoting"]
    )
    writer.writerow([*(COLUMNS[c] for c in form["order"]), "Rest"])
    for line in lines:
        found = cells(line, form)
        writer.writerow([*(found[c] for c in form["order"]), "x"])
    return text.getvalue().encode(form["encoding"])


def plain(lines):
    """Total amount, lines and whole days since, customer by customer."""
    of = defaultdict(list)
    for customer, date, price, quantity in lines:
        if customer is not None and price is not None and quantity is not None:
            of[customer.strip()].append((date, price * quantity))
    last = max((date for bought in of.values() for date, _ in bought), default=None)
    return {
        customer: (
            float(sum(amount for _, amount in of[customer])),
            len(of[customer]),
            (last - max(date for date, _ in of[customer])).days,
        )
        for customer in sorted(of, key=str.encode)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("anybody")


def features_of(path, settings_of, rules, folder):
    config = settings_of(path, COLUMNS, name="transactions")
    with load(config, 0, folder) as transactions:
        return build(transactions, rules).all_customers


def compare(path, lines, settings_of, rules, folder):
    expected = plain(lines)
    try:
        customers = features_of(path, settings_of, rules, folder)
    except DataError as error:
        # The only clear errors that these files deserve.
        said = str(error)
        ambiguous = "can be read in two ways" in said
        constant = "every feature is constant" in said and len(set(expected.values())) < 2
        nothing = "no line remains" in said and not expected
        sizes = [abs(p * q) for c, _, p, q in lines if None not in (c, p, q)]
        large = "too large to be summed exactly" in said and sum(sizes) > 2**126
        assert ambiguous or constant or nothing or large, said
        return
    assert customers.ids.tolist() == list(expected)
    for i, name in enumerate(("Amount", "NumberOfOrders", "Recency")):
        assert customers.columns[name].tolist() == [row[i] for row in expected.values()], name


@pytest.mark.slow
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=lines_of_anybody, form=forms)
def test_any_csv(settings_of, total_rules, folder, lines, form):
    lines = lines * 2 if form["copies"] else lines
    # A header of one's separators in no other column decides which one it is.
    path = folder / "any.csv"
    path.write_bytes(as_csv(lines, form))
    compare(path, lines, settings_of, total_rules, folder)


@pytest.mark.heavy
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=lines_of_anybody, nan=st.booleans(), unit=st.sampled_from(["ms", "us", "ns"]))
def test_any_parquet(settings_of, total_rules, folder, lines, nan, unit):
    gap = float("nan") if nan else None
    frame = pl.DataFrame(
        {
            "Who, exactly": pl.Series([c for c, *_ in lines], dtype=pl.String),
            "Tag": pl.Series([d for _, d, *_ in lines], dtype=pl.Datetime(unit)),
            "Prix": pl.Series(
                [gap if p is None else float(p) for *_, p, _ in lines], dtype=pl.Float64
            ),
            "N°": pl.Series([q for *_, q in lines], dtype=pl.Int32),
        }
    )
    path = folder / "any.parquet"
    frame.write_parquet(path)
    compare(path, lines, settings_of, total_rules, folder)


decimals = st.integers(0, 9).flatmap(
    lambda places: st.integers(0, 10**6).map(lambda n: f"{Decimal(n).scaleb(-places):f}")
)


@pytest.mark.heavy
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=st.lists(st.tuples(st.sampled_from("abc"), decimals, decimals), min_size=1, max_size=9)
)
def test_amounts_are_exact_to_the_digits_of_the_file(settings_of, total_rules, folder, lines):
    path = folder / "digits.csv"
    rows = [*lines, ("x", "0.25", "0.5")]
    text = "".join(f"{c};2020-01-{i % 9 + 1:02};{p};{q}\n" for i, (c, p, q) in enumerate(rows))
    path.write_text(";".join(COLUMNS.values()) + "\n" + text, encoding="utf-8")
    exact = defaultdict(Fraction)
    for customer, price, quantity in rows:
        exact[customer] += Fraction(price) * Fraction(quantity)
    try:
        customers = features_of(path, settings_of, total_rules, folder)
    except DataError as error:
        said = str(error)
        assert "every feature is constant" in said or "can be read in two ways" in said, said
        return
    assert customers.columns["Amount"].tolist() == [float(exact[c]) for c in sorted(exact)]


def test_prices_of_32_bits_are_the_digits_that_they_show(settings_of, total_rules, folder):
    path = folder / "short.parquet"
    frame = pl.DataFrame(
        {
            "Who, exactly": ["a", "b", "c"],
            "Tag": [datetime(2020, 1, day) for day in (1, 2, 3)],
            "Prix": pl.Series([2.55, 0.1, float("nan")], dtype=pl.Float32),
            "N°": [3, 7, 1],
        }
    )
    frame.write_parquet(path)
    customers = features_of(path, settings_of, total_rules, folder)
    assert customers.columns["Amount"].tolist() == [7.65, 0.7]
