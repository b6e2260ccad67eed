"""What is told of rows that were read: to the log, to results, and to the cache."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import Copies, FileConfig, RecordsConfig
from segrun.data.datasets.columns import Mapped
from segrun.data.datasets.dates import said_format
from segrun.data.datasets.readings import Readings
from segrun.data.datasets.rows import Rows, invoice_lines
from segrun.data.datasets.source import Source
from segrun.data.datasets.table import counted

log = logging.getLogger("segrun.data.datasets")

#: Days without a line that are taken for a wrong year.
_JUMP = timedelta(days=365)

_MANY_COPIES = 0.2
_N_RANGES = 3
_MANY_OF_ONE = 0.5


@dataclass(frozen=True)
class Account:
    """How a table was read, and what it looks like; plain values, as JSON has them.

    Attributes
    ----------
    how : str
        How it was read, in words.
    surveyed : mapping
        As of `survey`; ``copies`` as of `duplicates.find`; ``n_bad``, bad lines left out by what
        is wrong with them.
    facts, opened : mapping
        For results: how the rows were read, and the file opened.
    id_name : str
        What results call the id.
    """

    how: str
    surveyed: Mapping[str, Any]
    facts: Mapping[str, Any]
    opened: Mapping[str, Any]
    id_name: str


@dataclass(frozen=True)
class FileFacts:
    """A file as it was opened: how, the types of its columns, and that of the id if it has any."""

    opened: Mapping[str, Any]
    columns: Mapping[str, Any]
    id_type: str | None = None


def survey(lines: pl.LazyFrame, id_column: str, date_column: str | None) -> dict[str, Any]:
    """Return what rows are like, besides copies, from a pass or two.

    Returns
    -------
    dict
        ``n_lines, missing`` (lines per column), ``nameless`` (lines without an id), ``days``
        (lines per day, as ISO texts), ``busiest`` (customer and lines), ``n_ids`` (different ids).
    """
    found = lines.select(
        n_lines=pl.len(),
        missing=pl.struct(pl.all().null_count()),
    ).collect(engine="streaming")
    when = pl.lit(None, dtype=pl.Datetime("us")) if date_column is None else pl.col(date_column)
    days = counted(lines, when.dt.date().alias("day"), "n")
    customers = counted(lines, pl.col(id_column).alias("customer"), "n")
    most = customers.sort("n", "customer", descending=[True, False]).head(1).rows()
    return {
        "n_lines": found["n_lines"].item(),
        "missing": found["missing"].item(),
        "nameless": found["missing"].item()[id_column],
        "days": per_day(days),
        "busiest": list(most[0]) if most else None,
        "n_ids": len(customers),
    }


def per_day(days: pl.DataFrame) -> dict[str, int]:
    """Return the lines of each day, sorted, from columns ``day`` and ``n``."""
    return {day.isoformat(): n for day, n in days.sort("day").select("day", "n").iter_rows()}


def account_of(
    config: FileConfig,
    mapped: Mapped,
    readings: Readings,
    file: FileFacts,
    surveyed: Mapping[str, Any],
) -> Account:
    """Return what is told of rows of a file: which columns, read how, and what they are like."""
    formats = sorted(set(readings.date_formats.values()))
    decimals = {role: form.decimal.value for role, form in readings.forms.items()}
    copied = surveyed["copies"]
    how = [str(fact) for fact in file.opened.values()]
    how += [f"dates as {said_format(form)}" for form in formats]
    how += sorted({f"decimal {decimal}" for decimal in decimals.values()})
    how += [".0 behind ids left out"] if readings.whole_ids else []
    facts = {
        "n_read": surveyed["n_lines"],
        "n_bad": surveyed["n_bad"],
        "n_missing": {name: n for name, n in surveyed["missing"].items() if n},
        "n_copies": copied["n"],
        # A table too large to be read twice has not counted them.
        "n_ids": surveyed.get("n_ids"),
        "date_format": formats[0] if len(formats) == 1 else None,
        "decimals": decimals,
        "currencies": sorted({c for form in readings.forms.values() for c in form.currencies}),
        "columns": {name: str(kind) for name, kind in file.columns.items()},
        **({"copied_days": copied["ranges"]} if copied["ranges"] else {}),
        **({"dropped_copies": _dropped(copied)} if _drops(config) and copied["n"] else {}),
        "names": mapped.names,
        **id_facts(file.id_type, readings),
    }
    return Account(", ".join(how), surveyed, facts, dict(file.opened), mapped.id_name)


def id_facts(id_type: str | None, readings: Readings) -> dict[str, Any]:
    """Return what results say of the ids: the type of their column, and what was left out."""
    ids = {"whole_ids": readings.whole_ids, "fractional_ids": readings.fractional_ids}
    found = {name: True for name, so in ids.items() if so}
    suffix = {"id_suffix": readings.id_suffix} if readings.id_suffix else {}
    return {"id_type": id_type, **found, **suffix}


def _drops(config: FileConfig) -> bool:
    return config.duplicates is Copies.drop


def _dropped(copied: Mapping[str, Any]) -> dict[str, Any]:
    """Return how much copies were that were left out; see `segrun.features.removed`."""
    share, total = {"lines": round(copied["n"] / copied["n_lines"], 6)}, {}
    if copied["share_of_money"] is not None:
        share["money"], total["money"] = round(copied["share_of_money"], 6), copied["money"]
    return {"n_lines": copied["n"], "share": share, "sum": total}


def deliver(
    config: FileConfig,
    source: Source,
    good: pl.LazyFrame,
    account: Account,
    where: str = "read",
    **more: Any,
) -> Rows:
    """Log what rows are like, and return them with what identifies them.

    Parameters
    ----------
    config : FileConfig
        Their settings.
    source : Source
        Where they are from.
    good : LazyFrame
        The rows.
    account : Account
        What is told of them.
    where : str, default="read"
        How they came, for the log.
    **more : optional
        Further attributes: files, from_cache, quarantine.
    """
    _tell(config, account, where, kept=more.get("quarantine"))
    fingerprint = {
        "source": config.name, "path": config.path, **source.identity, **account.opened,
    }  # fmt: skip
    frame, facts = nw.from_native(good), account.facts
    if isinstance(config, RecordsConfig):
        return Rows(frame, config.id, config.id, config.columns, fingerprint, facts, **more)
    return invoice_lines(frame, account.id_name, fingerprint, facts, **more)


def _tell(config: FileConfig, account: Account, where: str, kept: Path | None) -> None:
    """Log what the rows are like, and warn of what is likely to be wrong with them."""
    found, facts, dropped = account.surveyed, account.facts, _drops(config)
    n_read = found["n_lines"] + (found["copies"]["n"] if dropped else 0)
    log.info("%s: %d lines %s (%s)", config.path, n_read, where, account.how)
    for line in _page(found, facts, dropped=dropped):
        log.info("  %s", line)
    if n_bad := facts["n_bad"]:
        reasons = ", ".join(f"{n} for {reason}" for reason, n in n_bad.items())
        quarantine = ", kept in quarantine.csv" if kept else ""
        log.warning("%d bad lines left out%s: %s", sum(n_bad.values()), quarantine, reasons)
    surprises = [
        *_of_dates({date.fromisoformat(day): n for day, n in found["days"].items()}),
        *_of_customers(found),
        *_of_copies(found["copies"], dropped=dropped),
    ]
    for surprise in surprises:
        log.warning("%s", surprise)
    if len(facts["currencies"]) > 1:
        several = ", ".join(facts["currencies"])
        log.warning("amounts in several currencies are added up: %s", several)


def _page(found: Mapping[str, Any], facts: Mapping[str, Any], *, dropped: bool) -> list[str]:
    """Return what rows are like as lines for the log, columns by their names in the file."""
    n_lines, days, names = found["n_lines"], list(found["days"]), facts["names"]
    missing = [
        f"{names.get(name, name)} {n / n_lines:.1%}" for name, n in found["missing"].items() if n
    ]
    n_copies = found["copies"]["n"]
    left = " and left out" if dropped and n_copies else ""
    copies = "copies not counted" if n_copies is None else f"{n_copies} lines are copies of others"
    return [
        *([f"dates from {days[0]} to {days[-1]}"] if days else []),
        f"missing: {', '.join(missing) or 'nothing'}",
        f"{copies}{left}",
        f"currency: {', '.join(facts['currencies']) or 'none stated'}",
    ]


def _of_dates(days: Mapping[date, int]) -> list[str]:
    found = []
    today = date.today()
    if late := [day for day in days if day > today]:
        found.append(
            f"{sum(days[day] for day in late)} lines are dated in the future, up to {late[-1]}: "
            "features.reference_date=DATE leaves later lines out"
        )
    for before, day in pairwise(days):
        if day - before > _JUMP:
            n_before = sum(n for other, n in days.items() if other < day)
            found.append(
                f"the dates jump from {before} to {day} ({n_before} lines before, "
                f"{sum(days.values()) - n_before} after): look for a wrong year or date order"
            )
    return found


def _of_customers(found: Mapping[str, Any]) -> list[str]:
    n_missing = found["nameless"]
    n_known = found["n_lines"] - n_missing
    said = []
    if n_missing > n_known:
        said.append(f"{n_missing} of {found['n_lines']} lines have no customer id")
    if found["busiest"] is not None:
        customer, n = found["busiest"]
        if n >= _MANY_OF_ONE * n_known and n > 1:
            said.append(
                f"customer {customer!r} has {n} of {n_known} lines: does it stand for guests or "
                "unknown ones?"
            )
    return said


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
