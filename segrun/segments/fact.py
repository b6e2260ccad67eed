"""One fact about a segment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing that sets a segment apart.

    Attributes
    ----------
    column : str
        Column that it is about; months or weekdays where it is about all of them.
    clustered : bool
        Whether the algorithm saw the column.
    effect : float
        Cliff's delta against all other customers, -1 to 1; of shares their difference.
    text : str
        The sentence.
    word : str
        What a segment may be called for it; empty where it is no name.
    most : str
        What it may be called that has the most of it; empty where another has as much.
    """

    column: str
    clustered: bool
    effect: float
    text: str
    word: str = ""
    most: str = ""
