"""The sets of different values in a state: which value a customer has had, once each."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

import narwhals as nw

from segrun.using.ingest.cells import different_cells
from segrun.using.ingest.sql import quoted


def add_different(connection: sqlite3.Connection, answer: str, pairs: nw.DataFrame[Any]) -> None:
    """Add values to the set of each customer, and how many are new to the count.

    Parameters
    ----------
    connection : Connection
        The database.
    answer : str
        The answer that counts them.
    pairs : DataFrame
        Columns ``id`` and ``value``, once each.
    """
    run = connection.execute
    run("CREATE TEMP TABLE IF NOT EXISTS pairs (id TEXT, value)")
    run("DELETE FROM pairs")
    cells = zip(pairs["id"].to_list(), different_cells(pairs["value"]), strict=True)
    connection.executemany("INSERT INTO pairs VALUES (?, ?)", cells)
    fresh = run(
        "SELECT c.number, p.value FROM pairs p CROSS JOIN customers c ON c.id = p.id "
        "WHERE NOT EXISTS (SELECT 1 FROM different d WHERE d.customer = c.number "
        "AND d.answer = ? AND d.value = p.value)",
        (answer,),
    ).fetchall()
    connection.executemany(
        "INSERT INTO different VALUES (?, ?, ?)", ((c, answer, value) for c, value in fresh)
    )
    counts = Counter(customer for customer, _ in fresh)
    name = quoted(answer)
    connection.executemany(
        f"UPDATE customers SET {name} = {name} + ? WHERE number = ?",  # noqa: S608
        ((n, customer) for customer, n in counts.items()),
    )
