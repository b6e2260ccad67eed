"""Declared columns: by hand, and all functions, conditions and values against pandas."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrun.config import Function, Unknown
from segrun.errors import ConfigError, DataError
from segrun.features import build

DAY = datetime(2024, 3, 1)
SCHEMA = {
    "id": pl.String, "group": pl.String, "place": pl.String, "n": pl.Int64, "price": pl.Float64,
    "when": pl.Datetime("us"),
}  # fmt: skip

CONDITIONS = {
    None: lambda f: pd.Series(True, index=f.index),
    "n > 2": lambda f: f["n"] > 2,
    "place == 'x y' or n <= 0": lambda f: (f["place"] == "x y") | (f["n"] <= 0),
    "not price >= 1.5": lambda f: f["price"] < 1.5,
    "place in ['é', 'q'] and price is not None": (
        lambda f: f["place"].isin(["é", "q"]) & f["price"].notna()
    ),
    "when <= '2024-03-03'": lambda f: f["when"] < pd.Timestamp("2024-03-04"),
    "hour(when) < 12": lambda f: pd.to_datetime(f["when"]).dt.hour < 12,
}

maybe = lambda values: st.one_of(st.none(), values)  # noqa: E731
frames = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        maybe(st.sampled_from(["p", "q"])),
        maybe(st.sampled_from(["x y", "é", "q"])),
        maybe(st.integers(-3, 9)),
        maybe(st.integers(-500, 500).map(lambda cents: cents / 100)),
        maybe(st.integers(0, 200).map(lambda hours: DAY + timedelta(hours=hours))),
    ),
    min_size=1,
    max_size=30,
)


def of_pandas(frame, function, of, reference):
    """One number or text per entity, over the rows given."""
    if function == "count":
        return len(frame) if of is None else frame[of].count()
    if function in ("days_since", "days_since_first"):
        moment = frame["when"].max() if function == "days_since" else frame["when"].min()
        return (reference - moment).days if pd.notna(moment) else None
    if function in ("first", "last"):
        # Of one moment, the row with the least (greatest) text.
        known = frame.dropna(subset=["when", of]).astype({of: object})
        known = known.assign(text=known[of].map(str)).sort_values(["when", "text"])
        return None if known.empty else known[of].iloc[0 if function == "first" else -1]
    values = frame["n"] * frame["price"] if of == "n * price" else frame[of]
    if function == "distinct":
        return values.nunique()
    if function == "sum":
        return values.sum()
    return getattr(values, function)() if values.count() else None


ASKED = [
    ("count", None), ("count", "price"), ("distinct", "place"), ("distinct", "n"), ("sum", "n"),
    ("sum", "price"), ("sum", "n * price"), ("mean", "price"), ("min", "price"), ("max", "n"),
    ("first", "place"), ("last", "place"), ("first", "price"), ("days_since", None),
    ("days_since_first", None),
]  # fmt: skip


@pytest.mark.heavy
@settings(deadline=None, max_examples=25)
@given(rows=frames, condition=st.sampled_from(list(CONDITIONS)), per=st.booleans())
def test_every_function_is_what_pandas_says(declaring, rows, condition, per):
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    more = {"per": "group", "values": ["p", "q"]} if per else {}
    columns = {
        f"c{i}": declaring.column(f, of, where=condition, cluster=False, **more)
        for i, (f, of) in enumerate(ASKED)
    }
    if frame["when"].null_count() == len(frame):
        columns = {k: c for k, c in columns.items() if "days" not in c.function.value}
    columns["Rows"] = declaring.column("count")
    found = build(declaring.rows_of(frame), declaring.aggregate(columns), cluster=False)
    pandas = pd.DataFrame(frame.to_dict(as_series=False))
    kept = pandas[CONDITIONS[condition](pandas).fillna(False).astype(bool)]
    reference = pandas["when"].max()
    ids = sorted(set(pandas["id"]))
    assert found.all_customers.ids.tolist() == ids
    assert found.about is not None
    for i, (function, of) in enumerate(ASKED):
        for value in ["p", "q"] if per else [None]:
            own = kept if value is None else kept[kept["group"] == value]
            name = f"c{i}" if value is None else f"c{i}_{value}"
            if name not in found.about.columns:
                continue
            for customer, got in zip(ids, found.about.columns[name], strict=True):
                expected = of_pandas(own[own["id"] == customer], function, of, reference)
                if expected is None:
                    assert got is None or np.isnan(got), (name, function, of)
                elif isinstance(expected, str):
                    assert got == expected
                else:
                    assert got == pytest.approx(expected, abs=1e-9), (name, function, of)


@pytest.mark.heavy
@settings(deadline=None, max_examples=15)
@given(
    rows=frames, condition=st.sampled_from(list(CONDITIONS)[1:]), of=st.sampled_from([None, "n"])
)
def test_shares_are_what_pandas_says(declaring, rows, condition, of):
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    columns = {
        "all": declaring.column("share", of, where=condition, cluster=False),
        "each": declaring.column("share", of, where=condition, per="group", values=["p", "q"],
                                 cluster=False),
        "Rows": declaring.column("count"),
    }  # fmt: skip
    found = build(declaring.rows_of(frame), declaring.aggregate(columns), cluster=False).about
    pandas = pd.DataFrame(frame.to_dict(as_series=False))
    fits = CONDITIONS[condition](pandas).fillna(False).astype(bool)

    def size(rows):
        return len(rows) if of is None else rows[of].sum()

    for i, customer in enumerate(found.ids):
        own = pandas["id"] == customer
        part = pandas[own & fits]
        expected = {"all": (size(part), size(pandas[own]))} | {
            f"each_{value}": (size(part[part["group"] == value]), size(part)) for value in "pq"
        }
        for name, (share, whole) in expected.items():
            got = found.columns[name][i]
            assert got == pytest.approx(share / whole) if whole else np.isnan(got), name


@pytest.fixture
def sales():
    return pl.DataFrame(
        {
            "id": ["u", "u", "u", "v", None],
            "group": ["Food", "Toys", "Food", "Food", "Toys"],
            "n": [2, 1, 3, 5, 9],
            "price": [0.1, 5.0, 0.2, 1.0, 1.0],
            "promotion": ["yes", "no", "no", "yes", "no"],
        }
    )


def test_shares_by_hand(declaring, sales):
    columns = {
        "Rows": declaring.column("share", where="promotion == 'yes'"),
        "Paid": declaring.column("share", "n * price", per="group"),
        "Promoted": declaring.column("share", "n", per="group", where="promotion == 'no'",
                                     missing=0),
    }  # fmt: skip
    found = build(declaring.rows_of(sales), declaring.aggregate(columns)).customers
    assert found.ids.tolist() == ["u", "v"]
    assert found.columns["Rows"].tolist() == [1 / 3, 1.0]
    # u pays 0.8 for food of 5.8; of what is no promotion, one piece of four is a toy.
    assert found.columns["Paid_Food"].tolist() == [4 / 29, 1.0]
    assert found.columns["Paid_Toys"].tolist() == [25 / 29, 0.0]
    assert found.columns["Promoted_Toys"].tolist() == [0.25, 0.0]


def test_rows_without_id_and_rows_that_do_not_count_are_told(declaring, sales):
    config = declaring.aggregate({"Items": declaring.column("sum", "n")}, where="n < 5")
    found = build(declaring.rows_of(sales), config, cluster=False)
    assert found.facts["dropped"] == {"id missing": 1, "features.where=n < 5": 1}
    assert found.customers.columns["Items"].tolist() == [6.0]


def test_sums_are_exact_whatever_the_order(declaring):
    frame = pl.DataFrame({"id": ["a", "b"] * 5000, "x": [0.1, 0.7] * 5000})
    columns = {"S": declaring.column("sum", "x"), "M": declaring.column("mean", "x")}
    found = build(declaring.rows_of(frame), declaring.aggregate(columns)).customers
    assert found.columns["S"].tolist() == [500.0, 3500.0]
    assert found.columns["M"].tolist() == [0.1, 0.7]


def test_values_that_are_found_are_learned(declaring, sales):
    config = declaring.aggregate({"Items": declaring.column("sum", "n", per="group")})
    first = build(declaring.rows_of(sales), config)
    assert first.facts["fitted"]["values"] == {"Items": ["Food", "Toys"]}
    other = sales.filter(pl.col("group") == "Food")
    again = build(declaring.rows_of(other), config, first.facts["fitted"], cluster=False)
    assert again.customers.feature_names == ["Items_Food", "Items_Toys"]
    new = sales.with_columns(group=pl.lit("Books"))
    with pytest.raises(DataError, match=r"not there before \(Books\).*unknown=ignore"):
        build(declaring.rows_of(new), config, first.facts["fitted"])
    config.columns["Items"].unknown = Unknown.ignore
    ignored = build(declaring.rows_of(new), config, first.facts["fitted"], cluster=False)
    assert ignored.customers.columns["Items_Toys"].tolist() == [0.0, 0.0]


def test_too_many_values_are_refused_naming_the_setting(declaring):
    frame = pl.DataFrame({"id": ["a"] * 60, "page": [f"/{i}" for i in range(60)]})
    config = declaring.aggregate({"Views": declaring.column("count", per="page")})
    with pytest.raises(
        DataError, match=r"60 values, more than max_values=50.*columns.Views.values"
    ):
        build(declaring.rows_of(frame), config)


def test_a_missing_measure_is_refused_or_filled_and_told(declaring, sales):
    columns = {"Toys": declaring.column("mean", "price", where="group == 'Toys'")}
    with pytest.raises(DataError, match=r"Toys has no value for 1 of 2 customers, such as v"):
        build(declaring.rows_of(sales), declaring.aggregate(columns))
    columns["Toys"].missing = -1
    found = build(declaring.rows_of(sales), declaring.aggregate(columns))
    assert found.customers.columns["Toys"].tolist() == [5.0, -1.0]
    assert found.facts["fitted"]["fills"] == {"Toys": -1}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"function": "sum"}, r"columns.X.function=sum needs a column"),
        ({"function": "sum", "of": "nn"}, r"no column 'nn'. Did you mean 'n'\?"),
        ({"function": "sum", "of": "group"}, r"sum is of a number, but group holds text"),
        ({"function": "sum", "of": "n * n * n"}, r"a product has two factors"),
        ({"function": "max", "of": "n * price"}, r"a product has two factors"),
        ({"function": "share"}, r"set features.columns.X.where or per"),
        ({"function": "first", "of": "group"}, r"needs a date column, which the dataset lacks"),
        ({"function": "count", "per": "n"}, r"per=n is no text column.*group, promotion"),
        ({"function": "count", "where": "n > 'a'"}, r"columns.X.where=.*give it a number"),
        ({"function": "count", "values": ["a"]}, r"set features.columns.X.per"),
    ],
)
def test_what_cannot_be_asked_is_refused(declaring, sales, given, said):
    config = declaring.aggregate({"X": declaring.column(**given)})
    with pytest.raises(ConfigError, match=said):
        build(declaring.rows_of(sales), config)


def test_names_that_results_have_are_refused(declaring, sales):
    config = declaring.aggregate({"label": declaring.column("count")})
    with pytest.raises(ConfigError, match=r"columns.label: results have a column of this name"):
        build(declaring.rows_of(sales), config)


def test_every_function_is_tested():
    assert {function for function, _ in ASKED} | {"share"} == {f.value for f in Function}


def test_a_missing_value_has_no_decimal_places(declaring, caplog):
    frame = pl.DataFrame({"id": ["a", "a", "b"], "price": [1e-9, None, 2.5]})
    config = declaring.aggregate({"Total": declaring.column("sum", "price")})
    found = build(declaring.rows_of(frame), config, cluster=False).all_customers
    assert found.columns["Total"].tolist() == [1e-9, 2.5]
    assert not [r for r in caplog.records if "rounded" in r.getMessage()]
