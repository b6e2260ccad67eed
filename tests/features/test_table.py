"""Tables as features: encoders and fillings against scikit-learn, learned once and kept."""

import json
from datetime import datetime

import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from segrun.config import Encode, Unknown
from segrun.errors import ConfigError, DataError
from segrun.features import build

PEOPLE = pl.DataFrame(
    {
        "id": ["c", "a", "b", "d"],
        "age": [30.0, None, 50.0, 41.0],
        "city": ["Rom", "Åbo", None, "Rom"],
        "size": ["M", "S", "L", "M"],
        "since": [datetime(2024, 1, 31), datetime(2024, 1, 1, 12), datetime(2023, 1, 31), None],
    }
)
LEARNED = {"age": {"missing": "median"}, "city": {"missing": "most_frequent"},
           "size": {"encode": Encode.ordinal, "categories": ["S", "M", "L"]},
           "since": {"missing": 0}}  # fmt: skip


def test_columns_are_as_scikit_learn_encodes_them(declaring):
    found = build(declaring.rows_of(PEOPLE), declaring.table(LEARNED)).customers
    people = PEOPLE.sort("id")
    assert found.ids.tolist() == ["a", "b", "c", "d"]
    assert found.feature_names == ["age", "city=Rom", "city=Åbo", "size", "since"]
    age = SimpleImputer(strategy="median").fit_transform(people[["age"]].to_numpy())
    assert found.columns["age"].tolist() == age[:, 0].tolist()
    city = SimpleImputer(strategy="most_frequent", missing_values=None).fit_transform(
        people[["city"]].to_numpy()
    )
    one_hot = OneHotEncoder(sparse_output=False).fit_transform(city)
    assert np.column_stack([found.columns["city=Rom"], found.columns["city=Åbo"]]).tolist() == (
        one_hot.tolist()
    )
    ordinal = OrdinalEncoder(categories=[["S", "M", "L"]]).fit_transform(people[["size"]])
    assert found.columns["size"].tolist() == ordinal[:, 0].tolist()
    # Days before the latest date, 31 January 2024.
    assert found.columns["since"].tolist() == [29.0, 365.0, 0.0, 0.0]


def test_what_was_learned_survives_json_and_gives_the_same_columns(declaring):
    first = build(declaring.rows_of(PEOPLE), declaring.table(LEARNED))
    fitted = json.loads(json.dumps(first.facts["fitted"]))
    one = PEOPLE.filter(pl.col("id") == "b")
    again = build(declaring.rows_of(one), declaring.table(LEARNED), fitted, cluster=False)
    assert again.customers.feature_names == first.customers.feature_names
    for name, values in first.customers.columns.items():
        assert again.customers.columns[name].tolist() == [values[1]]


@pytest.mark.parametrize("encode", list(Encode))
def test_an_unknown_category_is_refused_or_ignored(declaring, encode):
    settings = {"city": {"missing": "none", "encode": encode, "unknown": Unknown.refuse}}
    config = declaring.table(settings, only_named=True)
    fitted = build(declaring.rows_of(PEOPLE), config).facts["fitted"]
    new = PEOPLE.with_columns(city=pl.lit("Oslo"))
    with pytest.raises(DataError, match=r"'Oslo' \(customer a\).*city.unknown=ignore"):
        build(declaring.rows_of(new), config, fitted)
    config.columns["city"].unknown = Unknown.ignore
    found = build(declaring.rows_of(new), config, fitted, cluster=False).customers
    expected = 0 if encode is Encode.one_hot else -1
    assert {v for values in found.columns.values() for v in values.tolist()} == {expected}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, r"column age has no value for 1 of 4 customers, such as a: set .*age.missing"),
        ({"age": {"missing": 1}}, r"city has no value.*city.missing=most_frequent .or a text"),
        (LEARNED | {"size": {"max_categories": 2}}, r"size has 3 categories, more than"),
        (LEARNED | {"size": {"categories": ["S"]}}, r"no known category is 'L', 'M'"),
    ],
)
def test_tables_that_do_not_fit_are_refused(declaring, columns, said):
    with pytest.raises(DataError, match=said):
        build(declaring.rows_of(PEOPLE), declaring.table(columns))


def test_columns_not_clustered_on_are_kept_as_they_are(declaring):
    columns = {"city": {"cluster": False}, "size": {"cluster": False}, "since": {"cluster": False}}
    found = build(declaring.rows_of(PEOPLE), declaring.table(LEARNED | columns))
    assert found.customers.feature_names == ["age"]
    assert found.about.columns["city"].tolist() == ["Åbo", None, "Rom", "Rom"]
    assert np.isnan(found.about.columns["since"][3])
    assert found.about.ids.tolist() == found.all_customers.ids.tolist()


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["+features.columns={agee: {}}"], r"columns.agee: the table has no such.*'age'"),
        (["+features.columns={age: {missing: x}}"], r"refuse, median, mean, most_frequent or a"),
        (["+features.columns={city: {missing: mean}}"], r"missing='mean' is of numbers"),
        (["+features.columns={city: {missing: 3}}"], r"refuse, most_frequent or a text"),
        (["+features.columns={age: {encode: ordinal}}"], r"age: only texts are encoded"),
        (["+features.columns={city: {categories: [a, a]}}"], r"has a text twice"),
        (["~dataset.columns.age", "~dataset.columns.city"], r"dataset.columns declares no column"),
        (["features.only_named=true"], r"leaves no column to cluster on"),
        (["dataset.id=age"], r"dataset.columns.age is the id already"),
        (["features=rfm"], r"built of transactions, but dataset=table delivers table"),
        (["dataset=records", "features=table"], r"built of table, but dataset=records delivers"),
        (["+transform.log1p=[agee]", "~dataset.columns.city"], r"agee"),
    ],
)
def test_wrong_settings_are_refused_before_data_are_read(composed, overrides, said):
    from segrun.runner.checks import check

    given = ["dataset=table", "features=table", "dataset.path=nowhere.csv", "dataset.id=who",
             "+dataset.columns={age: number, city: text}"]  # fmt: skip
    with pytest.raises(ConfigError, match=said):
        check(composed(*given, *overrides))
