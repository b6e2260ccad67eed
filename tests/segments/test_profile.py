"""Profiles against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.segments.profile import QUANTILES, Column, chance, cliffs_delta, columns_of, profile

VALUES = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(float("nan")), st.just(0.0)
)


def expected(values, codes, n_segments):
    groups = pd.Series(values).groupby(codes)
    mean = groups.mean().reindex(range(n_segments))
    quantiles = {
        name: groups.quantile(q).reindex(range(n_segments)) for name, q in QUANTILES.items()
    }
    return mean, quantiles


@pytest.mark.heavy
@given(st.lists(st.tuples(VALUES, st.integers(0, 3)), min_size=1, max_size=40))
def test_means_and_quantiles_are_those_of_pandas(rows):
    values, codes = np.array([v for v, _ in rows]), np.array([c for _, c in rows])
    found = profile(Column("a", values, True), codes, 4)
    mean, quantiles = expected(values, codes, 4)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-9, atol=1e-9)
    for name, wanted in quantiles.items():
        got = found.quantiles.get(name, np.full(4, np.nan))
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)
    whole = pd.Series(values)
    np.testing.assert_allclose(found.overall_mean, whole.mean(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.overall_median, whole.median(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.overall_deviation, whole.std(ddof=0), rtol=1e-6, atol=1e-4)


def test_z_and_ratio_are_empty_where_they_say_nothing():
    codes = np.array([0, 0, 1, 1])
    assert np.isnan(profile(Column("same", np.ones(4), True), codes, 2).z).all()
    assert np.isnan(profile(Column("none", np.zeros(4), True), codes, 2).ratio).all()
    signs = Column("signs", np.array([-3.0, 3.0, -2.0, 3.0]), True)
    assert np.isnan(profile(signs, codes, 2).ratio).all()
    np.testing.assert_allclose(profile(signs, codes, 2).z, [-0.25, 0.25] / np.std([-3, 3, -2, 3]))


def test_a_few_negative_values_leave_the_ratio_but_a_negative_mean_has_none():
    values = np.array([-1.0, -1.0, 10.0, 30.0, 20.0, 20.0])
    found = profile(Column("Amount", values, True), np.array([0, 0, 1, 1, 2, 2]), 3)
    np.testing.assert_allclose(found.ratio, [np.nan, 20 / 13, 20 / 13])


def test_a_text_column_becomes_shares_of_its_most_frequent_values():
    texts = np.array(["UK", "UK", "UK", "FR", "FR", None, "once"], dtype=object)
    numbers = np.arange(7)
    columns = columns_of({"Amount": numbers}, {"Country": texts, "Amount": numbers})
    assert [(c.name, c.clustered, c.kind) for c in columns] == [
        ("Amount", True, "numeric"), ("Country=UK", False, "share"),
        ("Country=FR", False, "share"),
    ]  # fmt: skip
    found = profile(columns[1], np.array([0, 0, 1, 1, 1, 0, 0]), 2)
    # Of the first segment one country is not known.
    np.testing.assert_allclose(found.mean, [2 / 3, 1 / 3])
    assert found.overall_mean == pytest.approx(3 / 6)
    assert not found.quantiles


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


@pytest.mark.heavy
def test_its_deviation_by_chance_is_that_of_shuffled_segments():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], [12, 60])
    drawn = [cliffs_delta(rng.normal(size=72), codes, 2)[0] for _ in range(3000)]
    assert np.std(drawn) == pytest.approx(chance(np.array([12, 60]), 72)[0], rel=0.05)
