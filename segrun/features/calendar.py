"""Weekday and month columns, in the order of the reference kit (alphabetical)."""

from __future__ import annotations

from segrun.config import Weekdays

#: ISO numbers modulo 7, so that Sunday is 0: narwhals on Spark gives 0 for it, others 7.
_WEEKDAYS = {
    "Friday": 5, "Monday": 1, "Saturday": 6, "Sunday": 0, "Thursday": 4, "Tuesday": 2,
    "Wednesday": 3,
}  # fmt: skip

MONTHS = {
    "April": 4, "August": 8, "December": 12, "February": 2, "January": 1, "July": 7, "June": 6,
    "March": 3, "May": 5, "November": 11, "October": 10, "September": 9,
}  # fmt: skip

#: The day that the kit leaves out: its data has no sales on Saturdays.
LEFT_OUT = "Saturday"


def weekdays(wanted: Weekdays) -> dict[str, int]:
    """Return name and number (ISO modulo 7) of the weekday columns, in order."""
    if wanted is Weekdays.all:
        return dict(_WEEKDAYS)
    return {name: number for name, number in _WEEKDAYS.items() if name != LEFT_OUT}
