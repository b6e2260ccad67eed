"""The language of rules against Python's own comparisons."""

import re
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import NamesConfig, SegmentsConfig, StabilityConfig, check_ranges
from segrun.errors import ConfigError
from segrun.runner.checks import check as check_all
from segrun.segments.rule import check, parse


class Table:
    """One segment: medians of its own, and three customers in all."""

    own: ClassVar = {"a": 2.0, "b": 5.0, "Net Amount": -1.5, "mean": 7.0,
                    "class": 1.0}  # fmt: skip
    every: ClassVar = {"a": [1.0, 2.0, 9.0], "b": [0.0, 4.0, 5.0], "Net Amount": [-3.0, 0.0, 1.0]}

    def of_segment(self, column):
        return self.own[column]

    def of_all(self, column, what):
        values = self.every[column]
        return {"mean": np.mean, "median": np.median}.get(what, lambda v: np.quantile(v, what))(
            values
        )


def holds(text):
    return parse(text, "rule").holds(Table())


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("a < 3", True), ("a<2", False), ("a <= 2", True), ("a == 2 and b != 5", False),
        ("a > -1.5e1", True), ("`Net Amount` < 0", True), ("3 > a", True), ("1 < a < 3", True),
        ("1 < a < 2", False), ("a < b", True),
        # All customers have 1, 2 and 9 of a: the median is 2, the mean 4, q75 is 5.5.
        ("a >= median", True), ("a < mean", True), ("a > q50", False), ("q25 < a", True),
        ("a < q75 and b > q75", True), ("a > q99.9", False), ("b > q5", True),
        # or binds least, not most.
        ("a > 9 and a > 9 or b > 1", True), ("a > 9 and (a > 9 or b > 1)", False),
        ("not a > 9 and b > 1", True), ("not (a > 9 or b > 1)", False), ("NOT a > 9", True),
        ("`mean` == 7", True), ("class < 3", True), ("a < 3 AND\n b > 4", True),
    ],
)  # fmt: skip
def test_a_rule_holds_where_its_comparisons_do(text, true):
    assert holds(text) is true


_PART = st.tuples(
    st.sampled_from(["a", "b"]), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(0, 6),
).map(lambda part: "{} {} {}".format(*part))  # fmt: skip
_RULES = st.recursive(
    _PART,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"{two[0]} and {two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]} or {two[1]}"),
        inner.map(lambda one: f"not ({one})"),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=8,
)


@given(_RULES)
def test_logic_is_that_of_python(text):
    assert holds(text) is bool(eval(text, {}, Table.own))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it ends at letter 1. Allowed are columns"),
        ("a", "a is no comparison. Allowed are columns"),
        ("a <", "it ends at letter 4"),
        ("a < b c", "'c' stands at letter 7"),
        ("(a < 3", "'(' stands at letter 1"),
        ("a < 3)", "')' stands at letter 6"),
        ("`Net Amount` < 3)", "')' stands at letter 17"),
        ("a = 3", "'=' stands at letter 3"),
        ("a < 3; import os", "';' stands at letter 6"),
        ("__import__('os').system('true')", "is no comparison"),
        ("a.b < 3", "a.b is no column"),
        ("a < 'x'", "'x' is no column and no number"),
        ("a in [3]", "'in' stands at letter 3"),
        ("and < 3", "'and' stands at letter 1"),
        ("3 < 4", "compares no column"),
        ("q20 < mean", "compares no column"),
        ("`a < 3", "'`' stands at letter 1"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(text, told):
    with pytest.raises(ConfigError, match=rf"rules\.Big: .*{re.escape(told)}"):
        parse(text, "rules.Big")


@given(st.text(max_size=20))
def test_any_text_is_a_rule_or_refused(text):
    try:
        rule = parse(text, "rule")
    except ConfigError:
        return
    assert list(rule.columns())


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


@pytest.mark.heavy
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


@pytest.mark.heavy
def test_a_point_must_be_of_the_grid(composed):
    grid = ("algo.params.tol=1e-4", "algo.grid.n_clusters=[2,3]", "segments.describe=true")
    check_all(composed(*grid, "segments.point='n_clusters=3,tol=0.0001'"))
    with pytest.raises(ConfigError, match=r"point=n_clusters=5,tol=0\.0001 is no point"):
        check_all(composed(*grid, "segments.point='n_clusters=5,tol=0.0001'"))


@pytest.mark.heavy
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


@pytest.mark.heavy
def test_texts_that_are_encoded_as_numbers_have_an_order(composed):
    check_all(composed(
        "features=table", "dataset=table", "dataset.path=nowhere.csv", "dataset.id=who",
        "+dataset.columns={Grade: text}", "segments.order_by=Grade",
        "+features.columns={Grade: {encode: ordinal, categories: [S, M, L]}}",
    ))  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("column", ["November", "Country=France", "TotalSpent", "recency"])
def test_further_columns_of_transactions_are_known(composed, column):
    check_all(composed("features=rfm", f"segments.order_by='{column}'"))
