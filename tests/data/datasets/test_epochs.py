"""Numbers that stand for dates: Unix time in its units, and the days of Excel."""

import logging
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrun.config import BadLines, CacheConfig
from segrun.data.datasets import check, load
from segrun.errors import ConfigError, DataError

COLUMNS = {"customer": "who", "date": "when", "amount": "paid"}
START = datetime(1970, 1, 1)
#: Which of a second each unit is, as plain Python has it.
UNITS = {"unix_s": 1, "unix_ms": 10**3, "unix_us": 10**6}
ROADS = {"exact": CacheConfig(use=False), "large": CacheConfig(use=False, min_bytes=0)}
MOMENTS = [datetime(2012, 1, 1), datetime(1997, 12, 5, 3, 4, 5), datetime(2024, 2, 29, 23, 59, 59)]

moments = st.lists(
    st.integers(315_532_800, 4_102_444_799).map(lambda s: START + timedelta(seconds=s)),
    min_size=1, max_size=30,
)  # fmt: skip


def text_of(whens):
    return "who,when,paid\n" + "".join(f"k{i},{when},{i}.5\n" for i, when in enumerate(whens))


@pytest.fixture
def dates_of(settings_of, tmp_path):
    """Load a file, or content as one, and return its dates."""

    def dates(path, road="exact", **changes):
        if isinstance(path, str):
            (tmp_path / "lines.csv").write_text(path)
            path = tmp_path / "lines.csv"
        config = settings_of(path, COLUMNS, name="transactions", **changes)
        check(config)
        with load(config, 0, tmp_path, ROADS[road]) as rows:
            return rows.frame.collect("polars")["InvoiceDate"].to_list(), rows.facts["date_format"]

    return dates


def seconds(moment):
    """Seconds since 1970, by the standard library."""
    return int(moment.replace(tzinfo=UTC).timestamp())


@pytest.mark.heavy
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=moments, unit=st.sampled_from(list(UNITS)), road=st.sampled_from(list(ROADS)))
def test_unix_time_is_known_by_its_size(dates_of, found, unit, road):
    text = text_of([seconds(moment) * UNITS[unit] for moment in found])
    assert dates_of(text, road) == (found, unit)
    assert dates_of(text, road, date_format=unit) == (found, unit)


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1325376600", datetime(2012, 1, 1, 0, 10)),
        ("1325376600000", datetime(2012, 1, 1, 0, 10)),
        ("1325376600123456", datetime(2012, 1, 1, 0, 10, 0, 123456)),
        ("1325376600.25", datetime(2012, 1, 1, 0, 10, 0, 250_000)),
        ("1325376600.0", datetime(2012, 1, 1, 0, 10)),
        ("20120101", datetime(2012, 1, 1)),
        ("20120101001000", datetime(2012, 1, 1, 0, 10)),
    ],
)
def test_the_forms_in_which_it_is_written_and_those_that_it_is_not(dates_of, text, moment, road):
    assert dates_of(text_of([text] * 3), road)[0] == [moment] * 3


def test_the_log_says_so(dates_of, caplog):
    caplog.set_level(logging.INFO)
    dates_of(text_of([1325376600, 1325376601]))
    assert "dates as Unix time in seconds, UTC (unix_s)" in caplog.text


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("odd", ["0", "-1", "99999999999", "n/a"])
def test_one_beyond_is_refused_with_advice_that_works(dates_of, road, odd, late):
    whens = [1325376600 + i for i in range(40)]
    text = text_of([*whens, odd] if late else [odd, *whens])
    with pytest.raises(DataError, match="Most may be Unix time in seconds") as error:
        dates_of(text, road)
    (advised,) = re.findall(r"dataset\.date_format=(\w+)", str(error.value))
    found, _ = dates_of(text, road, date_format=advised, missing=[odd])
    assert found.count(None) == 1
    assert found[1] == datetime(2012, 1, 1, 0, 10, int(late) if late else 0)


def test_bad_lines_beside_a_declared_unit_are_left_out(dates_of):
    text = text_of([1325376600, "then", 1325376601])
    found, _ = dates_of(text, date_format="unix_s", bad_lines=BadLines.skip)
    assert len(found) == 2


