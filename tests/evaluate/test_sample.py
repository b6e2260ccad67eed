"""Mean and standard error of sampled silhouettes."""

import numpy as np
import pytest

from segrun.evaluate.sample import Estimate, estimate


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
