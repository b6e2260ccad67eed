"""Whether transactions look as transactions do: facts for the log, warnings where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from segrun.data.datasets.table import counted

#: Days without a line that are taken for a wrong year.
_JUMP = timedelta(days=365)

_MANY_COPIES = 0.2
_N_RANGES = 3
_MANY_OF_ONE = 0.5


def survey(lines: pl.LazyFrame, columns: tuple[str, str | None]) -> dict[str, Any]:
    """Return what the plausibility page tells besides copies, from a pass or two.

    Parameters
    ----------
    lines : LazyFrame
        Columns of the contract.
    columns : tuple of (str, str or None)
        Those of `lines` with the id and, if there is one, the date.

    Returns
    -------
    dict
        ``n_lines, missing`` (lines per column), ``nameless`` (lines without an id), ``days``
        (lines per day), ``busiest`` (customer and lines), ``n_ids`` (different ids).
    """
    id_column, date = columns
    found = lines.select(
        n_lines=pl.len(),
        missing=pl.struct(pl.all().null_count()),
    ).collect(engine="streaming")
    when = pl.lit(None, dtype=pl.Datetime("us")) if date is None else pl.col(date)
    days = counted(lines, when.dt.date().alias("day"), "n").sort("day")
    customers = counted(lines, pl.col(id_column).alias("customer"), "n")
    most = customers.sort("n", "customer", descending=[True, False]).head(1).rows()
    return {
        "n_lines": found["n_lines"].item(),
        "missing": found["missing"].item(),
        "nameless": found["missing"].item()[id_column],
        "days": days,
        "busiest": most[0] if most else None,
        "n_ids": len(customers),
    }


def page(
    facts: Mapping[str, Any],
    currencies: tuple[str, ...],
    names: Mapping[str, str],
    *,
    dropped: bool,
) -> list[str]:
    """Return the facts as lines for the log, columns by their `names` in the file.

    `dropped` says whether copies were left out.
    """
    n_lines, days = facts["n_lines"], facts["days"]
    missing = [
        f"{names.get(name, name)} {n / n_lines:.1%}" for name, n in facts["missing"].items() if n
    ]
    n_copies = facts["copies"]["n"]
    said = [f"missing: {', '.join(missing) or 'nothing'}"]
    if len(days):
        said.insert(0, f"dates from {days['day'][0]} to {days['day'][-1]}")
    left = " and left out" if dropped and n_copies else ""
    copies = "copies not counted" if n_copies is None else f"{n_copies} lines are copies of others"
    said.append(f"{copies}{left}")
    said.append(f"currency: {', '.join(currencies) or 'none stated'}")
    return said


def surprises(
    facts: Mapping[str, Any], currencies: tuple[str, ...], today: datetime, *, dropped: bool
) -> list[str]:
    """Return what is likely to be wrong with the data; `dropped`: copies were left out."""
    found = [*_of_dates(facts["days"], today), *_of_customers(facts)]
    found += _of_copies(facts["copies"], dropped=dropped)
    if len(currencies) > 1:
        found.append(f"amounts in several currencies are added up: {', '.join(currencies)}")
    return found


def _of_dates(days: pl.DataFrame, today: datetime) -> list[str]:
    found = []
    late = days.filter(pl.col("day") > today.date())
    if len(late):
        found.append(
            f"{late['n'].sum()} lines are dated in the future, up to {late['day'][-1]}: "
            "features.reference_date=DATE leaves later lines out"
        )
    for row in days.with_columns(before=pl.col("day").shift(1)).iter_rows(named=True):
        if row["before"] is not None and row["day"] - row["before"] > _JUMP:
            n_before = int(days.filter(pl.col("day") < row["day"])["n"].sum())
            found.append(
                f"the dates jump from {row['before']} to {row['day']} ({n_before} lines before, "
                f"{int(days['n'].sum()) - n_before} after): look for a wrong year or date order"
            )
    return found


def _of_copies(copies: Mapping[str, Any], *, dropped: bool) -> list[str]:
    if not copies["n"]:
        return []
    cure = "They are left out" if dropped else "dataset.duplicates=drop leaves them out"
    if copies["ranges"]:
        shown = [
            f"{part['n_copies']} of {part['n_lines']} lines from {part['first']} to {part['last']}"
            + _worth(part["money"])
            for part in copies["ranges"][:_N_RANGES]
        ]
        n_more = len(copies["ranges"]) - len(shown)
        more = f", and of {n_more} more ranges of days" if n_more else ""
        return [
            f"{'; '.join(shown)}{more} are copies of others, and hardly any on other days: do "
            f"files that were joined overlap there? {cure}"
        ]
    if copies["n"] > _MANY_COPIES * copies["n_lines"]:
        return [
            f"{copies['n']} of {copies['n_lines']} lines are copies of others"
            f"{_worth(copies['money'])}: was the file joined twice? {cure}"
        ]
    return []


def _worth(money: float | None) -> str:
    return "" if money is None else f" (worth {money:,.2f})"


def _of_customers(facts: Mapping[str, Any]) -> list[str]:
    n_missing = facts["nameless"]
    n_known = facts["n_lines"] - n_missing
    found = []
    if n_missing > n_known:
        found.append(f"{n_missing} of {facts['n_lines']} lines have no customer id")
    if facts["busiest"] is not None:
        customer, n = facts["busiest"]
        if n >= _MANY_OF_ONE * n_known and n > 1:
            found.append(
                f"customer {customer!r} has {n} of {n_known} lines: does it stand for guests or "
                "unknown ones?"
            )
    return found
