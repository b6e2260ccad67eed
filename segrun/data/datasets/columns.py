"""Which column of a file holds what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum

import polars as pl

from segrun.config import ColumnsConfig
from segrun.data.datasets.proposal import proposal
from segrun.data.datasets.quoting import clipped, listed
from segrun.data.datasets.rows import ID_COLUMN
from segrun.errors import ConfigError, DataError
from segrun.nearest import did_you_mean

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
    def names(self) -> dict[str, str]:
        """What the file calls the columns that the rows have."""
        contract = CANONICAL | {"amount": CANONICAL["price"]} if self.uses is USES else {}
        return {contract.get(role, role): name for role, name in self.columns.items()}

    @property
    def id_role(self) -> str:
        """The role of the id."""
        return self.roles(Use.id)[0]


def check(columns: ColumnsConfig) -> None:
    """Refuse a mapping that contradicts itself.

    Raises
    ------
    ConfigError
        Naming the keys.
    """
    given = {role: name for role, name in asdict(columns).items() if name is not None}
    if "amount" in given and ("price" in given or "quantity" in given):
        raise ConfigError(
            "dataset.columns: amount is the whole line's, so it comes without price and quantity: "
            f"give amount={given['amount']} alone, or price (times quantity) without it"
        )
    for role, name in given.items():
        for other, value in given.items():
            if other < role and value == name:
                raise ConfigError(
                    f"dataset.columns: {other} and {role} are both {name!r}: give each its own"
                )


def find_uci(names: Iterable[str], file: str, rows: GiveRows = None) -> Mapped:
    """Find the columns of the UCI data; case, blanks and underscores do not matter.

    Parameters
    ----------
    names : iterable of str
        The columns of the file.
    file : str
        Its path.
    rows : callable, optional
        Returns its rows, for advice by what is in them.

    Raises
    ------
    DataError
        If one is missing, or there twice.
    """
    names = list(names)
    columns, missing = {}, []
    for role, known in UCI.items():
        wanted = {_plain(k) for k in known}
        found = [name for name in names if _plain(name) in wanted]
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
    config: ColumnsConfig, names: Iterable[str], file: str, rows: GiveRows = None
) -> Mapped:
    """Find the columns that the configuration names; see `find_uci`.

    Raises
    ------
    DataError
        If a column is not there, or there twice; or one that is needed is not named.
    """
    names = list(names)
    columns = {role: name for role, name in asdict(config).items() if name is not None}
    for role, name in columns.items():
        if names.count(name) != 1:
            said = "more than once" if name in names else "not there"
            near = "" if name in names else did_you_mean(name, names)
            raise DataError(
                f"dataset.columns.{role}={clipped(name)}: {said} in dataset.path={file}.{near} "
                f"Its columns: {listed(names)}"
            )
    lacking = [role for role in ("customer", "date") if role not in columns]
    if not columns.keys() & {"amount", "price"}:
        lacking.append("amount (or price)")
    if lacking:
        raise DataError(
            f"dataset.columns does not say which column holds {', '.join(lacking)}. "
            f"Columns of dataset.path={file}: {listed(names)}. Perhaps: "
            f"{proposal(names, _sample(rows), file)}"
        )
    return Mapped(columns, _id_name(columns["customer"]))


def _id_name(column: str) -> str:
    # Results have columns of these names, or of features.
    taken = re.fullmatch(
        r"label|replica|Amount|NumberOfOrders|Recency|[A-Z][a-z]+day|"
        r"(Jan|Febr)uary|March|April|May|June|July|August|(Septem|Octo|Novem|Decem)ber",
        column,
    )
    return "customer" if taken else column


def _sample(rows: GiveRows) -> pl.DataFrame | None:
    """Return some rows, None where they cannot be read: the advice is then by the names alone."""
    if rows is None:
        return None
    try:
        return rows().head(_N_SAMPLE).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
