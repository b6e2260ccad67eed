"""What a sparse matrix needs once it is filled: the bytes, and what becomes of too many."""

import logging

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from scipy.sparse import csr_array

from segrun.cli.compose import prepare
from segrun.config import Scale, TransformConfig, conf_directory, to_experiment
from segrun.errors import PreflightError
from segrun.rundir.customers import Customers
from segrun.rundir.sparse import Items, SparseColumns
from segrun.runner.preflight.dense import check, filled_bytes


def experiment(*overrides):
    prepare()
    with initialize_config_dir(str(conf_directory()), version_base=None):
        return to_experiment(compose("segrun", ["experiment=movielens", *overrides]))


def users(n_users, n_items):
    ids = np.array([str(n) for n in range(max(n_users, n_items))], dtype=object)
    counts = np.zeros(n_items)
    items = Items(ids[:n_items], ids[:n_items], counts.astype(int), counts)
    matrix = csr_array((n_users, n_items), dtype=np.float64)
    return Customers("UserID", ids[:n_users], SparseColumns(matrix, items))


@pytest.mark.parametrize(
    ("reduction", "n_bytes"),
    [
        ({"pca": None}, 2 * 8 * 6_000 * 4_000),
        ({"pca": 10}, 8 * 10 * (6_000 + 3 * 4_000)),
        ({"pca": None, "svd": 10}, 8 * 10 * (6_000 + 3 * 4_000)),
        ({"pca": 0.5}, 4 * 8 * 4_000**2),
    ],
)
def test_the_bytes_are_those_of_what_is_filled(reduction, n_bytes):
    config = TransformConfig(log1p=[], scale=Scale.none, **reduction)
    assert filled_bytes(users(6_000, 4_000).columns, config)[0] == n_bytes


def test_what_no_machine_has_is_refused_or_warned_of_or_not_asked(caplog):
    # Nothing of it is there: the matrix is empty.
    many = users(300_000, 300_000)
    with pytest.raises(PreflightError, match=r"300,000 users x 300,000 items, twice"):
        check(many, experiment("transform=none", "preflight.action=refuse"))
    with caplog.at_level(logging.WARNING):
        check(many, experiment("transform=none", "preflight.action=none"))
        assert not caplog.text
        check(many, experiment("transform=none"))
    assert "transform needs about 1,400 GB" in caplog.text
    check(many, experiment("transform=pca_10", "preflight.action=refuse"))
