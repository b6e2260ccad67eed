"""The awkward file, loaded by the real road and opened by each engine."""

import importlib.util
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from segrun.config import AggregateColumn, OutlierConfig, OutlierRule
from segrun.config.values import built
from segrun.data.datasets import load
from segrun.data.engines import ENGINES, hand_over
from segrun.features import build

NO_RULE = OutlierConfig(OutlierRule.none, 0.05, 0.95, 1.5, [])


@pytest.fixture(scope="session")
def awkward():
    """The module awkward.py."""
    spec = importlib.util.spec_from_file_location("awkward", Path(__file__).with_name("awkward.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def installed():
    """The settings of an engine by its name in the table, or skip."""

    def settings(name, **changes):
        engine = ENGINES[name]
        if engine.missing:
            pytest.skip(f"{engine.missing} is not installed: {engine.cure}")
        return replace(engine.defaults(), **changes)

    return settings


@pytest.fixture(scope="session")
def opened(tmp_path_factory, awkward, settings_of):
    """Open the awkward lines by engines: opened(stack, config, fine=False)."""
    folder = tmp_path_factory.mktemp("awkward")
    cache = folder / "shared"
    cache.mkdir()

    def rows(stack: ExitStack, config=None, *, fine=False):
        path = awkward.write(folder / f"fine={fine}.csv", awkward.lines(fine))
        source = stack.enter_context(load(settings_of(path, missing=[]), 0, cache))
        return source if config is None else stack.enter_context(hand_over(source, config, cache))

    rows.cache = cache
    return rows


@pytest.fixture(scope="session")
def features(composed):
    """Build features of opened rows: features(rows, overrides, changes), nobody set aside."""

    @cache
    def chosen(overrides):
        return composed(*overrides).features

    def made(rows, overrides, changes):
        columns = changes.get("columns", {})
        typed = {name: built(AggregateColumn, values) for name, values in columns.items()}
        changed = changes | ({"columns": typed} if typed else {})
        config = replace(chosen(overrides), outliers=NO_RULE, **changed)
        return build(rows, config, about=True)

    return made


@pytest.fixture(scope="session")
def bits():
    """Every bit of a result: names, order, types and values, of features and what is beside."""

    def table(customers):
        if customers is None:
            return None
        columns = {
            name: (v.dtype.str, v.tolist() if v.dtype == object else v.tobytes())
            for name, v in ((n, np.asarray(v)) for n, v in customers.columns.items())
        }
        return customers.id_column, list(customers.ids), list(columns.items())

    def of(built):
        return table(built.all_customers), table(built.about), dict(built.facts)

    return of
