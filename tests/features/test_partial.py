"""Answers per entity in one pass, against plain Python."""

from dataclasses import replace
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest

from segrun.data.datasets import Rows
from segrun.features.lines import Rule
from segrun.features.partial import (
    Asked,
    Merge,
    aggregated,
    counting,
    different,
    entities,
    lean,
)
from segrun.features.sums import Measure

ROWS = [("b", 1.0), ("a", 2.0), ("b", 7.0), ("a", 2.0), (None, 3.0), ("a", None), ("c", 9.0)]
RULES = [Rule("no id", nw.col("id").is_null()), Rule("large", nw.col("x") > 8)]
FRAME = nw.from_native(pl.LazyFrame(ROWS, schema=["id", "x"], orient="row"))


def asked(**changes):
    answers = {merge.value: (merge, "value") for merge in Merge}
    return replace(Asked("id", RULES, {"value": nw.col("x")}, answers), **changes)


def test_every_answer_is_that_of_the_rows_of_an_entity_that_count():
    found = entities(aggregated(FRAME, asked()))
    assert found.to_dict(as_series=False) == {
        "rule": [0, 0], "id": ["a", "b"], "n_lines": [3, 2], "add": [4.0, 8.0],
        "least": [2.0, 1.0], "most": [2.0, 7.0],
        # A missing value is one more.
        "distinct": [2, 2],
    }  # fmt: skip


def test_rows_that_do_not_count_are_one_row_per_rule():
    found = aggregated(FRAME, asked()).filter(nw.col("rule") > 0).sort("rule")
    assert found.select("rule", "id", "n_lines", "add").rows() == [(1, "", 1, 3.0), (2, "", 1, 9.0)]
    kept = FRAME.filter(counting(asked())).collect()
    assert kept["id"].to_list() == ["b", "a", "b", "a", "a"]


def test_different_values_are_each_there_once():
    found = different(FRAME, asked(), "distinct")
    assert set(found.columns) == {"id", "value"}
    assert len(found) == 4
    assert set(found.rows()) == {("a", 2.0), ("a", None), ("b", 1.0), ("b", 7.0)}


def summed(money=(), prices=(0.5, 0.25), **changes):
    """What is asked of a file, and what is left of it where rows pass their checks."""
    frame = pl.LazyFrame({"x": list(prices)}).with_columns(id=pl.lit("a"))
    measure = Measure("S", nw.col("x"))
    rows = {**measure.columns(), "other": nw.col("x")}
    answers = {name: (Merge.add, name) for name in rows}
    names = {f"money {name}": name for name in money}
    whole = Asked("id", [], rows, answers, [measure], names)
    settings = {"files": (Path("x.parquet"),)} | changes
    given = Rows(nw.from_native(frame), "id", "id", {}, {}, **settings)
    found = lean(given, whole)
    assert set(found.rows) == set(found.answers)
    return set(found.rows)


#: Their sum is 2**62 millionths, each of which float64 tells apart.
EDGE = [2**49 / 10**6] * 2**13


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, set()),
        ({"money": ["S"]}, {"S size"}),
        ({"files": ()}, {"S size", "S finer"}),
        ({"prices": (0.5, 1e-9)}, {"S size", "S finer"}),
        ({"prices": (1e12, 9e12)}, {"S size", "S finer"}),
        ({"prices": EDGE}, set()),
        ({"prices": [*EDGE, 1.0]}, {"S size", "S finer"}),
    ],
)
def test_guards_are_left_out_where_all_rows_pass_their_checks(given, left):
    assert summed(**given) == {"S", "other"} | left


def test_without_sums_nothing_is_looked_at():
    rows = Rows(FRAME, "id", "id", {}, {}, files=(Path("x"),))
    whole = asked()
    assert lean(rows, whole) is whole
