"""What every feature set comes to: one row per customer; how it is kept in the cache directory."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segrun.config import FeaturesConfig, OutlierConfig, OutlierRule
from segrun.errors import ConfigError, DataError, StoreError
from segrun.features.removed import by_customers
from segrun.rundir.customers import Customers, id_type
from segrun.rundir.sparse import SparseColumns

log = logging.getLogger("segrun.features")


@dataclass(frozen=True)
class Bounds:
    """Between what a column keeps a customer.

    Attributes
    ----------
    column : str
        Name of the feature.
    low, high : float
        In its unit, both included.
    """

    column: str
    low: float
    high: float

    def keep(self, customers: Customers) -> NDArray[np.bool_]:
        """Return which customers stay."""
        values = customers.columns[self.column]
        return np.asarray((values >= self.low) & (values <= self.high))


#: That of feature sets that have none of their own.
_NO_RULE = OutlierConfig(OutlierRule.none, 0.0, 1.0, 0.0, [])


def rule_of(config: FeaturesConfig) -> OutlierConfig:
    """Return the outlier rule of a feature set."""
    return getattr(config, "outliers", _NO_RULE)


def without_rule(config: FeaturesConfig) -> FeaturesConfig:
    """Return a feature set that keeps every customer."""
    if not hasattr(config, "outliers"):
        return config
    changes: dict[str, Any] = {"outliers": replace(rule_of(config), rule=OutlierRule.none)}
    return replace(config, **changes)


def set_aside(customers: Customers, config: OutlierConfig) -> tuple[Customers, dict[str, int]]:
    """Return the customers that stay, and how many each column set aside."""
    rows, removed = staying(customers, config)
    return (customers if len(rows) == len(customers) else customers.take(rows)), removed


def staying(
    customers: Customers, config: OutlierConfig
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Return the rows of the customers that stay, and what `set_aside` counts."""
    rows, removed = np.arange(len(customers)), {}
    for bounds, stays in _steps(customers, config):
        removed[bounds.column] = int((~stays).sum())
        rows = rows[stays]
    return rows, removed


def bounds_of(customers: Customers, config: OutlierConfig) -> list[Bounds]:
    """Return the bounds that the rule has found: a customer within all of them stays."""
    return [bounds for bounds, _ in _steps(customers, config)]


def _steps(
    customers: Customers, config: OutlierConfig
) -> Iterator[tuple[Bounds, NDArray[np.bool_]]]:
    """Yield the bounds of each column in turn, and which of the customers left they keep.

    The reference kit's rule: per column in order, with quantiles of the customers that are left,
    keep ``[low - factor * spread, high + factor * spread]`` where spread is high - low
    (``generate_features`` of oneapi-src/customer-segmentation).
    """
    if config.rule is OutlierRule.none:
        return
    unknown = [column for column in config.columns if column not in customers.columns]
    if unknown:
        raise ConfigError(
            f"features.outliers.columns names {', '.join(unknown)}, which the features lack. "
            f"Features: {', '.join(customers.columns)}"
        )
    for column in config.columns:
        low, high = np.quantile(customers.columns[column], [config.low, config.high])
        margin = config.factor * (high - low)
        bounds = Bounds(column, float(low - margin), float(high + margin))
        stays = bounds.keep(customers)
        if not stays.any():
            raise DataError(
                f"the outlier rule sets every customer aside: the last {len(stays)} by "
                f"{column}. Raise features.outliers.factor, move low={config.low} and "
                f"high={config.high} apart, or choose features.outliers.rule=none"
            )
        yield bounds, stays
        customers = customers.take(stays)


@dataclass(frozen=True)
class Built:
    """The customers of a dataset.

    Attributes
    ----------
    all_customers : Customers
        Every customer, before the outlier rule.
    customers : Customers
        Those that are clustered, ordered by id as text.
    facts : mapping
        Rows read and dropped by each rule, date range, customers set aside by each column; under
        ``removed`` how much that is (see `segrun.features.removed`), and under ``kept`` what is
        clustered: both together are the input; under ``fitted`` what must be known to build the
        same columns of other data.
    about : Customers or None
        Columns that are not clustered on, rows as `all_customers`; text columns hold str objects,
        None where missing.
    """

    all_customers: Customers
    customers: Customers
    facts: Mapping[str, Any]
    about: Customers | None = None

    def written_as(self, told: Mapping[str, Any]) -> Built:
        """Return the same with the ids as the input writes them; see `id_type`."""
        kind = id_type(told, self.all_customers.ids)
        return Built(
            replace(self.all_customers, id_type=kind),
            replace(self.customers, id_type=kind),
            self.facts,
            None if self.about is None else replace(self.about, id_type=kind),
        )


