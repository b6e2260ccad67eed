"""What a declared column asks of rows and makes of the answers, against plain Python."""

from datetime import datetime, timedelta

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from segrun.features.ask import ask, values
from segrun.features.declared import declared
from segrun.features.partial import Answers, Asked, aggregated, entities
from segrun.features.sums import sums

DAY = datetime(2024, 2, 29, 12)
ROWS = pl.DataFrame(
    {
        "id": ["a", "a", "a", "b", "b", "c"],
        "text": ["x\x1fy", "u", None, "v", "u", None],
        "n": [2, 3, None, 4, -4, None],
        "price": [0.1, 0.2, 7.0, 1e-9, 5.0, None],
        "when": [DAY, DAY + timedelta(hours=1), None, DAY - timedelta(3), DAY, None],
    },
    schema_overrides={"n": pl.Int64, "when": pl.Datetime("us")},
)
REFERENCE = DAY + timedelta(days=2, hours=1)


@pytest.fixture
def built(declaring):
    """A column of every entity, and what it asked."""

    def made(function, of=None, frame=ROWS, **settings):
        rows = declaring.rows_of(frame)
        config = declaring.aggregate({"X": declaring.column(function, of, **settings)})
        found = []
        for i, column in enumerate(declared(config, rows.kinds, {})):
            asked = ask(i, column, rows, "when")
            lines = Asked("id", [], asked.rows, asked.answers, asked.measures)
            table = entities(aggregated(rows.frame, lines))
            answers = Answers(
                table, lambda m, table=table: sums(m, table, rows.in_polars, "id"), REFERENCE
            )
            found.append((asked, values(i, asked, answers)))
        return found[0] if len(found) == 1 else found

    return made


@pytest.mark.parametrize(
    ("function", "of", "where", "expected"),
    [
        ("count", None, None, [3, 2, 1]),
        ("count", "n", None, [2, 2, 0]),
        ("count", "n", "price > 0.15", [1, 1, 0]),
        ("distinct", "n", None, [2, 2, 0]),
        ("distinct", "text", "n > 2", [1, 1, 0]),
        ("sum", "n", None, [5.0, 0.0, 0.0]),
        ("sum", "n * price", None, [0.8, 4e-9 - 20, 0.0]),
        ("sum", "price", "n > 2", [0.2, 1e-9, 0.0]),
        ("mean", "n", None, [2.5, 0.0, None]),
        ("mean", "price", None, [7.3 / 3, 2.5 + 5e-10, None]),
        ("mean", "n * price", "n != 2", [0.6, (4e-9 - 20) / 2, None]),
        ("min", "n", None, [2.0, -4.0, None]),
        ("max", "n", None, [3.0, 4.0, None]),
        ("max", "price", "n > 0", [0.2, 1e-9, None]),
        ("share", None, "n > 2", [1 / 3, 0.5, 0.0]),
        ("share", "price", "n > 2", [2 / 73, 1 / 5_000_000_001, None]),
        ("days_since", None, None, [2.0, 2.0, None]),
        ("days_since", "when", "n == 2", [2.0, None, None]),
        ("days_since_first", None, None, [2.0, 5.0, None]),
        ("first", "n", None, [2.0, 4.0, None]),
        ("last", "n", None, [3.0, -4.0, None]),
        ("last", "price", "n < 3", [0.1, 5.0, None]),
        ("first", "text", None, ["x\x1fy", "v", None]),
        ("last", "text", None, ["u", "u", None]),
    ],
)
def test_every_function_is_what_one_counts_by_hand(built, function, of, where, expected):
    _, found = built(function, of, where=where)
    if function in ("count", "distinct"):
        assert found.dtype == np.int64
    elif of == "text":
        assert found.dtype == object
    else:
        assert found.dtype == np.float64
        found = np.where(np.isnan(found), None, found)
    assert found.tolist() == expected


