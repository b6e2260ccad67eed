"""Which rows count, how many each rule drops, and days until the reference date."""

import logging
from datetime import datetime, timedelta

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from segrun.config import Cancellations, DropMissing, Orders
from segrun.data.datasets import invoice_lines
from segrun.errors import ConfigError, DataError
from segrun.features.lines import (
    Rule,
    counted,
    days_before,
    drop_rules,
    first_that_drops,
    reference_date,
    reference_of,
    tallied,
)

NEEDED = {"drop_missing": DropMissing.needed_columns, "calendar": False}


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


def dropped_by(rules, rows):
    """The number of the rule that drops each row."""
    return rows.frame.select(n=first_that_drops(rules)).collect()["n"].to_list()


@pytest.mark.parametrize(
    ("column", "changes", "drops"),
    [
        ("Description", {}, True),
        ("Description", NEEDED, False),
        ("CustomerID", NEEDED, True),
        ("Quantity", NEEDED, True),
        ("InvoiceDate", NEEDED, True),
        ("UnitPrice", NEEDED, True),
        ("InvoiceNo", NEEDED, False),
        ("InvoiceNo", NEEDED | {"orders": Orders.invoices}, True),
        ("InvoiceNo", NEEDED | {"cancellations": Cancellations.remove}, True),
        (
            "InvoiceNo",
            NEEDED | {"cancellations": Cancellations.remove, "cancelled_when": "Quantity < 0"},
            False,
        ),
    ],
)
def test_lines_lack_what_the_settings_need(transactions, line, settings, column, changes, drops):
    rows = transactions([line("a", "2011-03-01"), line("a", "2011-03-01") | {column: None}])
    rules = drop_rules(rows, settings(**changes))
    assert dropped_by(rules, rows) == [0, int(drops)]


CANCELLED = {"cancellations": Cancellations.remove}


@pytest.mark.parametrize(
    ("more", "drops"),
    [
        ({"invoice": "C1", "quantity": -1}, True),
        ({"invoice": "C1", "price": -1.0}, True),
        ({"invoice": "C1", "quantity": -1, "price": -1.0}, True),
        ({"invoice": "C1"}, False),
        ({"invoice": "C1", "price": 0.0}, False),
        ({"invoice": "C1", "quantity": 0}, False),
        ({"invoice": "1", "quantity": -1}, False),
        ({"invoice": "CA-1", "quantity": -1}, False),
    ],
)
def test_cancelled_lines_are_marked_and_negative(transactions, line, settings, more, drops):
    rows = transactions([line("a", "2011-03-01", **more)])
    rules = drop_rules(rows, settings(**NEEDED, **CANCELLED))
    assert [rule.name for rule in rules] == [
        "features.drop_missing=needed_columns", "features.cancellations=remove"
    ]  # fmt: skip
    assert dropped_by(rules, rows) == [2 * drops]
    kept = drop_rules(rows, settings(**NEEDED, cancelled_when="Quantity < 0"))
    assert dropped_by(kept, rows) == [0]


def test_a_condition_says_which_lines_are_cancelled(transactions, line, settings):
    rows = transactions([line("a", "2011-03-01", q, invoice="C1") for q in (-1, 5)])
    rules = drop_rules(rows, settings(**NEEDED, **CANCELLED, cancelled_when="Quantity > 3"))
    assert rules[-1].name == "features.cancelled_when=Quantity > 3"
    assert dropped_by(rules, rows) == [0, 2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"orders": Orders.invoices}, r"orders=invoices needs invoice numbers.*invoice$"),
        (CANCELLED, r"cancellations=remove needs invoice numbers.*by features.cancelled_when"),
        ({}, None),
        (CANCELLED | {"cancelled_when": "Quantity < 0"}, None),
        ({"cancelled_when": "Quantity < 0"}, None),
    ],
)
def test_without_invoice_numbers_what_needs_them_is_refused(line, settings, changes, said):
    given = line("a", "2011-03-01")
    del given["InvoiceNo"]
    rows = invoice_lines(nw.from_native(pl.LazyFrame([given])), "CustomerID", {})
    if said is None:
        assert dropped_by(drop_rules(rows, settings(**NEEDED, **changes)), rows) == [0]
        return
    with pytest.raises(DataError, match=said):
        drop_rules(rows, settings(**NEEDED, **changes))


