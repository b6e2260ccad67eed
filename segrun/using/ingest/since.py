"""What came to a run after it had ended: the sales that were ingested since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segrun.rundir.customers import Customers
from segrun.rundir.finished import FinishedRun
from segrun.using.ingest.database import fact
from segrun.using.ingest.ledger import Ledger
from segrun.using.ingest.moves import recorded
from segrun.using.ingest.opening import has_state, opened


@dataclass(frozen=True)
class Since:
    """How much was ingested since a run.

    Attributes
    ----------
    point : str
        The grid point whose model has placed everybody since.
    n_batches, n_lines : int
        Files, and the lines in them.
    n_customers, n_new : int
        Customers by now, and those of them who are not the run's.
    n_moves : int
        How often a customer went from one segment to another.
    """

    point: str
    n_batches: int
    n_lines: int
    n_customers: int
    n_new: int
    n_moves: int

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
    """Everybody by now, ordered by id.

    Attributes
    ----------
    since : Since
        What was ingested.
    segments : mapping of str to (int or None)
        Number of the segment by id, None for those in none.
    names : mapping of int to str
        What segments are called, empty where they have no names.
    customers : Customers or None
        The features, where they are asked for.
    """

    since: Since
    segments: Mapping[str, int | None]
    names: Mapping[int, str]
    customers: Customers | None


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
    """Return everybody by now, None where nothing was ingested since the run.

    Raises
    ------
    StoreError
        If the segments were described anew since, with other numbers.
    """
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
