"""Mean and standard error of sampled silhouettes."""

import numpy as np
import pytest

from segrun.evaluation.silhouette import Estimate, cluster_estimates, estimate


def test_standard_error_by_hand():
    found = estimate(np.array([0.1, 0.3, 0.5, np.nan]), 12)
    # sd 0.2 over 3 of 12 rows: 0.2 / sqrt(3) * sqrt(1 - 3 / 12) = 0.1.
    assert (found.mean, found.standard_error) == (pytest.approx(0.3), pytest.approx(0.1))
    assert found.n_rows == 3


def test_a_sample_of_everything_has_no_error():
    assert estimate(np.array([0.25, 0.75]), 2) == Estimate(0.5, 0.0, 2)
    assert estimate(np.array([0.25]), 1) == Estimate(0.25, 0.0, 1)


def test_one_row_of_several_has_no_known_error():
    assert estimate(np.array([0.25, np.nan]), 9) == Estimate(0.25, None, 1)


def test_no_row_gives_no_mean():
    assert estimate(np.array([np.nan]), 9) == Estimate(None, None, 0)


def test_standard_error_is_the_spread_of_means_over_all_samples():
    """The errors of all 10 samples of 3 rows out of 5 have the mean square that is predicted."""
    from itertools import combinations

    values = np.array([0.0, 0.1, 0.4, 0.5, 0.9])
    found = [estimate(np.array(sample), 5) for sample in combinations(values, 3)]
    squares = [(each.mean - values.mean()) ** 2 for each in found]
    assert np.mean([each.standard_error**2 for each in found]) == pytest.approx(np.mean(squares))


def test_every_cluster_is_estimated_as_if_alone():
    rng = np.random.default_rng(0)
    counts = np.array([1, 2, 5, 40, 300, 7])
    codes = np.r_[np.full(50, -1), np.repeat(np.arange(6), counts)]
    values = rng.uniform(-1, 1, len(codes))
    rows = np.sort(rng.choice(len(codes), 120, replace=False))
    rows = rows[codes[rows] != 5]
    found = cluster_estimates(values[rows], codes[rows], counts)
    assert len(found) == 6
    for code, own in enumerate(found):
        alone = estimate(values[rows][codes[rows] == code], counts[code])
        assert own.n_rows == alone.n_rows
        assert (own.mean is None) == (alone.mean is None)
        assert (own.standard_error is None) == (alone.standard_error is None)
        if alone.mean is not None:
            assert own.mean == pytest.approx(alone.mean)
            assert own.standard_error == (
                alone.standard_error and pytest.approx(alone.standard_error)
            )


def test_a_cluster_without_a_sampled_row_has_no_mean():
    found = cluster_estimates(np.array([0.5]), np.array([1]), np.array([9, 1, 9]))
    assert found == [Estimate(None, None, 0), Estimate(0.5, 0.0, 1), Estimate(None, None, 0)]