RULES = [Rule("first", nw.col("x") > 5), Rule("second", nw.col("x") > 2)]


def test_each_line_is_dropped_by_the_first_rule_that_says_so():
    frame = nw.from_native(pl.DataFrame({"x": [1, 3, 9, None]}))
    assert frame.select(n=first_that_drops(RULES))["n"].to_list() == [0, 2, 1, 0]


def groups(**changes):
    values = {
        "rule": [0, 2, 0, 1],
        "n_lines": [3, 4, 5, 6],
        "first": [datetime(2024, 3, day) for day in (5, 1, 4, 9)],
        "last": [datetime(2024, 3, day) for day in (6, 30, 7, 9)],
    }
    return nw.from_native(pl.DataFrame(values | changes))


def test_lines_are_counted_with_the_dates_of_those_that_count(caplog):
    caplog.set_level(logging.INFO)
    expected = {
        "n_lines": 18,
        "dropped": {"first": 6, "second": 4},
        "first_line": "2024-03-04T00:00:00",
        "last_line": "2024-03-07T00:00:00",
    }
    assert tallied(groups(), RULES) == expected
    assert counted(groups(), RULES, {}) == expected
    (told,) = caplog.messages
    assert told == (
        "18 lines from 2024-03-04T00:00:00 to 2024-03-07T00:00:00: first dropped 6, "
        "second dropped 4"
    )


def test_lines_without_date_are_counted_all_the_same(caplog):
    caplog.set_level(logging.INFO)
    expected = {"n_lines": 18, "dropped": {"first": 6, "second": 4}}
    assert counted(groups().drop("first", "last"), RULES, {}) == expected
    none = pl.Series([None] * 4, dtype=pl.Datetime("us"))
    assert tallied(groups(last=none, first=none), RULES) == expected
    one = [None, None, datetime(2024, 3, 7), None]
    assert tallied(groups(last=one, first=one), RULES)["last_line"] == "2024-03-07T00:00:00"
    assert caplog.messages == ["18 lines: first dropped 6, second dropped 4"]


def test_no_line_that_counts_is_an_error_with_what_is_missing():
    read = {"n_missing": {"x": 3, "y": 1}, "names": {"x": "Menge"}}
    with pytest.raises(DataError, match=r"remains of 18: first dropped 14, second dropped 4") as e:
        counted(groups(rule=[1, 2, 1, 1]), RULES, read)
    assert "(values missing: Menge 3, y 1). Relax" in str(e.value)
    with pytest.raises(DataError, match=r"second dropped 4\. Relax"):
        counted(groups(rule=[1, 2, 1, 1]), RULES, {})


def test_days_are_counted_back_from_what_is_configured_or_the_latest_line(settings):
    facts = {"last_line": "2024-03-07T12:30:00"}
    assert reference_of(settings(), facts) == datetime(2024, 3, 7, 12, 30)
    assert reference_of(settings(), {}) is None
    given = settings(reference_date="2024-01-02T03:04")
    assert reference_of(given, facts) == datetime(2024, 1, 2, 3, 4)
    end = settings(reference_date="2024-01-02")
    assert reference_of(end, {}) == datetime(2024, 1, 2, 23, 59, 59, 999_999)


def test_days_before_are_whole_days_as_python_counts_them():
    reference = datetime(2024, 3, 1, 12)
    step = timedelta(microseconds=1)
    moments = [
        reference, reference - timedelta(1), reference - timedelta(1) + step,
        reference - timedelta(366), reference + step, None,
    ]  # fmt: skip
    series = nw.from_native(pl.Series(moments, dtype=pl.Datetime("us")), series_only=True)
    found = days_before(series, reference)
    assert found[:5].tolist() == [(reference - moment).days for moment in moments[:5]]
    assert np.isnan(found[5])
    assert np.isnan(days_before(series, None)).tolist() == [True] * 6


@pytest.mark.parametrize(
    ("text", "said"),
    [("9.12.2011", "is no ISO date"), ("2011-12-09T12:50+01:00", "has a time zone")],
)
def test_what_is_no_local_moment_is_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        reference_date(text)
