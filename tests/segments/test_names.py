"""Which name a segment gets."""

import os
import subprocess
import sys

import numpy as np
import pytest

from segrun.config import NamesConfig
from segrun.errors import DataError
from segrun.segments.columns import Column
from segrun.segments.facts import facts
from segrun.segments.names import names
from segrun.segments.profile import profile

CODES = np.repeat([0, 1, 2], 5)
RECENCY = [300, 310, 290, 305, 300, 5, 6, 4, 5, 7, 60, 70, 80, 65, 75.0]
AMOUNT = [5, 6, 4, 5, 5, 90, 80, 95, 85, 99, 9, 8, 9, 7, 10.0]
COLUMNS = [
    Column("Recency", np.array(RECENCY), True), Column("Amount", np.array(AMOUNT), True),
]  # fmt: skip


def named(numbers=(0, 1, 2), given=None, columns=COLUMNS, codes=CODES, **config):
    profiles = [profile(column, codes, len(numbers)) for column in columns]
    found = facts(profiles, codes, len(numbers))
    return names(NamesConfig(**config), numbers, given or {}, profiles, found)[0]


def test_rules_name_in_their_order_the_rest_is_proposed():
    rules = {"Champions": "recency < q40 and AMOUNT > q60", "Anybody": "Amount > 8"}
    assert named(rules=rules) == ["Lapsed", "Champions", "Anybody"]


@pytest.mark.parametrize("rule", ["Age > 3", "Age < q20", "Age != 3", "Age <= median"])
def test_no_rule_holds_of_a_column_without_any_value(rule):
    columns = [*COLUMNS, Column("Age", np.full(15, np.nan), False)]
    found = named(columns=columns, rules={"Old": rule, "Anybody": "Amount > 0"})
    assert found == ["Anybody", "Anybody 2", "Anybody 3"]


def test_several_segments_of_one_rule_are_numbered():
    assert named(rules={"All": "Amount > 0"}) == ["All", "All 2", "All 3"]


def test_names_in_order_go_along_the_column():
    ordered = ["Low", "Medium", "High"]
    assert named(ordered=ordered, by="Amount") == ["Low", "High", "Medium"]
    assert named(ordered=ordered, by="Recency") == ["High", "Low", "Medium"]


def test_an_order_of_other_length_names_nothing_and_says_so():
    config = NamesConfig(ordered=["Low", "High"], by="Amount", propose=False)
    profiles = [profile(column, CODES, 3) for column in COLUMNS]
    found, told = names(config, [0, 1, 2], {}, profiles, [[], [], []])
    assert found == ["Segment 0", "Segment 1", "Segment 2"]
    assert "2 names and there are 3 segments" in told[0][1]


def test_names_by_hand_come_first_and_stay_as_they_are():
    rules = {"Big": "Amount > 8"}
    assert named(given={2: "Big"}, rules=rules)[1:] == ["Big 2", "Big"]


def test_outliers_have_their_own_name():
    assert named(numbers=(0, 1, -1), rules={"All": "Amount > 0"})[2] == "Outliers"
    # They are in no order either.
    assert named(numbers=(0, 1, -1), ordered=["Low", "High"], by="Amount") == [
        "Low", "High", "Outliers",
    ]  # fmt: skip


def test_proposed_names_are_different():
    codes = np.repeat(np.arange(6), 4)
    steps = np.repeat([1.0, 2.0, 3.0, 100.0, 200.0, 300.0], 4)
    columns = [Column("Amount", steps, True), Column("Recency", steps[::-1].copy(), True)]
    found = named(tuple(range(6)), columns=columns, codes=codes)
    assert len(set(found)) == 6
    assert found[5].startswith("Highest Amount")
    assert found[0].startswith("Lowest Amount")


def test_without_proposals_there_are_numbers():
    assert named(propose=False) == ["Segment 0", "Segment 1", "Segment 2"]


@pytest.mark.parametrize(
    "config", [{"rules": {"A": "Money > 3"}}, {"ordered": ["a", "b", "c"], "by": "Money"}]
)
def test_an_unknown_column_is_refused_with_the_nearest(config):
    with pytest.raises(DataError, match=r"no column 'Money'.*Columns: Recency, Amount"):
        named(**config)


def test_names_do_not_depend_on_the_order_of_sets():
    # Two pairs of segments whose names would be the same: who is told apart first decides.
    program = """
from segrun.segments.fact import Fact
from segrun.segments.names import _proposed
def own(words): return [Fact(w, True, 0.9 - i / 10, w, w) for i, w in enumerate(words)]
print(_proposed(range(4), [own("ABD"), own("ABD"), own("ACD"), own("ACD")]))
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in "012345"
    }  # fmt: skip
    assert len(told) == 1
