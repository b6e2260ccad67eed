"""The language of rules against Python's own comparisons."""

import re
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.errors import ConfigError
from segrun.segments.rule import parse


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
