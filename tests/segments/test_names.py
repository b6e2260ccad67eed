"""Which name a segment gets."""

import os
import re
import statistics
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import NamesConfig
from segrun.errors import DataError
from segrun.segments.facts import facts
from segrun.segments.names import names
from segrun.segments.profile import Column, profile

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


def test_what_lies_between_is_called_neither_high_nor_low():
    amount = np.concatenate([np.linspace(8, 12, 55), np.linspace(40, 60, 30),
                             np.linspace(800, 1200, 15)])  # fmt: skip
    codes = np.repeat([0, 1, 2], [55, 30, 15])
    found = named(columns=[Column("Amount", amount, True)], codes=codes)
    assert found == ["Low Amount", "Medium Amount", "High Amount"]
    # Of three of one size, nothing sets the middle one apart: it is no average of 353 for that.
    amount = np.concatenate([np.linspace(*ends, 20) for ends in ((8, 12), (40, 60), (800, 1200))])
    found = named(columns=[Column("Amount", amount, True)], codes=np.repeat([0, 1, 2], 20))
    assert found == ["Low Amount", "Medium Amount", "High Amount"]


def test_who_is_frequent_is_so_by_all_columns_that_count_orders():
    lines = np.array([2.0, 3, 2, 3, 2, 30, 40, 35, 32, 38])
    orders = np.array([9.0, 8, 9, 9, 8, 3, 2, 3, 2, 3])
    codes = np.repeat([0, 1], 5)
    alone = [Column("NumberOfOrders", lines, True)]
    assert named((0, 1), columns=alone, codes=codes) == ["Infrequent", "Frequent"]
    both = named((0, 1), columns=[*alone, Column("Invoices", orders, False)], codes=codes)
    assert both == ["High Invoices", "Low Invoices"]


@pytest.mark.parametrize("value", ["TRUE", "1", "Other", "sonstige", "1193"])
def test_a_value_is_no_name_without_its_column_and_none_of_the_smaller_part(value):
    def of(n):
        has = np.array([1.0] * n + [0] * (10 - n) + [0] * 40)
        return named((0, 1), columns=[Column(f"Member={value}", has, False, True)],
                     codes=np.repeat([0, 1], [10, 40]))[0]  # fmt: skip

    assert of(6) == f"Member {value}"
    assert of(4) == "Segment 0"


VALUE = st.one_of(
    st.sampled_from([0.0, 1.0, 2.0, 1e4]), st.integers(0, 60).map(float),
    st.floats(0, 9).map(lambda x: round(10**x)),
)  # fmt: skip
ROWS = st.lists(st.tuples(st.integers(0, 4), VALUE, VALUE, VALUE), min_size=5, max_size=60)


@pytest.mark.heavy
@given(ROWS)
def test_no_proposed_name_is_contradicted_by_mean_or_median(rows):
    codes = [row[0] for row in rows]
    known = sorted(set(codes))
    columns = [
        Column("Amount", np.array([row[1] for row in rows]), True),
        Column("Recency", np.array([row[2] for row in rows]), True),
        Column("NumberOfOrders", np.array([row[3] for row in rows]), False),
        Column("Big=yes", np.array([float(row[1] > 50) for row in rows]), False, True),
    ]
    places = np.array([known.index(code) for code in codes])
    for place, name in enumerate(named(range(len(known)), columns=columns, codes=places)):
        for part in name.lower().split(", "):
            # Where names are alike, a number is behind one.
            told = re.sub(r" \d+$", "", part)
            _check(told, place, places, columns)


MEANT = {
    "lapsed": ("recency", "high"), "recent": ("recency", "low"),
    "frequent": ("numberoforders", "high"), "infrequent": ("numberoforders", "low"),
    "longest lapsed": ("recency", "highest"), "most recent": ("recency", "lowest"),
    "most frequent": ("numberoforders", "highest"), "least frequent": ("numberoforders", "lowest"),
}  # fmt: skip


def _check(told, place, places, columns):
    """A word against mean and median by the standard library."""
    if told in ("segment", "average") or re.fullmatch(r"segment \d+", told):
        return
    word, name = told.partition(" ")[::2]
    name, word = MEANT.get(told, (name, word))
    by_name = {column.name.lower(): column for column in columns}
    if told == "big yes":
        own = by_name["big=yes"].values[places == place]
        assert statistics.mean(own) >= 0.5
        assert statistics.mean(own) > statistics.mean(by_name["big=yes"].values)
        return
    values = by_name[name].values
    for of in (statistics.fmean, statistics.median):
        own = of(values[places == place].tolist())
        others = [of(values[places == other].tolist()) for other in set(places) - {place}]
        every = of(values.tolist())
        true = {
            "high": own >= every * (1 - 1e-12), "low": own <= every * (1 + 1e-12),
            "highest": own >= max(others), "lowest": own <= min(others),
            "medium": min(others) < own < max(others),
        }  # fmt: skip
        assert true[word], (told, of, own, every, others)


def test_names_in_order_by_means_say_where_medians_are_in_another():
    values = np.array([1, 1, 100, 5, 5, 5.0])
    profiles = [profile(Column("Amount", values, True), np.repeat([0, 1], 3), 2)]
    config = NamesConfig(ordered=["Low", "High"], by="Amount")
    found, told = names(config, [0, 1], {}, profiles, [[], []])
    assert found == ["High", "Low"]
    assert "medians are in another" in told[0][1]


def test_without_proposals_there_are_numbers():
    assert named(propose=False) == ["Segment 0", "Segment 1", "Segment 2"]


@pytest.mark.parametrize(
    "config", [{"rules": {"A": "Money > 3"}}, {"ordered": ["a", "b", "c"], "by": "Money"}]
)
def test_an_unknown_column_is_refused_with_the_nearest(config):
    with pytest.raises(DataError, match=r"no column 'Money'.*Columns: Recency, Amount"):
        named(**config)


@pytest.mark.heavy
def test_names_do_not_depend_on_the_order_of_sets():
    # Two pairs of segments whose names would be the same: who is told apart first decides.
    program = """
from segrun.segments.profile import Fact
from segrun.segments.names import _proposed
def own(words): return [Fact(w, True, 0.9 - i / 10, w, w) for i, w in enumerate(words)]
print(_proposed(range(4), [own("ABD"), own("ABD"), own("ACD"), own("ACD")]))
"""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE, text=True,
        )
        for seed in "012345"
    ]  # fmt: skip
    told = {each.communicate()[0] for each in programs}
    assert [each.returncode for each in programs] == [0] * 6
    assert len(told) == 1
