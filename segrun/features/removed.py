"""How much each rule leaves out of lines and money: recorded, told where it is much, summed up.

What is recorded of a rule: ``n_lines``, and of one that sets customers aside ``n_customers``;
under ``share`` what part that is, of the lines, customers and sums; under ``sum`` the sums
themselves. A share of a sum takes every amount as positive, so that what was paid and what was paid
back are both missed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from segrun.config import FeaturesConfig
from segrun.errors import DataError
from segrun.features.partial import Asked
from segrun.features.sums import LARGEST_SUM, USUAL_PLACES

log = logging.getLogger("segrun.features")

Facts = Mapping[str, Any]

#: By the name of a rule.
Removed = Mapping[str, Mapping[str, Any]]


def by_rules(groups: nw.DataFrame[Any], asked: Asked) -> dict[str, Mapping[str, Any]]:
    """Return what each rule drops, of those that drop a line."""
    rule = groups["rule"].to_numpy()
    found: dict[str, Mapping[str, Any]] = {}
    for number, one in enumerate(asked.rules, start=1):
        own = rule == number
        if own.any():
            n_lines = int(groups["n_lines"].to_numpy()[own].sum())
            found[one.name] = {"n_lines": n_lines, **told(*_of(groups, own, asked.money))}
    return found


def by_customers(
    aside: NDArray[np.bool_],
    table: nw.DataFrame[Any] | None = None,
    money: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    """Return what goes with some customers, such as those who are set aside.

    Parameters
    ----------
    aside : ndarray of bool, shape (n_customers,)
        Which they are.
    table : DataFrame, optional
        What their lines came to, as of `Answers`; none where there is a row for each.
    money : mapping of str to str, optional
        As of `Asked`.
    """
    share, total = {"customers": float(aside.mean())}, dict[str, float | None]()
    n = {"n_customers": int(aside.sum()), "n_lines": int(aside.sum())}
    if table is not None:
        more, total = _of(table, aside, money or {})
        share |= more
        n["n_lines"] = int(table["n_lines"].to_numpy()[aside].sum())
    return {**n, **told(share, total)}


def by_reading(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what was left out as the file was read, from the facts of a dataset."""
    found: dict[str, Mapping[str, Any]] = {}
    n_bad = sum(facts.get("n_bad", {}).values())
    if n_bad:
        share = {"lines": n_bad / (facts["n_read"] + n_bad)}
        found["dataset.bad_lines"] = {"n_lines": n_bad, **told(share, {})}
    if copies := facts.get("dropped_copies"):
        found["dataset.duplicates=drop"] = copies
    return found


def tell(removed: Removed, config: FeaturesConfig) -> None:
    """Warn of rules that leave out much."""
    for rule, found in removed.items():
        most = max(found["share"].values())
        if most > config.allow_removed:
            raise DataError(
                f"{said(rule, found)}: more than features.allow_removed={config.allow_removed:g}. "
                "If that is meant: features.allow_removed=1"
            )
    for text in lost(removed, config):
        log.warning("%s", text)


def lost(removed: Removed, config: FeaturesConfig) -> list[str]:
    """Return what to say of rules that leave out much."""
    return [
        said(rule, found)
        for rule, found in removed.items()
        if max(found["share"].values()) > config.warn_removed
    ]


def said(rule: str, found: Mapping[str, Any]) -> str:
    """Return how much a rule leaves out, in words; gross: returns count as what they amount to."""
    what = "customers" if "n_customers" in found else "lines"
    shares = ", ".join(
        f"{100 * share:.1f} % of {of if of in ('customers', 'lines') else f'gross {of}'}"
        for of, share in found["share"].items()
    )
    n = found[f"n_{what}"]
    return f"{rule} leaves out {n} {what.removesuffix('s') if n == 1 else what} ({shares})"


def told(share: Mapping[str, Any], total: Mapping[str, float | None]) -> dict[str, Any]:
    """Return shares and sums as they are recorded; None for what cannot be summed."""
    # Rounded: the last bits of a sum of floats depend on the order in which it is taken.
    return {
        "share": {what: round(float(part), 6) for what, part in share.items()},
        "sum": {what: None if v is None else round(v, 2) for what, v in total.items()},
    }


