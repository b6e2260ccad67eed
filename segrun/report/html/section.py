"""What a page is made of."""

from __future__ import annotations

import base64
import shlex
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Picture:
    """A picture of the page, and the file beside it.

    Attributes
    ----------
    name : str
        Of the file, without folder and ending.
    png : bytes
        Its content.
    alt : str
        What it shows, for those who cannot see it.
    caption : str
        What to know to read it: sample, scale; may be empty.
    shown : bool
        False where the page shows the same as a table, and the file is for slides only.
    """

    name: str
    png: bytes
    alt: str = ""
    caption: str = ""
    shown: bool = True

    @property
    def file(self) -> str:
        """Path below the run directory."""
        return f"pictures/{self.name}.png"

    @property
    def uri(self) -> str:
        """The content as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")

    @property
    def width(self) -> int:
        """Pixels; told to the browser, so that nothing jumps while the page loads."""
        return int(struct.unpack(">I", self.png[16:20])[0])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(struct.unpack(">I", self.png[20:24])[0])


@dataclass(frozen=True)
class Section:
    """One part of a page under a heading of its own.

    Attributes
    ----------
    id : str
        Name of its anchor and of its template.
    title : str
        The heading.
    values : mapping
        What its template shows.
    pictures : sequence of Picture
        In order.
    pictures_first : bool
        Whether they stand before what the template shows, which may be long.
    """

    id: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
    pictures_first: bool = False


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes
    ----------
    title : str
        Its name.
    lead : str
        What it is about, in a sentence or two.
    warnings : sequence of str
        What makes it less than it looks, on top.
    sections : sequence of Section
        In order.
    balance : str
        What was read, left out and used; empty where nobody knows.
    """

    title: str
    lead: str
    warnings: Sequence[str]
    sections: Sequence[Section]
    balance: str = ""

    @property
    def pictures(self) -> list[Picture]:
        """All pictures, in order."""
        return [picture for section in self.sections for picture in section.pictures]


def reproduce_command(path: Path) -> str:
    """Return the command that reproduces a run or sweep, from where ``outputs/`` is."""
    parts = path.absolute().parts
    if "outputs" in parts:
        seen = "/".join(parts[len(parts) - 1 - parts[::-1].index("outputs") :])
    else:
        seen = parts[-1]
    return shlex.join(["segrun", "reproduce", seen])
