"""Which column of a file holds what."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum

from segrun.config import ColumnsConfig
from segrun.datasets.quoting import clipped, listed
from segrun.datasets.transactions import ID_COLUMN
from segrun.errors import ConfigError, DataError
from segrun.nearest import did_you_mean


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

#: Words by which the columns of other files are guessed, for suggestions only.
_WORDS = {
    "customer": "customer client user member account subscriber msisdn buyer phone email iban "
    "kunde konto household card id",
    "date": "date datetime timestamp time day booked created datum buchungstag start when fecha "
    "créé",
    "amount": "amount total value revenue sales spend charge cost fee betrag summe umsatz montant "
    "importe",
    "price": "unitprice price tariff rate einzelpreis preis prix precio",
    "quantity": "quantity qty units menge anzahl count quantité cantidad",
    "invoice": "invoice order receipt basket transaction bestell rechnung ticket commande pedido",
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


def find_uci(names: Iterable[str], file: str) -> Mapped:
    """Find the columns of the UCI data; case, blanks and underscores do not matter.

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
            f"Its columns: {listed(names)}. If these are others: {_ready_line(names)}"
        )
    return Mapped(columns, ID_COLUMN)


def find_mapped(config: ColumnsConfig, names: Iterable[str], file: str) -> Mapped:
    """Find the columns that the configuration names.

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
            f"Columns of dataset.path={file}: {listed(names)}. Perhaps: {_ready_line(names)}"
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


def _ready_line(names: list[str]) -> str:
    """Return a mapping by guess, to be looked over and pasted."""
    guessed = {role: _guess(words.split(), names) for role, words in _WORDS.items()}
    wanted = ["customer", "date", "price", "quantity", "invoice"]
    if guessed["amount"] or not guessed["price"]:
        wanted = ["customer", "date", "amount", "invoice"]
    left = list(names)
    shown = []
    for role in wanted:
        name = _guess(_WORDS[role].split(), left)
        if name:
            left.remove(name)
        if name or role in ("customer", "date", "amount"):
            shown.append(f"{role}: {_value(name or 'COLUMN')}")
    mapping = shlex.quote(f"dataset.columns={{{', '.join(shown)}}}")
    return f"dataset=transactions {mapping}"


def _value(name: str) -> str:
    """Return a name as the command line takes it."""
    if re.fullmatch(r"[A-Za-z_][\w ./-]*", name, re.ASCII):
        return name
    name = clipped(name)
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _guess(words: list[str], names: list[str]) -> str | None:
    """Return the column whose name has the earliest of the words."""
    for word in words:
        for name in names:
            if word in _plain(name):
                return name
    near = difflib.get_close_matches(words[0], {_plain(n): n for n in names}, n=1, cutoff=0.8)
    return next((n for n in names if near and _plain(n) == near[0]), None)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