def _of(
    table: nw.DataFrame[Any], own: NDArray[np.bool_], money: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, float | None]]:
    """Return which part of all lines and sums some groups of lines have, and their sums."""
    share = {"lines": _part(table["n_lines"], own)}
    total: dict[str, float | None] = dict.fromkeys(money)
    for what, name in money.items():
        size = table[f"{name} size"].fill_null(0)
        if not np.isfinite(size.to_numpy()).all():
            # Lines that are left out may hold any number, and next to it all others are nothing.
            continue
        share[what] = _part(size, own)
        # Beyond it the sum of a group of lines, of 64 bits, has run over.
        if size.to_numpy()[own].max(initial=0) <= LARGEST_SUM:
            units = table[name].fill_null(0).to_numpy()[own]
            # Together they may be more than 64 bits hold: Python's whole numbers have no limit.
            total[what] = sum(units.tolist()) / 10**USUAL_PLACES
    return share, total


def _part(sizes: nw.Series[Any], own: NDArray[np.bool_]) -> float:
    whole = sizes.to_numpy().astype(np.float64)
    return float(whole[own].sum() / whole.sum()) if whole.sum() else 0.0


def left_out(manifest: Facts) -> str:
    """Return in a line what a run read, left out and clustered; '' where it does not know.

    Lines, customers and money add up: ``features`` of the manifest holds ``removed`` by rule and
    ``kept``, which are the whole input together. What has no
    money is told without.
    """
    features = manifest.get("features", {})
    kept = features.get("kept")
    if kept is None:
        return ""
    removed = features["removed"] | _repeats(features) | _gone(manifest)
    money, untold = _money(kept), ""
    if money and any(_unsummed(one, money) for one in (*removed.values(), kept)):
        # Parts without their sum do not add up to the whole.
        money, untold = "", f" {money} is not told: not all of it can be summed here."
    parts = {rule: _amounts(one, money) for rule, one in removed.items()}
    clustered = _amounts(kept, money)
    whole = {
        unit: sum(part.get(unit, 0) for part in (*parts.values(), clustered))
        for unit in ("lines", "customers", money)
    }
    whole = {unit: total for unit, total in whole.items() if total}
    n_nameless = manifest.get("transactions", {}).get("n_missing", {}).get("CustomerID", 0)
    nameless = f" ({n_nameless:,} without a customer)" if n_nameless else ""
    gone = [
        f"{_in_words(part, whole)} {'by' if '.' in rule else 'with'} {rule}"
        f"{nameless if rule.startswith('features.drop_missing=') else ''}"
        for rule, part in parts.items()
    ]
    return (
        f"Read: {_in_words(whole, {})}. Left out: {'; '.join(gone) or 'nothing'}. "
        f"Clustered: {_in_words(clustered, whole)}.{untold}"
    )


def _money(kept: Facts) -> str:
    """Return the sum that is told: a product, as price times quantity is, before any other."""
    names = [name for name, value in kept.get("sum", {}).items() if value is not None]
    return next((name for name in names if " * " in name), next(iter(names), ""))


def _sum(one: Facts, money: str, default: float | None) -> float | None:
    # What reading left out has its money under that name, whatever the features call it.
    sums = one.get("sum", {})
    found: float | None = sums.get(money, sums.get("money", default))
    return found


def _unsummed(one: Facts, money: str) -> bool:
    """Tell whether the record of a rule says that its money cannot be summed."""
    return bool(one.get("n_lines")) and _sum(one, money, 0) is None


def _amounts(one: Facts, money: str) -> dict[str, float]:
    found = {"lines": one.get("n_lines"), "customers": one.get("n_customers")}
    if money:
        found[money] = _sum(one, money, None)
    return {unit: amount for unit, amount in found.items() if amount is not None}


def _in_words(amounts: Mapping[str, float], whole: Mapping[str, float]) -> str:
    """Return amounts with what share of the whole they are."""
    said = []
    for unit, amount in amounts.items():
        # Cents are shown wherever there are any, so that the numbers add up.
        number = f"{amount:,.2f}".removesuffix(".00")
        share = f" ({amount / whole[unit]:.1%})" if whole.get(unit) else ""
        if unit in ("lines", "customers"):
            said.append(f"{number} {unit.removesuffix('s') if number == '1' else unit}{share}")
        else:
            said.append(f"{unit} {number}{share}")
    return ", ".join(said)


def _gone(manifest: Facts) -> Facts:
    """Return the customers none of whose lines counts; nothing where nobody has counted."""
    n_ids = manifest.get("transactions", {}).get("n_ids")
    n = 0 if n_ids is None else n_ids - manifest["features"]["customers"]
    return {"no line that counts": {"n_customers": n}} if n > 0 else {}


def _repeats(features: Facts) -> Facts:
    """Return the lines that repeat a user's rating of an item: of several one counts."""
    if "n_pairs" not in features:
        return {}
    n = features["n_lines"] - features["dropped"]["missing"] - features["n_pairs"]
    return {"a rating that another line has": {"n_lines": n}} if n else {}
