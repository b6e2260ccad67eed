"""What is no CSV of the UCI form is refused in segrun's words; nothing is lost in silence."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.data.datasets import load
from segrun.errors import DataError

COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
HEADER = COLUMNS + "\n"
GOOD = "536365,85123A,LANTERN,6,12/13/2010 8:26,2.55,17850,France\n"


@pytest.fixture(scope="module")
def rows_of(tmp_path_factory, settings_of):
    """Load text as a file and return its rows; generated examples share the folder."""
    folder = tmp_path_factory.mktemp("malformed")

    def rows(text, name="lines.csv"):
        path = folder / name
        path.write_bytes(text.encode())
        config = settings_of(
            path, encoding="utf-8", date_format="%m/%d/%Y %H:%M", separator=",", missing=[]
        )
        with load(config, 0, folder) as transactions:
            return transactions.frame.collect("polars").to_native().rows()

    return rows


@pytest.mark.parametrize(
    ("row", "n_fields"),
    [("536365,85123A,LANTERN,6,12/13/2010 8:26\n", 5), ("garbage\n", 1), ("  \n", 1)],
)
@pytest.mark.parametrize("n_before", [0, 1, 20_000])
def test_a_row_with_too_few_fields_is_named_by_its_line(rows_of, row, n_fields, n_before):
    said = rf"lines\.csv .*line {n_before + 2}: {n_fields} fields, the header has 8\. Mend it"
    with pytest.raises(DataError, match=said):
        rows_of(HEADER + GOOD * n_before + row + GOOD)


@pytest.mark.parametrize("more", [",", ",more", ',"a,b",'])
def test_a_row_with_too_many_fields_is_named_by_its_line(rows_of, more):
    n_fields = 10 if more.endswith('",') else 9
    said = rf"line 4: {n_fields} fields, the header has 8"
    with pytest.raises(DataError, match=said):
        rows_of(HEADER + GOOD.replace("LANTERN", '"a\nb"') + GOOD.replace("\n", more + "\n"))


def test_a_file_cut_off_within_its_last_row_is_refused(rows_of):
    with pytest.raises(DataError, match="line 4: 7 fields"):
        rows_of(HEADER + GOOD + GOOD + GOOD[: -len(",France\n")])


def test_a_file_cut_off_behind_an_opening_quote_is_refused(rows_of):
    # polars panics at a number of one quote.
    with pytest.raises(DataError, match="line 3: quotes are not closed"):
        rows_of(HEADER + GOOD + '"536365","85123A","LANTERN","')


@pytest.mark.parametrize("empty", ["", '""'])
def test_a_last_field_that_is_empty_is_missing_and_no_error(rows_of, empty):
    text = HEADER + GOOD + GOOD.replace("France", empty) + GOOD
    assert [row[-1] for row in rows_of(text)] == ["France", None, "France"]


def test_blank_lines_lose_nothing(rows_of):
    rows = rows_of("\n" + HEADER + GOOD + "\n" + GOOD + "\n")
    assert [row for row in rows if any(row)] == [rows[0]] * 2


@pytest.mark.parametrize(
    "description", ['"LANTERN', '"LANTERN"S', '5" LANTERN', '"5" LANTERN"', '"']
)
@pytest.mark.parametrize("n_after", [0, 1, 3000])
def test_quotes_that_are_not_closed_or_doubled_are_refused(rows_of, description, n_after):
    text = HEADER + GOOD + GOOD.replace("LANTERN", description) + GOOD * n_after
    with pytest.raises(DataError, match=r"dataset\.path=.*lines\.csv is not a CSV file"):
        rows_of(text)


def test_an_open_quote_is_named_by_the_line_where_its_row_begins(rows_of):
    with pytest.raises(DataError, match="line 3: quotes are not closed"):
        rows_of(HEADER + GOOD + GOOD.replace("LANTERN", '"LANTERN') + GOOD * 9)


def test_a_needed_column_that_occurs_twice_is_refused(rows_of):
    text = (HEADER + GOOD).replace("\n", ",17851\n").replace("Country,17851", "Country,CustomerID")
    with pytest.raises(DataError, match=r"lines\.csv has the column CustomerID more than once"):
        rows_of(text)


def test_columns_that_are_not_needed_may_have_any_names(rows_of):
    names = ["n_lines", "n_last", "n_infinite", "dates", "row", "Notes", "Notes"]
    text = HEADER.replace("\n", f",{','.join(names)}\n") + GOOD.replace("\n", ",1,2,3,4,5,6,7\n")
    assert rows_of(text) == rows_of(HEADER + GOOD)


@pytest.mark.parametrize("more", ["x,x", " x,x ", ",", "x,x (column 9),x"])
def test_blanks_around_a_name_mean_nothing_though_other_names_repeat(rows_of, more):
    header = HEADER.replace("InvoiceNo", "InvoiceNo ").replace("\n", f",{more}\n")
    rest = "," * (more.count(",") + 1)
    assert rows_of(header + GOOD.replace("\n", rest + "\n")) == rows_of(HEADER + GOOD)


@pytest.mark.parametrize("name", ["lines[1].csv", "*.csv", "lines?.csv"])
def test_a_name_is_no_pattern(rows_of, name):
    rows_of(HEADER + GOOD * 2, "lines1.csv")
    assert len(rows_of(HEADER + GOOD, name)) == 1


@pytest.mark.parametrize("number", ["1_000", "0x10", "6 pieces", "--6", "1e"])
def test_a_quantity_that_is_no_number_is_named_with_its_line(rows_of, number):
    with pytest.raises(DataError, match=rf"1 of 3 .* line 3: Quantity is '{number}', not a whole"):
        rows_of(HEADER + GOOD + GOOD.replace(",6,", f",{number},") + GOOD)


@pytest.mark.parametrize(("number", "value"), [(" 6 ", 6), ("6.0", 6), ("1e3", 1000), ("+6", 6)])
def test_a_quantity_in_another_notation_is_read(rows_of, number, value):
    assert rows_of(HEADER + GOOD.replace(",6,", f",{number},"))[0][3] == value


def test_lines_are_counted_where_fields_hold_line_breaks(rows_of):
    text = HEADER + GOOD.replace("LANTERN", '"A\nB\nC"') + GOOD.replace(",6,", ",six,") + GOOD
    with pytest.raises(DataError, match="line 5: Quantity is 'six'"):
        rows_of(text)


fields = st.text(st.sampled_from('ab,"\n £')).filter(lambda text: not text.endswith("\r"))


@pytest.mark.heavy
@given(rows=st.lists(st.tuples(fields, fields, fields, fields), min_size=1, max_size=8))
def test_whatever_a_csv_writer_writes_is_read_back(rows_of, rows):
    written = [(a, b, c, 6, "12/13/2010 8:26", 2.5, "7", d) for a, b, c, d in rows]
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS.split(","), *written])
    read = [(a, b, c, d) for a, b, c, *_, d in rows_of(text.getvalue())]
    # Blanks around an invoice number mean nothing.
    assert read == [(a.strip() or None, b or None, c or None, d or None) for a, b, c, d in rows]


@pytest.mark.heavy
@given(
    place=st.integers(len(HEADER), len(HEADER + GOOD * 4) - 1),
    letter=st.sampled_from(["", ",", "\n", '"', " ", "x"]),
)
def test_a_changed_letter_is_read_as_it_stands_or_refused(rows_of, place, letter):
    quoted = GOOD.replace("LANTERN", '"LANTERN, BIG"')
    text = HEADER + GOOD + quoted + GOOD + quoted
    text = text[:place] + letter + text[place + 1 :]
    try:
        read = rows_of(text)
    except DataError:
        return
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row][1:]
    assert {len(row) for row in expected} == {8}
    texts = [(a, b, c, d) for a, b, c, *_, d in (row for row in read if any(row))]
    assert texts == [
        (a.strip() or None, b or None, c or None, d or None) for a, b, c, *_, d in expected
    ]
