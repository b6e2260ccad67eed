"""What the `segments` group of the configuration may hold."""

from __future__ import annotations

from segrun.config import SegmentsConfig
from segrun.errors import ConfigError
from segrun.segments.rule import parse


def check(config: SegmentsConfig) -> None:
    """Refuse values of `segments` that are out of range, and rules that cannot be read.

    Parameters
    ----------
    config : SegmentsConfig
        The group as composed.

    Raises
    ------
    ConfigError
        Naming the key, the value and what is allowed.
    """
    stability = config.stability
    if stability.refits < 0:
        raise ConfigError(
            f"segments.stability.refits must be 0 or more. Got {stability.refits} instead"
        )
    # Written this way round so that NaN is refused as well.
    if not 0 < stability.share < 1:
        raise ConfigError(
            f"segments.stability.share must be above 0 and below 1. Got {stability.share} instead"
        )
    if stability.max_rows < 2:
        raise ConfigError(
            f"segments.stability.max_rows must be at least 2 rows. Got {stability.max_rows} instead"
        )
    if not config.order_by:
        raise ConfigError("segments.order_by must be size or the name of a column. Got '' instead")
    _check_names(config)


def _check_names(config: SegmentsConfig) -> None:
    names = config.names
    for name, text in names.rules.items():
        key = f"segments.names.rules.{name}"
        if not name.strip() or not name.isprintable():
            raise ConfigError(f"{key}: a name needs a letter, and stands in one line")
        parse(text, key)
    if names.ordered and names.by is None:
        raise ConfigError(
            f"segments.names.ordered={names.ordered} needs a column to go by: "
            "segments.names.by=COLUMN"
        )
    blank = [name for name in names.ordered if not name.strip()]
    twice = {name for name in names.ordered if names.ordered.count(name) > 1}
    if blank or twice:
        raise ConfigError(
            f"segments.names.ordered={names.ordered} must be different names, none of them empty"
        )
