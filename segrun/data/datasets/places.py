"""Where a byte of a text file is: in which line, as editors count them."""

from __future__ import annotations

import codecs
from pathlib import Path

CHUNK_BYTES = 2**20


def line_ends(content: Path, encoding: str) -> bytes:
    """Return CR where, as on old Macs, it stands alone; else LF, CR LF included."""
    with content.open("rb") as file:
        head = codecs.getincrementaldecoder(encoding)("replace").decode(file.read(CHUNK_BYTES))
    # Within a cell Excel breaks lines by LF, on Macs as well.
    bare = "".join(head.split('"')[::2])
    return b"\r" if "\r" in bare and "\n" not in bare else b"\n"


def place(content: Path, n_before: int, byte: bytes, encoding: str) -> str:
    """Say where a byte is.

    Parameters
    ----------
    content : Path
        The text.
    n_before : int
        How many bytes are in front of it.
    byte : bytes
        The byte.
    encoding : str
        Of the text in front of it.
    """
    line, left, ends = 1, n_before, line_ends(content, encoding)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with content.open("rb") as file:
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            text = decoder.decode(chunk)
            line += text.count("\n") + (text.count("\r") if ends == b"\r" else 0)
            left -= len(chunk)
    return f"byte 0x{byte.hex()} in line {line} (after {n_before} bytes)"
