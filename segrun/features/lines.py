"""Which rows count, the drop rules, and numbers as whole numbers of small units."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from segrun.config import Cancellations, DropMissing, Orders, RfmConfig
from segrun.data.datasets.rows import ID_COLUMN, Rows
from segrun.errors import DataError
from segrun.features.condition import condition
from segrun.features.reference import reference_date

log = logging.getLogger("segrun.features")

INVOICE = "InvoiceNo"

#: Columns that no feature can do without, besides the customer id.
NEEDED = ("Quantity", "InvoiceDate", "UnitPrice")


#: Float sums differ in the last bits from run to run (threads add in another order) and between
#: engines, so prices are summed as integers: millionths, or smaller units where they need them.
USUAL_PLACES = 6

#: float64 has no exact power of ten beyond it.
MOST_PLACES = 22

#: Up to it, which is 15 digits, a price in float64 tells which whole number of units it is.
_CLEAR = 1e15

#: A price and its product with a power of ten are each off by 2**-53 at most.
ERROR = 2.0**-52

#: What is cast to int64 must fit; to int128, with room for sums.
_LARGEST, LARGEST_LONG = 2**62, 2**126


@dataclass(frozen=True)
class Rule:
    """A reason to drop a line.

    Attributes
    ----------
    name : str
        The configuration key and value behind it.
    drops : narwhals.Expr
        True for a line that is dropped; null, like false, for one that is not.
    """

    name: str
    drops: nw.Expr


def drop_rules(transactions: Rows, config: RfmConfig) -> list[Rule]:
    """Return the rules of the configuration in the order in which they are applied.

    Raises
    ------
    ConfigError
        If `cancelled_when` names what the transactions lack.
    DataError
        If the transactions have no invoice numbers and the configuration needs them.
    """
    _check_invoices(transactions, config)
    missing = nw.any_horizontal(
        *[nw.col(c).is_null() for c in _complete(transactions, config)], ignore_nulls=False
    )
    rules = [Rule(f"features.drop_missing={config.drop_missing.value}", missing)]
    if config.cancellations is Cancellations.remove:
        rules.append(_cancelled(transactions, config))
    if config.reference_date is not None:
        late = nw.col("InvoiceDate") > reference_date(config.reference_date)
        rules.append(Rule(f"features.reference_date={config.reference_date}", late))
    return rules


def _cancelled(transactions: Rows, config: RfmConfig) -> Rule:
    if config.cancelled_when is not None:
        name = f"features.cancelled_when={config.cancelled_when}"
        kinds = transactions.kinds
        return Rule(name, condition(config.cancelled_when, kinds, "features.cancelled_when"))
    # The number alone says nothing: CA-2016-1001 is an order from California.
    marked = nw.col(INVOICE).str.contains("^C[0-9]")
    amount = nw.col("Quantity") * nw.col("UnitPrice")
    back = ((nw.col("Quantity") < 0) | (amount < 0)).fill_null(value=False)
    return Rule("features.cancellations=remove", marked & back)


def _by_invoice(config: RfmConfig) -> bool:
    """Tell whether cancelled lines are known by their invoice numbers."""
    return config.cancellations is Cancellations.remove and config.cancelled_when is None


def _check_invoices(transactions: Rows, config: RfmConfig) -> None:
    if INVOICE in transactions.frame.collect_schema().names():
        return
    for setting, needed, other in (
        ("orders=invoices", config.orders is Orders.invoices, ""),
        (
            "cancellations=remove",
            _by_invoice(config),
            ", or say by features.cancelled_when which lines are cancelled",
        ),
    ):
        if needed:
            raise DataError(
                f"features.{setting} needs invoice numbers, which the transactions lack: name "
                f"their column in dataset.columns.invoice{other}"
            )


def _complete(transactions: Rows, config: RfmConfig) -> list[str]:
    """Return the columns that a line must have."""
    if config.drop_missing is DropMissing.any_column:
        return list(transactions.frame.collect_schema().names())
    needed = [ID_COLUMN, *NEEDED]
    if config.orders is Orders.invoices or _by_invoice(config):
        needed.append(INVOICE)
    return needed


def first_that_drops(rules: Sequence[Rule]) -> nw.Expr:
    """Return the number of the first rule that drops a line, from 1; 0 for lines that count."""
    number = nw.lit(0)
    for i, rule in reversed(list(enumerate(rules, start=1))):
        number = nw.when(rule.drops).then(nw.lit(i)).otherwise(number)
    return number


def counted(
    groups: nw.DataFrame[Any], rules: Sequence[Rule], read: Mapping[str, Any]
) -> dict[str, Any]:
    """Count rows read and dropped, each row by the first rule that drops it, and say so.

    Parameters
    ----------
    groups : DataFrame
        Columns ``rule`` (0: the rows count), ``n_lines`` and, where rows have dates, ``first``
        and ``last``.
    rules : sequence of Rule
        The rules, number 1 first.
    read : mapping
        The facts of the input: values that it lacks by column, and what it calls these.

    Raises
    ------
    DataError
        If no row counts.
    """
    facts = tallied(groups, rules)
    n_lines, dropped = facts["n_lines"], facts["dropped"]
    said = ", ".join(f"{name} dropped {n}" for name, n in dropped.items())
    if n_lines == sum(dropped.values()):
        n_missing, names = read.get("n_missing", {}), read.get("names", {})
        gaps = ", ".join(f"{names.get(column, column)} {n}" for column, n in n_missing.items())
        missing = f" (values missing: {gaps})" if gaps else ""
        raise DataError(
            f"no line remains of {n_lines}: {said}{missing}. Relax one of these settings"
        )
    if "last_line" not in facts:
        log.info("%d lines: %s", n_lines, said)
        return facts
    log.info("%d lines from %s to %s: %s", n_lines, facts["first_line"], facts["last_line"], said)
    return facts


def tallied(groups: nw.DataFrame[Any], rules: Sequence[Rule]) -> dict[str, Any]:
    """Return what `counted` does, also where no row counts."""
    rule, n_lines = groups["rule"].to_numpy(), groups["n_lines"].to_numpy().astype(int)
    dropped = {r.name: int(n_lines[rule == i].sum()) for i, r in enumerate(rules, start=1)}
    facts: dict[str, Any] = {"n_lines": int(n_lines.sum()), "dropped": dropped}
    kept = groups.filter(nw.col("rule") == 0)
    if "last" not in groups.columns or kept["last"].is_null().all():
        return facts
    dates = {"first_line": kept["first"].min(), "last_line": kept["last"].max()}
    return facts | {name: date.isoformat() for name, date in dates.items()}


def units(price: nw.Expr, places: int) -> nw.Expr:
    """Return prices as whole numbers of units with this many decimal places, as int64."""
    return (price * 10.0**places).round(0).clip(-_LARGEST, _LARGEST).cast(nw.Int64)


def clear(error: float) -> float:
    """Return up to which number of units a price with such an error tells which one it is."""
    return _CLEAR * ERROR / error


def held(price: nw.Expr, places: int, most: float, *, error: float = ERROR) -> nw.Expr:
    """Tell whether a price is a whole number of units, of `most` at most."""
    scaled = price * 10.0**places
    nearest = scaled.round(0)
    return ((scaled - nearest).abs() <= scaled.abs() * error) & (nearest.abs() <= most)


def needed_places(price: nw.Expr, error: float = ERROR) -> nw.Expr:
    """Return the fewest decimal places that hold a price; `MOST_PLACES` + 1 if none do.

    A missing one needs none.
    """
    needed = nw.lit(MOST_PLACES + 1)
    for places in reversed(range(MOST_PLACES + 1)):
        needed = nw.when(_held(price, places, error)).then(nw.lit(places)).otherwise(needed)
    return nw.when(price.is_null()).then(nw.lit(0)).otherwise(needed)


def exact_units(price: nw.Expr, places: int, error: float = ERROR) -> nw.Expr:
    """Return prices as `units` does, as int128, each from the fewest places that hold it.

    ``1234567.89 * 1e10`` in float64 is off by one unit or two; ``1234567.89 * 1e2`` is not.
    """
    found = _long_units(price, places)
    for own in reversed(range(places)):
        exact = _long_units(price, own) * nw.lit(10 ** (places - own), dtype=nw.Int128)
        found = nw.when(_held(price, own, error)).then(exact).otherwise(found)
    return found


def _held(price: nw.Expr, places: int, error: float) -> nw.Expr:
    """Tell whether so many places hold a price, a result of roundings if it is clear as such."""
    exactly = held(price, places, LARGEST_LONG)
    if error <= ERROR:
        return exactly
    return exactly | held(price, places, clear(error), error=error)


def _long_units(price: nw.Expr, places: int) -> nw.Expr:
    return (price * 10.0**places).round(0).clip(-LARGEST_LONG, LARGEST_LONG).cast(nw.Int128)
