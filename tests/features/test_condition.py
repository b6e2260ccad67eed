"""Conditions: what they mean, and that nothing else is run."""

import contextlib
from datetime import datetime

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import ColumnKind
from segrun.errors import ConfigError
from segrun.features.condition import condition

ROWS = pl.DataFrame(
    {
        "Country": ["France", "Spain", None, "it's `x`"],
        "n": [1, -5, 7, None],
        "Unit Price": [2.0, 1.0, None, 2.5],
        "Date": [datetime(2024, 3, 3), datetime(2024, 3, 3, 23), datetime(2024, 3, 4), None],
    }
)
KINDS = {
    "Country": ColumnKind.text, "n": ColumnKind.number, "Unit Price": ColumnKind.number,
    "Date": ColumnKind.date,
}  # fmt: skip


def fulfilled(text):
    frame = nw.from_native(ROWS).select(found=condition(text, KINDS, "features.where"))
    return [i for i, found in enumerate(frame["found"].to_list()) if found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Country == 'France'", [0]),
        ("Country != 'France'", [1, 3]),
        ("not Country == 'France'", [1, 3]),
        ("Country in ['France', 'Spain']", [0, 1]),
        ("Country not in ('France',)", [1, 3]),
        ("Country is None", [2]),
        ("Country is not None and n is not None", [0, 1]),
        ('Country == "it\'s `x`"', [3]),
        ("`Unit Price` >= 2", [0, 3]),
        ("n < `Unit Price`", [0, 1]),
        ("-5 <= n < 7", [0, 1]),
        ("3 > n", [0, 1]),
        ("n in [7, 1.0]", [0, 2]),
        ("not (n > 0 or `Unit Price` > 2)", [1]),
        ("Date == '2024-03-03'", [0, 1]),
        ("Date != '2024-03-03'", [2]),
        ("Date <= '2024-03-03'", [0, 1]),
        ("Date > '2024-03-03'", [2]),
        ("Date < '2024-03-03T23:00'", [0]),
        ("weekday(Date) == 7", [0, 1]),
        ("month(Date) in [3] and hour(Date) == 23", [1]),
    ],
)
def test_which_rows_fulfil_it(text, expected):
    assert fulfilled(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("Country = 'France'", "cannot be read: '=' stands at letter 9"),
        ("Country == 'France", 'cannot be read: "\'" stands at letter 12'),
        ("(" * 900 + "n" + ")" * 900, "cannot be read"),
        ("n > 0 " * 1000, "at most 2000"),
        ("Contry == 'France'", r"Did you mean 'Country'\?"),
        ("Country > 'A'", "text, which has no order"),
        ("Country == 3", "give it a text in quotes"),
        ("n == 'x'", "give it a number"),
        ("n == True", "give it a number"),
        ("n == None", "give it a number"),
        ("n == 1" + "0" * 400, "give it a number"),
        ("Date > 'March'", r"write '2011-12-09'"),
        ("Date in ['2024-03-03']", "compare it with"),
        ("month(n) == 3", r"month\(\) is of a date, but n holds number"),
        ("n", "is no comparison"),
        ("1 < 2", "is no column"),
        ("n + 1 > 2", "is no column"),
        ("n is 5", "only `is None`"),
        ("len(Country) > 2", "is not known"),
        ("Country.upper() == 'X'", "is not known"),
        ("__import__('os').system('x') == 0", "is not known"),
        ("[n for n in [1]] == 1", "is no column"),
        ("(lambda: 1)() == 1", "is not known"),
    ],
)
def test_anything_else_is_refused_naming_the_key(text, said):
    with pytest.raises(ConfigError, match=said) as error:
        condition(text, KINDS, "features.where")
    assert str(error.value).startswith("features.where")


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_a_clear_error(text):
    with contextlib.suppress(ConfigError):
        condition(text, KINDS, "features.where")