@pytest.mark.heavy
def test_a_share_per_value_is_of_the_rows_that_fulfil_the_condition(built):
    both = built("share", per="text", values=["u", "v"], where="price > 0")
    assert [found.tolist()[:2] for _, found in both] == [[1 / 3, 0.5], [0.0, 0.5]]
    assert [np.isnan(found[2]) for _, found in both] == [True, True]
    both = built("share", "price", per="text", values=["u", "v"])
    assert [found[0] for _, found in both] == [2 / 73, 0.0]


@pytest.mark.parametrize(
    ("function", "of", "own"),
    [
        ("first", "n", True), ("last", "price", True), ("first", "text", False),
        ("min", "n", False), ("sum", "n", False), ("distinct", "n", False),
    ],
)  # fmt: skip
def test_only_first_and_last_of_numbers_are_for_polars(built, function, of, own):
    assert built(function, of)[0].by_polars is own


@pytest.mark.parametrize(
    ("function", "of", "n"),
    [("count", None, 1), ("distinct", "n", 2), ("sum", "n", 3), ("mean", "n", 4), ("min", "n", 1)],
)
def test_no_more_is_asked_than_is_needed(built, function, of, n):
    asked, _ = built(function, of)
    assert len(asked.rows) == len(asked.answers) == n


@pytest.mark.heavy
def test_the_errors_of_numbers_and_of_their_products_are_told_apart(built):
    # A product of floats is off in the 15th digit: 0.1 * 3 is 0.30000000000000004.
    assert [m.error for m in built("sum", "price")[0].measures] == [2.0**-52]
    asked, _ = built("share", "n * price", where="n > 2")
    assert [m.error for m in asked.measures] == [2.0**-50] * 2
    assert [m.name for m in asked.measures] == ["c0", "c0 of"]
    assert {(m.what, m.where) for m in asked.measures} == {
        ("values of features.columns.X", "n or price")
    }


STEPS = [
    timedelta(microseconds=1), timedelta(microseconds=999_999), timedelta(seconds=1),
    timedelta(seconds=59), timedelta(minutes=1), timedelta(minutes=59), timedelta(hours=1),
    timedelta(hours=23), timedelta(1), timedelta(30), timedelta(31), timedelta(365),
]  # fmt: skip


@pytest.mark.parametrize(
    "start",
    [datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999_999), DAY, datetime(2023, 12, 31),
     datetime(2024, 1, 31, 22, 59, 59), datetime(9998, 12, 30)],
)  # fmt: skip
@pytest.mark.parametrize("step", STEPS)
def test_moments_are_in_the_order_of_time(built, start, step):
    frame = pl.DataFrame(
        # By the text alone, which decides within a moment, it would be the other way round.
        {"id": ["a", "a"], "text": ["z", "a"], "when": [start, start + step]},
        schema_overrides={"when": pl.Datetime("us")},
    )
    assert built("first", "text", frame)[1].tolist() == ["z"]
    assert built("last", "text", frame)[1].tolist() == ["a"]


def test_of_rows_of_one_moment_the_text_decides(built):
    frame = pl.DataFrame({"id": ["a"] * 3, "text": ["q", "p", "r"], "when": [DAY] * 3})
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        assert built("first", "text", frame[order])[1].tolist() == ["p"]
        assert built("last", "text", frame[order])[1].tolist() == ["r"]


def test_no_zero_is_negative(built):
    frame = pl.DataFrame({"id": ["a", "a"], "price": [-0.0, 0.0], "when": [DAY, DAY]})
    for function in ("min", "max"):
        for order in ([0, 1], [1, 0]):
            assert not np.signbit(built(function, "price", frame[order])[1][0])


def test_columns_are_told_apart_by_their_number(declaring):
    rows = declaring.rows_of(ROWS)
    config = declaring.aggregate({name: declaring.column("mean", "n") for name in "XY"})
    one, other = (ask(i, c, rows, "when") for i, c in enumerate(declared(config, rows.kinds, {})))
    assert set(one.rows).isdisjoint(other.rows)
    assert isinstance(next(iter(one.rows.values())), nw.Expr)
