import logging

import pytest

from segrun.config import Weekdays

KIT = (
    "Amount NumberOfOrders Recency Friday Monday Sunday Thursday Tuesday Wednesday April August "
    "December February January July June March May November October September"
).split()


@pytest.fixture
def week(line):
    """One customer per day from Monday 7 March 2011 to Sunday, with 1 to 7 lines."""
    return [line(f"c{d}", f"2011-03-{6 + d:02}") for d in range(1, 8) for _ in range(d)]


def test_the_columns_are_the_kits_in_its_order(features, line):
    built = features([line("a", "2011-03-01"), line("b", "2011-03-02")])
    assert built.customers.feature_names == KIT


def test_lines_are_counted_per_weekday(features, week):
    columns = features(week).all_customers.columns
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", None, "Sunday")
    for number, day in enumerate(days, start=1):
        if day is not None:
            expected = [number if i == number else 0 for i in range(1, 8)]
            assert columns[day].tolist() == expected


def test_lines_are_counted_per_month(features, line):
    names = (
        "January February March April May June July August September October November December"
    ).split()
    lines = [line("a", f"2011-{m:02}-10") for m in range(1, 13) for _ in range(m)]
    columns = features([*lines, line("b", "2011-12-31")]).all_customers.columns
    assert [columns[name][0] for name in names] == list(range(1, 13))


def test_absent_weekdays_and_months_are_zero_columns(features, line, caplog):
    columns = features([line("a", "2011-03-01"), line("b", "2011-03-02")]).customers.columns
    assert columns["June"].tolist() == columns["Monday"].tolist() == [0, 0]
    assert "June" in caplog.text


def test_saturdays_are_counted_in_a_warning(features, week, caplog):
    features(week)
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert any(s.startswith("6 lines on a Saturday") and "weekdays=all" in s for s in said)


def test_no_saturday_is_no_warning(features, week, caplog):
    features([x for x in week if x["CustomerID"] != "c6"])
    assert "Saturday" not in caplog.text


def test_all_weekdays_hold_every_line(features, week, caplog):
    built = features(week, weekdays=Weekdays.all)
    names = built.all_customers.feature_names
    assert names[3:10] == [
        "Friday", "Monday", "Saturday", "Sunday", "Thursday", "Tuesday", "Wednesday",
    ]  # fmt: skip
    assert [n for n in names if n != "Saturday"] == KIT
    per_day = sum(built.all_customers.columns[n] for n in names[3:10])
    assert per_day.tolist() == built.all_customers.columns["NumberOfOrders"].tolist()
    assert "on a Saturday" not in caplog.text
