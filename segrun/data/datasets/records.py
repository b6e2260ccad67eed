"""The rows of a CSV file one by one, with their line numbers: the slow road that finds faults.

polars reads whole files fast, but can neither leave out a broken row nor say where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from segrun.data.datasets.dialect import Dialect

#: A row whose quoted field runs over more lines than this is taken for one with an open quote.
MAX_LINES = 100

_OPEN = "quotes are not closed, or not doubled inside a field"


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file.

    Attributes
    ----------
    line : int
        Number of the line in which it begins, from 1.
    text : str
        What stands there, with its line ends.
    fault : str
        Why it is no row of the table, empty if it is one.
    """

    line: int
    text: str
    fault: str


def records(utf8: Path, dialect: Dialect) -> Iterator[Record]:
    """Yield every row below the header; blank lines are no rows.

    A quote that is never closed spoils its own line only: reading goes on with the next one.
    """
    n_fields = len(dialect.names)
    well_formed = _well_formed(dialect.separator)
    with utf8.open(encoding="utf-8-sig", newline="\n") as file:
        for _ in islice(file, dialect.header_lines):
            pass
        lines = _Lines(file, dialect.header_lines)
        while text := lines.take():
            line = lines.number
            if not text.strip("\r\n"):
                continue
            if '"' not in text:
                yield Record(line, text, _count(text, dialect.separator, n_fields))
                continue
            whole = lines.rest_of(text)
            fault = _OPEN
            if well_formed.fullmatch(whole.rstrip("\r\n")):
                fault = _count(re.sub(r'"[^"]*"', "", whole), dialect.separator, n_fields)
            if fault and whole != text:
                # What looked like the rest of the row are rows of their own.
                lines.give_back(whole[len(text) :])
                whole, fault = text, _OPEN
            yield Record(line, whole, fault)


def _count(bare: str, separator: str, n_expected: int) -> str:
    n_fields = bare.count(separator) + 1
    return "" if n_fields == n_expected else f"{n_fields} fields, the header has {n_expected}"


def _well_formed(separator: str) -> re.Pattern[str]:
    """Return what matches a row; possessive, so that no row takes long."""
    letter = re.escape(separator)
    field = rf'(?:"(?:[^"]++|"")*+"|[^"{letter}]*+)'
    return re.compile(rf"{field}(?:{letter}{field})*+")


class _Lines:
    """Lines of a file that can be given back."""

    def __init__(self, file: TextIO, n_before: int) -> None:
        self._file = file
        self._back: list[str] = []
        self.number = n_before

    def take(self) -> str:
        line = self._back.pop() if self._back else self._file.readline()
        self.number += bool(line)
        return line

    def give_back(self, text: str) -> None:
        # Not splitlines: it also splits at letters that end no line of a file.
        lines = [part for part in re.split(r"(?<=\n)", text) if part]
        self._back += reversed(lines)
        self.number -= len(lines)

    def rest_of(self, text: str) -> str:
        """Return `text` with the lines that an open quote in it takes in."""
        whole, n_quotes, n_lines = [text], text.count('"'), 1
        while n_quotes % 2 and n_lines < MAX_LINES and (line := self.take()):
            whole.append(line)
            n_quotes += line.count('"')
            n_lines += 1
        return "".join(whole)
