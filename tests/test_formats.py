"""Numbers, bytes and tables as people read them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segrun.formats import (
    as_float,
    counted,
    in_bytes,
    in_text,
    megabytes,
    number,
    percent,
    percent_in_text,
    seconds,
    signed,
    table,
)


def test_numbers_are_short_and_exact_enough():
    cells = {"1234567": "1,234,567", "0.123456": "0.123", "12.3456": "12.35", "": "", "x": "x"}
    assert {cell: number(cell) for cell in cells} == cells
    assert (number(0.123456, 4), number(12.3456, 3), number(None)) == ("0.1235", "12.3", "")
    assert (percent("0.1234"), signed(-0.04), seconds(0.0042)) == ("12.3%", "0.0", "4.2 ms")
    assert (seconds(1234.5), megabytes("1500000")) == ("1,234 s", "2 MB")
    assert [in_text(value) for value in (0, 123.4, 12.34, 1.234, 0.0123)] == [
        "0", "123", "12.3", "1.23", "0.012",
    ]  # fmt: skip
    assert (counted(1, "point"), counted(2000, "point")) == ("1 point", "2,000 points")


@pytest.mark.parametrize(
    ("n_bytes", "told"),
    [(12, "12 B"), (2000, "2 kB"), (643_000_000, "640 MB"), (1_440 * 10**9, "1,400 GB")],
)
def test_bytes_have_the_unit_that_fits(n_bytes, told):
    assert in_bytes(n_bytes) == told


@given(st.floats(0, 1))
@example(0.005)
def test_some_but_not_all_is_never_told_as_none_or_all(share):
    assert (percent_in_text(share) == "0 %") == (share == 0)
    assert (percent_in_text(share) == "100 %") == (share == 1)


@pytest.mark.parametrize("cell", [None, "", "nan", "inf", "x"])
def test_what_is_no_number_is_none(cell):
    assert as_float(cell) is None
    assert percent(cell) == signed(cell) == seconds(cell) == megabytes(cell) == ""


def test_columns_of_a_table_are_as_wide_as_their_longest_cell():
    assert table([("a", "bb"), ("ccc", ""), ("", "d")]) == "a    bb\nccc\n     d"
