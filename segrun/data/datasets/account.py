"""What is told of rows that were read: to the log, to results, and to the cache."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from segrun.config import Copies, FileConfig, RecordsConfig
from segrun.data.datasets import plausible
from segrun.data.datasets.epochs import said_format
from segrun.data.datasets.readings import Readings
from segrun.data.datasets.rows import Rows, invoice_lines
from segrun.data.datasets.source import Source

log = logging.getLogger("segrun.data.datasets")


@dataclass(frozen=True)
class Account:
    """How a table was read, and what it looks like.

    Attributes
    ----------
    how : str
        How it was read, in words.
    surveyed : mapping
        As of `plausible.survey`.
    currencies : tuple of str
        Those that stand beside numbers.
    n_bad : mapping of str to int
        Bad lines left out by what is wrong with them.
    facts, opened : mapping
        For results: how the rows were read, and the file opened.
    id_name : str
        What results call the id.
    """

    how: str
    surveyed: Mapping[str, Any]
    currencies: tuple[str, ...]
    n_bad: Mapping[str, int]
    facts: Mapping[str, Any]
    opened: Mapping[str, Any]
    id_name: str

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values; `from_plain` reads them."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        days = [[day.isoformat(), n] for day, n in self.surveyed["days"].rows()]
        return {**found, "surveyed": {**self.surveyed, "days": days}}


def from_plain(values: Mapping[str, Any]) -> Account:
    """Return what `Account.plain` gave these values of."""
    surveyed = dict(values["surveyed"])
    days = [(date.fromisoformat(day), n) for day, n in surveyed["days"]]
    schema = {"day": pl.Date, "n": pl.UInt32}
    surveyed["days"] = pl.DataFrame(days, schema=schema, orient="row")
    if surveyed["busiest"] is not None:
        surveyed["busiest"] = tuple(surveyed["busiest"])
    found = {**values, "surveyed": surveyed, "currencies": tuple(values["currencies"])}
    return Account(**found)


def id_facts(id_type: str | None, readings: Readings) -> dict[str, Any]:
    """Return what results say of the ids: the type of their column, and what was left out."""
    ids = {"whole_ids": readings.whole_ids, "fractional_ids": readings.fractional_ids}
    found = {name: True for name, so in ids.items() if so}
    suffix = {"id_suffix": readings.id_suffix} if readings.id_suffix else {}
    return {"id_type": id_type, **found, **suffix}


def facts(
    config: FileConfig,
    n_bad: Mapping[str, int],
    surveyed: Mapping[str, Any],
    readings: Readings,
    columns: pl.Schema,
) -> dict[str, Any]:
    """Return what results say of how a table was read.

    Parameters
    ----------
    config : FileConfig
        Whether copies were left out.
    n_bad : mapping of str to int
        Bad lines by what is wrong with them.
    surveyed : mapping
        As of `plausible.survey`, and ``copies`` as of `copies.find`.
    readings : Readings
        How its columns were read.
    columns : polars.Schema
        The columns of the file.
    """
    formats = set(readings.date_formats.values())
    copied = surveyed["copies"]
    return {
        "n_read": surveyed["n_lines"],
        "n_bad": dict(n_bad),
        "n_missing": {name: n for name, n in surveyed["missing"].items() if n},
        "n_copies": copied["n"],
        # A table too large to be read twice has not counted them.
        "n_ids": surveyed.get("n_ids"),
        "date_format": formats.pop() if len(formats) == 1 else None,
        "decimals": {role: form.decimal.value for role, form in readings.forms.items()},
        "currencies": list(currencies(readings)),
        "columns": {name: str(kind) for name, kind in columns.items()},
        **({"copied_days": copied["ranges"]} if copied["ranges"] else {}),
        **({"dropped_copies": _dropped(copied)} if _drops(config) and copied["n"] else {}),
    }


def _drops(config: FileConfig) -> bool:
    return config.duplicates is Copies.drop


def _dropped(copied: Mapping[str, Any]) -> dict[str, Any]:
    """Return how much copies were that were left out; see `segrun.features.removed`."""
    share, total = {"lines": round(copied["n"] / copied["n_lines"], 6)}, {}
    if copied["share_of_money"] is not None:
        share["money"], total["money"] = round(copied["share_of_money"], 6), copied["money"]
    return {"n_lines": copied["n"], "share": share, "sum": total}


def currencies(readings: Readings) -> tuple[str, ...]:
    """Return the signs and codes of currencies beside numbers."""
    return tuple(sorted({c for form in readings.forms.values() for c in form.currencies}))


def how(opened: Mapping[str, Any], readings: Readings) -> str:
    """Say how a table was opened and its columns were read."""
    said = [str(fact) for fact in opened.values()]
    formats = sorted(set(readings.date_formats.values()))
    said += [f"dates as {said_format(form)}" for form in formats]
    said += sorted({f"decimal {form.decimal.value}" for form in readings.forms.values()})
    said += [".0 behind ids left out"] if readings.whole_ids else []
    return ", ".join(said)


def tell(
    config: FileConfig, account: Account, quarantine: Path | None = None, where: str = "read"
) -> None:
    """Log what the rows are like, and warn of what is likely to be wrong with them."""
    found = account.surveyed
    dropped = _drops(config)
    n_read = found["n_lines"] + (found["copies"]["n"] if dropped else 0)
    log.info("%s: %d lines %s (%s)", config.path, n_read, where, account.how)
    names = account.facts["names"]
    for line in plausible.page(found, account.currencies, names, dropped=dropped):
        log.info("  %s", line)
    if account.n_bad:
        reasons = ", ".join(f"{n} for {reason}" for reason, n in account.n_bad.items())
        kept = ", kept in quarantine.csv" if quarantine else ""
        log.warning("%d bad lines left out%s: %s", sum(account.n_bad.values()), kept, reasons)
    today = datetime.now()
    for surprise in plausible.surprises(found, account.currencies, today, dropped=dropped):
        log.warning("%s", surprise)


def delivered(
    config: FileConfig,
    source: Source,
    good: pl.LazyFrame,
    account: Account,
    **more: Any,
) -> Rows:
    """Return rows with what identifies them.

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
    **more : optional
        Further attributes: files, from_cache, quarantine.
    """
    fingerprint = {
        "source": config.name,
        "path": config.path,
        **source.identity,
        **account.opened,
    }
    frame = nw.from_native(good)
    if isinstance(config, RecordsConfig):
        return Rows(frame, config.id, config.id, config.columns, fingerprint, account.facts, **more)
    return invoice_lines(frame, account.id_name, fingerprint, account.facts, **more)
