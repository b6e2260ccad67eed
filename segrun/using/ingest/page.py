"""What the terminal shows of a state and its batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from segrun.formats import table
from segrun.using.ingest.batches import Ingested
from segrun.using.ingest.database import fact
from segrun.using.ingest.ledger import Ledger
from segrun.using.ingest.moves import called, moves_table, recorded
from segrun.using.ingest.totals import n_dropped


def batch_line(batch: Ingested) -> str:
    """Return one line about a batch."""
    if batch.kind == "refresh":
        return f"refreshed: {batch.n_customers} customers, {batch.n_moved} moved"
    found = (
        f"{batch.file}: {batch.totals['n_lines']} lines ({n_dropped(batch.totals)} dropped), "
        f"{batch.n_customers} customers ({batch.n_new} new), {batch.n_moved} moved"
    )
    return "; ".join([found, *batch.told])


def state_page(ledger: Ledger) -> str:
    """Return what was ingested into a run, and where its customers are."""
    connection, totals = ledger.connection, fact(ledger.connection, "totals")
    n_batches, last = connection.execute(
        "SELECT count(*), max(ingested) FROM batches WHERE kind = 'batch'"
    ).fetchone()
    found = ledger.segments()
    lines = [
        f"{ledger.run.path}: {n_batches} batches" + (f", the last at {last}" if last else ""),
        f"{totals['n_lines']} lines, {n_dropped(totals)} of them dropped",
        f"{len(found)} customers, placed by {fact(connection, 'placing')['point']}",
    ]
    if "last_line" in totals:
        lines.insert(2, f"from {totals['first_line']} to {totals['last_line']}")
    lines += ["", _sizes(ledger, Counter(found.values()))]
    moves = recorded(connection)
    if moves:
        lines += ["", moves_table(moves, ledger.placing.segments)]
    return "\n".join(lines)


def _sizes(ledger: Ledger, sizes: Counter[int | None]) -> str:
    rows: list[Sequence[str]] = [("segment", "customers", "")]
    for number in sorted(sizes, key=lambda n: (n is None, n)):
        share = f"{sizes[number] / sizes.total():.1%}"
        rows.append((called(number, ledger.placing.segments), str(sizes[number]), share))
    return table(rows)
