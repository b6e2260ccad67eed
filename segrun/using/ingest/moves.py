"""Who moved from segment to segment."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segrun.formats import table
from segrun.segments.segment import Segments


@dataclass(frozen=True, order=True)
class Move:
    """From one segment to another.

    Attributes
    ----------
    is_new : bool
        Whether the customers were not known before.
    origin, target : int or None
        Numbers of the segments; None: in no segment.
    """

    is_new: bool
    origin: int | None
    target: int | None


def moves_between(
    before: Mapping[str, int | None], ids: Iterable[str], after: Sequence[int | None]
) -> Counter[Move]:
    """Count who is in another segment than before, or is new.

    Parameters
    ----------
    before : mapping of str to (int or None)
        Segments by id of those who were known.
    ids : iterable of str
        Everybody.
    after : sequence of (int or None)
        Their segments now.
    """
    found = (
        Move(key not in before, before.get(key), now) for key, now in zip(ids, after, strict=True)
    )
    return Counter(move for move in found if move.is_new or move.origin != move.target)


def record(connection: sqlite3.Connection, batch: int, moves: Mapping[Move, int]) -> None:
    """Store the moves of a batch."""
    connection.executemany(
        "INSERT INTO moves VALUES (?, ?, ?, ?, ?)",
        ((batch, move.is_new, move.origin, move.target, n) for move, n in moves.items()),
    )


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


def total(moves: Iterable[Mapping[Move, int]]) -> Counter[Move]:
    """Return the moves of several batches together."""
    found: Counter[Move] = Counter()
    for one in moves:
        found.update(one)
    return found
