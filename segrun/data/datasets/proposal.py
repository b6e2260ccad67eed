"""A mapping of a file's columns by guess: by what they are called, and by what is in them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import polars as pl

from segrun.config.values import as_argument
from segrun.data.datasets.quoting import clipped

#: Words by which columns are guessed, the likeliest first.
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
    "item": "item product article sku stock description artikel produit",
}
_KNOWN = {word for words in _WORDS.values() for word in words.split()}
#: Words that others are joined with.
_COMPOUNDS = {"datum", "betrag", "summe", "umsatz", "preis", "menge", "anzahl", "konto"}
_NUMBER = r"^[\s€$£¥+-]*\d[\d.,'\s]*[\s€$£¥%A-Z-]*$"
_WHOLE = r"^\s*[+-]?\d+(\.0*)?\s*$"
_DATE = (
    r"^\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(T|\b)|\d{1,2}[-/. ]*[A-Za-z]{3,9}[-/., ]+\d{2,4}\b"
    r"|[A-Za-z]{3,9} \d{1,2},? \d{4})"
)
_NUMBERS = ("number", "whole")


def proposal(names: Sequence[str], rows: pl.DataFrame | None, file: str) -> str:
    """Return settings that read a file, to be looked over and pasted."""
    kinds = {name: "" if rows is None else _kind(rows[name]) for name in names}
    found: dict[str, str] = {}

    def take(role: str, kinds_of_role: Collection[str], *but: str) -> None:
        left = [n for n in names if n not in found.values() and kinds[n] in ("", *kinds_of_role)]
        left = [n for n in left if not any(_rank(n, other) for other in but)]
        named = [n for n in left if _rank(n, role)]
        if named:
            found[role] = min(named, key=lambda n: _rank(n, role) or 0)
        elif role == "date" and left and kinds[left[0]] == "date":
            # By what is in it, whatever it is called.
            found[role] = left[0]

    take("date", ["date"])
    if "date" not in found:
        # Such as 20110131.
        take("date", ["whole"], "quantity", "customer")
    take("customer", ["text", "whole"], "invoice", "item")
    take("quantity", _NUMBERS)
    take("amount", _NUMBERS, "quantity")
    take("price", _NUMBERS)
    take("invoice", ["text", "whole"])
    fractions = [n for n in names if kinds[n] == "number" and n not in found.values()]
    if "amount" not in found and "price" not in found and fractions:
        found["amount"] = fractions[0]
    return _line(found, file, known=rows is not None)


def _line(found: dict[str, str], file: str, *, known: bool) -> str:
    path = as_argument("dataset.path", file)
    mapping = {role: found.get(role, "COLUMN") for role in ("customer", "date")}
    note = ""
    if "amount" in found or "price" not in found:
        if "amount" not in found and "quantity" in found:
            found["amount"] = found["quantity"]
            note = f" (no column looks like money, so {clipped(found['amount'])} stands for it)"
        elif "amount" not in found and known and "COLUMN" not in mapping.values():
            return _counted(mapping["customer"], mapping["date"], path)
        mapping["amount"] = found.get("amount", "COLUMN")
    else:
        mapping |= {role: found[role] for role in ("price", "quantity") if role in found}
    if "invoice" in found:
        mapping["invoice"] = found["invoice"]
    return f"dataset=transactions {path} {as_argument('dataset.columns', mapping)}{note}"


def _counted(customer: str, date: str, path: str) -> str:
    """Return settings that count the rows of a file in which nothing has an amount."""
    columns = {
        "Lines": {"function": "count"},
        "Recency": {"function": "days_since", "of": date},
    }
    return (
        f"dataset=records {path} {as_argument('dataset.id', customer)} "
        f"{as_argument('dataset.columns', {date: 'date'})} features=aggregate "
        f"{as_argument('features.columns', columns)} "
        "(no column holds an amount, so lines are counted)"
    )


def _kind(column: pl.Series) -> str:
    """Return date, whole, number or text; an empty text where nothing is known."""
    given = column.drop_nulls()
    if given.dtype.is_temporal():
        return "date"
    if given.dtype.is_numeric():
        return "whole" if (given.cast(pl.Float64) % 1 == 0).all() else "number"
    texts = given.cast(pl.String)
    texts = texts.filter(texts.str.strip_chars() != "")
    for kind, pattern in (("whole", _WHOLE), ("date", _DATE), ("number", _NUMBER)):
        if len(texts) and texts.str.contains(pattern).mean() > 0.9:  # type: ignore[operator]
            return kind
    return "text" if len(texts) else ""


def _rank(name: str, role: str) -> int:
    """Return the place, from 1, of the first word of a role that a name has; 0 without any."""
    parts = _parts(name)
    for place, word in enumerate(_WORDS[role].split(), 1):
        if any(_says(part, word) for part in parts):
            return place
    return 0


def _parts(name: str) -> list[str]:
    """Return the words of a name: those of ``UnitPrice`` and ``unit_price`` are two."""
    apart = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [part.lower() for part in re.split(r"[\W_\d]+", apart) if part]


def _says(part: str, word: str) -> bool:
    """Tell whether a part of a name is a word, begins with it, or is made of it and another."""
    # Two letters are in many words.
    if part == word or (len(word) > 2 and part.startswith(word)):
        return True
    before = part.removesuffix(word)
    # Discount is no count, and Corporate no rate; invoicedate is a date, Gesamtbetrag a Betrag.
    known = len(before) >= 4 and any(other.startswith(before) for other in _KNOWN)
    return before != part and len(word) > 2 and (known or word in _COMPOUNDS)