@pytest.mark.parametrize("wrong", ["unix", "epoch", "seconds"])
def test_words_that_are_no_format_are_refused_with_those_that_are(dates_of, wrong):
    with pytest.raises(ConfigError, match=rf"date_format='{wrong}' is no format.*unix_s, unix_ms"):
        dates_of(text_of([1]), date_format=wrong)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("kind", [pl.Int64, pl.UInt64, pl.Float64])
@pytest.mark.parametrize("form", ["parquet", "folder", "sqlite"])
def test_numbers_of_files_with_types(dates_of, tmp_path, unit, kind, form):
    whens = [seconds(moment) * UNITS[unit] for moment in MOMENTS]
    frame = pl.DataFrame({"who": ["a", "b", "c"], "when": pl.Series(whens).cast(kind), "paid": 1.5})
    if form == "sqlite":
        with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
            shop.execute("CREATE TABLE sales (who TEXT, 'when' INTEGER, paid REAL)")
            shop.executemany("INSERT INTO sales VALUES (?, ?, ?)", frame.rows())
            shop.commit()
        path, more = f"sqlite:///{tmp_path / 'shop.db'}", {"query": "sales"}
        # An address, no content.
        assert dates_of(Address(path), **more) == (MOMENTS, unit)
        return
    folder = tmp_path / "files"
    folder.mkdir()
    frame[:1].write_parquet(folder / "a.parquet")
    frame[1:].write_parquet(folder / "b.parquet")
    frame.write_parquet(tmp_path / "all.parquet")
    assert dates_of(folder if form == "folder" else tmp_path / "all.parquet") == (MOMENTS, unit)


class Address:
    """What is no path and no content."""

    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text


def sheet(path, cells, *, date_1904=False, formatted=()):
    """Write dates as bare serial numbers, those `formatted` as Excel's own."""
    with xlsxwriter.Workbook(path, {"date_1904": date_1904}) as book:
        page, form = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_row(0, 0, ["who", "when", "paid"])
        start = datetime(1904, 1, 1) if date_1904 else datetime(1899, 12, 30)
        for i, cell in enumerate(cells):
            page.write_row(i + 1, 0, [f"k{i}", None, 1.5])
            if i in formatted:
                page.write_datetime(i + 1, 1, cell, form)
            elif isinstance(cell, datetime):
                page.write_number(i + 1, 1, (cell - start) / timedelta(days=1))
            else:
                page.write(i + 1, 1, cell)
    return path


@pytest.mark.parametrize("date_1904", [False, True])
@pytest.mark.parametrize("formatted", [(), (1,), (0, 1, 2)])
def test_serial_numbers_of_a_sheet_are_its_dates(dates_of, tmp_path, caplog, date_1904, formatted):
    caplog.set_level(logging.INFO)
    path = sheet(tmp_path / "book.xlsx", MOMENTS, date_1904=date_1904, formatted=formatted)
    assert dates_of(path)[0] == MOMENTS
    system = "excel_1904" if date_1904 else "excel_1900"
    told = [r.getMessage() for r in caplog.records if "bare numbers in when" in r.getMessage()]
    assert len(told) == (len(formatted) < 3)
    assert all(f"({system})" in one for one in told)
    assert "some seconds" not in caplog.text


def test_each_book_of_a_folder_counts_in_its_own_way(dates_of, tmp_path):
    (tmp_path / "books").mkdir()
    for name, date_1904 in (("a.xlsx", True), ("b.xlsx", False)):
        sheet(tmp_path / "books" / name, MOMENTS, date_1904=date_1904)
    assert dates_of(tmp_path / "books")[0] == MOMENTS * 2


@pytest.mark.parametrize("cell", [7, "soon"])
def test_a_sheet_with_a_number_that_is_no_date_is_refused(dates_of, tmp_path, cell):
    with pytest.raises(DataError):
        dates_of(sheet(tmp_path / "book.xlsx", [*MOMENTS, cell]))


@pytest.mark.parametrize("system", ["excel_1900", "excel_1904"])
def test_serial_numbers_in_text_are_proposed_and_read_as_declared(dates_of, system):
    # 40909 is 1 January 2012 where days are counted from 1900, four years later from 1904.
    text = text_of([40909, 40909.5])
    with pytest.raises(DataError, match=r"dataset\.date_format=excel_1900"):
        dates_of(text)
    first = datetime(2012, 1, 1) if system == "excel_1900" else datetime(2016, 1, 2)
    assert dates_of(text, date_format=system)[0] == [first, first + timedelta(hours=12)]
