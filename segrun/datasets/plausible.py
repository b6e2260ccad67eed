"""Whether transactions look as transactions do: facts for the log, warnings where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from segrun.datasets.table import counted

#: Copies are found by hashes, some 30 bytes a line in a set: above this, they are not counted, to
#: bound memory. A CSV file of so many lines is read in one pass, which counts none either.
_MAX_HASHED = 2_500_000

#: Days without a line that are taken for a wrong year.
_JUMP = timedelta(days=365)

_MANY_COPIES = 0.2
_MANY_OF_ONE = 0.5


def survey(
    lines: pl.LazyFrame, rows: pl.LazyFrame, n_lines: int, columns: tuple[str, str | None]
) -> dict[str, Any]:
    """Return what the plausibility page tells, from a pass or two.

    Parameters
    ----------
    lines : LazyFrame
        Columns of the contract.
    rows : LazyFrame
        The same lines with all columns of the file: only what repeats in all is a copy.
    n_lines : int
        Their number, about.
    columns : tuple of (str, str or None)
        Those of `lines` with the id and, if there is one, the date.

    Returns
    -------
    dict
        ``n_lines, missing`` (lines per column), ``nameless`` (lines without an id), ``copies``
        (lines that repeat an earlier one; None if not counted), ``days`` (lines per day),
        ``busiest`` (customer and lines).
    """
    copies = None
    if n_lines <= _MAX_HASHED:
        n_copies = pl.len() - pl.struct(pl.all()).hash().n_unique()
        copies = int(rows.select(n_copies.cast(pl.Int64)).collect(engine="streaming").item())
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
        "copies": copies,
        "days": days,
        "busiest": most[0] if most else None,
    }


def page(
    facts: Mapping[str, Any], currencies: tuple[str, ...], names: Mapping[str, str]
) -> list[str]:
    """Return the facts as lines for the log, columns by their `names` in the file."""
    n_lines, days = facts["n_lines"], facts["days"]
    missing = [
        f"{names.get(name, name)} {n / n_lines:.1%}" for name, n in facts["missing"].items() if n
    ]
    copies = facts["copies"]
    said = [f"missing: {', '.join(missing) or 'nothing'}"]
    if len(days):
        said.insert(0, f"dates from {days['day'][0]} to {days['day'][-1]}")
    said.append("copies not counted" if copies is None else f"{copies} lines are copies of others")
    said.append(f"currency: {', '.join(currencies) or 'none stated'}")
    return said


def surprises(facts: Mapping[str, Any], currencies: tuple[str, ...], today: datetime) -> list[str]:
    """Return what is likely to be wrong with the data."""
    found = [*_of_dates(facts["days"], today), *_of_customers(facts)]
    copies = facts["copies"] or 0
    if copies > _MANY_COPIES * facts["n_lines"]:
        found.append(
            f"{copies} of {facts['n_lines']} lines are copies of others: was the file joined twice?"
        )
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
