"""The customer table: as a matrix, and without its features."""

import numpy as np
import pytest

from segrun.rundir import customers
from segrun.rundir.customers import Customers


@pytest.fixture(params=[1, 3, 250])
def table(request):
    rng = np.random.default_rng(1)
    n = request.param
    return Customers(
        "id",
        np.array([f"c{i}" for i in range(n)], dtype=object),
        {"whole": rng.integers(0, 9, n), "real": rng.normal(size=n), "last": np.arange(n)},
    )


def test_the_matrix_has_every_column_as_it_is(table, monkeypatch):
    # Several blocks of rows, the last one not full.
    monkeypatch.setattr(customers, "_BLOCK_ROWS", 64)
    X = table.X()
    assert X.dtype == np.float64
    assert X.flags.c_contiguous
    assert np.array_equal(X, np.column_stack(list(table.columns.values())))


def test_the_ids_alone_write_the_same_labels(table):
    bare = table.bare()
    assert (bare.feature_names, bare.ids.tolist()) == ([], table.ids.tolist())
    assert len(bare) == len(table)
