"""What came to a run after it had ended: told, shown on a page, and written as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segrun.formats import table
from segrun.rundir.claim import INGESTED
from segrun.rundir.customers import Customers
from segrun.rundir.directory import RunDirectory
from segrun.rundir.finished import FinishedRun
from segrun.using.ingest.aggregates import n_dropped
from segrun.using.ingest.batches import Ingested, called, moves_table, recorded
from segrun.using.ingest.database import fact
from segrun.using.ingest.ledger import Ledger, has_state, opened


@dataclass(frozen=True)
class Since:
    """How much was ingested since a run."""

    point: str  #: The grid point whose model has placed everybody since
    n_batches: int  #: Files, and the lines in them
    n_lines: int
    n_customers: int  #: Customers by now, and those of them who are not the run's
    n_new: int
    n_moves: int  #: How often a customer went from one segment to another

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        batches = "1 batch was" if self.n_batches == 1 else f"{self.n_batches} batches were"
        moves = "1 move" if self.n_moves == 1 else f"{self.n_moves} moves"
        return (
            f"{batches} ingested since ({self.n_lines} lines): {self.n_customers} customers by "
            f"now, {self.n_new} of them new, {moves} from one segment to another"
        )


@dataclass(frozen=True)
class Now:
    """Everybody by now, ordered by id."""

    since: Since  #: What was ingested
    segments: Mapping[str, int | None]  #: Number of the segment by id, None for those in none
    names: Mapping[int, str]  #: What segments are called, empty where they have no names
    customers: Customers | None  #: The features, where they are asked for


def since(run: FinishedRun) -> Since | None:
    """Return how much was ingested since a run, None where nothing was."""
    if not has_state(run):
        return None
    with opened(run) as ledger:
        return _since(ledger)


def told(run: FinishedRun) -> str:
    """Say how much was ingested since a run, in a sentence; empty where nothing was."""
    found = since(run)
    return "" if found is None else found.text


def now(run: FinishedRun, *, features: bool) -> Now | None:
    """Return everybody by now, None where nothing was ingested since the run."""
    if not has_state(run):
        return None
    with opened(run) as ledger:
        found = _since(ledger)
        if found is None:
            return None
        customers = ledger.customers() if features else None
        return Now(found, ledger.segments(), names_of(ledger), customers)


def names_of(ledger: Ledger) -> dict[int, str]:
    """Return what the segments of a state are called, empty where they have no names."""
    segments = ledger.placing.segments
    numbers = {number for number in ledger.segments().values() if number is not None}
    return {number: segments.name(number) if segments else "" for number in numbers}


def _since(ledger: Ledger) -> Since | None:
    connection = ledger.connection
    asked = "SELECT count(*), sum(n_lines), sum(n_new) FROM batches WHERE kind = 'batch'"
    n_batches, n_lines, n_new = connection.execute(asked).fetchone()
    moves = recorded(connection)
    n_moves = sum(n for move, n in moves.items() if not move.is_new)
    if not n_batches and not n_moves:
        return None
    (n_customers,) = connection.execute("SELECT count(*) FROM customers").fetchone()
    point = str(fact(connection, "placing")["point"])
    return Since(point, n_batches, n_lines or 0, n_customers, n_new or 0, n_moves)


def write_outputs(ledger: Ledger) -> Sequence[Path]:
    """Write ``features_all.parquet`` and the segments beside the state; return the files."""
    out = RunDirectory.amending(ledger.run.path / INGESTED)
    customers = ledger.customers()
    out.write_customers("features_all.parquet", customers)
    rows = _segments(ledger, customers)
    out.write_table("segments.csv", rows)
    return [out.path / "features_all.parquet", out.path / "segments.csv"]


def _segments(ledger: Ledger, customers: Customers) -> list[dict[str, object]]:
    found, names = ledger.segments(), names_of(ledger)
    key = "customer" if customers.id_column in ("segment", "name") else customers.id_column
    # Both are ordered by id.
    written = zip(customers.written_ids, found.values(), strict=True)
    return [
        {key: who, "segment": number, "name": None if number is None else names[number] or None}
        for who, number in written
    ]


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
