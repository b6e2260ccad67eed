from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import DateOrder
from segrun.data.datasets.dates import find_format, parse
from segrun.errors import ConfigError, DataError

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def lines(*dates):
    return HEADER + "".join(f"1,A,LANTERN,6,{d},2.5,17850,EIRE\n" for d in dates)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12/31/2010 8:26", datetime(2010, 12, 31, 8, 26)),
        ("31/12/2010 8:26", datetime(2010, 12, 31, 8, 26)),
        ("31.12.2010", datetime(2010, 12, 31)),
        ("31-12-2010 08:26:59", datetime(2010, 12, 31, 8, 26, 59)),
        ("12/31/10 8:26", datetime(2010, 12, 31, 8, 26)),
        ("31.12.99", datetime(1999, 12, 31)),
        ("99-12-31 8:26", datetime(1999, 12, 31, 8, 26)),
        ("12/31/2010 8:26 PM", datetime(2010, 12, 31, 20, 26)),
        ("2010-12-31", datetime(2010, 12, 31)),
        ("2010-12-01 08:26", datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T08:26:59", datetime(2010, 12, 1, 8, 26, 59)),
        ("2010-12-01 08:26:59.5", datetime(2010, 12, 1, 8, 26, 59, 500_000)),
        ("2010/12/01", datetime(2010, 12, 1)),
    ],
)
def test_the_format_is_found_where_only_one_fits(read, text, expected):
    assert read(lines(text))["InvoiceDate"].to_list() == [expected]


@pytest.mark.heavy
def test_one_date_late_in_the_column_decides(read):
    frame = read(lines("1/2/2011 8:00", "3/4/2011 8:00", "13/4/2011 8:00"))
    assert [d.month for d in frame["InvoiceDate"]] == [2, 4, 4]


@pytest.mark.heavy
def test_an_ambiguous_column_is_refused_with_its_readings(read):
    with pytest.raises(DataError) as error:
        read(lines("2/2/2011 8:00", "12/1/2010 8:26"))
    said = str(error.value)
    assert "'12/1/2010 8:26' (line 3)" in said
    assert "01 December 2010 (dataset.date_order=month_first" in said
    assert "12 January 2010 (dataset.date_order=day_first" in said


def days(pattern, n, last=31):
    """The first days from 2022 on, as far as the day of the month goes."""
    found = (datetime(2022, 1, 1) + timedelta(days=d) for d in range(n))
    return [f"{d:{pattern}}" for d in found if d.day <= last]


@pytest.mark.heavy
@pytest.mark.parametrize("separator", "/-.")
@pytest.mark.parametrize("last", [25, 31])
def test_a_short_year_in_front_is_not_silently_the_day(read, separator, last):
    written = lines(*days(f"%y{separator}%m{separator}%d", 730, last))
    with pytest.raises(DataError, match="can be read in 2 ways") as error:
        read(written)
    assert "(dataset.date_order=iso, format %y" in str(error.value)
    assert "(dataset.date_order=day_first, format %d" in str(error.value)
    assert "give dataset.date_format" in str(error.value)
    found = read(written, date_order=DateOrder.iso)["InvoiceDate"]
    assert found.min() == datetime(2022, 1, 1)
    assert found.max() == datetime(2023, 12, last)


@pytest.mark.heavy
def test_a_short_year_behind_is_not_silently_the_day(read):
    written = lines(*days("%d.%m.%y", 730))
    with pytest.raises(DataError, match="can be read in 2 ways"):
        read(written)
    found = read(written, date_order=DateOrder.day_first)["InvoiceDate"]
    assert (found.min(), found.max()) == (datetime(2022, 1, 1), datetime(2023, 12, 31))


