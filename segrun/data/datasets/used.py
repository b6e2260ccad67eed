"""The columns of a file that its configuration uses; those of records are declared in it."""

from __future__ import annotations

from collections.abc import Iterable

from segrun.config import ColumnKind, FileConfig, RecordsConfig, TransactionsConfig
from segrun.data.datasets.columns import GiveRows, Mapped, Use, find_mapped, find_uci
from segrun.data.datasets.quoting import clipped, listed
from segrun.errors import ConfigError, DataError
from segrun.nearest import did_you_mean
from segrun.rundir.customers import TAKEN

_OF_KIND = {
    ColumnKind.text: Use.code,
    ColumnKind.number: Use.number,
    ColumnKind.date: Use.date,
}

#: The role of the id of records, which is no name that anybody's column has.
RECORD_ID = "id of the rows"


def find(config: FileConfig, names: Iterable[str], rows: GiveRows = None) -> Mapped:
    """Find the columns that a configuration names, or those of the UCI data; see `find_uci`."""
    if isinstance(config, TransactionsConfig):
        return find_mapped(config.columns, names, config.path, rows)
    if isinstance(config, RecordsConfig):
        return _find_declared(config, names)
    return find_uci(names, config.path, rows)


def check_records(config: RecordsConfig) -> None:
    """Refuse records whose columns contradict each other."""
    if not config.id.strip():
        raise ConfigError("dataset.id is empty: name the column of the id")
    if config.id in TAKEN:
        raise ConfigError(
            f"dataset.id={config.id}: results have a column of this name: rename that column in "
            "the file"
        )
    for name in config.rename:
        if name not in config.columns:
            raise ConfigError(
                f"dataset.rename.{name}: dataset.columns has no {name!r}."
                f"{did_you_mean(name, config.columns)} Its columns: {listed(list(config.columns))}"
            )
    if config.id in config.columns:
        raise ConfigError(f"dataset.columns.{config.id} is the id already: leave it out of columns")


def _find_declared(config: RecordsConfig, names: Iterable[str]) -> Mapped:
    names = list(names)
    columns = {RECORD_ID: config.id}
    columns |= {name: config.rename.get(name, name) for name in config.columns}
    for role, name in columns.items():
        if names.count(name) != 1:
            key = "id" if role == RECORD_ID else f"columns.{role}"
            said = "more than once" if name in names else "not there"
            near = "" if name in names else did_you_mean(name, names)
            raise DataError(
                f"dataset.{key}: the column {clipped(name)} is {said} in "
                f"dataset.path={config.path}.{near} Its columns: {listed(names)}. "
                f"'+dataset.rename={{NAME: COLUMN}}' maps other names"
            )
    uses = {RECORD_ID: Use.id} | {name: _OF_KIND[kind] for name, kind in config.columns.items()}
    return Mapped(columns, config.id, uses)
