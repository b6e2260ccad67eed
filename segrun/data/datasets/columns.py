"""Which column of a file holds what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum

import polars as pl

from segrun.config import (
    ColumnKind,
    ColumnsConfig,
    FileConfig,
    RecordsConfig,
    TransactionsConfig,
)
from segrun.data.datasets.proposal import proposal
from segrun.data.datasets.quoting import clipped, listed
from segrun.data.datasets.rows import ID_COLUMN
from segrun.errors import ConfigError, DataError
from segrun.nearest import did_you_mean
from segrun.rundir.customers import TAKEN

#: Gives the rows of a file, None where they are not to be looked at.
GiveRows = Callable[[], pl.LazyFrame] | None

#: Rows that are looked at for advice.
_N_SAMPLE = 500


class Use(Enum):
    """What the values of a column are taken for."""

    id = "id"
    code = "code"
    text = "text"
    date = "date"
    number = "number"
    quantity = "quantity"


NUMBERS = (Use.number, Use.quantity)

#: The key of `dataset.columns`: what its values are taken for.
USES = {
    "customer": Use.id,
    "date": Use.date,
    "amount": Use.number,
    "price": Use.number,
    "quantity": Use.quantity,
    "invoice": Use.code,
    "item": Use.text,
    "description": Use.text,
    "country": Use.text,
}

#: The key of `dataset.columns`: the column of the UCI data that it stands for.
CANONICAL = {
    "customer": ID_COLUMN,
    "date": "InvoiceDate",
    "amount": "Amount",
    "price": "UnitPrice",
    "quantity": "Quantity",
    "invoice": "InvoiceNo",
    "item": "StockCode",
    "description": "Description",
    "country": "Country",
}

#: And the column of the rows that are delivered.
_DELIVERED = CANONICAL | {"amount": CANONICAL["price"]}

#: The columns of the UCI data, and their names in its second edition and in copies of both.
UCI = {
    "invoice": ("InvoiceNo", "Invoice"),
    "item": ("StockCode",),
    "description": ("Description",),
    "quantity": ("Quantity",),
    "date": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": (ID_COLUMN, "Customer ID"),
    "country": ("Country",),
}

#: The role of the id of records, which is no name that anybody's column has.
RECORD_ID = "id of the rows"

_OF_KIND = {
    ColumnKind.text: Use.code,
    ColumnKind.number: Use.number,
    ColumnKind.date: Use.date,
}

#: Columns of results, or features: an id of such a name is called otherwise there.
_NOT_FOR_IDS = (
    r"label|replica|Amount|NumberOfOrders|Recency|[A-Z][a-z]+day|"
    r"(Jan|Febr)uary|March|April|May|June|July|August|(Septem|Octo|Novem|Decem)ber"
)


@dataclass(frozen=True)
class Mapped:
    """Which columns are used.

    Attributes
    ----------
    columns : mapping of str to str
        Role and the file's column; roles are the keys of `dataset.columns` and, for records, the
        names of columns.
    id_name : str
        What the id column is called in results.
    uses : mapping of str to Use
        What the values of each role are taken for.
    """

    columns: Mapping[str, str]
    id_name: str
    uses: Mapping[str, Use] = field(default_factory=lambda: USES)

    def roles(self, *uses: Use) -> list[str]:
        """Return the roles with one of these uses, in the order of the uses."""
        return [role for use in uses for role in self.columns if self.uses[role] is use]

    @property
    def delivered(self) -> dict[str, str]:
        """The columns of the rows that are delivered, by role."""
        if self.uses is USES:
            return {role: _DELIVERED[role] for role in self.columns}
        return {role: self.id_name if role == RECORD_ID else role for role in self.columns}

    @property
    def names(self) -> dict[str, str]:
        """What the file calls the columns of the rows that are delivered."""
        known = _DELIVERED if self.uses is USES else {}
        return {known.get(role, role): name for role, name in self.columns.items()}

    @property
    def date_role(self) -> str | None:
        """The role of the first date, None without one."""
        return next(iter(self.roles(Use.date)), None)

    @property
    def id_role(self) -> str:
        """The role of the id."""
        return self.roles(Use.id)[0]


def check(columns: ColumnsConfig) -> None:
    """Refuse a mapping that contradicts itself."""
    given = {role: name for role, name in asdict(columns).items() if name is not None}
    if "amount" in given and ("price" in given or "quantity" in given):
        raise ConfigError(
            "dataset.columns: amount is the whole line's, so it comes without price and quantity: "
            f"give amount={given['amount']} alone, or price (times quantity) without it"
        )
    check_twins(given)


def check_twins(given: Mapping[str, str]) -> None:
    """Refuse one column for two roles."""
    for role, name in given.items():
        twin = next((other for other in given if other < role and given[other] == name), None)
        if twin is not None:
            raise ConfigError(
                f"dataset.columns: {twin} and {role} are both {name!r}: give each its own"
            )


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


def find(config: FileConfig, names: Iterable[str], rows: GiveRows = None) -> Mapped:
    """Find the columns that a configuration names, or those of the UCI data."""
    names = list(names)
    if isinstance(config, TransactionsConfig):
        return find_mapped(config.columns, names, config.path, rows)
    if isinstance(config, RecordsConfig):
        return _find_declared(config, names)
    return find_uci(names, config.path, rows)


def find_uci(names: Sequence[str], file: str, rows: GiveRows = None) -> Mapped:
    """Find the columns of the UCI data; case, blanks and underscores do not matter."""
    columns, missing = {}, []
    for role, known in UCI.items():
        plain = {bare_name(k) for k in known}
        found = [name for name in names if bare_name(name) in plain]
        if len(found) > 1:
            raise DataError(
                f"dataset.path={file} has the column {known[0]} more than once "
                f"({listed(found)}): remove or rename all but the right one"
            )
        if found:
            columns[role] = found[0]
        else:
            missing.append(known[0])
    if missing:
        raise DataError(
            f"dataset.path={file} lacks the column {', '.join(missing)}. "
            f"Its columns: {listed(names)}. If these are others: "
            f"{proposal(names, _sample(rows), file)}"
        )
    return Mapped(columns, ID_COLUMN)


def find_mapped(
    config: ColumnsConfig, names: Sequence[str], file: str, rows: GiveRows = None
) -> Mapped:
    """Find the columns that the configuration of transactions names."""
    columns = {role: name for role, name in asdict(config).items() if name is not None}
    for role, name in columns.items():
        check_once(name, names, f"dataset.columns.{role}={clipped(name)}:", file)
    lacking = [role for role in ("customer", "date") if role not in columns]
    if not columns.keys() & {"amount", "price"}:
        lacking.append("amount (or price)")
    if lacking:
        raise DataError(
            f"dataset.columns does not say which column holds {', '.join(lacking)}. "
            f"Columns of dataset.path={file}: {listed(names)}. Perhaps: "
            f"{proposal(names, _sample(rows), file)}"
        )
    taken = re.fullmatch(_NOT_FOR_IDS, columns["customer"])
    return Mapped(columns, "customer" if taken else columns["customer"])


def _find_declared(config: RecordsConfig, names: Sequence[str]) -> Mapped:
    columns = {RECORD_ID: config.id}
    columns |= {name: config.rename.get(name, name) for name in config.columns}
    for role, name in columns.items():
        key = "id" if role == RECORD_ID else f"columns.{role}"
        more = ". '+dataset.rename={NAME: COLUMN}' maps other names"
        check_once(name, names, f"dataset.{key}: the column {clipped(name)} is", config.path, more)
    uses = {RECORD_ID: Use.id} | {name: _OF_KIND[kind] for name, kind in config.columns.items()}
    return Mapped(columns, config.id, uses)


def check_once(name: str, names: Sequence[str], key: str, file: str, more: str = "") -> None:
    """Refuse a column that is not there, or there twice; `key` begins the message."""
    if names.count(name) == 1:
        return
    said = "more than once" if name in names else "not there"
    near = "" if name in names else did_you_mean(name, names)
    raise DataError(
        f"{key} {said} in dataset.path={file}.{near} Its columns: {listed(names)}{more}"
    )


def _sample(rows: GiveRows) -> pl.DataFrame | None:
    """Return some rows, None where they cannot be read: the advice is then by the names alone."""
    if rows is None:
        return None
    try:
        return rows().head(_N_SAMPLE).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def bare_name(name: str) -> str:
    """Return the letters and digits of a name, all small."""
    return re.sub(r"[\W_]", "", name).lower()
