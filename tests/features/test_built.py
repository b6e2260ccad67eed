import numpy as np
import pytest

from segrun.config import OutlierConfig, OutlierRule
from segrun.errors import ConfigError, DataError
from segrun.features import check
from segrun.features.built import set_aside
from segrun.rundir.customers import Customers


def customers(**columns):
    n = len(next(iter(columns.values())))
    ids = np.array([f"c{i}" for i in range(n)], dtype=object)
    return Customers("id", ids, {name: np.array(v) for name, v in columns.items()})


def rule(columns, low=0.25, high=0.75, factor=1.0, kind=OutlierRule.quantile):
    return OutlierConfig(kind, low, high, factor, columns)


def test_the_bounds_by_hand_are_inclusive():
    # Quartiles 1 and 3, spread 2: -1 and 5 stay, 5.5 goes.
    table = customers(a=[-1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 5.0, 5.5])
    kept, removed = set_aside(table, rule(["a"], low=0.2, high=0.7))
    assert removed == {"a": 1}
    assert kept.columns["a"].max() == 5.0
    assert kept.columns["a"].min() == -1.0


def test_quantiles_are_interpolated_as_pandas_does():
    # Of 0, 1, 2, 3, 10: quantile 0.1 is 0.4 and 0.9 is 7.2; 7.2 + 0.41 * 6.8 = 9.988 < 10.
    table = customers(a=[0, 1, 2, 3, 10])
    assert set_aside(table, rule(["a"], 0.1, 0.9, 0.41))[1] == {"a": 1}
    assert set_aside(table, rule(["a"], 0.1, 0.9, 0.42))[1] == {"a": 0}


def test_each_column_sees_what_the_one_before_left():
    # b's extreme belongs to the customer whom a sets aside already.
    table = customers(a=[1, 2, 3, 4, 100], b=[1, 2, 3, 4, 100])
    assert set_aside(table, rule(["a", "b"]))[1] == {"a": 1, "b": 0}
    table = customers(a=[1, 2, 3, 4, 100], b=[100, 2, 3, 4, 5])
    kept, removed = set_aside(table, rule(["b", "a"]))
    assert list(removed.items()) == [("b", 1), ("a", 1)]
    assert kept.ids.tolist() == ["c1", "c2", "c3"]


def test_none_keeps_everybody():
    table = customers(a=[1, 2, 3, 4, 100])
    assert set_aside(table, rule(["a"], kind=OutlierRule.none)) == (table, {})


@pytest.mark.parametrize("low", [0.0, 0.4])
def test_a_constant_column_sets_nobody_aside(low):
    assert set_aside(customers(a=[7] * 5), rule(["a"], low))[1] == {"a": 0}


def test_customers_before_the_rule_are_kept_apart(features, line):
    lines = [line(f"c{i:02}", "2011-03-01", i + 1) for i in range(20)]
    lines.append(line("rich", "2011-03-02", 10_000))
    built = features(lines, outliers={"low": 0.05, "high": 0.9})
    assert built.all_customers.ids.tolist() == [f"c{i:02}" for i in range(20)] + ["rich"]
    assert "rich" not in built.customers.ids
    assert built.facts["set_aside"]["Amount"] == 1
    assert built.facts["clustered"] == len(built.customers)
    assert built.facts["customers"] == 21


def test_a_rule_that_leaves_nobody_is_an_error_with_its_column():
    table = Customers("id", np.array(["a", "b"], dtype=object), {"Amount": np.array([1.0, 2.0])})
    config = OutlierConfig(OutlierRule.quantile, 0.45, 0.55, 0.0, ["Amount"])
    with pytest.raises(DataError, match=r"the last 2 by Amount.*features\.outliers\.factor"):
        set_aside(table, config)


def test_an_infinite_factor_is_refused(settings):
    with pytest.raises(ConfigError, match=r"factor=inf: .*features\.outliers\.rule=none"):
        check(settings(outliers={"factor": float("inf")}))