def test_three_readings_are_all_shown(read):
    with pytest.raises(DataError, match="3 ways") as error:
        read(lines("01/02/03", "04/05/06"))
    assert all(f"date_order={o}," in str(error.value) for o in ("month_first", "day_first", "iso"))


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        # No day 99 or 0, no month 15; a year has two digits.
        (("24/12/10", "23/12/99"), (datetime(2010, 12, 24), datetime(1999, 12, 23))),
        (("5/12/24", "15/12/24"), (datetime(2024, 12, 5), datetime(2024, 12, 15))),
        (("12/5/24", "12/15/24"), (datetime(2024, 12, 5), datetime(2024, 12, 15))),
        (("99-12-24", "00-12-25"), (datetime(1999, 12, 24), datetime(2000, 12, 25))),
    ],
)
def test_short_years_are_read_where_only_one_reading_fits(dates, expected):
    texts = pl.Series("text", dates)
    found = find_format(texts.value_counts(name="count"), DateOrder.auto, "here")
    assert parse(texts, found).to_list() == list(expected)


@pytest.mark.parametrize(("order", "month"), [("month_first", 12), ("day_first", 1)])
def test_the_order_chooses_between_readings(read, order, month):
    frame = read(lines("12/1/2010 8:26"), date_order=DateOrder[order])
    assert frame["InvoiceDate"][0].month == month


def test_readings_that_agree_are_not_ambiguous(read):
    assert read(lines("2/2/2011", "3/3/2011"))["InvoiceDate"].to_list() == [
        datetime(2011, 2, 2), datetime(2011, 3, 3),
    ]  # fmt: skip


@pytest.mark.heavy
def test_unreadable_dates_are_shown_with_their_lines(read):
    with pytest.raises(DataError, match=r"1 of 3 lines .*line 3: InvoiceDate is 'someday', not a"):
        read(lines("12/13/2010", "someday", "12/14/2010"))


@pytest.mark.heavy
def test_a_column_of_two_formats_is_refused(read):
    with pytest.raises(DataError, match=r"1 of 3 lines .*line 4: InvoiceDate is '2010-12-14'"):
        read(lines("12/13/2010", "12/14/2010", "2010-12-14"))


def test_dates_against_the_order_asked_for_are_refused(read):
    with pytest.raises(DataError, match=r"date_order=day_first.*'12/13/2010' \(line 2\)"):
        read(lines("12/13/2010"), date_order=DateOrder.day_first)


def test_an_explicit_format_is_used(read):
    frame = read(lines("20101213"), date_format="%Y%m%d")
    assert frame["InvoiceDate"].to_list() == [datetime(2010, 12, 13)]


def test_a_date_against_the_explicit_format_is_shown(read):
    with pytest.raises(DataError, match=r"2 of 3 .*='%Y%m%d', such as '2010-12-14' \(line 3\)"):
        read(lines("20101213", "2010-12-14", "2010-12-15"), date_format="%Y%m%d")


def test_a_year_of_two_digits_is_not_the_year_10(read):
    with pytest.raises(DataError, match=r"such as '12/13/10' \(line 2\)"):
        read(lines("12/13/10"), date_format="%m/%d/%Y")


def test_a_time_zone_is_refused(read):
    with pytest.raises(ConfigError, match=r"%z.*time zone"):
        read(lines("2010-12-13 08:00+02:00"), date_format="%Y-%m-%d %H:%M%z")


# No deadline: a busy machine is no fault of the code.
@pytest.mark.heavy
@given(
    minutes=st.lists(st.integers(0, 3 * 366 * 1440), min_size=1, max_size=20),
    form=st.sampled_from(["%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S"]),
)
def test_what_is_found_reads_the_dates_or_is_refused_as_ambiguous(minutes, form):
    dates = [datetime(2010, 1, 1) + timedelta(minutes=m) for m in minutes]
    texts = pl.Series([d.strftime(form) for d in dates]).unique(maintain_order=True)
    try:
        found = find_format(texts.alias("text").value_counts(name="count"), DateOrder.auto, "here")
    except DataError:
        # Neither order can be told from the other.
        found = form
        assert all(d.day <= 12 for d in dates)
        assert any(d.day != d.month for d in dates)
    assert parse(texts, found).to_list() == list(dict.fromkeys(dates))
