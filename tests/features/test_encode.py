"""Columns as numbers, against numpy and plain Python: fillings, categories, what is refused."""

from dataclasses import FrozenInstanceError
from functools import partial

import numpy as np
import pytest

from segrun.config import Encode, EncodedColumn, Unknown
from segrun.errors import ConfigError, DataError
from segrun.features.encode import Raw, check, encode, encoded_names, is_ordinal

IDS = np.array(["u", "v", "w", "x", "y"], dtype=object)
NUMBERS = np.array([4.0, np.nan, 1.0, 4.0, 9.0])
TEXTS = np.array(["b", None, "a", "b", "c"], dtype=object)


def raw(values, name="X", **settings):
    return Raw(name, values, EncodedColumn(**settings), f"features.columns.{name}")


def encoded(*columns, fitted=None):
    return encode("id", IDS, columns, fitted)


@pytest.mark.parametrize(
    ("missing", "filled"),
    [("median", 4.0), ("mean", 4.5), ("most_frequent", 4.0), (0, 0), (-2.5, -2.5)],
)
def test_a_missing_number_is_filled_and_the_others_stay(missing, filled, caplog):
    found = encoded(raw(NUMBERS, missing=missing))
    assert found.customers.columns["X"].tolist() == [4.0, filled, 1.0, 4.0, 9.0]
    assert found.fitted == {"fills": {"X": filled}}
    assert found.about is None
    assert caplog.messages == [f"X: 1 missing values are filled with {filled}"]
    assert np.isnan(NUMBERS[1])


def test_the_filling_is_the_most_frequent_and_not_the_greatest_text():
    found = encoded(raw(TEXTS, missing="most_frequent", encode=Encode.ordinal))
    assert found.customers.columns["X"].tolist() == [1, 1, 0, 1, 2]
    assert found.fitted == {"fills": {"X": "b"}, "categories": {"X": ["a", "b", "c"]}}
    assert TEXTS[1] is None


def test_a_text_of_its_own_may_stand_for_a_missing_one():
    found = encoded(raw(TEXTS, missing="none"))
    assert {name: c.tolist() for name, c in found.customers.columns.items()} == {
        f"X={text}": [int(value == text) for value in ("b", "none", "a", "b", "c")]
        for text in ("a", "b", "c", "none")
    }


def test_nothing_is_told_where_nothing_is_missing(caplog):
    whole = np.array([1, 2, 3, 4, 5])
    found = encoded(raw(whole, missing="median"))
    assert found.customers.columns["X"].dtype == whole.dtype
    assert found.fitted == {"fills": {"X": 3.0}}
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("values", "advice"),
    [(NUMBERS, r"missing=median' \(or mean, a number\)"),
     (TEXTS, r"missing=most_frequent' \(or a text\)")],
)  # fmt: skip
def test_a_missing_value_is_refused_unless_it_is_not_clustered_on(values, advice):
    with pytest.raises(DataError, match=r"column X has no value for 1 of 5 customers, such as v"):
        encoded(raw(values))
    with pytest.raises(DataError, match=advice.replace("'", "'?")):
        encoded(raw(values))
    found = encoded(raw(values, cluster=False), raw(np.arange(5), "Y"))
    assert found.about.columns["X"] is values
    assert found.about.ids.tolist() == found.customers.ids.tolist() == IDS.tolist()
    assert found.customers.feature_names == ["Y"]
    filled = encoded(raw(values, cluster=False, missing="most_frequent"), raw(np.arange(5), "Y"))
    assert filled.about.columns["X"][1] in (4.0, "b")


def test_three_customers_without_value_are_named():
    with pytest.raises(DataError, match=r"4 of 5 customers, such as v, w, x: "):
        encoded(raw(np.array([1.0, *[np.nan] * 4])))


@pytest.mark.parametrize("missing", ["median", "mean", "most_frequent"])
def test_nothing_is_learned_of_no_value(missing):
    with pytest.raises(DataError, match=rf"X.missing={missing}: no row has a value"):
        encoded(raw(np.full(5, np.nan), missing=missing))


def test_other_data_get_what_was_learned():
    settings = {"missing": "most_frequent", "unknown": Unknown.ignore}
    first = encoded(raw(TEXTS, **settings), raw(NUMBERS, "N", missing="mean"))
    other = np.array([None, "z", "c", "c", "c"], dtype=object)
    again = encoded(
        raw(other, **settings), raw(np.array([np.nan, 1.0, 1.0, 1.0, 1.0]), "N", missing="mean"),
        fitted=first.fitted,
    )  # fmt: skip
    assert {name: c.tolist() for name, c in again.customers.columns.items()} == {
        "X=a": [0, 0, 0, 0, 0], "X=b": [1, 0, 0, 0, 0], "X=c": [0, 0, 1, 1, 1],
        "N": [4.5, 1.0, 1.0, 1.0, 1.0],
    }  # fmt: skip
    assert again.fitted == first.fitted


