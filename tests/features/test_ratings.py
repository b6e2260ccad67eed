"""Ratings as a sparse matrix, against pandas and by hand."""

import logging
from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from segrun import features
from segrun.config import (
    Centre,
    ColumnKind,
    Duplicates,
    RatingsConfig,
    SyntheticRetailConfig,
    Values,
    check_ranges,
)
from segrun.data.datasets import dataset_of, load
from segrun.data.datasets.rows import Rows
from segrun.errors import ConfigError, DataError
from segrun.features.ratings import build, check

KINDS = {"item": ColumnKind.text, "rating": ColumnKind.number, "time": ColumnKind.number,
         "title": ColumnKind.text}  # fmt: skip

BY_HAND = [
    ("ann", "book", 4.0, 1.0), ("ann", "film", 2.0, 2.0), ("bob", "book", 5.0, 3.0),
    ("bob", "song", 0.0, 4.0), ("cy", "film", 1.0, 5.0),
]  # fmt: skip


def settings(**changes):
    values = {
        "name": "ratings", "item": "item", "rating": "rating", "time": "time", "title": "title",
        "values": Values.auto, "duplicates": Duplicates.refuse, "min_user_ratings": 1,
        "min_item_ratings": 1, "centre": Centre.none,
    }  # fmt: skip
    return RatingsConfig(**values | changes)


def rows(triplets, *, rated=True, titles=None):
    frame = pl.DataFrame(
        triplets, {"user": pl.String, "item": pl.String, "rating": pl.Float64, "time": pl.Float64},
        orient="row",
    )  # fmt: skip
    if titles is not None:
        frame = frame.with_columns(title=pl.col("item").replace_strict(titles, default=None))
    if not rated:
        frame = frame.drop("rating")
    kinds = {name: kind for name, kind in KINDS.items() if name in frame.columns}
    return Rows(nw.from_native(frame.lazy()), "user", "UserID", kinds, {"source": "test"})


def dense(built):
    return built.customers.X().tolist()


def test_a_user_is_a_row_and_an_item_a_column():
    built = build(rows(BY_HAND), settings())
    assert list(built.customers.ids) == ["ann", "bob", "cy"]
    assert built.customers.feature_names == ["book", "film", "song"]
    assert dense(built) == [[4, 2, 0], [5, 0, 0], [0, 1, 0]]
    # Bob's 0 is a rating, the other zeros are none.
    assert built.customers.matrix().nnz == 5
    items = built.customers.columns.catalogue
    assert items.n_ratings.tolist() == [2, 2, 1]
    assert items.means.tolist() == [4.5, 1.5, 0.0]
    assert built.about.columns["Ratings"].tolist() == [2, 2, 1]
    assert built.about.columns["MeanRating"].tolist() == [3.0, 2.5, 1.0]


@pytest.mark.parametrize(
    ("centre", "expected"),
    [
        (Centre.user, [[1, -1, 0], [2.5, 0, -2.5], [0, 0, 0]]),
        (Centre.item, [[-0.5, 0.5, 0], [0.5, 0, 0], [0, -0.5, 0]]),
    ],
)
def test_centring_takes_a_mean_off_what_is_rated_only(centre, expected):
    built = build(rows(BY_HAND), settings(centre=centre))
    assert dense(built) == expected
    assert built.customers.matrix().nnz == 5


def test_without_a_rating_column_rows_are_ones_or_counts():
    twice = [*BY_HAND, ("ann", "film", 3.0, 9.0)]
    assert dense(build(rows(twice, rated=False), settings())) == [[1, 1, 0], [1, 0, 1], [0, 1, 0]]
    counts = build(rows(twice, rated=False), settings(values=Values.counts))
    assert dense(counts) == [[1, 2, 0], [1, 0, 1], [0, 1, 0]]
    with pytest.raises(ConfigError, match=r"features\.values=rating needs a column"):
        build(rows(twice, rated=False), settings(values=Values.rating, rating=None))


