import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrun.config import AugmentationConfig, check_ranges
from segrun.errors import ConfigError
from segrun.features.augment import augment, check, label
from segrun.rundir.customers import Customers


def settings(factor=None, rows=None, columns=("Amount",), max_step=4):
    return AugmentationConfig(factor, rows, list(columns), max_step)


def table(n):
    ids = np.array([f"c{i}" for i in range(n)], dtype=object)
    return Customers("id", ids, {"Amount": np.arange(n) * 1.5, "Orders": np.arange(n)})


def test_none_returns_the_table_itself_without_jitter(customers):
    assert augment(customers, settings(), seed=0) is customers


@given(n=st.integers(1, 40), rows=st.integers(1, 200))
def test_rows_gives_exactly_n_rows_in_the_order_of_the_table(n, rows):
    result = augment(table(n), settings(rows=rows), seed=0)
    assert len(result) == rows
    assert list(result.ids) == [f"c{i % n}" for i in range(rows)]
    assert list(result.replica) == [i // n for i in range(rows)]


@given(n=st.integers(1, 40), factor=st.integers(1, 12))
def test_jitter_is_the_kits(n, factor):
    source = table(n)
    result = augment(source, settings(factor=factor), seed=3)
    assert len(result) == n * factor
    steps = result.columns["Orders"] - np.tile(source.columns["Orders"], factor)
    assert set(steps) <= {0, 1, 2, 3, 4}
    assert (result.columns["Amount"] > np.tile(source.columns["Amount"], factor)).all()
    assert result.columns["Orders"].dtype == np.int64


def test_jitter_has_the_distributions_of_the_kit():
    result = augment(table(10), settings(rows=200_000), seed=0)
    base = np.resize(table(10).columns["Amount"], 200_000)
    logs = np.log(result.columns["Amount"] - base)
    assert abs(logs.mean()) < 0.02
    assert abs(logs.std() - 1) < 0.02
    steps = np.bincount(result.columns["Orders"] - np.resize(np.arange(10), 200_000))
    assert (abs(steps / 200_000 - 0.2) < 0.01).all()


def test_a_seed_repeats_and_another_differs(customers):
    first, again = (augment(customers, settings(factor=3), seed=5) for _ in range(2))
    other = augment(customers, settings(factor=3), seed=6)
    assert np.array_equal(first.X(), again.X())
    assert not np.array_equal(first.X(), other.X())


def test_an_unknown_lognormal_column_is_refused_naming_the_features(customers):
    with pytest.raises(ConfigError, match=r"lognormal_columns.*Amuont.*Amount, NumberOfOrders"):
        check(settings(factor=2, columns=["Amuont"]), customers.feature_names)


def everything(config):
    check_ranges(config, "augmentation")
    check(config, ["Amount"])


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (settings(factor=0), "factor"),
        (settings(rows=-1), "rows"),
        (settings(factor=2, max_step=-1), "max_step"),
        (settings(factor=2, rows=3), "exclude"),
    ],
)
def test_impossible_settings_are_refused(wrong, key):
    with pytest.raises(ConfigError, match=key):
        everything(wrong)


def test_labels_name_the_augmentation():
    assert [label(settings()), label(settings(factor=10)), label(settings(rows=40_000))] == [
        "none", "x10", "rows_40000",
    ]  # fmt: skip
