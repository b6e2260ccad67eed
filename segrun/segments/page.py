"""The segments of a run as the terminal shows them, and what became of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segrun.rundir.finished import FinishedRun
from segrun.segments.segment import Segments

_SHOWN = 30

Record = Mapping[str, Any]


def page(run: FinishedRun, segments: Segments) -> str:
    """Return number, name, size and the strongest fact of every segment, a line each."""
    # Late: commands that show no table need none of it.
    from segrun.formats import counted, percent, table

    rows = [("segment", "name", "customers", "share", "known by")]
    first = {row["segment"]: row["text"] for row in reversed(run.table("segments/facts.csv"))}
    for segment in segments.segments[:_SHOWN]:
        fact = first.get(str(segment.number), "")
        share = percent(segment.share)
        rows.append((str(segment.number), segment.name, f"{segment.size:,}", share, fact))
    count = len(segments.segments)
    more = f"... and {count - _SHOWN} more" if count > _SHOWN else ""
    title = f"{segments.point}, {counted(count, 'segment')}"
    return "\n".join(filter(None, (title, table(rows), more, left_out(run.manifest))))


def left_out(manifest: Record) -> str:
    """Return in a line what a run read, left out and clustered; '' where it does not know.

    Lines, customers and money add up: ``features`` of the manifest holds ``removed`` by rule and
    ``kept``, which are the whole input together (see `segrun.features.removed`). What has no
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
        f"{_told(part, whole)} {'by' if '.' in rule else 'with'} {rule}"
        f"{nameless if rule.startswith('features.drop_missing=') else ''}"
        for rule, part in parts.items()
    ]
    return (
        f"Read: {_told(whole, {})}. Left out: {'; '.join(gone) or 'nothing'}. "
        f"Clustered: {_told(clustered, whole)}.{untold}"
    )


def _money(kept: Record) -> str:
    """Return the sum that is told: a product, as price times quantity is, before any other."""
    names = [name for name, value in kept.get("sum", {}).items() if value is not None]
    return next((name for name in names if " * " in name), next(iter(names), ""))


def _sum(one: Record, money: str, default: float | None) -> float | None:
    # What reading left out has its money under that name, whatever the features call it.
    sums = one.get("sum", {})
    found: float | None = sums.get(money, sums.get("money", default))
    return found


def _unsummed(one: Record, money: str) -> bool:
    """Tell whether the record of a rule says that its money cannot be summed."""
    return bool(one.get("n_lines")) and _sum(one, money, 0) is None


def _amounts(one: Record, money: str) -> dict[str, float]:
    found = {"lines": one.get("n_lines"), "customers": one.get("n_customers")}
    if money:
        found[money] = _sum(one, money, None)
    return {unit: amount for unit, amount in found.items() if amount is not None}


def _told(amounts: Mapping[str, float], whole: Mapping[str, float]) -> str:
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


def _gone(manifest: Record) -> Record:
    """Return the customers none of whose lines counts; nothing where nobody has counted."""
    n_ids = manifest.get("transactions", {}).get("n_ids")
    n = 0 if n_ids is None else n_ids - manifest["features"]["customers"]
    return {"no line that counts": {"n_customers": n}} if n > 0 else {}


def _repeats(features: Record) -> Record:
    """Return the lines that repeat a user's rating of an item: of several one counts."""
    if "n_pairs" not in features:
        return {}
    n = features["n_lines"] - features["dropped"]["missing"] - features["n_pairs"]
    return {"a rating that another line has": {"n_lines": n}} if n else {}