def test_several_ratings_are_refused_or_the_last_or_the_mean():
    # The last by time stands first.
    twice = [("ann", "film", 3.0, 9.0), *BY_HAND]
    with pytest.raises(DataError, match=r"user 'ann' and item 'film' \(2 times\)"):
        build(rows(twice), settings())
    assert dense(build(rows(twice), settings(duplicates=Duplicates.last)))[0] == [4, 3, 0]
    by_line = settings(duplicates=Duplicates.last, time=None)
    assert dense(build(rows(twice), by_line))[0] == [4, 2, 0]
    assert dense(build(rows(twice), settings(duplicates=Duplicates.mean)))[0] == [4, 2.5, 0]


def test_rare_items_go_and_users_with_few_ratings_of_the_others_are_set_aside():
    built = build(rows(BY_HAND), settings(min_item_ratings=2, min_user_ratings=2))
    assert built.customers.feature_names == ["book", "film"]
    assert list(built.customers.ids) == ["ann"]
    assert list(built.all_customers.ids) == ["ann", "bob", "cy"]
    assert built.all_customers.X().tolist() == [[4, 2], [5, 0], [0, 1]]
    assert built.facts["set_aside"] == {"min_user_ratings": 2}
    assert built.facts["dropped"] == {"missing": 0, "min_item_ratings": 1}


@pytest.mark.parametrize("key", ["min_item_ratings", "min_user_ratings"])
def test_limits_that_leave_nothing_are_told(key):
    with pytest.raises(DataError, match=rf"features\.{key}=3"):
        build(rows(BY_HAND), settings(**{key: 3}))
    with pytest.raises(ConfigError, match=rf"features\.{key} must be at least 1"):
        check_ranges(settings(**{key: 0}), "features")


def test_lines_without_user_item_or_rating_are_counted():
    gaps = [*BY_HAND, (None, "book", 1.0, 1.0), ("dan", None, 1.0, 1.0), ("dan", "book", None, 1.0)]
    built = build(rows(gaps), settings())
    assert list(built.customers.ids) == ["ann", "bob", "cy"]
    assert built.facts["dropped"] == {"missing": 3}
    with pytest.raises(DataError, match="none of 3 lines has user, item and rating"):
        build(rows(gaps[-3:]), settings())


def test_titles_stand_beside_ids_and_shared_ones_are_told_apart():
    built = build(rows(BY_HAND, titles={"book": "Same", "film": "Same"}), settings())
    items = built.customers.columns.catalogue
    assert items.titles.tolist() == ["Same", "Same", "song"]
    assert items.names() == ["Same [book]", "Same [film]", "song"]


def test_of_several_titles_the_most_frequent_one_stands():
    source = rows([(user, "i", 1.0, 0.0) for user in "abcde"] + [("a", "j", 1.0, 0.0)])
    titles = pl.Series(["?", "Cup", "Cup", "Mug", "Mug", None])
    frame = source.frame.to_native().with_columns(title=titles)
    source = replace(source, frame=nw.from_native(frame), kinds=KINDS)
    assert build(source, settings()).customers.columns.catalogue.titles.tolist() == ["Cup", "j"]


def test_new_data_have_the_same_columns(caplog):
    first = build(rows(BY_HAND), settings(centre=Centre.item, min_user_ratings=2))
    items = first.customers.columns.catalogue
    new = [("eve", "film", 5.0, 1.0), ("eve", "opera", 5.0, 1.0), ("flo", "opera", 1.0, 1.0)]
    fitted = {**first.facts["fitted"], "items": items}
    with caplog.at_level(logging.WARNING):
        again = build(rows(new), settings(centre=Centre.item, min_user_ratings=2), fitted)
    assert again.customers.feature_names == ["book", "film", "song"]
    assert list(again.customers.ids) == ["eve"]
    # By the item's mean of then, 1.5.
    assert dense(again) == [[0, 3.5, 0]]
    assert "2 of 3 ratings are of items that the run does not know (1 of 2 items)" in caplog.text
    with pytest.raises(DataError, match="none of the 1 items is among the 3"):
        build(rows(new[-1:]), settings(), fitted)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"item": "itm"}, "features.item='itm' is no column of the data. Did you mean 'item'"),
        ({"item": "time"}, "features.item='time' holds numbers, not texts"),
        ({"rating": "stars", "values": Values.rating}, "features.rating='stars' is no column"),
    ],
)
def test_a_column_that_is_not_there_is_told(changes, said):
    with pytest.raises(ConfigError) as told:
        build(rows(BY_HAND), settings(**{"time": None, **changes}))
    assert said in str(told.value)


