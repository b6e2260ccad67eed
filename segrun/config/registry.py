"""The kinds of datasets, feature sets and engines: which keys each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from segrun.config.dataset import (
    FileConfig,
    RatingsFileConfig,
    RecordsConfig,
    SyntheticRatingsConfig,
    SyntheticRetailConfig,
    SyntheticSalesConfig,
    SyntheticWeblogsConfig,
    TransactionsConfig,
)
from segrun.config.features import (
    AggregateConfig,
    RatingsConfig,
    RfmCalendarConfig,
    RfmConfig,
    TableConfig,
)
from segrun.config.running import DuckdbConfig, EngineConfig, ModinConfig, PysparkConfig
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean

#: Schema by group of `conf/` and kind; ``conf/`` refers to it as ``/schema/<group>/<kind>``.
#: What segrun does with a kind: `segrun.data.datasets.registry`, `segrun.features.registry`.
KINDS: dict[str, dict[str, type]] = {
    "dataset": {
        "online_retail": FileConfig,
        "transactions": TransactionsConfig,
        "records": RecordsConfig,
        "ratings": RatingsFileConfig,
        "synthetic_retail": SyntheticRetailConfig,
        "synthetic_sales": SyntheticSalesConfig,
        "synthetic_weblogs": SyntheticWeblogsConfig,
        "synthetic_ratings": SyntheticRatingsConfig,
    },
    "features": {
        "rfm": RfmConfig,
        "rfm_calendar": RfmCalendarConfig,
        "aggregate": AggregateConfig,
        "table": TableConfig,
        "ratings": RatingsConfig,
    },
    "engine": {
        "polars": EngineConfig,
        "pandas": EngineConfig,
        "duckdb": DuckdbConfig,
        "modin": ModinConfig,
        "pyspark": PysparkConfig,
    },
}


def kind_of(group: str, values: Mapping[str, Any]) -> str:
    """Return the kind that the plain values of a group are of.

    It is the one that they state. Files of before kinds state none: theirs is the name, where
    that is a kind with these keys, else the kind whose keys are most like these.
    """
    known = KINDS[group]
    if "kind" in values:
        check_kind(group, values["kind"])
        return str(values["kind"])
    keys = {kind: {item.name for item in fields(schema)} for kind, schema in known.items()}
    name = values.get("name")
    if name in known and set(values) <= keys[name]:
        return str(name)
    return min(known, key=lambda kind: len(keys[kind] ^ set(values)))


def check_kind(group: str, kind: str, config: Any = None) -> None:
    """Refuse a kind that there is not, or whose keys a configuration does not have."""
    known = KINDS[group]
    if config is not None and not kind:
        raise ConfigError(
            f"{group}.name={config.name!r} states no kind: begin its YAML with "
            f"'defaults: [KIND]'. Kinds: {', '.join(known)}"
        )
    if kind not in known:
        said = "there is no such kind" if kind else "none is stated, and the YAML has no defaults"
        raise ConfigError(
            f"{group}.kind={kind}: {said}.{did_you_mean(kind, known)} Kinds: {', '.join(known)}"
        )
    if config is not None and type(config) is not known[kind]:
        raise ConfigError(
            f"{group}.kind={kind}, but the other keys are not of that kind: choose {group}={kind}, "
            f"or begin the YAML with 'defaults: [{kind}]'. Kinds: {', '.join(known)}"
        )
