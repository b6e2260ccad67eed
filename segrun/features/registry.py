"""What segrun does with each kind of feature set: checks it, builds it, says what it builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segrun.config import ColumnKind, FeaturesConfig, Orders, Weekdays, check_kind
from segrun.data.datasets import Form
from segrun.features import aggregate, ratings, rfm, table
from segrun.features.built import Built
from segrun.features.declared import date_column
from segrun.features.partial import Definition

Kinds = Mapping[str, ColumnKind]


def _without_about(build: Callable[..., Built]) -> Callable[..., Built]:
    return lambda rows, config, fitted, _: build(rows, config, fitted)


def _first_date(_: Any, kinds: Kinds) -> str | None:
    return next((name for name, kind in kinds.items() if kind is ColumnKind.date), None)


@dataclass(frozen=True)
class FeatureSet:
    """One kind of feature set.

    Every function takes its configuration, of the kind's schema, and what the dataset's columns
    hold, as far as this is known before it is read.

    Attributes
    ----------
    check : callable
        Refuses settings that no data can satisfy.
    build : callable
        Takes rows, the configuration, what was fitted of other data (or None) and whether columns
        that are not clustered on are looked for; returns `Built`.
    names : callable
        The features in order; None where only the data will tell.
    columns : callable
        The columns that customers may have besides the features; None where nobody knows.
    texts : callable
        Those of them that stay texts.
    built_of : sequence of Form
        Forms of rows that it is built of.
    define : callable or None
        What is asked of rows batch by batch; None where columns are no sums over rows.
    date : callable
        The column that orders rows, None where they have none.
    titles : callable
        What to call features whose names say something else than what they are.
    sparse : bool
        Whether most values are zero and are not stored.
    """

    check: Callable[[Any, Kinds], None]
    build: Callable[..., Built]
    names: Callable[[Any, Kinds], list[str] | None]
    columns: Callable[[Any, Kinds], Sequence[str] | None] = lambda *_: None
    texts: Callable[[Any, Kinds], list[str]] = lambda *_: []
    built_of: Sequence[Form] = tuple(Form)
    define: Callable[[Any, Any, Mapping[str, Any] | None], Definition] | None = None
    date: Callable[[Any, Kinds], str | None] = _first_date
    titles: Callable[[Any], dict[str, str]] = lambda _: {}
    sparse: bool = False


def feature_set_of(config: FeaturesConfig) -> FeatureSet:
    """Return what is done with a feature set.

    Raises
    ------
    ConfigError
        If it states no kind, or one that has other keys.
    """
    check_kind("features", config.kind, config)
    return FEATURES[config.kind]


_RFM = FeatureSet(
    rfm.check,
    lambda rows, config, _, described: rfm.build(rows, config, described=described),
    lambda config, _: rfm.names(config),
    lambda *_: [*rfm.ABOUT, *rfm.weekdays(Weekdays.all), *rfm.MONTHS],
    lambda *_: ["Country"],
    (Form.transactions,),
    rfm.define,
    # The kit counts lines by the name NumberOfOrders, and Invoices may stand beside them.
    titles=lambda config: (
        {"NumberOfOrders": "NumberOfOrders (lines)"} if config.orders is Orders.lines else {}
    ),
)

#: By kind; `segrun.config.registry` has the keys of each.
FEATURES: dict[str, FeatureSet] = {
    "rfm": _RFM,
    "rfm_calendar": _RFM,
    "aggregate": FeatureSet(
        aggregate.check,
        _without_about(aggregate.build),
        aggregate.names,
        lambda config, kinds: None if aggregate.names(config, kinds) is None else [*config.columns],
        aggregate.texts,
        define=aggregate.define,
        date=date_column,
    ),
    "table": FeatureSet(
        table.check,
        _without_about(table.build),
        table.names,
        lambda config, kinds: [*kinds, *config.columns] if kinds else None,
        table.texts,
        (Form.table,),
    ),
    "ratings": FeatureSet(
        ratings.check, _without_about(ratings.build), lambda *_: None, sparse=True
    ),
}