def test_a_gap_where_none_was_learned_of_is_refused():
    first = encoded(raw(np.arange(5.0), missing="refuse"), raw(TEXTS, "T", missing="a"))
    with pytest.raises(DataError, match="column X has no value for 1 of 5"):
        encoded(raw(NUMBERS), raw(TEXTS, "T", missing="a"), fitted=first.fitted)


def test_an_unknown_category_is_refused_or_counts_for_none():
    known = {"categories": ["b", "a"], "missing": "a"}
    with pytest.raises(DataError, match=r"no known category is 'c' \(customer y\). Known: b, a"):
        encoded(raw(TEXTS, **known))
    found = encoded(raw(TEXTS, encode=Encode.ordinal, unknown=Unknown.ignore, **known))
    assert found.customers.columns["X"].tolist() == [0, 1, 1, 0, -1]


def test_as_many_categories_as_allowed_are_taken_as_found():
    assert len(encoded(raw(TEXTS, missing="b", max_categories=3)).customers.columns) == 3
    with pytest.raises(DataError, match=r"3 categories, more than features.columns.X.max_cat"):
        encoded(raw(TEXTS, missing="b", max_categories=2))
    listed = raw(TEXTS, missing="b", max_categories=2, categories=["c", "b", "a"])
    assert encoded(listed).customers.feature_names == ["X=c", "X=b", "X=a"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([("X", True), ("X", True)], "two columns are called 'X'"),
        ([("X", False), ("X", False), ("Y", True)], "two columns are called 'X'"),
        ([("id", True)], "a column is called 'id', as the id is"),
        ([("id", False), ("Y", True)], "a column is called 'id', as the id is"),
        ([("label", True)], "results have a column 'label' of their own"),
        ([("label", False), ("Y", True)], "results have a column 'label' of their own"),
        ([("X", False)], "no column is clustered on"),
    ],
)
def test_names_that_clash_are_refused(columns, said):
    with pytest.raises(ConfigError, match=said):
        encoded(*(raw(np.arange(5), name, cluster=cluster) for name, cluster in columns))


@pytest.mark.parametrize(
    ("settings", "text", "said"),
    [
        ({"missing": 3}, True, "the column holds text: refuse"),
        ({"missing": "median"}, True, "is of numbers, but the column holds text"),
        ({"missing": "mean"}, True, "is of numbers, but the column holds text"),
        ({"missing": "none"}, False, "refuse, median, mean, most_frequent or a number"),
        ({"missing": True}, False, "refuse, median, mean, most_frequent or a number"),
        ({"missing": float("nan")}, False, "must be a finite number"),
        ({"missing": float("inf")}, False, "must be a finite number"),
        ({"encode": Encode.ordinal}, False, "only texts are encoded"),
        ({"categories": ["a"]}, False, "only texts are encoded"),
        ({"categories": ["a", "b", "a"]}, True, "X.categories has a text twice"),
    ],
)
def test_settings_that_no_data_can_satisfy_are_refused(settings, text, said):
    with pytest.raises(ConfigError, match=said):
        check(EncodedColumn(**settings), "features.columns.X", text=text)


@pytest.mark.parametrize("missing", ["refuse", "most_frequent", "none"])
def test_settings_of_texts_are_taken(missing):
    given = EncodedColumn(missing=missing, encode=Encode.one_hot, categories=["a", "b"])
    check(given, "X", text=True)


@pytest.mark.parametrize("missing", ["refuse", "median", "mean", "most_frequent", 0, 2.5])
def test_settings_of_numbers_are_taken(missing):
    check(EncodedColumn(missing=missing), "X", text=False)


def test_the_names_are_those_that_the_columns_get():
    names = partial(encoded_names, name="X")
    settings = {"missing": "a", "categories": ["c", "b", "a"]}
    for more in ({}, {"encode": Encode.ordinal}, {"encode": Encode.one_hot}):
        column = raw(TEXTS, **settings, **more)
        found = encoded(column).customers.feature_names
        assert names(column.config, text=True) == found
        assert is_ordinal(column.config) == (found == ["X"])
    assert names(EncodedColumn(), text=True) is None
    assert names(EncodedColumn(), text=False) == ["X"]
    hidden = EncodedColumn(cluster=False, encode=Encode.ordinal)
    assert names(hidden, text=True) == []
    assert not is_ordinal(hidden)


def test_nothing_is_changed_of_what_was_given():
    column = raw(TEXTS)
    with pytest.raises(FrozenInstanceError):
        column.name = "Y"
    with pytest.raises(FrozenInstanceError):
        encoded(raw(np.arange(5))).fitted = {}
