"""What was ingested, batch by batch: its files, its lines, and who moved between segments."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segrun.data.address import is_address
from segrun.data.datasets.rows import Rows
from segrun.errors import DataError, KnownBatchError
from segrun.formats import table
from segrun.rundir.atomic import write_atomically
from segrun.rundir.environment import own_code
from segrun.segments.segment import Segments
from segrun.using.ingest.aggregates import n_dropped
from segrun.using.ingest.database import set_fact


@dataclass(frozen=True, order=True)
class Move:
    """From one segment to another."""

    is_new: bool  #: Whether the customers were not known before
    origin: int | None  #: Numbers of the segments; None: in no segment
    target: int | None


def moves_between(
    before: Mapping[str, int | None], ids: Iterable[str], after: Sequence[int | None]
) -> Counter[Move]:
    """Count who is in another segment than before, or is new."""
    found = (
        Move(key not in before, before.get(key), now) for key, now in zip(ids, after, strict=True)
    )
    return Counter(move for move in found if move.is_new or move.origin != move.target)


def recorded(connection: sqlite3.Connection) -> Counter[Move]:
    """Return the moves of all batches."""
    rows = connection.execute(
        "SELECT is_new, origin, target, sum(n) FROM moves GROUP BY is_new, origin, target"
    )
    return Counter({Move(bool(new), origin, target): n for new, origin, target, n in rows})


def moves_table(moves: Mapping[Move, int], segments: Segments | None) -> str:
    """Return moves as a table in text, the most frequent first; those of the new ones last."""
    rows: list[Sequence[str]] = [("from", "to", "customers")]
    for move, n in sorted(moves.items(), key=lambda item: (item[0].is_new, -item[1])):
        origin = "(new)" if move.is_new else called(move.origin, segments)
        rows.append((origin, called(move.target, segments), str(n)))
    return table(rows)


def called(number: int | None, segments: Segments | None) -> str:
    """Return what people call a segment."""
    if number is None:
        return "(no segment)"
    name = segments.name(number) if segments is not None else ""
    return f"{number} {name}".strip()


@dataclass(frozen=True)
class Ingested:
    """What a batch came to."""

    kind: str  #: The run's own input, a file, or all segments given again
    file: str | None  #: Its file
    fingerprint: str | None  #: Digest of its content
    totals: Mapping[str, Any]  #: Lines read and dropped, dates
    n_customers: int  #: Customers touched, and those of them who were not known
    n_new: int
    moves: Counter[Move]  #: Customers by where they were and where they are
    told: Sequence[str] = ()  #: What else is worth knowing
    #: Of several files: the digest of each by name.
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
    # Generated rows have no digest.
    digests = [] if batch.fingerprint is None else [batch.fingerprint, *batch.files.values()]
    connection.executemany("INSERT INTO contents VALUES (?, ?)", [(d, number) for d in digests])
    if batch.kind != "run":
        connection.executemany(
            "INSERT INTO moves VALUES (?, ?, ?, ?, ?)",
            ((number, move.is_new, move.origin, move.target, n) for move, n in batch.moves.items()),
        )
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


_N_SHOWN = 3

_KNOWN = (
    "SELECT b.file, b.ingested, b.kind FROM contents c JOIN batches b ON b.number = c.batch "
    "WHERE c.fingerprint = ? ORDER BY b.number LIMIT 1"
)


def files_of(path: str, sha256: str) -> dict[str, str]:
    """Return the digest of each of several files by name; nothing of one file, or of a query."""
    from segrun.data.datasets.source import find

    source = None if is_address(path) else find(path)
    if source is None or not source.parts:
        return {}
    if source.sha256 != sha256:
        raise DataError(
            f"dataset.path={path}: files were changed while they were read: ingest them once they "
            "are finished"
        )
    return {part.name: part.sha256 for part in source.parts}


def check_new(
    connection: sqlite3.Connection, path: str, sha256: str, files: Mapping[str, str]
) -> None:
    """Refuse files that were ingested before."""
    whole = _known(connection, sha256)
    parts = {name: said for name, digest in files.items() if (said := _known(connection, digest))}
    if whole is None and len(parts) < max(1, len(files)):
        if not parts:
            return
        more = f" and {len(parts) - _N_SHOWN} more" if len(parts) > _N_SHOWN else ""
        shown = ", ".join(f"{n} ({s})" for n, s in list(parts.items())[:_N_SHOWN])
        raise DataError(
            f"{path}: of its {len(files)} files {len(parts)} have the content of what is in "
            f"already: {shown}{more}. Name the files one by one, with --skip-known; --force counts "
            "all once more"
        )
    raise KnownBatchError(
        f"{path} has the content of what is in already: {whole or next(iter(parts.values()))}. "
        "--force counts it once more, --skip-known passes over such files"
    )


def _known(connection: sqlite3.Connection, fingerprint: str) -> str | None:
    """Return as what a content was ingested, None where it is new."""
    known = connection.execute(_KNOWN, (fingerprint,)).fetchone()
    if known is None:
        return None
    file, when, kind = known
    return "the run's own input" if kind == "run" else f"ingested as {file} at {when}"
