"""Rows in Parquet, whose sums are guarded in a pass apart, come to the features of other rows."""

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from segrun.data.datasets import Rows
from segrun.errors import DataError
from segrun.features import build


def both(declaring, tmp_path, prices):
    """The sums of the same rows from memory and from a Parquet file."""
    rows = declaring.rows_of(pl.DataFrame({"id": ["a", "a", "b"], "price": prices}))
    file = tmp_path / "rows.parquet"
    rows.frame.to_native().sink_parquet(file)
    kept = Rows(
        nw.from_native(pl.scan_parquet(file)), rows.key, rows.id_column, rows.kinds, {},
        files=(file,),
    )  # fmt: skip
    config = declaring.aggregate({"Total": declaring.column("sum", "price")})
    return [lambda one=one: build(one, config).all_customers.columns["Total"]
            for one in (rows, kept)]  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("prices", [[1.25, 2.5, 4.0], [0.12345678, 0.00000001, 3.0]])
def test_sums_are_the_same_whatever_their_units(declaring, tmp_path, prices):
    memory, parquet = (found() for found in both(declaring, tmp_path, prices))
    exact = [round(prices[0] + prices[1], 8), prices[2]]
    assert memory.tolist() == parquet.tolist() == exact
    assert memory.dtype == parquet.dtype == np.float64


@pytest.mark.heavy
def test_sums_beyond_64_bits_are_exact_as_well(declaring, tmp_path):
    for found in both(declaring, tmp_path, [3e12, 4e18, 1.25]):
        assert found().tolist() == [3e12 + 4e18, 1.25]


def test_sums_too_large_are_refused_as_well(declaring, tmp_path):
    for found in both(declaring, tmp_path, [8e37, 8e37, 1.0]):
        with pytest.raises(DataError, match=r"too large.*wrong price"):
            found()
