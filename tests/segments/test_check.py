"""What the group `segments` refuses before data are read."""

import re

import pytest

from segrun.config import NamesConfig, SegmentsConfig, StabilityConfig, check_ranges
from segrun.errors import ConfigError
from segrun.runner.checks import check as check_all
from segrun.segments.check import check

COLUMNS = ["Amount", "Recency", "Country"]


def names(**values):
    return SegmentsConfig(names=NamesConfig(**values))


def everything(config):
    check_ranges(config, "segments")
    check(config, COLUMNS)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            SegmentsConfig(stability=StabilityConfig(refits=-1)),
            "refits must be at least 0",
        ),
        (SegmentsConfig(stability=StabilityConfig(share=0.0)), "stability.share must be above 0"),
        (SegmentsConfig(stability=StabilityConfig(share=float("nan"))), "Got nan"),
        (SegmentsConfig(stability=StabilityConfig(max_rows=1)), "max_rows must be at least 2"),
        (SegmentsConfig(order_by=""), "order_by must be size or the name of a column"),
        (SegmentsConfig(order_by="Amuont"), "order_by: there is no column 'Amuont'. Did you mean"),
        (names(rules={"Big": "Amount <"}), "rules.Big: 'Amount <' cannot be read"),
        (names(rules={"Big": "Amont < 3"}), "rules.Big: there is no column 'Amont'. Did you mean"),
        (names(rules={" ": "Amount < 3"}), "a name has 1 to 100 letters"),
        (names(ordered=["a", "b"]), "needs a column to go by: segments.names.by=COLUMN"),
        (names(ordered=["a", "a"], by="Amount"), "must be different names"),
        (names(ordered=["a", ""], by="Amount"), "no segment can be called ''"),
        (names(ordered=["a", "b"], by="Age"), "names.by: there is no column 'Age'"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(config, told):
    with pytest.raises(ConfigError, match=rf"segments\..*{re.escape(told)}"):
        everything(config)


@pytest.mark.parametrize(
    "config",
    [
        SegmentsConfig(),
        SegmentsConfig(order_by="amount"),
        names(rules={"Abroad": "not `Country=United Kingdom` > 0.5"}),
        names(ordered=["Low", "High"], by="Recency"),
    ],
)
def test_what_can_be_is_accepted(config):
    check(config, COLUMNS)


def test_columns_that_nobody_knows_yet_are_not_judged():
    check(SegmentsConfig(order_by="Whatever"), None)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["features=rfm", "segments.order_by=Recncy"], "Did you mean 'Recency'"),
        (["features=aggregate", "+features.columns={Lines: {function: count}}",
          "segments.order_by=Recency"], "Columns: Lines"),
    ],
)  # fmt: skip
def test_columns_are_those_that_the_features_will_build(composed, overrides, told):
    with pytest.raises(ConfigError, match=f"segments.order_by: there is no column.*{told}"):
        check_all(composed(*overrides))


def test_a_point_must_be_of_the_grid(composed):
    grid = ("algo.params.tol=1e-4", "algo.grid.n_clusters=[2,3]", "segments.describe=true")
    check_all(composed(*grid, "segments.point='n_clusters=3,tol=0.0001'"))
    with pytest.raises(ConfigError, match=r"point=n_clusters=5,tol=0\.0001 is no point"):
        check_all(composed(*grid, "segments.point='n_clusters=5,tol=0.0001'"))


@pytest.mark.parametrize(
    "override",
    ["segments.order_by=Country", "segments.names.by=country",
     "+segments.names.rules.Abroad='Country > 3'"],
)  # fmt: skip
@pytest.mark.parametrize(
    "features",
    [
        ["features=rfm"],
        ["features=aggregate", "+features.columns={Lines: {function: count}, "
         "Country: {function: last, of: Country}}"],
        ["features=table", "dataset=table", "dataset.path=nowhere.csv", "dataset.id=who",
         "+dataset.columns={age: number, Country: text}"],
    ],
)  # fmt: skip
def test_texts_have_no_order(composed, features, override):
    with pytest.raises(ConfigError, match=r"segments\..*ountry holds texts, which have no order"):
        check_all(composed(*features, override))


def test_texts_that_are_encoded_as_numbers_have_an_order(composed):
    check_all(composed(
        "features=table", "dataset=table", "dataset.path=nowhere.csv", "dataset.id=who",
        "+dataset.columns={Grade: text}", "segments.order_by=Grade",
        "+features.columns={Grade: {encode: ordinal, categories: [S, M, L]}}",
    ))  # fmt: skip


@pytest.mark.parametrize("column", ["November", "Country=France", "TotalSpent", "recency"])
def test_further_columns_of_transactions_are_known(composed, column):
    check_all(composed("features=rfm", f"segments.order_by='{column}'"))
