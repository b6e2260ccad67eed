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

#: Codes of ISO 4217 in use; behind them some that were in use when older data were written.
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW "
    "KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR "
    "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "
    "ANG ATS BEF BGN BYR CUC DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MRO NLG PTE SIT SKK "
    "SLL VEF ZMK ZWL"
)
_CURRENCY = rf"\p{{Sc}}|\b(?:{_CODES.replace(' ', '|')})\b"

#: Beside a number, not within: 5$30 is 5.30 in Portugal.
_BEFORE = rf"^([-+(\u2212]?)\s*(?:{_CURRENCY})"
_BEHIND = rf"\s*(?:{_CURRENCY})\s*([-)]?)$"

#: 0,125 is no thousands: their first group is not a zero alone. 001,234 of fixed widths may be.
_FIRST = r"(?:[1-9]\d{0,2}|0\d{1,2})"

#: Of the lines that tell the decimal mark, up to this share is taken for strays: fewer than that
#: do not decide how the others are read, and so many of the other mark are bad lines.
_STRAYS = 0.02


def _pattern(decimal: str, group: str) -> str:
    # Groups of two letters: Indian lakhs; the last one always has three.
    grouped = rf"{_FIRST}(?:[{group}{_GROUPS}]\d{{2,3}})*[{group}{_GROUPS}]\d{{3}}"
    return rf"^[+-]?(?:{grouped}|\d*)(?:[{decimal}]\d*)?(?:[eE][+-]?\d+)?$"


_PATTERNS = {Decimal.point: _pattern(".", ","), Decimal.comma: _pattern(",", ".")}


#: A lone point stands for a missing value in some programs.
_MARKED = r"\d[.,]|[.,]\d"


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are read."""

    decimal: Decimal
    plain: bool = False
    currencies: tuple[str, ...] = ()


def clean(text: pl.Expr) -> pl.Expr:
    """Return a number's text without currency, its minus sign in front."""
    return (
        text.str.replace(_BEFORE, "$1")
        .str.replace(_BEHIND, "$1")
        .str.strip_chars()
        .str.replace("\u2212", "-", literal=True)
        # 12.50- of accounting systems, and (12.50).
        .str.replace(r"^\((.*)\)$", "-$1")
        .str.replace(r"^([^-].*)-$", "-$1")
        .str.replace(r"^([+-])\s+", "$1")
    )


def currency(text: pl.Expr) -> pl.Expr:
    """Return the sign or code of a currency beside a number, null without one."""
    return text.str.extract(f"({_CURRENCY})")


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
        "grouped": text.str.contains(rf"^[+-]?{_FIRST}\.\d{{3}}$").sum(),
    }
    return [found.alias(name) for name, found in asked.items()]


def marks(text: pl.Expr, *, plain: bool) -> list[pl.Expr]:
    """Return what tells whether all of a column's texts say which decimal mark they have."""
    if plain:
        return glance(text)[2:]
    cleaned = clean(text)
    point, comma = (cleaned.str.contains(_PATTERNS[d]) for d in (Decimal.point, Decimal.comma))
    marked = cleaned.str.contains(_MARKED)
    return [(marked & (point | comma)).sum().alias("marked"),
            (marked & point & comma).sum().alias("grouped")]  # fmt: skip


def is_clear(counts: Mapping[str, int]) -> bool:
    """Tell from what `marks` counted whether those that tell may decide about the others."""
    return _decides(counts["marked"] - counts["grouped"], counts["grouped"])


def is_plain(counts: Mapping[str, int], wanted: Decimal) -> bool:
    """Tell from what `glance` counted whether every number is as computers write it."""
    # 1.234 may be a thousand and more.
    clear = wanted is Decimal.point or is_clear(counts)
    return wanted is not Decimal.comma and counts["plain"] == counts["given"] and clear


def survey(counted: pl.DataFrame) -> dict[str, Any]:
    """Return what `choose` must know of a column."""
    text, count = pl.col("text"), pl.col("count")
    cleaned = clean(text)
    shapes = counted.select(
        text,
        count,
        plain=text.cast(pl.Float64, strict=False).is_not_null(),
        point=cleaned.str.contains(_PATTERNS[Decimal.point]),
        comma=cleaned.str.contains(_PATTERNS[Decimal.comma]),
        marked=cleaned.str.contains(_MARKED),
        currency=currency(text),
    ).with_columns(
        unplain=pl.col("point") & ~pl.col("plain"),
        both=pl.col("marked") & pl.col("point") & pl.col("comma"),
        only_point=pl.col("marked") & pl.col("point") & ~pl.col("comma"),
        only_comma=pl.col("marked") & pl.col("comma") & ~pl.col("point"),
    )
    asked = ("unplain", "both", "only_point", "only_comma")
    sums = shapes.select(count.filter(pl.col(name)).sum().alias(name) for name in asked)
    read = shapes.filter(pl.col("point") | pl.col("comma"))
    kinds = ("both", "only_point", "only_comma")
    return {
        **sums.row(0, named=True),
        "examples": {kind: shapes.filter(kind)["text"].min() for kind in kinds},
        "currencies": tuple(read["currency"].drop_nulls().unique().sort()),
    }


def _decides(n_telling: int, n_both: int) -> bool:
    """Tell whether so many lines may decide how those are read that fit both ways."""
    return n_telling >= _STRAYS * n_both


def _found(counts: Mapping[str, Any], where: str) -> Decimal:
    """Return the decimal mark that the lines tell; a few may be strays of the other one."""
    n_point, n_comma, n_both = (counts[kind] for kind in ("only_point", "only_comma", "both"))
    less, more = sorted((n_point, n_comma))
    # Anybody mistypes once, also in a short file.
    if less == more > 0 or less > max(1, _STRAYS * (less + more)):
        raise DataError(_contradictory(counts, where))
    if n_both and not (more and _decides(more, n_both)):
        raise DataError(_ambiguous(counts, where))
    return Decimal.comma if n_comma > n_point else Decimal.point


def _contradictory(counts: Mapping[str, Any], where: str) -> str:
    shown = counts["examples"]
    return (
        f"{where}: {counts['only_point']} lines have a decimal point, such as "
        f"{shown['only_point']!r}, and {counts['only_comma']} a decimal comma, such as "
        f"{shown['only_comma']!r}. Set dataset.decimal=point or dataset.decimal=comma; lines of "
        "the other kind are bad lines"
    )


def _ambiguous(counts: Mapping[str, Any], where: str) -> str:
    shown, n_both = counts["examples"], counts["both"]
    n_telling = counts["only_point"] + counts["only_comma"]
    which, more = "every number with a point or comma", ""
    if n_telling:
        told = shown["only_point"] or shown["only_comma"]
        which = f"{n_both} numbers with a point or comma"
        more = f" Those that tell, such as {told!r}, are too few to decide ({n_telling})."
    return (
        f"{where}: {which} can be read in two ways: is {shown['both']!r} a thousand and more, or "
        f"a fraction?{more} Set dataset.decimal=point or dataset.decimal=comma: the letter in "
        "front of fractions"
    )


def choose(counts: Mapping[str, Any], wanted: Decimal, where: str) -> NumberForm:
    """Return how a column is read, from what `survey` counted."""
    if wanted is Decimal.auto:
        wanted = _found(counts, where)
    # What is no number even so can be told from plain ones by the cheaper reading.
    plain = wanted is Decimal.point and not counts["unplain"]
    return NumberForm(wanted, plain, counts["currencies"])
