"""Pieces of SQL about the customers of a state."""

from __future__ import annotations

#: The customers of the last batch. CROSS JOIN: SQLite then goes through the batch and looks each
#: up, instead of going through all customers.
TOUCHED = "FROM touched t CROSS JOIN customers c ON c.id = t.id"


def source(*, touched: bool, condition: str = "1") -> str:
    """Return which customers are asked, `c`, and in which order."""
    return f"{TOUCHED if touched else 'FROM customers c'} WHERE {condition} ORDER BY c.id"


def quoted(name: str) -> str:
    """Return the name of a column as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
