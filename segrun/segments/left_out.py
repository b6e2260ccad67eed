"""What a run read, left out and clustered: lines, customers and money that add up, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]


def left_out(manifest: Record) -> str:
    """Return what became of everything in the input; '' where a run does not know.

    Parameters
    ----------
    manifest : mapping
        Of the run: ``features`` holds ``removed`` by rule and ``kept``, which are the whole input
        together (see `segrun.features.removed`). What has no money is told without.
    """
    features = manifest.get("features", {})
    kept = features.get("kept")
    if kept is None:
        return ""
    parts = {**features["removed"], **_repeats(features)}
    if n_gone := _n_gone(manifest):
        parts["no line that counts"] = {"n_customers": n_gone}
    every = [*parts.values(), kept]
    money, untold = _money(kept), ""
    if money and any(_has_lines(one) and money not in _amounts(one, money) for one in every):
        # Parts without their sum do not add up to the whole.
        money, untold = "", f" {money} is not told: not all of it can be summed here."
    whole = {
        unit: sum(_amounts(one, money).get(unit, 0) for one in every) for unit in _units(money)
    }
    known = {unit: total for unit, total in whole.items() if total}
    nameless = _nameless(manifest)
    gone = [
        f"{_told(_amounts(one, money), known)} {'by' if '.' in rule else 'with'} {rule}"
        f"{nameless if rule.startswith('features.drop_missing=') else ''}"
        for rule, one in parts.items()
    ]
    return (
        f"Read: {_told(known, {})}. Left out: {'; '.join(gone) or 'nothing'}. "
        f"Clustered: {_told(_amounts(kept, money), known)}.{untold}"
    )


def _has_lines(one: Record) -> bool:
    """Tell whether lines went with a rule that has a record of money."""
    return bool(one.get("n_lines")) and "sum" in one and len(one.get("share", {})) > 1


def _money(kept: Record) -> str:
    """Return the sum that is told: a product, as price times quantity is, before any other."""
    names = list(kept.get("sum", {}))
    return next((name for name in names if " * " in name), next(iter(names), ""))


def _units(money: str) -> tuple[str, ...]:
    return ("lines", "customers", money) if money else ("lines", "customers")


def _amounts(one: Record, money: str) -> dict[str, float]:
    found = {"lines": one.get("n_lines"), "customers": one.get("n_customers")}
    sums = one.get("sum", {})
    if money:
        # What reading left out has its money under that name, whatever the features call it.
        found[money] = sums.get(money, sums.get("money"))
    return {unit: amount for unit, amount in found.items() if amount is not None}


def _told(amounts: Mapping[str, float], whole: Mapping[str, float]) -> str:
    """Return amounts with what share of the whole they are."""
    said = []
    for unit, amount in amounts.items():
        # Cents are shown wherever there are any, so that the numbers add up.
        number = f"{amount:,.2f}".removesuffix(".00")
        share = f" ({amount / whole[unit]:.1%})" if whole.get(unit) else ""
        is_money = unit not in ("lines", "customers")
        noun = unit.removesuffix("s") if number == "1" and not is_money else unit
        said.append(f"{noun} {number}{share}" if is_money else f"{number} {noun}{share}")
    return ", ".join(said)


def _n_gone(manifest: Record) -> int:
    """Return the number of customers none of whose lines counts; 0 where nobody has counted."""
    n_ids = manifest.get("transactions", {}).get("n_ids")
    return 0 if n_ids is None else max(0, n_ids - manifest["features"]["customers"])


def _repeats(features: Record) -> Record:
    """Return the lines that repeat a user's rating of an item: of several one counts."""
    if "n_pairs" not in features:
        return {}
    n = features["n_lines"] - features["dropped"]["missing"] - features["n_pairs"]
    return {"a rating that another line has": {"n_lines": n}} if n else {}


def _nameless(manifest: Record) -> str:
    """Say how many of the incomplete lines have no customer."""
    n = manifest.get("transactions", {}).get("n_missing", {}).get("CustomerID", 0)
    return f" ({n:,} without a customer)" if n else ""
