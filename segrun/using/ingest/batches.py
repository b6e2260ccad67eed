"""What was ingested, batch by batch."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segrun.data.datasets.rows import Rows
from segrun.rundir.atomic import write_atomically
from segrun.rundir.environment import own_code
from segrun.using.ingest import contents, moves
from segrun.using.ingest.database import set_fact
from segrun.using.ingest.moves import Move
from segrun.using.ingest.totals import n_dropped


@dataclass(frozen=True)
class Ingested:
    """What a batch came to.

    Attributes
    ----------
    kind : {"run", "batch", "refresh"}
        The run's own input, a file, or all segments given again.
    file : str or None
        Its file.
    fingerprint : str or None
        Digest of its content.
    totals : mapping
        Lines read and dropped, dates.
    n_customers, n_new : int
        Customers touched, and those of them who were not known.
    moves : mapping of Move to int
        Customers by where they were and where they are.
    told : sequence of str
        What else is worth knowing.
    files : mapping of str to str
        Of several files: the digest of each by name.
    """

    kind: str
    file: str | None
    fingerprint: str | None
    totals: Mapping[str, Any]
    n_customers: int
    n_new: int
    moves: Mapping[Move, int]
    told: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_moved(self) -> int:
        """Number of known customers who are in another segment than before."""
        return sum(n for move, n in self.moves.items() if not move.is_new)


def record(connection: sqlite3.Connection, batch: Ingested) -> None:
    """Store what a batch came to."""
    facts = batch.totals
    number = connection.execute(
        "INSERT INTO batches (kind, file, fingerprint, ingested, n_lines, n_dropped, first_line, "
        "last_line, n_customers, n_new, n_moved, facts) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch.kind, batch.file, batch.fingerprint,
            datetime.now(UTC).isoformat(timespec="seconds"), facts["n_lines"], n_dropped(facts),
            facts.get("first_line"), facts.get("last_line"), batch.n_customers, batch.n_new,
            batch.n_moved, json.dumps(facts),
        ),
    ).lastrowid  # fmt: skip
    assert number is not None
    contents.record(connection, number, batch.fingerprint, batch.files)
    if batch.kind != "run":
        moves.record(connection, number, batch.moves)
    set_fact(connection, "code", own_code())


def keep_quarantine(folder: Path, source: Rows, fingerprint: str) -> list[str]:
    """Keep the bad lines of a batch beside the state and say where and how many, if any."""
    n_bad = sum(source.facts.get("n_bad", {}).values())
    if not n_bad:
        return []
    left = source.quarantine
    if left is None:
        return [f"{n_bad} bad lines left out"]
    kept = folder / f"quarantine-{fingerprint[:12]}.csv"
    write_atomically(kept, lambda temporary: shutil.copyfile(left, temporary))
    return [f"{n_bad} bad lines kept in {kept}"]
