"""Which of the new rows count, by their date."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from segrun.config import FeaturesConfig
from segrun.errors import ConfigError

if TYPE_CHECKING:
    from segrun.data.datasets import Rows


def between(
    rows: Rows, config: FeaturesConfig, first: datetime | None, last: datetime | None
) -> Rows:
    """Return the rows from a moment to another, None where there is no bound.

    Raises
    ------
    ConfigError
        If the rows have no date.
    """
    import narwhals as nw

    from segrun.features import feature_set_of

    if first is None and last is None:
        return rows
    date = feature_set_of(config).date(config, rows.kinds)
    if date is None:
        raise ConfigError("--from and --to go by a date, which these rows lack")
    if first is not None:
        rows = rows.filter(nw.col(date) >= first)
    if last is not None:
        rows = rows.filter(nw.col(date) <= last)
    return rows


def day(text: str | None, option: str, moment: time) -> datetime | None:
    """Return a date of the command line; without time it is that `moment` of the day.

    Raises
    ------
    ConfigError
        If it is no ISO date, or has a time zone.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text}: write an ISO date, such as 2011-12-09") from None
    if found.tzinfo is not None:
        raise ConfigError(f"{option} {text} has a time zone, which the transactions lack")
    return datetime.combine(found, moment) if len(text) <= len("2011-12-09") else found
