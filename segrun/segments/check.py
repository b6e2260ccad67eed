"""What the `segments` group of the configuration may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segrun.config import SegmentsConfig
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean
from segrun.segments.point import named
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

    Parameters
    ----------
    config : SegmentsConfig
        The group as composed.
    columns : sequence of str, optional
        Names of the columns that customers may have; None where they are not known yet.
    texts : sequence of str
        Those that hold texts: they have no order, their values have a share.

    Raises
    ------
    ConfigError
        Naming the key, the value and what is allowed.
    """
    if not config.order_by:
        raise ConfigError("segments.order_by must be size or the name of a column. Got '' instead")
    if config.order_by != SIZE:
        _known(config.order_by, columns, texts, "segments.order_by")
    _check_names(config, columns, texts)


def _check_names(
    config: SegmentsConfig, columns: Sequence[str] | None, texts: Sequence[str]
) -> None:
    names = config.names
    for name, text in names.rules.items():
        key = f"segments.names.rules.{name}"
        if wrong := unfit(name):
            raise ConfigError(f"{key}: no segment can be called {name!r}: {wrong}")
        for column in parse(text, key).columns():
            _known(column, columns, texts, key)
    if names.ordered and names.by is None:
        raise ConfigError(
            f"segments.names.ordered={names.ordered} needs a column to go by: "
            "segments.names.by=COLUMN"
        )
    if names.by is not None:
        _known(names.by, columns, texts, "segments.names.by")
    for name in names.ordered:
        if wrong := unfit(name):
            raise ConfigError(f"segments.names.ordered: no segment can be called {name!r}: {wrong}")
    if len(set(names.ordered)) < len(names.ordered):
        raise ConfigError(f"segments.names.ordered={names.ordered} must be different names")


def check_point(config: SegmentsConfig, points: Sequence[Point]) -> None:
    """Refuse a point that a grid does not have.

    Parameters
    ----------
    config : SegmentsConfig
        Names the point, or none.
    points : sequence of Point
        Those of the grid.

    Raises
    ------
    ConfigError
        With the points that there are.
    """
    slugs = [point.slug for point in points]
    if config.point is None or config.point in slugs:
        return
    near = named(config.point, {point.slug: point.axes for point in points})
    cure = f" Name one of them: {', '.join(near)};" if near else did_you_mean(config.point, slugs)
    rest = "" if near else f" Points: {', '.join(slugs)};"
    raise ConfigError(
        f"segments.point={config.point} is no point of the grid.{cure}{rest} null: the selected one"
    )


def _known(name: str, columns: Sequence[str] | None, texts: Sequence[str], key: str) -> None:
    if name.lower() in {text.lower() for text in texts}:
        raise ConfigError(
            f"{key}: {name} holds texts, which have no order. Take a column of numbers, or the "
            f"share of one of its values: {name}=VALUE"
        )
    if columns is None:
        return
    known = {column.lower() for column in columns}
    # A value of a text column: Country=France.
    if name.lower() in known or name.partition("=")[0].lower() in known:
        return
    raise ConfigError(
        f"{key}: there is no column {name!r}.{did_you_mean(name, columns)} Columns: "
        f"{', '.join(dict.fromkeys(columns))}"
    )


def unfit(name: str) -> str:
    """Return why no segment can have a name, '' where one can."""
    if not name.strip() or len(name) > MAX_LETTERS or not name.isprintable():
        return f"a name has 1 to {MAX_LETTERS} letters, in one line"
    return ""