def settle(
    everyone: Customers,
    config: FeaturesConfig,
    facts: Mapping[str, Any],
    about: Customers | None = None,
    lost: Callable[[NDArray[np.bool_]], Mapping[str, Any]] = by_customers,
) -> Built:
    """Apply the outlier rule and say what is clustered."""
    rows, removed = staying(everyone, rule_of(config))
    kept = everyone if len(rows) == len(everyone) else everyone.take(rows)
    told: dict[str, Any] = {
        "customers": len(everyone),
        "set_aside": removed,
        "clustered": len(kept),
    }
    told = {**told, "removed": dict(facts.get("removed", {}))}
    outside = np.ones(len(everyone), dtype=bool)
    outside[rows] = False
    told["kept"] = lost(~outside)
    if kept is not everyone:
        rule = f"features.outliers.rule={rule_of(config).rule.value}"
        told["removed"][rule] = lost(outside)
    aside = ", ".join(f"{n} by {column}" for column, n in removed.items())
    log.info(
        "%d customers, %d of them clustered%s",
        len(everyone), len(kept), f" (set aside: {aside})" if aside else "",
    )  # fmt: skip
    return Built(everyone, kept, {**facts, **told}, about)


def check_constant(customers: Customers) -> None:
    """Refuse customers who are all alike, and warn of columns that tell nothing apart."""
    constant = [name for name, v in customers.columns.items() if (v == v[:1]).all()]
    if len(constant) == len(customers.columns):
        raise DataError(
            f"every feature is constant over the {len(customers)} customers: there is nothing to "
            "cluster. Look at the drop rules and at features.outliers"
        )
    if constant:
        log.warning("constant columns, which tell nothing apart: %s", ", ".join(constant))


_ALL, _CLUSTERED, _ABOUT = "all.parquet", "clustered.parquet", "about.parquet"
#: The place of the ids; further columns are by their names.
_ID = "id of segrun"


def write_features(folder: Path, built: Built) -> dict[str, Any] | None:
    """Write features to a folder; return what `read_features` must know, None if not kept."""
    facts = json.loads(json.dumps(built.facts, default=str))
    if isinstance(built.all_customers.columns, SparseColumns) or facts != built.facts:
        return None
    _write(folder / _ALL, built.all_customers)
    if len(built.customers) < len(built.all_customers):
        _write(folder / _CLUSTERED, built.customers)
    if built.about is not None:
        _write(folder / _ABOUT, built.about)
    return {"id_column": built.all_customers.id_column, "facts": facts}


def read_features(folder: Path, told: Mapping[str, Any]) -> Built:
    """Return the features that `write_features` wrote."""
    name = told["id_column"]
    everyone = _read(folder / _ALL, name)
    clustered, about = folder / _CLUSTERED, folder / _ABOUT
    kept = _read(clustered, name) if clustered.exists() else everyone
    rest = _read(about, name) if about.exists() else None
    return Built(everyone, kept, told["facts"], rest)


def _write(path: Path, customers: Customers) -> None:
    columns = {_ID: pl.Series(customers.ids, dtype=pl.String)}
    for name, values in customers.columns.items():
        # As a list: of an array polars guesses the type by the first value, which may be missing.
        text = values.dtype == object
        columns[name] = pl.Series(values.tolist(), dtype=pl.String) if text else pl.Series(values)
    try:
        # By way of Python: on a full disk polars raises no OSError.
        with path.open("wb") as file:
            pl.DataFrame(columns).write_parquet(file, compression="lz4")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"cannot write {path}: {error}") from error


def _read(path: Path, id_column: str) -> Customers:
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    columns: dict[str, NDArray[Any]] = {
        # Of what polars gives, nothing may be written to.
        name: np.array(frame[name].to_numpy())
        for name in frame.columns
    }
    return Customers(id_column, columns.pop(_ID).astype(object), columns)