def test_one_column_for_two_purposes_is_refused():
    with pytest.raises(ConfigError, match=r"features\.item and features\.rating are both 'x'"):
        check(settings(item="x", rating="x"))


triplets = st.lists(
    st.tuples(
        st.sampled_from(["u1", "u10", "u2", "\u00fc"]), st.sampled_from(["a", "B", "10", "9"]),
        st.integers(-4, 10).map(lambda n: n / 2), st.just(0.0),
    ),
    min_size=1, max_size=30,
)  # fmt: skip


@pytest.mark.heavy
@given(triplets)
def test_the_matrix_is_pandas_pivot(found):
    frame = pd.DataFrame(found, columns=["user", "item", "rating", "time"])
    pivot = frame.pivot_table(index="user", columns="item", values="rating", aggfunc="mean")
    assume(len(pivot) == 1 or len(pivot.drop_duplicates()) > 1)
    built = build(rows(found), settings(duplicates=Duplicates.mean))
    assert list(built.customers.ids) == list(pivot.index)
    assert built.customers.feature_names == list(pivot.columns)
    assert np.allclose(built.customers.X(), pivot.fillna(0).to_numpy(), rtol=1e-12)
    assert built.customers.matrix().nnz == pivot.notna().to_numpy().sum()
    for place, name in enumerate(pivot.columns):
        assert np.array_equal(built.customers.columns[name], built.customers.X()[:, place])


@pytest.mark.heavy
@given(triplets)
def test_the_last_line_wins_as_in_a_dict(found):
    # A user and an item more: the others are then not all alike.
    found = [*found, ("u3", "c", 1.0, 0.0)]
    built = build(rows(found), settings(duplicates=Duplicates.last, time=None))
    wanted = {(user, item): rating for user, item, rating, _ in found}
    matrix = built.customers.X()
    for (user, item), rating in wanted.items():
        row = list(built.customers.ids).index(user)
        assert matrix[row, built.customers.feature_names.index(item)] == rating


def test_purchases_are_ratings_of_items_without_a_number():
    config = SyntheticRetailConfig("synthetic_retail", n_customers=30)
    wanted = settings(item="StockCode", title="Description", values=Values.counts)
    check(wanted, dataset_of(config).columns(config))
    with load(config, 0) as source:
        built = features.build(source, wanted)
        lines = source.frame.to_native().collect().drop_nulls(["CustomerID", "StockCode"])
    counts = pd.DataFrame(lines.to_dict(as_series=False)).pivot_table(
        index="CustomerID", columns="StockCode", values="Quantity", aggfunc="size", fill_value=0
    )
    assert list(built.customers.ids) == list(counts.index)
    assert np.array_equal(built.customers.X(), counts.to_numpy())
    catalogue = built.customers.columns.catalogue
    title_of = dict(lines.select("StockCode", "Description").drop_nulls().rows())
    assert [title_of.get(key, key) for key in catalogue.ids] == list(catalogue.titles)


def test_a_column_that_the_dataset_lacks_is_told_before_it_is_read():
    retail = SyntheticRetailConfig("synthetic_retail", n_customers=30)
    kinds = dataset_of(retail).columns(retail)
    with pytest.raises(ConfigError, match=r"features\.item='item' is no column"):
        check(settings(), kinds)


def test_users_who_are_all_alike_are_refused():
    alike = [(user, item, 1.0, 0.0) for user in "ab" for item in "xy"]
    with pytest.raises(DataError, match="all 2 users gave every item the same value"):
        build(rows(alike), settings())
    # A user alone, of whom the others have nothing, is not like them.
    assert len(build(rows([*alike[:2], ("b", "z", 1.0, 0.0)]), settings()).customers) == 2
