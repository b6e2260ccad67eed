"""The reference date: the day that Recency is counted back from."""

from __future__ import annotations

from datetime import date, datetime, time

from segrun.errors import ConfigError


def reference_date(text: str) -> datetime:
    """Read `features.reference_date`; a date without time means the end of that day.

    Raises
    ------
    ConfigError
        If the text is no ISO date, or has a time zone.
    """
    try:
        # Refuses texts with a time: midnight, where it is written out, is meant.
        return datetime.combine(date.fromisoformat(text), time.max)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"features.reference_date={text!r} is no ISO date: write 2011-12-09 (its end counts) "
            "or 2011-12-09T12:50"
        ) from None
    if moment.tzinfo is not None:
        raise ConfigError(
            f"features.reference_date={text!r} has a time zone, which the transactions lack: "
            "write it in local time"
        )
    return moment
