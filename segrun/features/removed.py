"""How much each rule leaves out of the lines and of the money: recorded, and told where it is much.

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
