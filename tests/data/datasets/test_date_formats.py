"""Every family of date formats is read back exactly, or refused with the true reading shown."""

import re
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import DateOrder
from segrun.data.datasets import check
from segrun.data.datasets.dates import find_format, parse
from segrun.errors import ConfigError, DataError

DATES = {
    "month_first": ("{m}{s}{d}{s}{Y}", "{m:02}{s}{d:02}{s}{Y}", "{m}{s}{d}{s}{y:02}"),
    "day_first": ("{d}{s}{m}{s}{Y}", "{d:02}{s}{m:02}{s}{Y}", "{d}{s}{m}{s}{y:02}"),
    "iso": ("{Y}{s}{m:02}{s}{d:02}", "{Y}{s}{m}{s}{d}", "{y:02}{s}{m:02}{s}{d:02}"),
}
TIMES = (
    "", " {H}:{M:02}", " {H:02}:{M:02}:{S:02}", "T{H:02}:{M:02}:{S:02}", " {I}:{M:02} {p}",
    " {I:02}:{M:02}:{S:02} {p}",
)  # fmt: skip


def write(moment, pattern, separator):
    return pattern.format(
        s=separator, Y=moment.year, y=moment.year % 100, m=moment.month, d=moment.day,
        H=moment.hour, M=moment.minute, S=moment.second, I=(moment.hour + 11) % 12 + 1,
        p="PM" if moment.hour > 11 else "AM",
    )  # fmt: skip


#: Where day, month and year stand, by what may come first.
PLACES = {"month_first": (1, 0, 2), "day_first": (0, 1, 2), "iso": (2, 1, 0)}


def taken(text, separator, order):
    """The day that a text is in an order, None where it is none."""
    parts = re.split("[ T]", text)[0].split(separator)
    day, month, year = (parts[place] for place in PLACES[order])
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    try:
        return date(int(year) + 2000 * (len(year) == 2), int(month), int(day))
    except ValueError:
        return None


def n_ways(texts, separator):
    """In how many ways all texts can be read."""
    ways = {tuple(taken(text, separator, order) for text in texts) for order in PLACES}
    return sum(None not in way for way in ways)


def counted(texts):
    return texts.alias("text").value_counts(sort=False, name="count")


def seen(moment, time):
    """The moment as far as the text tells it."""
    if not time:
        return moment.replace(hour=0, minute=0, second=0)
    return moment if "S" in time else moment.replace(second=0)


@pytest.mark.heavy
@given(
    moments=st.lists(
        st.integers(0, 30 * 366 * 86_400).map(
            lambda s: datetime(2001, 1, 1) + timedelta(seconds=s)
        ),
        min_size=1,
        max_size=12,
    ),
    order=st.sampled_from(list(DATES)),
    form=st.integers(0, 2),
    separator=st.sampled_from("/-."),
    time=st.sampled_from(TIMES),
    told=st.booleans(),
)
def test_dates_are_read_back_or_refused_as_ambiguous(moments, order, form, separator, time, told):
    pattern = DATES[order][form % len(DATES[order])] + time
    texts = pl.Series([write(m, pattern, separator) for m in moments]).unique().sort()
    expected = {write(m, pattern, separator): seen(m, time) for m in moments}
    true = [expected[text] for text in texts]
    ways = n_ways(texts, separator)
    if ways > 1 and not told:
        with pytest.raises(DataError, match=f"can be read in {ways} ways") as error:
            find_format(counted(texts), DateOrder.auto, "here")
        shown = next(m for m in true if f"'{write(m, pattern, separator)}'" in str(error.value))
        assert f"{shown:%d %B %Y} (dataset.date_order=" in str(error.value)
    else:
        found = find_format(counted(texts), DateOrder[order] if told else DateOrder.auto, "here")
        assert parse(texts, found).to_list() == true


@pytest.mark.parametrize("wrong", ["#N/A", "-", "unknown", "2010-12-13"])
def test_one_wrong_date_does_not_hide_the_format_of_the_others(wrong):
    texts = pl.Series([wrong, *(f"12/{d}/2010 8:26" for d in range(13, 20))])
    assert find_format(counted(texts), DateOrder.auto, "here") == "%m/%d/%Y %H:%M"


def test_where_most_dates_cannot_be_read_they_are_shown():
    texts = pl.Series(["some day", "next year", "12/13/2010 8:26"])
    with pytest.raises(DataError) as error:
        find_format(counted(texts), DateOrder.auto, "here")
    assert str(error.value).startswith(
        "here: 2 of 3 different dates cannot be read (the others fit %m/%d/%Y %H:%M), such as "
        "'next year', 'some day'. Give the format"
    )


def test_where_readings_fail_on_some_dates_one_that_reads_nearly_as_many_is_in_doubt():
    texts = pl.Series([*(f"{d}/1/2011" for d in range(1, 13)), "1/13/2011", "13/2/2011"])
    with pytest.raises(DataError, match="can be read in 2 ways"):
        find_format(counted(texts), DateOrder.auto, "here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2010-12-01T08:26:00Z", datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01T08:26:00+02:00", datetime(2010, 12, 1, 8, 26)),
        ("2010-12-01 08:26:00.25-0500", datetime(2010, 12, 1, 8, 26, 0, 250_000)),
        ("20101201", datetime(2010, 12, 1)),
        ("20101201082659", datetime(2010, 12, 1, 8, 26, 59)),
        ("01-Dec-2010", datetime(2010, 12, 1)),
        ("1 December 2010 8:26 AM", datetime(2010, 12, 1, 8, 26)),
        ("Dec 1, 2010", datetime(2010, 12, 1)),
    ],
)
def test_forms_that_cannot_be_mistaken_are_found(text, expected):
    texts = pl.Series([text])
    found = find_format(counted(texts), DateOrder.auto, "here")
    # A zone is left out: weekdays and months are those of the clock on the wall.
    assert parse(texts, found).to_list() == [expected]


@pytest.mark.parametrize(
    ("text", "date_format"), [("12/13/2010", "%m/%d/%y"), ("12/13/10", "%m/%d/%Y")]
)
def test_years_of_two_and_of_four_digits_are_not_mistaken(text, date_format):
    assert parse(pl.Series([text]), date_format).to_list() == [None]


@pytest.mark.parametrize(
    ("date_format", "said"),
    [
        ("%m/%d/%Y %I:%M", r"is no format: .*Write it as '%m/%d/%Y %H:%M'"),
        ("%+", "time zone"),
        ("%Y-%m-%d %:z", "time zone"),
    ],
)
def test_a_date_format_that_no_date_can_have_is_refused(settings_of, date_format, said):
    config = settings_of("none.csv", date_format=date_format)
    with pytest.raises(ConfigError, match=rf"dataset\.date_format='.*{said}"):
        check(config)


@pytest.mark.parametrize("encoding", ["undefined", "", "rot13", "auto "])
def test_an_encoding_that_decodes_no_text_is_refused_before_reading(settings_of, encoding):
    config = settings_of("none.csv", encoding=encoding)
    with pytest.raises(ConfigError, match=rf"dataset\.encoding='{encoding}' is unknown"):
        check(config)
