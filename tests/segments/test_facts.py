"""Facts and their sentences, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.segments.facts import facts
from segrun.segments.profile import Column, profile
from segrun.segments.season import NAMES


def told(columns, codes, n_segments=2):
    codes = np.array(codes)
    profiles = [profile(column, codes, n_segments) for column in columns]
    return facts(profiles, codes, n_segments)


def column(values, name="Frequency", clustered=True, category=False):
    return Column(name, np.array(values, dtype=float), clustered, category)


def texts(columns, codes, n_segments=2):
    return [[fact.text for fact in own] for own in told(columns, codes, n_segments)]


@pytest.mark.parametrize(
    ("values", "high"),
    [
        # 12, 14 and 2, 3, 7, 4, 7: the mean of all is 7, that of the first two 13.
        ([12, 14, 2, 3, 7, 4, 7], "Frequency is 86 % above average (13 against 7)"),
        ([1, 3, 9, 9, 9, 9, 9], "Frequency is 71 % below average (2 against 7)"),
        ([0, 0, 5, 6, 5, 6, 6], "Frequency is 0 for all of them (the average is 4)"),
        ([90, 94, 1, 1, 1, 1, 1], "Frequency is typically 92 times as high (median 92 against 1)"),
        # Of both signs: a ratio says nothing.
        ([3, 5, -2, -2, -2, -1, -1],
         "Frequency is 1.53 standard deviations above average (4 against 0)"),
    ],
)  # fmt: skip
def test_a_mean_is_told_against_that_of_all(values, high):
    assert texts([column(values)], [0, 0, 1, 1, 1, 1, 1])[0] == [high]


def test_what_most_lack_is_told_as_the_share_that_has_it():
    returns = column([2, 1, 3, 0] + [0] * 15 + [4], "Returns")
    found = texts([returns], [0] * 4 + [1] * 16)
    assert found[0] == ["75 % have any Returns (20 % of all)"]
    assert found[1] == ["Only 6 % have any Returns (20 % of all)"]


def test_a_category_is_told_as_shares_and_only_its_excess_is_a_name():
    france = column([1] * 8 + [0] * 2 + [0] * 38 + [1] * 2, "Country=France", False, True)
    (own, others) = told([france], [0] * 10 + [1] * 40)
    assert [fact.text for fact in own] == ["Country France: 80 % of the segment, 20 % of all"]
    assert [fact.word for fact in own] == ["Country France"]
    assert [fact.word for fact in others] == [""]


def test_shares_are_told_in_per_cent():
    night = column([0.6, 0.8, 1, 0, 0.1, 0.2], "Night")
    assert texts([night], [0, 0, 0, 1, 1, 1])[0] == ["Night is 80 % on average (45 % for all)"]


@pytest.mark.parametrize("values", [[5] * 6, [np.nan] * 6, [1, 2, 3, 1, 2, 3]])
def test_a_column_that_tells_nothing_apart_has_no_fact(values):
    assert texts([column(values)], [0, 0, 0, 1, 1, 1]) == [[], []]


def test_of_one_segment_there_is_nothing_to_tell():
    assert texts([column([1, 2, 3])], [0, 0, 0], 1) == [[]]


def test_the_strongest_comes_first_and_ties_are_in_order_of_the_columns():
    codes = [0] * 5 + [1] * 5
    weak = column([1, 2, 9, 9, 9, 1, 2, 3, 3, 9], "Weak")
    strong = column(range(10, 0, -1), "Strong")
    twin = column(range(20, 0, -2), "Twin")
    assert [fact.column for fact in told([weak, strong, twin], codes)[0]] == [
        "Strong", "Twin", "Weak",
    ]  # fmt: skip


def test_a_small_segment_may_differ_by_chance_in_what_was_not_clustered():
    rng = np.random.default_rng(1)
    codes = [0] * 3 + [1] * 97
    values = rng.normal(10, 1, 100)
    values[:3] = [10.4, 10.6, 10.9]
    assert texts([column(values, clustered=True)], codes)[0]
    assert not texts([column(values, clustered=False)], codes)[0]


MONTHS = ("October", "November", "December", "March")


def months(rows):
    return [column(values, name) for name, values in zip(MONTHS, np.array(rows).T, strict=True)]


def test_a_season_is_told_as_a_share_and_not_month_by_month_what_is_missing():
    rows = [[0, 8, 0, 0]] * 9 + [[0, 6, 0, 2]] + [[2, 0, 2, 4]] * 10
    found = texts(months(rows), [0] * 10 + [1] * 10)
    assert "All of them buy in November (50 % of all)" in found[0]
    season = "100 % of their purchases are in March, October and December (51 % of all purchases)"
    assert season in found[1]
    assert not [text for own in found for text in own if "None" in text or "Only" in text]


def active(n_months, n_own=9):
    rows = [[1] * n_own + [0] * (12 - n_own)] * 5 + [[1, 1] + [0] * 9 + [1]] * 10
    columns = [column(v, name) for name, v in zip(NAMES["month"], np.array(rows).T, strict=True)]
    codes = np.array([0] * 5 + [1] * 10)
    profiles = [profile(one, codes, 2) for one in columns]
    own = facts(profiles, codes, 2, n_months)[0]
    return next(fact for fact in own if fact.text.startswith("Buys"))


def test_months_of_several_years_are_those_of_the_calendar():
    # In the columns of months the years lie one above the other: 9 of 12 may be 9 of 48.
    for n_months, said, word in (
        (12, "9.0 of 10 months (5.0 on average)", "All year"),
        (48, "9.0 of the 10 calendar months, 48 months of data taken together (5.0 on average)",
         "Many calendar months"),
        (None, "9.0 of the 10 calendar months, whatever the year (5.0 on average)",
         "Many calendar months"),
    ):  # fmt: skip
        assert (active(n_months).text, active(n_months).word) == (f"Buys in {said}", word)
    assert active(12, 8).word == "Many months"


def test_a_month_is_a_name_only_of_who_mostly_buys_in_it():
    rows = [[2, 3, 3, 2]] * 6 + [[0, 0, 0, 0]] * 4 + [[3, 0, 3, 3]] * 10
    own = told(months(rows), [0] * 10 + [1] * 10)[0]
    november = next(fact for fact in own if fact.column == "November")
    assert november.text == "60 % buy in November (30 % of all)"
    assert november.word == "November"
    rows = [[2, 3, 3, 2]] * 4 + [[0, 0, 0, 0]] * 6 + [[3, 0, 3, 3]] * 10
    own = told(months(rows), [0] * 10 + [1] * 10)[0]
    assert [fact.word for fact in own if fact.column == "November"] == [""]


def test_more_purchases_are_no_season():
    rows = [[20, 20, 20, 20]] * 5 + [[1, 1, 1, 1]] * 5
    assert texts(months(rows), [0] * 5 + [1] * 5) == [[], []]


def test_several_months_are_told_together():
    rows = [[5, 5, 5, 0]] * 5 + [[0, 0, 0, 15]] * 5
    own, others = told(months(rows), [0] * 5 + [1] * 5)
    season = next(fact for fact in own if fact.column == "months" and "purchases" in fact.text)
    assert season.text.startswith("100 % of their purchases are in October to December (50 % of")
    assert season.word == "October to December"
    assert "All of them buy in March (50 % of all)" in [fact.text for fact in others]


@pytest.mark.heavy
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, -2.0, 1e-9, 7e8, np.nan]), st.integers(0, 2)),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_every_fact_is_a_sentence_of_finite_numbers(rows):
    columns = [column([v for v, _ in rows]), column([v for v, _ in rows], "Share=x", False, True)]
    for own in told(columns, [c for _, c in rows], 3):
        for fact in own:
            assert 0.147 <= abs(fact.effect) <= 1
            # A share begins with its figure.
            assert not fact.text[0].islower()
            assert "nan" not in fact.text
            assert "inf" not in fact.text
