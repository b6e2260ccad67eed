"""Excel sheets: a cell that is a number keeps its value, a row its number."""

from __future__ import annotations

from datetime import datetime

import pytest
import xlsxwriter

from segrun.config import BadLines, Decimal
from segrun.data.datasets import load
from segrun.errors import DataError
from segrun.rundir.store import read_csv

DATE = datetime(2020, 1, 5, 8, 26)
COLUMNS = {"customer": "c", "date": "d", "amount": "a"}


@pytest.fixture
def sheet(tmp_path):
    """Write amounts, each in a row of its own, and return the file."""

    def written(*amounts, n_above=0, dates=None):
        path = tmp_path / "sheet.xlsx"
        with xlsxwriter.Workbook(path) as book:
            page, form = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
            page.write_row(n_above, 0, ["c", "d", "a"])
            for i, amount in enumerate(amounts):
                row = n_above + 1 + i
                date = dates[i] if dates else DATE
                if amount == "no row":
                    continue
                page.write(row, 0, f"k{i}")
                if isinstance(date, str):
                    page.write_string(row, 1, date)
                else:
                    page.write_datetime(row, 1, date, form)
                write = page.write_string if isinstance(amount, str) else page.write
                write(row, 2, amount)
        return path

    return written


@pytest.fixture
def amounts_of(settings_of, tmp_path):
    def read(path, **changes):
        config = settings_of(path, COLUMNS, name="transactions", **changes)
        with load(config, 0, tmp_path) as transactions:
            return transactions.frame.collect("polars")["UnitPrice"].to_list()

    return read


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12,50", "7,25", 1.234, 2.345, 7], [12.5, 7.25, 1.234, 2.345, 7.0]),
        (["1.234,50", "1.234", 1.234, -0.5], [1234.5, 1234.0, 1.234, -0.5]),
        (["1,234.50", "1,234", 1.234, 12_345.678], [1234.5, 1234.0, 1.234, 12_345.678]),
        ([1.234, 2.345, 3.456], [1.234, 2.345, 3.456]),
        (["12.50 €", 1.234, 7], [12.5, 1.234, 7.0]),
        ([1e-10, 0, 1 / 3, 1e20], [1e-10, 0.0, 1 / 3, 1e20]),
        (["7,5", 1e-10, 1.5e-9, 123_456.7], [7.5, 1e-10, 1.5e-9, 123_456.7]),
        (["", 1.5, None, 2.5], [None, 1.5, None, 2.5]),
    ],
)
def test_a_number_keeps_its_value_whatever_the_texts_are(sheet, amounts_of, cells, expected):
    assert amounts_of(sheet(*cells)) == expected


def test_a_decimal_comma_is_that_of_texts(sheet, amounts_of):
    path = sheet("1.234", 1.234, 2.5)
    assert amounts_of(path, decimal=Decimal.comma) == [1234.0, 1.234, 2.5]


def test_texts_that_can_be_read_in_two_ways_are_still_refused(sheet, amounts_of):
    with pytest.raises(DataError, match=r"'1\.234' a thousand"):
        amounts_of(sheet("1.234", 2.345, 7))


def test_a_missing_value_may_be_a_number(sheet, amounts_of):
    assert amounts_of(sheet(-99.5, 2.345, 7.25), missing=["-99.5"]) == [None, 2.345, 7.25]


@pytest.mark.parametrize("truth", [True, "true"])
def test_a_truth_value_is_no_number(sheet, amounts_of, truth):
    with pytest.raises(DataError, match="row 2: a is 'true', not a number"):
        amounts_of(sheet(truth, 2.5, 7))


def test_a_date_keeps_its_day_whatever_the_texts_are(sheet, settings_of, tmp_path):
    path = sheet(1, 2, 3, 4, dates=[DATE, "06/02/2020", "07/02/2020", "17/02/2020"])
    config = settings_of(path, COLUMNS, name="transactions")
    # Texts and dates together are told, never mixed up.
    with pytest.raises(DataError, match="row 2: d is '2020-01-05"), load(config, 0, tmp_path):
        pass


@pytest.mark.parametrize("n_above", [0, 3])
def test_rows_have_the_numbers_of_the_sheet(sheet, settings_of, tmp_path, n_above):
    path = sheet(12.5, "no row", "abc", 1.25, 3.5, n_above=n_above)
    with pytest.raises(DataError, match=f"row {n_above + 4}: a is 'abc'"):
        load(settings_of(path, COLUMNS, name="transactions"), 0, tmp_path).__enter__()
    config = settings_of(path, COLUMNS, name="transactions", bad_lines=BadLines.quarantine)
    with load(config, 0, tmp_path) as transactions:
        (row,) = read_csv(transactions.quarantine)
    assert row["row"] == str(n_above + 4)
    assert row["text"] == "k2,2020-01-05 08:26:00,abc"


def test_a_bad_number_is_told_as_its_cell_shows_it(tmp_path, settings_of):
    path = tmp_path / "uci.xlsx"
    names = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, names.split())
        for row, quantity in enumerate([6, 2.5, 7], start=1):
            page.write_row(row, 0, ["1", "A", "B", quantity, "2020-01-05 08:26", 2.55, "1", "UK"])
    config = settings_of(path, bad_lines=BadLines.quarantine)
    with load(config, 0, tmp_path) as transactions:
        (row,) = read_csv(transactions.quarantine)
    assert row["reason"] == "Quantity is '2.5', not a whole number such as 6"
    assert row["text"] == "1,A,B,2.5,2020-01-05 08:26,2.55,1,UK"
