"""How a CSV file is written: which letter separates its fields, and what its header says."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from segrun.errors import DataError

#: In the order in which a tie is decided.
_SEPARATORS = (",", ";", "\t", "|")

_QUOTE = '"'


@dataclass(frozen=True)
class Dialect:
    """How rows are written.

    Attributes
    ----------
    separator : str
        The letter between two fields.
    header : str
        The header as it stands, with its line end.
    header_lines : int
        Lines from the beginning of the file to the end of the header, blank ones included; 0
        where there is none.
    names : list of str
        The header's fields.
    """

    separator: str
    header: str
    header_lines: int
    names: list[str]


def find_dialect(utf8: Path, separator: str, name: str) -> Dialect:
    """Return how a file is written; its header decides, for it has no decimals.

    Parameters
    ----------
    utf8 : Path
        The file in UTF-8.
    separator : str
        The letter between two fields, or ``auto``.
    name : str
        The file as the user named it, for messages.

    Raises
    ------
    DataError
        If there is no header.
    """
    n_lines, header = 0, ""
    with utf8.open(encoding="utf-8-sig", newline="\n") as file:
        for line in file:
            n_lines += 1
            header += line
            if not header.strip("\r\n"):
                header = ""
            # A quote that is still open goes on in the next line.
            elif header.count(_QUOTE) % 2 == 0 or n_lines > 100:
                break
    if not header:
        raise DataError(f"dataset.path={name} has no header: it holds nothing but blank lines")
    if "\0" in header:
        raise DataError(
            f"dataset.path={name} is no text: its first line has zero bytes. Name a CSV, Parquet "
            "or Excel file; for UTF-16 without a mark, set dataset.encoding=utf-16-le"
        )
    if separator == "auto":
        bare = "".join(header.split(_QUOTE)[::2])
        separator = max(_SEPARATORS, key=bare.count)
    try:
        names = next(csv.reader([header], delimiter=separator, strict=True))
    except csv.Error:
        names = header.strip("\r\n").split(separator)
    return Dialect(separator, header, n_lines, [n.strip() for n in names])


def headless(dialect: Dialect) -> Dialect:
    """Return how a file is written whose first row is one like the others.

    Parameters
    ----------
    dialect : Dialect
        What `find_dialect` took for its header.
    """
    names = [str(number) for number in range(1, len(dialect.names) + 1)]
    header = dialect.separator.join(names) + "\n"
    return replace(dialect, header=header, header_lines=0, names=names)
