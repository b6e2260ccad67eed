"""What the `segments` group of the configuration may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segrun.config import SegmentsConfig
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.segments.clustering import named
from segrun.segments.rule import parse

if TYPE_CHECKING:
    from segrun.algorithms.grid import Point

#: `segments.order_by` that is no column.
SIZE = "size"
#: Letters of a name at the most.
MAX_LETTERS = 100


def check(
    config: SegmentsConfig, columns: Sequence[str] | None = None, texts: Sequence[str] = ()
) -> None:
    """Refuse columns that there are not, and rules that cannot be read.

    `columns` are those that customers may have, None where they are not known yet. `texts` are
    those of texts: they have no order, their values have a share. ConfigError names the key.
    """
    if not config.order_by:
        raise ConfigError("segments.order_by must be size or the name of a column. Got '' instead")
    _check_names(config)
    asked = [
        (f"segments.names.rules.{name}", column)
        for name, text in config.names.rules.items()
        for column in parse(text, f"segments.names.rules.{name}").columns()
    ]
    if config.order_by != SIZE:
        asked.append(("segments.order_by", config.order_by))
    if config.names.by is not None:
        asked.append(("segments.names.by", config.names.by))
    for key, column in asked:
        _check_column(key, column, columns, texts)


def _check_names(config: SegmentsConfig) -> None:
    names = config.names
    keys = {name: f"segments.names.rules.{name}" for name in names.rules}
    keys |= dict.fromkeys(names.ordered, "segments.names.ordered")
    for name, key in keys.items():
        if wrong := unfit(name):
            raise ConfigError(f"{key}: no segment can be called {name!r}: {wrong}")
    if names.ordered and names.by is None:
        raise ConfigError(
            f"segments.names.ordered={names.ordered} needs a column to go by: "
            "segments.names.by=COLUMN"
        )
    if len(set(names.ordered)) < len(names.ordered):
        raise ConfigError(f"segments.names.ordered={names.ordered} must be different names")


def check_point(config: SegmentsConfig, points: Sequence[Point]) -> None:
    """Refuse a point that a grid does not have, naming those that there are."""
    slugs = [point.slug for point in points]
    if config.point is None or config.point in slugs:
        return
    near = named(config.point, {point.slug: point.axes for point in points})
    cure = f" Name one of them: {', '.join(near)};" if near else did_you_mean(config.point, slugs)
    rest = "" if near else f" Points: {', '.join(slugs)};"
    raise ConfigError(
        f"segments.point={config.point} is no point of the grid.{cure}{rest} null: the selected one"
    )


def _check_column(key: str, name: str, columns: Sequence[str] | None, texts: Sequence[str]) -> None:
    if name.lower() in {text.lower() for text in texts}:
        raise ConfigError(
            f"{key}: {name} holds texts, which have no order. Take a column of numbers, or the "
            f"share of one of its values: {name}=VALUE"
        )
    known = None if columns is None else {column.lower() for column in columns}
    # A value of a text column: Country=France.
    if known is None or name.lower() in known or name.partition("=")[0].lower() in known:
        return
    raise ConfigError(
        f"{key}: there is no column {name!r}.{did_you_mean(name, columns or ())} Columns: "
        f"{', '.join(dict.fromkeys(columns or ()))}"
    )


def unfit(name: str) -> str:
    """Return why no segment can have a name, '' where one can."""
    if not name.strip() or len(name) > MAX_LETTERS or not name.isprintable():
        return f"a name has 1 to {MAX_LETTERS} letters, in one line"
    return ""
