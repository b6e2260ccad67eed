"""Cliff's delta against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.segments.fact import chance, cliffs_delta


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), min_size=1, max_size=30))
def test_it_is_the_share_of_pairs_that_are_larger_less_that_of_smaller_ones(rows):
    values, codes = np.array([v for v, _ in rows], float), np.array([c for _, c in rows])
    found = cliffs_delta(values, codes, 3)
    for code in range(3):
        own, others = values[codes == code], values[codes != code]
        if not len(own) or not len(others):
            assert np.isnan(found[code])
            continue
        pairs = np.sign(own[:, None] - others[None, :])
        assert found[code] == pytest.approx(pairs.mean())


def test_of_shares_it_is_their_difference():
    values = np.array([1, 1, 1, 0, 0, 0, 0, 1.0])
    delta = cliffs_delta(values, np.array([0, 0, 0, 0, 1, 1, 1, 1]), 2)
    np.testing.assert_allclose(delta, [0.75 - 0.25, 0.25 - 0.75])


def test_unknown_values_do_not_count():
    values = np.array([1.0, np.nan, 2.0, np.nan])
    np.testing.assert_allclose(cliffs_delta(values, np.array([0, 0, 1, 1]), 2), [-1, 1])


def test_its_deviation_by_chance_is_that_of_shuffled_segments():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [12, 60])
    drawn = [cliffs_delta(rng.normal(size=72), codes, 2)[0] for _ in range(3000)]
    assert np.std(drawn) == pytest.approx(chance(np.array([12, 60]), 72)[0], rel=0.05)
