"""What a configuration declares, column by column, and what it cannot mean."""

from dataclasses import FrozenInstanceError

import narwhals as nw
import polars as pl
import pytest

from segrun.config import ColumnKind
from segrun.errors import ConfigError
from segrun.features.declared import date_column, declared, listed

KINDS = {
    "group": ColumnKind.text, "n": ColumnKind.number, "price": ColumnKind.number,
    "when": ColumnKind.date, "a * b": ColumnKind.number,
}  # fmt: skip
ROWS = pl.DataFrame({"group": ["p", "q", "p"], "n": [1, 2, 3]})


@pytest.fixture
def one(declaring):
    """The columns that one declaration gives."""

    def made(function, of=None, kinds=KINDS, found=(), **settings):
        config = declaring.aggregate({"X": declaring.column(function, of, **settings)})
        return declared(config, kinds, {"X": list(found)})

    return made


def kept(expression):
    frame = nw.from_native(ROWS).select(kept=expression)
    return frame["kept"].to_list()


@pytest.mark.parametrize(
    ("of", "parts"),
    [(None, []), ("n", ["n"]), ("n * price", ["n", "price"]), ("n*n", ["n", "n"]),
     ("a * b", ["a * b"])],
)  # fmt: skip
def test_what_is_measured_is_a_column_or_two_factors(one, of, parts):
    (found,) = one("sum" if of else "count", of)
    assert (found.name, found.key, found.of, found.text) == ("X", "X", parts, False)
    assert found.rows is None
    assert found.base is None
    with pytest.raises(FrozenInstanceError):
        found.name = "Y"


@pytest.mark.parametrize("function", ["sum", "mean", "share"])
def test_products_are_taken_by_sums(one, function):
    assert one(function, "n * price", where="n > 1")[0].of == ["n", "price"]


@pytest.mark.parametrize("function", ["first", "last"])
def test_a_text_stays_a_text_only_where_it_is_told(one, function):
    assert one(function, "group")[0].text
    assert not one(function, "n")[0].text
    assert not one("distinct", "group")[0].text
    assert not one("count", "group")[0].text


def test_each_value_is_a_column_of_the_rows_that_have_it(one):
    found = one("count", per="group", values=["q", "p"], found=["z"])
    assert [column.name for column in found] == ["X_q", "X_p"]
    assert [column.key for column in found] == ["X", "X"]
    assert [kept(column.rows) for column in found] == [[False, True, False], [True, False, True]]
    assert [column.base for column in found] == [None, None]
    assert [column.name for column in one("count", per="group", found="pq")] == ["X_p", "X_q"]
    assert one("count", per="group") == []


def test_a_share_per_value_is_of_the_rows_that_fulfil_the_condition(one):
    (found,) = one("share", per="group", values=["p"], where="n > 1")
    assert kept(found.rows) == [False, False, True]
    assert kept(found.base) == [False, True, True]
    (whole,) = one("share", where="n > 1")
    assert kept(whole.rows) == [False, True, True]
    assert whole.base is None


TWO = {"sold": ColumnKind.date, "n": ColumnKind.number, "sent": ColumnKind.date}


def test_the_date_is_the_only_one_or_the_one_that_is_named(declaring):
    def date(kinds, name=None):
        return date_column(declaring.aggregate({}, date=name), kinds)

    assert date(KINDS) == "when"
    assert date({"n": ColumnKind.number}) is None
    assert date(TWO, "sent") == "sent"
    with pytest.raises(ConfigError, match=r"dates sold, sent: say .* features.date=sold"):
        date(TWO)
    with pytest.raises(ConfigError, match=r"features.date=n is no date column.*sold, sent"):
        date(TWO, "n")
    with pytest.raises(ConfigError, match=r"Date columns: none"):
        date({"n": ColumnKind.number}, "n")


UNDATED = {"group": ColumnKind.text, "n": ColumnKind.number}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        *[({"function": function}, f"function={function} needs a column")
          for function in ("distinct", "sum", "mean", "min", "max", "first", "last")],
        *[({"function": function, "of": "group", "where": "n > 1"}, "is of a number, but group")
          for function in ("sum", "mean", "share", "min", "max")],
        *[({"function": function, "of": "n"}, "is of a date, but n holds number")
          for function in ("days_since", "days_since_first")],
        *[({"function": function, "of": "when"}, "days since a date: days_since_first")
          for function in ("first", "last")],
        *[({"function": function, "kinds": UNDATED}, "needs a date column, which the dataset")
          for function in ("days_since", "days_since_first")],
        ({"function": "last", "of": "n", "kinds": UNDATED}, "needs a date column"),
        ({"function": "sum", "of": "n * grp"}, r"no column 'grp'. Did you mean 'group'\?"),
        ({"function": "sum", "of": "n * n * n"}, "a product has two factors.* sum, mean, share"),
        ({"function": "distinct", "of": "n * price"}, "a product has two factors"),
        ({"function": "share", "of": "n"}, "set features.columns.X.where or per"),
        ({"function": "count", "per": "n"}, "per=n is no text column.*Text columns: group"),
        ({"function": "count", "per": "m", "kinds": {"n": ColumnKind.number}}, "columns: none"),
        ({"function": "count", "values": ["p"]}, "values are values of a column: set"),
        ({"function": "count", "per": "group", "values": ["p", "p"]}, "'X_p' to two columns"),
        ({"function": "count", "where": "m > 1"}, "features.columns.X.where"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(one, given, said):
    with pytest.raises(ConfigError, match=said):
        one(**given)


@pytest.mark.parametrize("function", ["days_since", "days_since_first"])
def test_days_since_a_date_of_its_own_need_no_date_that_orders(declaring, function):
    config = declaring.aggregate({"X": declaring.column(function, "sent")})
    (found,) = declared(config, TWO, {})
    assert found.of == ["sent"]


def test_names_are_refused_that_results_have_and_none_is_too_few(declaring):
    with pytest.raises(ConfigError, match="declares no column"):
        declared(declaring.aggregate({}), KINDS, {})
    columns = {name: declaring.column("count") for name in ("Rows", "label")}
    with pytest.raises(ConfigError, match=r"columns\.label: results have a column"):
        declared(declaring.aggregate(columns), KINDS, {})


def test_columns_are_listed_for_messages():
    assert listed(UNDATED) == "group, n"
    assert listed({}).startswith("none; declare them")
