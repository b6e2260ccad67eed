"""Numbers as people write them: decimal comma, grouped thousands, currency, signs behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from segrun.config import Decimal
from segrun.errors import DataError

#: Blanks, also those that do not break, and apostrophes, as in Switzerland.
_GROUPS = " '\u2019\u00a0\u202f"
_CURRENCY = r"[£$€¥₹]|\b[A-Z]{3}\b"


def _pattern(decimal: str, group: str) -> str:
    # Groups of two letters: Indian lakhs; the last one always has three.
    grouped = rf"\d{{1,3}}(?:[{group}{_GROUPS}]\d{{2,3}})*[{group}{_GROUPS}]\d{{3}}"
    return rf"^[+-]?(?:{grouped}|\d*)(?:[{decimal}]\d*)?(?:[eE][+-]?\d+)?$"


_PATTERNS = {Decimal.point: _pattern(".", ","), Decimal.comma: _pattern(",", ".")}


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are read.

    Attributes
    ----------
    decimal : Decimal
        point or comma.
    plain : bool
        Whether every one is as computers write it, so that no letter must be changed.
    currencies : tuple of str
        Signs and codes of currencies that stand beside the numbers.
    """

    decimal: Decimal
    plain: bool = False
    currencies: tuple[str, ...] = ()


def clean(text: pl.Expr) -> pl.Expr:
    """Return a number's text without currency, its minus sign in front."""
    return (
        text.str.replace_all(_CURRENCY, "")
        .str.strip_chars()
        .str.replace("\u2212", "-", literal=True)
        # 12.50- of accounting systems, and (12.50).
        .str.replace(r"^\((.*)\)$", "-$1")
        .str.replace(r"^([^-].*)-$", "-$1")
        .str.replace(r"^([+-])\s+", "$1")
    )


def to_number(text: pl.Expr, form: NumberForm) -> pl.Expr:
    """Return text as float64, null where it is no number of this form."""
    if form.plain:
        return text.cast(pl.Float64, strict=False)
    cleaned = clean(text)
    group = "," if form.decimal is Decimal.point else "."
    bare = cleaned.str.replace_all(rf"[{group}{_GROUPS}]", "")
    if form.decimal is Decimal.comma:
        bare = bare.str.replace(",", ".", literal=True)
    fits = cleaned.str.contains(_PATTERNS[form.decimal])
    return pl.when(fits).then(bare.cast(pl.Float64, strict=False))


def glance(text: pl.Expr) -> list[pl.Expr]:
    """Return what tells whether a column of given texts is plain, as aggregates: cheap."""
    asked = {
        "given": text.is_not_null().sum(),
        "plain": text.cast(pl.Float64, strict=False).is_not_null().sum(),
        "marked": text.str.contains(".", literal=True).sum(),
        "grouped": text.str.contains(r"^[+-]?\d{1,3}\.\d{3}$").sum(),
    }
    return [found.alias(name) for name, found in asked.items()]


def is_plain(counts: Mapping[str, int], wanted: Decimal) -> bool:
    """Tell from what `glance` counted whether every number is as computers write it."""
    # 1.234 alone may be a thousand and more.
    clear = wanted is Decimal.point or counts["marked"] > counts["grouped"] or not counts["marked"]
    return wanted is not Decimal.comma and counts["plain"] == counts["given"] and clear


def survey(counted: pl.DataFrame) -> dict[str, Any]:
    """Return what `choose` must know of a column.

    Parameters
    ----------
    counted : polars.DataFrame
        Columns ``text``, the distinct texts without missing ones, and ``count``, their lines.
    """
    text, count = pl.col("text"), pl.col("count")
    cleaned = clean(text)
    shapes = counted.select(
        text,
        count,
        plain=text.cast(pl.Float64, strict=False).is_not_null(),
        point=cleaned.str.contains(_PATTERNS[Decimal.point]),
        comma=cleaned.str.contains(_PATTERNS[Decimal.comma]),
        marked=cleaned.str.contains(r"[.,]"),
        currency=text.str.extract(f"({_CURRENCY})"),
    ).with_columns(both=pl.col("marked") & pl.col("point") & pl.col("comma"))
    asked = ("plain", "point", "comma", "marked", "both")
    sums = shapes.select(count.filter(pl.col(name)).sum().alias(name) for name in asked)
    read = shapes.filter(pl.col("point") | pl.col("comma"))
    return {
        **sums.row(0, named=True),
        "example": next(iter(shapes.filter("both")["text"].sort()), ""),
        "currencies": tuple(read["currency"].drop_nulls().unique().sort()),
    }


def choose(counts: Mapping[str, Any], wanted: Decimal, where: str) -> NumberForm:
    """Return how a column is read, from what `survey` counted.

    Raises
    ------
    DataError
        If every number that tells can be read both ways.
    """
    if wanted is Decimal.auto:
        if counts["marked"] and counts["both"] == counts["marked"]:
            raise DataError(
                f"{where}: every number with a point or comma can be read in two ways: is "
                f"{counts['example']!r} a thousand and more, or a fraction? Set "
                "dataset.decimal=point or dataset.decimal=comma: the letter in front of fractions"
            )
        wanted = Decimal.comma if counts["comma"] > counts["point"] else Decimal.point
    # What is no number even so can be told from plain ones by the cheaper reading.
    plain = wanted is Decimal.point and counts["plain"] == counts["point"]
    return NumberForm(wanted, plain, counts["currencies"])
